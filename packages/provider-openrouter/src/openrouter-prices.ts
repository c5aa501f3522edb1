import type { PriceBook, StatedPrice } from "@autolabel/budget-core/prices";
import { bundledPriceBook } from "@autolabel/budget-core/prices";

/** Own prices by model id, in USD per 1M tokens. They stand before the bundled ones. */
export type OpenRouterPrices = Readonly<Record<string, StatedPrice>>;

/**
 * The prices that bound a call before it is sent. OpenRouter's change within weeks; what a call did cost is taken from
 * the response.
 */
export function openRouterPriceBook(prices?: OpenRouterPrices): PriceBook {
  return bundledPriceBook().with("openrouter", prices);
}
