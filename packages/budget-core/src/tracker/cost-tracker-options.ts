import type { BudgetExceededError } from "../errors/budget-exceeded-error.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Usd } from "../money.ts";
import type { Quote, Receipt } from "../receipt.ts";
import type { BudgetAlert } from "./alerts.ts";
import type { CostTracker } from "./cost-tracker.ts";
import type { WindowLength } from "./windows.ts";

/** What happens to a call that does not fit. */
export type OnInsufficient = "wait" | "clamp" | "deny";

/** Options of a {@link CostTracker}. */
export interface CostTrackerOptions {
  /**
   * The limit in USD. Absent or `"unlimited"`: spend is counted, never refused. 0 refuses every call that can cost
   * anything; a provably free call still passes.
   */
  budget?: Usd | "unlimited";
  /** Names the account in the ledger and in errors. Default `"default"`; a child's is prefixed by its parent's. */
  name?: string;
  /** An outer budget. A call must fit in both, in one atomic step; the ledger is the parent's. */
  parent?: CostTracker;
  /** The budget starts anew each hour, day, week (from Monday) or month. Default: never. */
  per?: WindowLength;
  /** IANA time zone of `per`. Default `"UTC"`. */
  timeZone?: string;
  /**
   * Parts of the budget at which an `alert` is told, at most once each per window, over all processes that share the ledger and
   * all restarts. A process killed between the claim of an alert in the ledger and its listener takes it along: it is not
   * told again. Default 0.5, 0.75, 0.9.
   */
  alerts?: readonly number[];
  /**
   * What happens to a call that does not fit while others are in flight: `"wait"` (default) queues it until their true
   * cost is known and refuses it only when it cannot fit at all; `"clamp"` then lowers its output cap to what is
   * affordable before it refuses; `"deny"` refuses at once.
   */
  onInsufficient?: OnInsufficient;
  /** How long a call waits at most, in ms. Default: until it fits or cannot fit any more. */
  maxWaitMs?: number;
  /**
   * `"reserve"` (default) holds the upper bound of every call, so that the limit is never passed. `"check"` only looks
   * whether the limit is reached and adds the cost after the call: it may overshoot by all calls in flight.
   */
  mode?: "reserve" | "check";
  /** Where balances live. Default: in memory, gone with the process. */
  ledger?: Ledger;
  /**
   * How long a hold may stand without a sign of life, in ms. Default 10 minutes, and one minute on a ledger that other
   * processes share; a call in flight keeps its own alive, however long it lasts.
   */
  leaseMs?: number;
  /** Clock in ms that picks the window. Default: the clock of the ledger's store, on which all processes agree. */
  now?: () => number;
}

/** Events of a tracker, by name. Those of one call are told in the asynchronous context of who makes or ends it. */
export interface CostTrackerEvents {
  /** Money was held for a call. One `spend`, `released` or `fault` of the same id follows, unless a crash comes first. */
  reserved: HoldEvent;
  /** A call was settled or a cost added. */
  spend: SpendEvent;
  /** A hold was given back without cost; why, where the call had been sent. */
  released: { reservationId: string; evidence: string | undefined };
  /** A part of the budget was reached. */
  alert: BudgetAlert;
  /** A call was refused. */
  denied: { error: BudgetExceededError; modelId: string | undefined };
  /** A paid call could not be recorded; its hold stays, so nothing is under-counted. */
  fault: { error: unknown; reservationId: string };
}

/** What is told of a hold. */
export interface HoldEvent {
  reservationId: string;
  /** The budget that was asked. */
  scope: string;
  /** All budgets that it counts in: the one asked, its outer ones, those of `runWithBudget`. */
  scopes: readonly string[];
  /** What is held, after a clamp. */
  quote: Quote;
  /** The model that was asked for. */
  modelId: string | undefined;
}

/** What is told of a cost. */
export interface SpendEvent {
  receipt: Receipt;
  /** The model that served the call, else the one that was asked for. */
  modelId: string | undefined;
  /** The budget that was asked. */
  scope: string;
  /** Undefined for a cost that was not reserved. */
  reservationId: string | undefined;
}

/** Options of {@link CostTracker.reserve}. */
export interface ReserveOptions {
  /** Gives up waiting. */
  signal?: AbortSignal;
  modelId?: string;
  /** Further budgets that the call must fit, in the same atomic step. They must share the ledger. */
  scopes?: readonly CostTracker[];
  /** Its request leaves at once: the hold is marked as dispatched in the same step, where the ledger can. */
  dispatch?: boolean;
  /** The same call made to fit so many pico-USD, or undefined when it cannot be. Used by `onInsufficient: "clamp"`. */
  clamp?: (availablePicoUsd: bigint) => Quote | undefined;
}
