import type { Money } from "@autolabel/budget-core";

/**
 * State of a row:
 *
 *     unpaid  -> labeled | invalid_label | truncated | refused | error
 *     error   -> labeled | invalid_label | truncated | refused        (a resume tries again)
 *
 * `invalid_label`, `truncated` and `refused` were paid for and are kept; only `retry` buys them again.
 */
export type RowStatus = "unpaid" | "labeled" | "invalid_label" | "truncated" | "refused" | "error";

/** What a task says of a row: one label, several, spans of the text, or fields of a schema. Always JSON. */
export type LabelValue =
  | string
  | number
  | boolean
  | readonly LabelValue[]
  | { readonly [field: string]: LabelValue | null };

/** A row that waits to be labeled. */
export interface PendingRow {
  position: number;
  /** Its place in the order in which rows are bought. */
  turn: number;
  rowId: string;
  text: string;
  status: "unpaid" | "error";
  /** Paid answers that a crash left unread, the first one first: they are read instead of bought again. */
  answers: readonly Answer[];
}

/** What a model answered, as far as it matters for reading it. */
export interface Answer {
  text: string;
  finishReason: string | undefined;
  modelId: string | undefined;
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
  label: LabelValue | null;
  /** From 0 to 1; null where the task tells none. */
  confidence: number | null;
  status: RowStatus;
  /** The model that served the label. */
  source: string | null;
  /** The row of the same text that was bought for both; null where this one was. */
  duplicateOf: number | null;
  /**
   * With which probability the row was drawn to be labeled: weight what is said of all rows by `1 / inclusion`. Null where
   * it was not drawn: not reached yet, or bought for another reason. Absent where rows are bought in file order.
   */
  inclusion?: number | null;
  /** All its paid attempts together, failed ones too. */
  cost: Money;
  /** Attempts that were charged. */
  attempts: number;
  /** The model's reasons, where the task asks for them. */
  explanation: string | null;
  error: string | null;
  /** Version of the task that gave the label; null while there is none. */
  taskVersion: string | null;
  /**
   * What a person said of the row; null where nobody did. Rows that are handed out bear the person's label: then `status`
   * is labeled, `source` is `human:AUTHOR`, and `confidence` and `explanation` are told where the model said the same.
   */
  review: HumanLabel | null;
}

/** The last label that a person gave a row. */
export interface HumanLabel {
  label: LabelValue;
  author: string;
  /** ISO 8601. */
  at: string;
}

/** A row as it counts: a person's label stands before the model's. */
export function asReviewed(row: LabeledRow): LabeledRow {
  const { review, label, confidence, explanation } = row;
  if (!review) return row;
  const isSame = JSON.stringify(label) === JSON.stringify(review.label);
  return {
    ...row,
    label: review.label,
    status: "labeled",
    source: `human:${review.author}`,
    confidence: isSame ? confidence : null,
    explanation: isSame ? explanation : null,
    error: null,
  };
}

/** Rows by state. */
export interface RowCounts {
  rows: number;
  labeled: number;
  /** Paid, but no label came of it. */
  invalid: number;
  /** Failed; a resume tries them again. */
  errors: number;
  unpaid: number;
}

/** Rows that need no more money. */
export function doneRows(counts: Readonly<RowCounts>): number {
  return counts.rows - counts.unpaid - counts.errors;
}
