import type { PriceBook, StatedPrice } from "@autolabel/budget-core/prices";
import { bundledPriceBook } from "@autolabel/budget-core/prices";
import type { ListedPrices, Routing } from "./api/listed-prices.ts";

/** Own prices by model id, in USD per 1M tokens. They stand before the live and the bundled ones. */
export type OpenRouterPrices = Readonly<Record<string, StatedPrice>>;

/**
 * The prices that bound a call before it is sent. OpenRouter's change within weeks; what a call did cost is taken from
 * the response.
 */
export function openRouterPriceBook(prices?: OpenRouterPrices): PriceBook {
  return bundledPriceBook().with("openrouter", prices);
}

/** Where a call's prices are looked up: the same for its bound and its cost, whatever is refreshed in between. */
export interface CallPrices {
  /** The book for a model, as the call may be routed. */
  book(modelId: string): PriceBook;
  /** Whether who serves the model decides on its price. */
  varies(modelId: string): boolean;
}

/** The prices of one call. */
export function callPrices(base: PriceBook, listed: ListedPrices | undefined, routing: Routing): CallPrices {
  return {
    book: (modelId) => listed?.book(base, modelId, routing) ?? base,
    varies: (modelId) => listed?.varies(modelId, routing) ?? false,
  };
}
