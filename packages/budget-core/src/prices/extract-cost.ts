import { type Money, parsePicoUsd, toNumber, usd } from "../money.ts";
import { readOpenAiUsage } from "../usage/read-openai-usage.ts";
import { readSdkUsage } from "../usage/read-sdk-usage.ts";
import type { Usage } from "../usage.ts";
import type { PriceBook } from "./price-book.ts";
import { priceUsage } from "./price-usage.ts";
import { bundledPriceBook } from "./snapshot.ts";

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
  /** Where prices are looked up. Default: the bundled book. */
  prices?: PriceBook;
  /** When the call was made. Default: now. */
  at?: Date;
}

const unknown: ExtractedCost = { costUsd: undefined, cost: undefined, kind: "unknown" };

/**
 * What a finished call did cost, read from its result: of the AI SDK, a raw response body, or a message with metadata.
 * Never throws, whatever it is given.
 *
 * @param provider `openrouter` (the reported cost), `openai` (tokens x price), `corporate` (free), in any letter case; any
 * other is unknown.
 * @param modelId the model that served the call; needed to price tokens.
 */
export function extractCostFromResult(
  result: unknown,
  provider: string,
  modelId?: string,
  options: ExtractCostOptions = {},
): ExtractedCost {
  const name = provider.toLowerCase();
  try {
    if (name === "corporate") return extracted(0n, "reported");
    const reported = name === "openrouter" ? reportedCost(result) : undefined;
    if (reported !== undefined) return extracted(reported, "reported");
    if (name !== "openrouter" && name !== "openai") return unknown;
    const usage = usageOf(result);
    const { prices = bundledPriceBook(), at = new Date() } = options;
    const isTold = usage !== undefined && modelId !== undefined;
    const computed = isTold ? priceUsage(prices.find(name, modelId, at), usage) : undefined;
    return computed === undefined ? unknown : extracted(computed, "computed");
  } catch {
    return unknown;
  }
}

function extracted(picoUsd: bigint, kind: "reported" | "computed"): ExtractedCost {
  return { costUsd: toNumber(picoUsd), cost: usd.pico(picoUsd), kind };
}

/** Places where libraries put what a provider reports, the most exact first. */
const places: readonly (readonly string[])[] = [
  ["usage", "raw"],
  ["response", "body", "usage"],
  ["body", "usage"],
  ["providerMetadata", "openrouter", "usage"],
  ["metadata"],
  ["responseMetadata"],
  ["response_metadata"],
  ["llmOutput"],
  ["llm_output"],
  ["llmOutput", "usage"],
  ["llm_output", "usage"],
  ["usage"],
  [],
];

function reportedCost(result: unknown): bigint | undefined {
  for (const place of places) {
    const told = at(result, place);
    const total = amount(told?.total_cost);
    const cost = amount(told?.cost);
    // A total of 0 beside a cost is no total; otherwise the total stands before its part.
    const own = total || cost || (total ?? cost);
    if (own === undefined) continue;
    const upstream = amount(at(told, ["cost_details"])?.upstream_inference_cost) ?? 0n;
    return told?.is_byok === true ? own + upstream : own;
  }
  return undefined;
}

function usageOf(result: unknown): Usage | undefined {
  const bodies = [[], ["response", "body"], ["body"]].map((place) => at(result, place));
  const counts = [
    ["usage", "raw"],
    ["usage"],
    ["tokenUsage"],
    ["token_usage"],
    ["llmOutput", "tokenUsage"],
    ["llm_output", "token_usage"],
  ];
  return (
    readSdkUsage(at(result, ["usage"])) ??
    [...bodies, ...counts.map((place) => at(result, place))].map((raw) => raw && readOpenAiUsage(raw)).find(Boolean)
  );
}

function at(value: unknown, place: readonly string[]): Record<string, unknown> | undefined {
  let found = value;
  for (const key of place) found = isRecord(found) ? found[key] : undefined;
  return isRecord(found) ? found : undefined;
}

function amount(value: unknown): bigint | undefined {
  if (value === undefined || value === null) return undefined;
  try {
    return parsePicoUsd(value);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
