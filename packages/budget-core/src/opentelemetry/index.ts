export { traceBudget } from "./trace-budget.ts";
