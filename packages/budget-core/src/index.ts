export type { Call, CallResult, CostExtractor, Outcome, Surface } from "./costs.ts";
export { boundReceipt } from "./costs.ts";
export { BudgetError } from "./errors/budget-error.ts";
export { BudgetExceededError, type BudgetExceededOptions } from "./errors/budget-exceeded-error.ts";
export { InvalidAmountError } from "./errors/invalid-amount-error.ts";
export { findBudgetExceeded, isBudgetExceeded } from "./errors/is-budget-exceeded.ts";
export { LedgerError } from "./errors/ledger-error.ts";
export { ReservationStateError } from "./errors/reservation-state-error.ts";
export { UnboundedRequestError } from "./errors/unbounded-request-error.ts";
export { UnpricedModelError } from "./errors/unpriced-model-error.ts";
export { UpstreamBudgetError } from "./errors/upstream-budget-error.ts";
export type {
  Account,
  AccountKey,
  AuditedAccount,
  Balance,
  BalanceReport,
  JournalSums,
  Ledger,
  LedgerReport,
  OpenReservation,
  ReservationPart,
  ReserveOutcome,
  ReserveRequest,
  UnresolvedReservation,
} from "./ledger/ledger.ts";
export { MemoryLedger, type MemoryLedgerSnapshot } from "./ledger/memory.ts";
export { settled } from "./meter/lookups.ts";
export { type Metering, type OpenCall, openCall, type Posting } from "./meter/meter-call.ts";
export {
  type BudgetEmbeddingMiddleware,
  type BudgetImageMiddleware,
  type BudgetMiddleware,
  budgetEmbeddingMiddleware,
  budgetImageMiddleware,
  budgetMiddleware,
} from "./meter/middleware.ts";
export { runWithBudget } from "./meter/scope-context.ts";
export { coverage, type Door, type WithBudgetOptions, withBudget } from "./meter/with-budget.ts";
export { formatUsd, Money, parsePicoUsd, picoToDecimal, type Usd, usd } from "./money.ts";
export type { Quote, Receipt } from "./receipt.ts";
export type { BudgetAlert } from "./tracker/alerts.ts";
export type { CostStats } from "./tracker/cost-stats.ts";
export { CostTracker } from "./tracker/cost-tracker.ts";
export type {
  CostTrackerEvents,
  CostTrackerOptions,
  HoldEvent,
  OnInsufficient,
  ReserveOptions,
  SpendEvent,
} from "./tracker/cost-tracker-options.ts";
export type { Reservation } from "./tracker/reservation.ts";

export type { WindowLength } from "./tracker/windows.ts";
export type { Usage } from "./usage.ts";
