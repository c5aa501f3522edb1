export { type ExtractCostOptions, type ExtractedCost, extractCostFromResult } from "./extract-cost.ts";
export { bundledPriceBook, generatedAt } from "./snapshot.ts";
