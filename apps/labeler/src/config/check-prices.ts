import { parsePicoUsd, picoToDecimal } from "@autolabel/budget-core";
import type { StatedPrice } from "@autolabel/budget-core/prices";
import { UsageError } from "../usage-error.ts";

/** USD per 1M tokens: no model is sold for less, or for more. Between are $1e-9 and $1e-2 a token. */
const cheapestPicoUsd = parsePicoUsd("0.001");
const dearestPicoUsd = parsePicoUsd("10000");

/**
 * Refuses stated prices that can only be meant for another unit: a price per token, per 1,000 tokens or in cents would
 * make every bound of the run wrong. A price of 0 is a free model.
 *
 * @throws UsageError that names the price and the unit.
 */
export function checkPrices(prices: Readonly<Record<string, StatedPrice>> = {}): void {
  for (const [model, price] of Object.entries(prices)) {
    for (const kind of ["input", "output"] as const) {
      const per1M = readPrice(price[kind], `The ${kind} price of ${model}`);
      if (per1M === 0n || (per1M >= cheapestPicoUsd && per1M <= dearestPicoUsd)) continue;
      throw new UsageError(
        `The ${kind} price of ${model}, ${picoToDecimal(per1M)} USD per 1M tokens, is a mistake in the unit: state USD per 1M tokens, such as 0.15, not per token or per 1,000`,
      );
    }
  }
}

function readPrice(price: unknown, what: string): bigint {
  try {
    return parsePicoUsd(price);
  } catch (cause) {
    throw new UsageError(`${what} must be USD per 1M tokens, such as 0.15, not ${JSON.stringify(price)}`, { cause });
  }
}
