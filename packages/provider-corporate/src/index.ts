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
export { type Corporate, type CorporateOptions, createCorporate } from "./corporate-client.ts";
export { type CorporateCostsOptions, type CostFrom, corporateCosts } from "./corporate-costs.ts";
export { corporateBudgetError } from "./corporate-errors.ts";
export { type CorporatePrices, corporatePriceBook } from "./corporate-prices.ts";
