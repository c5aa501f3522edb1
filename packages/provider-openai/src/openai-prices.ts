import type { PriceBook, StatedPrice } from "@autolabel/budget-core/prices";
import { bundledPriceBook } from "@autolabel/budget-core/prices";

/** Own prices by model id or Azure deployment, in USD per 1M tokens. They stand before the bundled ones. */
export type OpenAiPrices = Readonly<Record<string, StatedPrice>>;

/** OpenAI's list prices with your own before them. They bound a call before it is sent and tell what it did cost. */
export function openAiPriceBook(prices?: OpenAiPrices): PriceBook {
  return bundledPriceBook().with("openai", prices);
}
