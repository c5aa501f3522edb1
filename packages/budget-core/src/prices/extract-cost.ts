import { type Money, toNumber, usd } from "../money.ts";
import type { PriceBook } from "./price-book.ts";
import { priceUsage } from "./price-usage.ts";
import { reportedCost } from "./reported-cost.ts";
import { bundledPriceBook } from "./snapshot.ts";
import { usageInResult } from "./usage-in-result.ts";

/** What a result tells of its cost. */
export interface ExtractedCost {
  /** USD as the nearest double; undefined when unknown. Unknown is not zero. */
  costUsd: number | undefined;
  /** The exact amount; undefined when unknown. */
  cost: Money | undefined;
  /** `reported` by the provider, `computed` from tokens and price, or `unknown`. */
  kind: "reported" | "computed" | "unknown";
}

/** Options of {@link extractCostFromResult}. */
export interface ExtractCostOptions {
  /**
   * Where prices are looked up. Default: the bundled book. With one of your own, a `corporate` call costs what it lists
   * under `corporate`, and is unknown where it does not list the model.
   */
  prices?: PriceBook;
  /** When the call was made. Default: now. */
  at?: Date;
}

type Known = { picoUsd: bigint; kind: "reported" | "computed" };

/**
 * What a finished call did cost, read from its result: of the AI SDK, a response body, or a message with metadata as
 * other libraries give. A result of several steps costs the sum of them, and is unknown if one of them is. Never throws,
 * whatever it is given. Of `streamText`, give `{ steps: await stream.steps }`: its own fields are promises.
 *
 * @param provider `openrouter` (the reported cost, else tokens x price), `openai` (tokens x price), `corporate` (free,
 * unless priced by {@link ExtractCostOptions.prices}), in any letter case; any other is unknown.
 * @param modelId the model that served the call; needed to price tokens.
 */
export function extractCostFromResult(
  result: unknown,
  provider: string,
  modelId?: string,
  options: ExtractCostOptions = {},
): ExtractedCost {
  try {
    const costs = callsIn(result).map((call) => costOf(call, provider.toLowerCase(), modelId, options));
    const known = costs.filter((cost) => cost !== undefined);
    if (known.length < costs.length) return unknown();
    const total = known.reduce((sum, { picoUsd }) => sum + picoUsd, 0n);
    const kind = known.every((cost) => cost.kind === "reported") ? "reported" : "computed";
    return { costUsd: toNumber(total), cost: usd.pico(total), kind };
  } catch {
    return unknown();
  }
}

function unknown(): ExtractedCost {
  return { costUsd: undefined, cost: undefined, kind: "unknown" };
}

/** The AI SDK gives a result the metadata of its last step only, so a tool loop is read step by step. */
function callsIn(result: unknown): readonly unknown[] {
  const steps = typeof result === "object" && result !== null && "steps" in result ? result.steps : undefined;
  return Array.isArray(steps) && steps.length > 0 ? (steps as unknown[]) : [result];
}

function costOf(
  call: unknown,
  provider: string,
  modelId: string | undefined,
  { prices, at = new Date() }: ExtractCostOptions,
): Known | undefined {
  if (provider === "corporate" && !prices) return { picoUsd: 0n, kind: "reported" };
  if (provider !== "openrouter" && provider !== "openai" && provider !== "corporate") return undefined;
  const reported = provider === "openrouter" ? reportedCost(call) : undefined;
  if (reported !== undefined) return { picoUsd: reported, kind: "reported" };
  const usage = usageInResult(call, provider);
  if (!usage || modelId === undefined) return undefined;
  const picoUsd = priceUsage((prices ?? bundledPriceBook()).find(provider, modelId, at), usage);
  return picoUsd === undefined ? undefined : { picoUsd, kind: "computed" };
}
