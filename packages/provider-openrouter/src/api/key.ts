import { formatUsd, type Money, UpstreamBudgetError, type Usd, usd } from "@autolabel/budget-core";
import { OpenRouterApiError } from "../openrouter-errors.ts";
import { asRecord, asText, readAmount } from "./exact-json.ts";
import { getFromOpenRouter, type OpenRouterApiOptions } from "./openrouter-api.ts";

/** What OpenRouter says of a key. Amounts are exact. */
export interface OpenRouterKey {
  /** The key's name, or its ends. */
  label: string;
  /** The key's own limit; undefined when it has none. */
  limit: Money | undefined;
  /** What is left of the limit, 0 when it is overdrawn; undefined without a limit. */
  limitRemaining: Money | undefined;
  /** When the limit starts anew: `"daily"`, `"weekly"`, `"monthly"`; undefined for never. */
  limitReset: string | undefined;
  /** What was charged to the account through this key, ever. */
  usage: Money;
  usageDaily: Money;
  usageWeekly: Money;
  usageMonthly: Money;
  /** What providers charged to your own keys at them, through this key, ever. */
  byokUsage: Money;
  /** Whether {@link OpenRouterKey.byokUsage} counts towards the limit. */
  includesByok: boolean;
  isFreeTier: boolean;
}

/**
 * Limit and usage of a key (`GET /key`).
 *
 * @throws OpenRouterApiError for a key that is refused or an answer without usage, and what `fetch` throws.
 */
export async function openRouterKey(options: OpenRouterApiOptions = {}): Promise<OpenRouterKey> {
  const answer = await getFromOpenRouter("/key", options);
  const data = answer.isUnchanged ? undefined : asRecord(asRecord(answer.body)?.data);
  const usage = readAmount(data?.usage);
  if (!data || usage === undefined) throw new OpenRouterApiError({ path: "/key", statusCode: 200 });
  const amount = (name: string) => usd.pico(readAmount(data[name]) ?? 0n);
  const limit = readAmount(data.limit);
  return {
    label: asText(data.label) ?? "",
    limit: limit === undefined ? undefined : usd.pico(limit),
    // A negative rest is no amount: the key is overdrawn.
    limitRemaining: isAbsent(data.limit_remaining) ? undefined : amount("limit_remaining"),
    limitReset: asText(data.limit_reset),
    usage: usd.pico(usage),
    usageDaily: amount("usage_daily"),
    usageWeekly: amount("usage_weekly"),
    usageMonthly: amount("usage_monthly"),
    byokUsage: amount("byok_usage"),
    includesByok: data.include_byok_in_limit === true,
    isFreeTier: data.is_free_tier === true,
  };
}

/** @throws UpstreamBudgetError when what is left of the key's limit is less than `needed`. */
export function assertKeyAllows({ label, limitRemaining }: OpenRouterKey, needed: Usd): void {
  if (limitRemaining === undefined || limitRemaining.picoUsd >= usd(needed).picoUsd) return;
  throw new UpstreamBudgetError({
    provider: "openrouter",
    message: `The OpenRouter key "${label}" has ${formatUsd(limitRemaining)} left of its limit, and ${formatUsd(needed)} is needed: raise its limit at https://openrouter.ai/settings/keys`,
  });
}

function isAbsent(value: unknown): boolean {
  return value === undefined || value === null;
}
