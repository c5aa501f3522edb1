import { ceilDiv } from "../money.ts";
import type { Usage } from "../usage.ts";
import type { ModelPrice } from "./price-book.ts";

const tokensPerRate = 1_000_000n;

/**
 * Exact cost of a usage in pico-USD, rounded up once. Each token is billed once: cache reads and writes are taken out
 * of the input before the rest is billed as fresh input.
 *
 * Returns undefined when the parts exceed their total: such a usage cannot be priced.
 */
export function priceUsage(price: ModelPrice, usage: Usage): bigint | undefined {
  const { inputTokens, outputTokens, cacheReadTokens = 0, cacheWriteTokens = 0, cacheWrite1hTokens = 0 } = usage;
  const freshTokens = inputTokens - cacheReadTokens - cacheWriteTokens - cacheWrite1hTokens;
  if (freshTokens < 0) return undefined;
  const { rates } = price;
  const total =
    BigInt(freshTokens) * rates.input +
    BigInt(cacheReadTokens) * rates.cacheRead +
    BigInt(cacheWriteTokens) * rates.cacheWrite +
    BigInt(cacheWrite1hTokens) * rates.cacheWrite1h +
    BigInt(outputTokens) * rates.output;
  return ceilDiv(total, tokensPerRate) + price.requestPicoUsd;
}

/** The most that so many input and output tokens can cost, whatever they are billed as. */
export function priceBound(price: ModelPrice, inputTokens: number, outputTokens: number): bigint {
  const { input, cacheRead, cacheWrite, cacheWrite1h, output } = price.rates;
  const inputRate = [input, cacheRead, cacheWrite, cacheWrite1h].reduce((most, rate) => (rate > most ? rate : most));
  const total = BigInt(inputTokens) * inputRate + BigInt(outputTokens) * output;
  return ceilDiv(total, tokensPerRate) + price.requestPicoUsd;
}
