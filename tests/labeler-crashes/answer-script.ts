import type { AnswerRequest } from "@autolabel/simulator";

/** The labels of the task. */
export const labels = ["card_arrival", "exchange_rate", "lost_card", "top_up_failed", "age_limit"];

/** The rows of the input, in order: quotes, commas and newlines in them, each different. */
export function textOf(row: number): string {
  return `${["Where is it", 'The "rate", today', "I lost it\nyesterday", "It failed, again", "How old"][row % 5]}? (row ${row})`;
}

/** What a row must end with. */
export function labelOf(row: number): string {
  return labels[(row * 3) % labels.length] ?? "";
}

/** Some rows are answered with no label of the set when they are first asked: they are asked for twice. */
function isRepaired(row: number): boolean {
  return row % 7 === 3;
}

/** One answer, as it was asked for. */
export interface Asked {
  row: number;
  /** Row and which question it was: the first one, or the one after an answer that was no label. */
  question: string;
}

/** Answers that can be told from one another: each carries a number, by which it is found on the invoice and on disk. */
export class AnswerScript {
  /** What was asked, by the number of its answer. */
  readonly asked = new Map<string, Asked>();
  /** Called with every answer, when it is made. */
  onAnswer: () => void = () => {};

  readonly answer = ({ messages }: AnswerRequest): string => {
    const row = Number(/\(row (\d+)\)/.exec(JSON.stringify(messages))?.[1]);
    const isRepair = messages.length > 2;
    const number = `no.${String(this.asked.size).padStart(6, "0")}`;
    this.asked.set(number, { row, question: `${row}${isRepair ? ", again" : ""}` });
    this.onAnswer();
    const result = isRepaired(row) && !isRepair ? "none of them" : labelOf(row);
    return JSON.stringify({ explanation: number, result });
  };
}

/** The number of an answer, out of its text. */
export function numberOf(answer: string): string {
  return /no\.\d+/.exec(answer)?.[0] ?? "";
}
