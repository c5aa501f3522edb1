import type { LabelValue } from "../store/row.ts";
import type { TaskKind } from "../tasks/task.ts";
import type { Confusion } from "./confusion.ts";
import type { ScoreTable } from "./label-scores.ts";
import type { Proportion } from "./proportion.ts";

/** Compares what a run says with what is true, row by row. What is counted is small: no row is kept. */
export interface Measure {
  /**
   * Counts one row.
   *
   * @param label what the run says; null where it says nothing, which is wrong.
   * @param gold what is true, as the data tells it.
   * @returns what was read as true, and whether the label is right; undefined where the gold value cannot be read.
   */
  add(row: { label: LabelValue | null; gold: unknown; text: string }): Judgement | undefined;
  details(): MeasureDetails;
}

/** One row compared with its gold label. */
interface Judgement {
  isCorrect: boolean;
  /** The gold label in the task's own form. */
  gold: LabelValue;
}

/** What is told beyond the accuracy, by the kind of task. */
export type MeasureDetails =
  | ({ kind: "classification"; confusion: Confusion; goldOutsideLabels: string[] } & ScoreTable)
  | ({ kind: "multilabel"; goldOutsideLabels: string[] } & ScoreTable)
  | ({ kind: "entities" } & ScoreTable)
  | { kind: "extraction"; fields: { field: string; accuracy: Proportion }[] }
  | { kind: "question_answering" };

/** What counts as right, in words, by the kind of task. */
export const rightMeans: Readonly<Record<TaskKind, string>> = {
  classification: "the label is the gold label",
  multilabel: "exactly the gold labels, no more and no less",
  entities: "exactly the gold mentions, each with its place and kind",
  extraction: "every field as in the gold record, but for case and blanks",
  question_answering: "the gold answer, but for case, punctuation, articles and blanks",
};
