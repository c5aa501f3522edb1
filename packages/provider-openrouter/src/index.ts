export {
  BudgetExceededError,
  budgetMiddleware,
  CostTracker,
  coverage,
  isBudgetExceeded,
  runWithBudget,
  UpstreamBudgetError,
  usd,
  withBudget,
} from "@autolabel/budget-core";
export { type BudgetIsSpentOptions, budgetIsSpent } from "@autolabel/budget-core/loops";
export { createOpenRouter } from "@openrouter/ai-sdk-provider";
export {
  type BudgetedOpenRouter,
  type BudgetedOpenRouterOptions,
  createBudgetedOpenRouter,
} from "./openrouter-client.ts";
export { type OpenRouterCostsOptions, openRouterCosts } from "./openrouter-costs.ts";
export { openRouterBudgetError } from "./openrouter-errors.ts";
export { type OpenRouterPrices, openRouterPriceBook } from "./openrouter-prices.ts";
