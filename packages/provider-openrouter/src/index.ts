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
export { type CostLookup, openRouterGeneration, openRouterGenerationId } from "./api/generation.ts";
export { assertKeyAllows, type OpenRouterKey, openRouterKey } from "./api/key.ts";
export type { ListedPrices, RefusedPrice } from "./api/listed-prices.ts";
export {
  type LiveOpenRouterPrices,
  type LivePricesOptions,
  liveOpenRouterPrices,
  type PriceRefresh,
} from "./api/live-prices.ts";
export type { OpenRouterApiOptions } from "./api/openrouter-api.ts";
export {
  type BookedCall,
  type DriftedCall,
  type DriftReport,
  diffBooks,
  type ReconcileOptions,
  reconcileOpenRouter,
} from "./api/reconcile.ts";
export {
  type BudgetedOpenRouter,
  type BudgetedOpenRouterOptions,
  createBudgetedOpenRouter,
  createOpenRouter,
} from "./openrouter-client.ts";
export { type OpenRouterCostsOptions, openRouterCosts } from "./openrouter-costs.ts";
export { OpenRouterApiError, openRouterBudgetError } from "./openrouter-errors.ts";
export { type OpenRouterPrices, openRouterPriceBook } from "./openrouter-prices.ts";
