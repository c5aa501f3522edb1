import type { JSONSchema7 } from "ai";
import type { LabelValue } from "../store/row.ts";

/** What rows are asked for. */
export const taskKinds = ["classification", "multilabel", "entities", "extraction", "question_answering"] as const;

/** One of {@link taskKinds}. */
export type TaskKind = (typeof taskKinds)[number];

/** How rows are asked and answers are read. One task makes every call of a run. */
export interface Task {
  /** What stands before every row: what to do, the labels, the examples. */
  readonly instructions: string;
  /** The form of the answer that the provider is asked to enforce. */
  readonly schema: JSONSchema7;
  /** Output cap of a call. */
  readonly maxOutputTokens: number;
  /** Tokens of an answer of usual size: what a forecast counts with before any answer was seen. */
  readonly usualOutputTokens: number;
  /** Hash of all that can change an answer: model, instructions, examples, form. */
  readonly version: string;
  /** What is asked about one text. */
  prompt(text: string): string;
  /** What an answer means for the text that it was given to. */
  read(answer: string, text: string): Reading;
}

/** What an answer holds: a label, or why there is none. */
export type Reading = { label: LabelValue; confidence?: number; explanation?: string } | { problem: string };

/** What tells one kind of task from the others: what it asks for, and what counts as an answer. */
export interface AnswerForm {
  /** What to do, in the imperative, and the labels there are. */
  readonly instructions: readonly string[];
  /** JSON schema of the answer's `result`. */
  readonly schema: JSONSchema7;
  /** The result in words, for models that the schema does not reach: `"<label>"`. */
  readonly sketch: string;
  /** The output cap: what a result of usual size needs, with room to spare. */
  readonly maxOutputTokens: number;
  /** Tokens of a result of usual size, the JSON around it included. */
  readonly usualOutputTokens: number;
  /** The label in a result, checked against the text; a problem is told so that a model can mend it. */
  read(result: unknown, text: string): { label: LabelValue } | { problem: string };
}

/** A text with the answer it should get. */
export interface Example {
  text: string;
  label: LabelValue;
  /** Why; shown to the model where it is asked to reason. */
  explanation?: string | undefined;
}
