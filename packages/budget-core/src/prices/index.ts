export { type InputBoundOptions, inputTokenBound } from "../quote/input-bound.ts";
export { type QuoteOptions, quoteCall } from "../quote/quote-call.ts";
export { readAnthropicUsage } from "../usage/read-anthropic-usage.ts";
export { readGeminiUsage } from "../usage/read-gemini-usage.ts";
export { readOpenAiUsage } from "../usage/read-openai-usage.ts";
export { readOpenRouterUsage } from "../usage/read-openrouter-usage.ts";
export { readSdkUsage } from "../usage/read-sdk-usage.ts";
export { isValidUsage } from "../usage.ts";
export type { CompiledRow, Rates } from "./compile-row.ts";
export { type ExtractCostOptions, type ExtractedCost, extractCostFromResult } from "./extract-cost.ts";
export type { ModelPrice } from "./model-price.ts";
export { PriceBook, type Staleness } from "./price-book.ts";
export { type BillingReach, priceBound } from "./price-bound.ts";
export type { PriceLayer } from "./price-layer.ts";
export type {
  Decimal,
  Fee,
  PriceEntry,
  PriceRow,
  ServiceTier,
  StatedPrice,
  TokenRate,
} from "./price-row.ts";
export { priceUsage } from "./price-usage.ts";
export { bundledPriceBook, generatedAt } from "./snapshot.ts";
