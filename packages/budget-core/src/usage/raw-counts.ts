import type { ServiceTier } from "../prices/price-row.ts";
import { checkedUsage, type Usage } from "../usage.ts";

/** A JSON object, as far as it has been looked at. */
export type Json = Readonly<Record<string, unknown>>;

export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The object, or an empty one where a provider leaves it out. */
export function jsonOf(value: unknown): Json {
  return isJson(value) ? value : {};
}

/** A count; undefined when it is left out; NaN when it is there and no number, which no usage survives. */
export function countOf(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === "number" ? value : Number.NaN;
}

/** Sum of counts of which at least the first must be told. */
export function sumOf(first: number | undefined, ...more: readonly (number | undefined)[]): number | undefined {
  return first === undefined ? undefined : more.reduce<number>((sum, count) => sum + (count ?? 0), first);
}

type Draft = { readonly [Key in keyof Usage]: Usage[Key] | undefined };

/** The usage without the counts that were not told; undefined when a total is missing or the counts are contradictory. */
export function usageOf(draft: Draft): Usage | undefined {
  const told = Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== undefined)) as Partial<Usage>;
  const { inputTokens, outputTokens } = told;
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  return checkedUsage({ ...told, inputTokens, outputTokens });
}

const tiers: Readonly<Record<string, ServiceTier | undefined>> = {
  default: "standard",
  standard: "standard",
  on_demand: "standard",
  batch: "batch",
  flex: "flex",
  priority: "priority",
};

/** The tier that a response names: undefined when it names none, `"unknown"` for one that nobody has a price for. */
export function servedTier(name: unknown): ServiceTier | "unknown" | undefined {
  if (name === undefined || name === null || name === "auto") return undefined;
  return (typeof name === "string" ? tiers[name.toLowerCase()] : undefined) ?? "unknown";
}
