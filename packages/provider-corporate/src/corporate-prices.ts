import { PriceBook, type StatedPrice } from "@autolabel/budget-core/prices";

/** The prices of your contract by model id, in USD per 1M tokens. */
export type CorporatePrices = Readonly<Record<string, StatedPrice>>;

/** A price book that knows the contract only: list prices are not what a gateway charges. */
export function corporatePriceBook(name: string, prices: CorporatePrices): PriceBook {
  return new PriceBook([]).with(name, prices);
}
