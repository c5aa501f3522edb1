import type { StatedPrice, TokenRate } from "@autolabel/budget-core/prices";
import { UsageError } from "../usage-error.ts";

/** What a token is billed as, by the names under which its price is stated. */
const perToken: readonly TokenRate[] = ["input", "output", "cacheRead", "cacheWrite", "cacheWrite1h", "reasoning"];
/** In USD per 1M tokens. No model is sold for less than the one or more than the other: what is has another unit. */
const [cheapest, dearest] = [0.001, 10_000];

/**
 * A price that was stated per token, or per 1K, would let a budget pass a thousandfold, or stop it at the first row.
 *
 * @throws UsageError for a price that cannot be one in USD per 1M tokens. 0 is one: a model can be free.
 */
export function checkPrices(prices: Readonly<Record<string, StatedPrice>> = {}): void {
  for (const [modelId, price] of Object.entries(prices)) {
    for (const rate of perToken) {
      const usd = Number(price[rate] ?? 0);
      if (usd === 0 || (usd >= cheapest && usd <= dearest)) continue;
      throw new UsageError(
        `prices: ${String(price[rate])} cannot be the ${rate} price of ${modelId}: state it in USD per 1M tokens, from ${cheapest} to ${dearest}`,
      );
    }
  }
}
