import { createHash } from "node:crypto";
import type { AnswerRequest, Invoice } from "@autolabel/simulator";

/** Finds the invoice lines of a row: the simulator names prompts by a hash of their messages. */
export class RowBills {
  readonly #hashes = new Map<string, string>();

  /** To be given to the simulator as `answer`: it takes note of each prompt and leaves the answer to the simulator. */
  readonly note = ({ messages, lastUserText }: AnswerRequest): undefined => {
    this.#hashes.set(lastUserText, createHash("sha256").update(JSON.stringify(messages)).digest("hex"));
  };

  /** How often the row with this text was billed. */
  count(invoice: Invoice, text: string): number {
    const hash = this.#hashes.get(text);
    return invoice.lines.filter(({ promptHash }) => promptHash === hash).length;
  }
}
