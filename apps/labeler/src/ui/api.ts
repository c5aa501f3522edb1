import type { RunStatus } from "../progress/run-status.ts";
import type { LabelValue, RowStatus } from "../store/row.ts";
import type { TaskKind } from "../tasks/task.ts";

/*
 * What the page and its server say to each other, as JSON over `/api`. The address that is printed carries a token, which
 * becomes a cookie; requests that change something come with `content-type: application/json`. Amounts are USD as decimal text, times ISO 8601, rows are named by their place in the input.
 *
 *     GET  /api/runs                          RunsPage: the last used first, and pools
 *     GET  /api/runs/:run                     RunPage
 *     GET  /api/runs/:run/events              server-sent events: `run` with a RunPage when it changed, at most 2 a second
 *     GET  /api/runs/:run/rows?RowQuery       RowWindow
 *     GET  /api/runs/:run/rows/:position      RowStory
 *     GET  /api/runs/:run/review?ReviewQuery  ReviewQueue
 *     POST /api/runs/:run/reviews             ReviewInput -> RowSummary
 *     POST /api/runs/:run/reviews/undo        UndoInput -> RowSummary: takes the last review of this author back
 *     GET  /api/runs/:run/report?gold=COLUMN  the report's JSON, see report/report-json.ts
 *     GET  /api/runs/:run/export?to=LAYOUT    the file, as `autolabel export` writes it
 *     POST /api/runs/:run/pause               {} -> RunStatus: asks the process that works on it to stop after its calls
 *     POST /api/runs/:run/resume              ResumeInput -> RunStatus: starts a process that goes on
 *
 * An error is answered with its HTTP status and an ApiError.
 */

/** Why a request was refused. */
export interface ApiError {
  error: string;
}

/** Answer of `GET /api/runs`. */
export interface RunsPage {
  /** Who reviews, unless somebody else says so. */
  author: string;
  runs: RunStatus[];
  pools: PoolStatus[];
}

/** A limit over several runs. */
export interface PoolStatus {
  name: string;
  /** Null where it is not known here. */
  budgetUsd: string | null;
  spentUsd: string | null;
  runs: string[];
}

/** Everything of the run page. */
export interface RunPage {
  status: RunStatus;
  /** Free money: budget less spent, held and unresolved; null without a budget. */
  freeUsd: string | null;
  /** Spend over rows, at most 300 points, in order. */
  burnDown: BurnPoint[];
  /** Null where too few rows are bought, or none is left. */
  forecast: ForecastBand | null;
  costByLabel: NamedCost[];
  costByModel: NamedCost[];
  labels: NamedCount[];
  /** Rows that ended without a label, and what their attempts did cost. */
  errors: ErrorGroup[];
  /** Shares of the budget that were passed, with the time. */
  alerts: { share: number; at: string }[];
  /** What ended the process that the page last started for this run; null where nothing did. */
  problem: string | null;
}

export interface BurnPoint {
  at: string | null;
  /** Calls that were charged so far: a row's each attempt is one. */
  rows: number;
  spentUsd: string;
}

/** Of the cost of the whole run. */
export interface ForecastBand {
  p10Usd: string;
  p50Usd: string;
  p90Usd: string;
  /** Rows that the free money still pays for. */
  rowsAffordable: number | null;
}

export interface NamedCost {
  name: string;
  rows: number;
  costUsd: string;
}

export interface NamedCount {
  name: string;
  rows: number;
}

export interface ErrorGroup {
  status: RowStatus;
  message: string;
  rows: number;
  costUsd: string;
}

/** Which rows, in the address. Without a sort: in input order. */
export interface RowQuery {
  from?: number;
  /** At most 500. */
  count?: number;
  status?: RowStatus;
  label?: string;
  /** In text, id or label, without regard to case. */
  search?: string;
  sort?: "position" | "confidence" | "cost";
  descending?: boolean;
}

export interface RowWindow {
  /** Rows that the query finds. */
  total: number;
  rows: RowSummary[];
}

export interface RowSummary {
  position: number;
  rowId: string;
  /** The first 300 characters. */
  text: string;
  status: RowStatus;
  /** The label that counts: a person's before the model's. */
  label: LabelValue | null;
  /** What the model said. */
  modelLabel: LabelValue | null;
  confidence: number | null;
  costUsd: string;
  attempts: number;
  review: Review | null;
}

/** What a person said of a row. */
export interface Review {
  action: "accept" | "correct" | "skip";
  /** Null for a row that was skipped. */
  label: LabelValue | null;
  author: string;
  at: string;
}

/** A row's whole story. */
export interface RowStory extends RowSummary {
  fullText: string;
  input: Readonly<Record<string, unknown>>;
  explanation: string | null;
  error: string | null;
  taskVersion: string | null;
  duplicateOf: number | null;
  /** What is sent for this row; null where the task cannot be made again. */
  prompt: { role: string; content: string }[] | null;
  calls: CallStory[];
  reviews: Review[];
}

/** A charged call and the evidence of its cost. */
export interface CallStory {
  reservationId: string;
  callId: string | null;
  at: string | null;
  modelId: string | null;
  costUsd: string;
  kind: "reported" | "computed" | "bound";
  priceBook: string | null;
  usage: Readonly<Record<string, unknown>> | null;
  answer: string | null;
  finishReason: string | null;
  isSuperseded: boolean;
}

export interface ReviewQuery {
  /** Rows whose confidence is below it are doubtful. Default 0.8. */
  below?: number;
  /** The column with true labels: rows that disagree with it come too. */
  gold?: string;
  /** At most 200. Default 50. */
  count?: number;
}

export interface ReviewQueue {
  /** Rows that wait for a person. */
  waiting: number;
  reviewed: number;
  /** What a label is: one name, several, or more than a choice can tell. */
  task: TaskKind;
  /** The labels that may be chosen; null for a task without a fixed set. */
  choices: { name: string; description: string | null }[] | null;
  /** The fields of an extraction; null for other tasks. */
  fields: string[] | null;
  /** Whether the model states how sure it is: else no row is doubtful. */
  isConfidenceAsked: boolean;
  /** The most doubtful first. */
  rows: ReviewRow[];
}

export interface ReviewRow extends RowSummary {
  fullText: string;
  why: "invalid" | "disagrees" | "doubtful";
  gold: LabelValue | null;
  explanation: string | null;
}

export interface ReviewInput {
  position: number;
  action: Review["action"];
  /** For `correct`. */
  label?: LabelValue;
  author: string;
}

export interface UndoInput {
  author: string;
  /** The row whose last review is taken back: an author may review in two tabs. Default: the last one that was reviewed. */
  position?: number;
}

export interface ReportQuery {
  /** The column with the true labels. Default: the one that the configuration named. */
  gold?: string;
  /** `1`: the labels that people gave serve as true ones. */
  reviews?: "1";
}

export interface ResumeInput {
  /** The new whole budget, not what is added. */
  budgetUsd?: string;
}
