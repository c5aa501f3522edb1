import type { Money } from "@autolabel/budget-core";

/**
 * State of a row:
 *
 *     unpaid  -> labeled | invalid_label | truncated | error
 *     error   -> labeled | invalid_label | truncated        (a resume tries again)
 *
 * `invalid_label` and `truncated` were paid for and are kept; a resume does not buy them again.
 */
export type RowStatus = "unpaid" | "labeled" | "invalid_label" | "truncated" | "error";

/** A row that waits to be labeled. */
export interface PendingRow {
  position: number;
  rowId: string;
  text: string;
  status: "unpaid" | "error";
  /** A paid answer that a crash left unread: it is read instead of bought again. */
  answer?: { text: string; finishReason: string | undefined; modelId: string | undefined };
}

/** One row as it stands. */
export interface LabeledRow {
  /** Place in the input, from 0. */
  position: number;
  rowId: string;
  /** The input columns as they came. */
  input: Readonly<Record<string, unknown>>;
  text: string;
  /** Null while there is none. */
  label: string | null;
  status: RowStatus;
  /** The model that served the label. */
  source: string | null;
  /** All its paid attempts together, failed ones too. */
  cost: Money;
  /** Attempts that were charged. */
  attempts: number;
  error: string | null;
}

/** Rows by state. */
export interface RowCounts {
  rows: number;
  labeled: number;
  /** Paid, but no label of the set came of it. */
  invalid: number;
  /** Failed; a resume tries them again. */
  errors: number;
  unpaid: number;
}
