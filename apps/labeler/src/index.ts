export { BudgetExceededError, CostTracker, isBudgetExceeded, UpstreamBudgetError, usd } from "@autolabel/budget-core";
export {
  AutoLabeler,
  hasPartialResults,
  type LabelInput,
  type LabelResult,
  type PartialBudgetExceededError,
} from "./auto-labeler.ts";
export { LabelingConfig, type LabelingConfigInput } from "./config/labeling-config.ts";
export { Settings, type SettingsInput } from "./config/settings.ts";
export type { DataRow } from "./data/read-rows.ts";
export type { CostRange } from "./engine/cost-model.ts";
export type { Inclusion } from "./engine/inclusion.ts";
export type { LabelingRun } from "./engine/labeling-run.ts";
export type { PlannedCosts, PlannedPrice, PlannedReach, RunPlan } from "./engine/plan-run.ts";
export { RateLimitedError } from "./engine/rate-limited-error.ts";
export type { RunProblem } from "./engine/run-problems.ts";
export type { RunOutcome } from "./engine/run-rows.ts";
export { getLlmClient, type LlmClientOptions } from "./llm-client.ts";
export { type ReportOptions, reportRun } from "./report/report-run.ts";
export type { RunReport } from "./report/run-report.ts";
export type { LabeledRow, RowCounts, RowStatus } from "./store/row.ts";
export { UsageError } from "./usage-error.ts";
