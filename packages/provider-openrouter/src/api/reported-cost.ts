import { asRecord, readAmount } from "./exact-json.ts";

/**
 * The cost in OpenRouter's `usage` object, in pico-USD; undefined when it tells none.
 *
 * Without an own provider key `upstream_inference_cost` repeats `cost`, so adding both would double the bill; with one,
 * `cost` is only OpenRouter's fee. Where the response does not say which, an upstream cost that repeats `cost` tells it.
 */
export function reportedCost(raw: Record<string, unknown> | undefined): bigint | undefined {
  const cost = readAmount(raw?.cost);
  if (cost === undefined || raw?.is_byok === false) return cost;
  const upstream = readAmount(asRecord(raw?.cost_details)?.upstream_inference_cost);
  // An own key is charged by its provider; how much is unknown when the response does not tell.
  if (raw?.is_byok === true) return upstream === undefined ? undefined : cost + upstream;
  return upstream === undefined || upstream === cost ? cost : cost + upstream;
}
