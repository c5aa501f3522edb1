import type { Ledger, Posting, Receipt } from "@autolabel/budget-core";
import type { LabeledRow, LabelValue, PendingRow, RowCounts, RowStatus } from "./row.ts";

/**
 * One run: its input, answers and charges, and the facts about it. It is the truth: every output and report can be made
 * from it again without a call.
 */
export interface RunStore {
  /** Whether several workers may label its rows at once. */
  readonly isShared: boolean;
  /**
   * A ledger in the same place as the run. An answer that is recorded right before its call is settled there, with nothing
   * waited for in between, is kept in one transaction with the charge: both are there or neither is. Close it before the store.
   */
  openLedger(): Ledger;
  /** All facts about the run, such as its budget. */
  facts(): Promise<Readonly<Record<string, string>>>;
  /** Sets facts about the run, durably. */
  set(facts: Readonly<Record<string, string>>): Promise<void>;
  /** Takes the input in, in order. Called once, before the first label. @returns how many rows there are. */
  addRows(rows: Iterable<InputRow> | AsyncIterable<InputRow>, options: AddRowsOptions): Promise<number>;
  /** Which rows were reached so far, by a column's values where one is named. */
  reached(column: string | undefined): Promise<ReachedRows>;
  /**
   * The next rows that still need an answer, in the order in which they are bought, from a turn on and before another:
   * `most` of them, or fewer where they are some MB together.
   */
  pending(fromTurn: number, most?: number, beforeTurn?: number): Promise<PendingRow[]>;
  /**
   * Keeps a charged attempt and its answer: in one transaction with the charge where that is posted by a ledger of
   * {@link RunStore.openLedger}.
   */
  recordAttempt(position: number, attempt: Attempt): Promise<void>;
  /** Keeps how a row ended, for its duplicates too. @returns how many rows ended with it. */
  finishRow(position: number, result: RowResult): Promise<number>;
  /** Makes rows of these states wait to be bought again; what was paid for them stays counted. @returns how many. */
  reopen(statuses: readonly RowStatus[], options?: ReopenOptions): Promise<number>;
  /** Gives rows another order to be bought in. Those that were bought come first. */
  reorder(order: RowOrder): Promise<void>;
  /** All charged attempts in the order in which they were recorded, one at a time. */
  attempts(): AsyncIterable<RecordedAttempt>;
  /** Charged attempts by reservation, to resolve what a crash left open in a ledger elsewhere. */
  attemptCost(reservationId: string): Promise<AttemptCost | undefined>;
  /** What is left to buy, and what the last rows that were bought did cost: the ground of a forecast. */
  standing(): Promise<Standing>;
  /** Rows by state; those that a person labeled are labeled, unless what the model said is asked for. */
  counts(options?: { asModelSaid?: boolean }): Promise<RowCounts>;
  /** All rows in input order, one at a time: memory does not grow with the run. */
  rows(options?: ReadRowsOptions): AsyncIterable<LabeledRow>;
  /** One row as it stands. */
  row(position: number): Promise<LabeledRow>;
  /** Keeps what a person says of a row, and of all rows of the same text. */
  review(input: ReviewInput): Promise<void>;
  /** Takes an author's last review back, of one row or of all. @returns the place of its row; undefined when there is none. */
  undoReview(author: string, position?: number): Promise<number | undefined>;
  /** Whether whoever works on the run was asked to stop. */
  isStopAsked(): Promise<boolean>;
  close(): Promise<void>;
}

/** How {@link RunStore.rows} tells rows. */
export interface ReadRowsOptions {
  /** Whether rows bear what the model said even where a person gave another label. Default false. */
  asModelSaid?: boolean;
  /** The order that the run was bought in, where what it reached is a sample of the rows: tells `inclusion`. */
  sample?: RowOrder | undefined;
}

/** Which rows of a run were bought, whatever came of them. */
export interface ReachedRows {
  /** Texts in the order in which they are bought, up to the first that was not. */
  inOrder: number;
  /** Texts that were bought although one before them was not: a probe, or short enough for the last of a budget. */
  beyond: number;
  /** Rows of each value of the column, duplicates included; all rows under the value `""` where none is named. */
  strata: readonly { value: string; rows: number; reached: number }[];
}

/** What a person says of a row. */
export interface ReviewInput {
  position: number;
  action: ReviewAction;
  /** The label that counts from now on; null for `skip`. */
  label: LabelValue | null;
  author: string;
}

/** The model was right, it was not, or the person cannot tell. */
export type ReviewAction = "accept" | "correct" | "skip";

/** Fact that asks the process that works on a run to stop after its calls: when it was asked, or empty. */
export const stopAskedFact = "stopAskedAt";

/** Fact that tells what ended a run of workers for all its rows, or empty. */
export const problemFact = "problem";

/** What a forecast is made from. */
export interface Standing {
  /** Rows that wait to be bought, duplicates not counted, and the characters of their texts. */
  rest: { rows: number; characters: number };
  /** Some rows that were bought: characters, attempts, and the cost of the first and of all of them. */
  sample: readonly { characters: number; attempts: number; firstPicoUsd: bigint; costPicoUsd: bigint }[];
}

/** A row of the input, before it has a place in the run. */
export interface InputRow {
  rowId: string;
  text: string;
  input: Readonly<Record<string, unknown>>;
}

/** In which order rows are bought. A budget that ends early then leaves a prefix, or a sample, of the input. */
export type RowOrder =
  | { kind: "file" }
  /** A uniform sample of the rows, whatever the budget reaches. */
  | { kind: "random"; seed: number }
  /** The same share of every value of a column, as near as whole rows allow. */
  | { kind: "stratified"; seed: number; column: string };

/** How {@link RunStore.addRows} takes rows in. */
export interface AddRowsOptions {
  order: RowOrder;
  /** Whether rows of equal text are bought once. */
  dedupe: boolean;
}

/** Which rows {@link RunStore.reopen} takes. */
export interface ReopenOptions {
  /** Only rows that another version of the task finished. */
  notOfVersion?: string;
}

/** A charged call for a row. */
export interface Attempt {
  posting: Posting;
  /** What the model said; undefined where nothing came. */
  answer: string | undefined;
  /** Version of the task that asked. */
  taskVersion: string;
  /** The provider's id of the call, under which it tells what it billed; undefined where it has none. */
  callId?: string | undefined;
}

/** What a charged call did cost. */
export interface AttemptCost {
  costPicoUsd: bigint;
  modelId: string | undefined;
  /** How the cost is known. */
  kind: NonNullable<Receipt["kind"]>;
}

/** A charged call as it was recorded. */
export interface RecordedAttempt {
  /** Place of the row that it was made for. */
  position: number;
  reservationId: string;
  costPicoUsd: bigint;
  /** How the cost is known. */
  kind: NonNullable<Receipt["kind"]>;
  /** The model that served it; null where nothing tells. */
  modelId: string | null;
  /** Whether the model said anything. */
  isAnswered: boolean;
  /** Whether its answer was found wanting, and the row was bought again. */
  isSuperseded: boolean;
  /** When it was recorded, ISO 8601; null in runs of the first version. */
  at: string | null;
  /** The provider's id of the call. */
  callId: string | null;
}

/** How a row ended. */
export interface RowResult {
  status: Exclude<RowStatus, "unpaid">;
  label?: LabelValue | undefined;
  /** From 0 to 1, where the task tells one. */
  confidence?: number | undefined;
  /** The model's reasons. */
  explanation?: string | undefined;
  source?: string | undefined;
  error?: string | undefined;
  /** Version of the task that gave the label. */
  taskVersion: string;
}

/** Which count a state belongs to. */
export const countOf: Readonly<Record<RowStatus, Exclude<keyof RowCounts, "rows">>> = {
  unpaid: "unpaid",
  labeled: "labeled",
  invalid_label: "invalid",
  truncated: "invalid",
  refused: "invalid",
  error: "errors",
};
