import type { Call, CostExtractor } from "../costs.ts";
import type { Quote } from "../receipt.ts";

/**
 * The same call with the largest output cap whose bound fits `availablePicoUsd`, or undefined when not even one token
 * of output does. Bounds grow with the cap, so the cap is found by halving.
 */
export function clampQuote(
  costs: CostExtractor,
  call: Call,
  asked: Quote,
  availablePicoUsd: bigint,
): Quote | undefined {
  if (asked.maxOutputTokens === undefined) return undefined;
  let best: Quote | undefined;
  let [low, high] = [1, asked.maxOutputTokens];
  while (low <= high) {
    const maxOutputTokens = Math.floor((low + high) / 2);
    const quote = costs.quote({ ...call, maxOutputTokens });
    if (quote.boundPicoUsd <= availablePicoUsd) {
      best = quote;
      low = maxOutputTokens + 1;
    } else {
      high = maxOutputTokens - 1;
    }
  }
  return best;
}
