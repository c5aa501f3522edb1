import type { Output } from "ai";
import type { LabelValue } from "../store/row.ts";

/** How rows are asked and answers are read. One task makes every call of a run. */
export interface Task {
  /** What stands before every row: what to do, the labels, the examples. */
  readonly instructions: string;
  /** The form of the answer that the provider is asked to enforce. */
  readonly output: Output.Output<unknown, unknown, unknown>;
  /** Output cap of a call. */
  readonly maxOutputTokens: number;
  /** Hash of all that can change an answer: model, instructions, examples, form. */
  readonly version: string;
  /** What is asked about one text. */
  prompt(text: string): string;
  /** What an answer means for the text that it was given to. */
  read(answer: string, text: string): Reading;
}

/** A label, or why the answer holds none. */
export type Reading = { label: LabelValue; confidence?: number } | { problem: string };
