import type { DriftReport } from "@autolabel/provider-openrouter";
import type { Calibration } from "../quality/calibration.ts";
import type { MeasureDetails } from "../quality/measure.ts";
import type { Proportion } from "../quality/proportion.ts";
import type { RowCounts } from "../store/row.ts";
import type { TaskKind } from "../tasks/task.ts";
import type { Reconciliation } from "./reconcile-books.ts";
import type { Selection } from "./selection.ts";
import type { Spend } from "./spend.ts";
import type { WrongGroup } from "./wrong-rows.ts";

/** What a run did, cost and is worth, as plain data; amounts in pico-USD. */
export interface RunReport {
  run: {
    id: string;
    task: TaskKind;
    model: string;
    /** ISO 8601. */
    createdAt: string | null;
    /** When a process last began to work on it, ISO 8601. */
    touchedAt: string | null;
    /** The data file, where it came from one. */
    source: string | null;
    /** Calls in flight, or given up by a process that ended. */
    callsInFlight: number;
  };
  rows: RowCounts;
  /** Null without gold labels. */
  quality: Quality | null;
  selection: Selection;
  money: Money;
  /** Null where the run drew on a tracker of its caller's. */
  books: Reconciliation | null;
  /** Some calls compared with OpenRouter's own records; null unless asked for. */
  provider: DriftReport | null;
  /** Rows that are wrong or have no label, in groups, the largest first. */
  wrong: WrongGroup[];
}

/** How right the labels are. */
export interface Quality {
  /** The column, or the file, of the gold labels. */
  gold: string;
  /** Whether they are what people said in reviews: of the rows that were picked for it, which are no sample of all. */
  isReviewed: boolean;
  /** Rows with a gold label. Only they are judged. */
  goldRows: number;
  /** Rows whose gold label cannot be read as one of the task. They are not judged. */
  unreadableGold: number;
  /** Right, of all rows with a gold label: a row without a label counts as wrong. */
  ofAll: Proportion;
  /** Right, of the rows that have a label. */
  ofLabeled: Proportion;
  details: MeasureDetails;
  /** Null where no row states a confidence. */
  calibration: Calibration | null;
}

/** What the run did cost, and what one of anything did. */
export interface Money {
  /** All that the run did cost: its calls, and those that a crash cut off and evidence ended. */
  spentPicoUsd: bigint;
  perRowPicoUsd: bigint | null;
  per1000RowsPicoUsd: bigint | null;
  perLabelPicoUsd: bigint | null;
  /** By the rows with a gold label where not all have one. */
  perCorrectLabelPicoUsd: bigint | null;
  calls: Spend;
  /** Null where the run drew on a tracker of its caller's. */
  budget: BudgetState | null;
}

/** The account that limits the run. */
export interface BudgetState {
  /** Whether other runs draw on it too. */
  isShared: boolean;
  /** Null: no limit, or not known here. */
  limitPicoUsd: bigint | null;
  spentPicoUsd: bigint;
  heldPicoUsd: bigint;
  /** Counted for calls whose outcome is not known. */
  unresolvedPicoUsd: bigint;
  unresolvedCalls: number;
  /** Spent beyond the limit. */
  overrunPicoUsd: bigint;
}
