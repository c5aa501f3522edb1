export { type BudgetIsSpentOptions, type BudgetStopCondition, budgetIsSpent } from "./budget-is-spent.ts";
