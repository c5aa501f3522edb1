export { createOpenAI } from "@ai-sdk/openai";
export {
  BudgetExceededError,
  budgetEmbeddingMiddleware,
  budgetImageMiddleware,
  budgetMiddleware,
  CostTracker,
  coverage,
  isBudgetExceeded,
  runWithBudget,
  settled,
  UnboundedRequestError,
  UnpricedModelError,
  UpstreamBudgetError,
  usd,
  withBudget,
} from "@autolabel/budget-core";
export { type BudgetIsSpentOptions, budgetIsSpent } from "@autolabel/budget-core/loops";
export { AzureOpenAI, OpenAI } from "openai";
export { type MeterableOpenAI, type MeterOpenAIOptions, meterOpenAI } from "./official-client/meter-openai.ts";
export { type BudgetedOpenAI, type BudgetedOpenAIOptions, createBudgetedOpenAI } from "./openai-client.ts";
export { type OpenAiCostsOptions, openAiCosts } from "./openai-costs.ts";
export { openAiBudgetError } from "./openai-errors.ts";
export { type OpenAiPrices, openAiPriceBook } from "./openai-prices.ts";
