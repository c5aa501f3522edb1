import { type Proportion, proportion } from "../quality/proportion.ts";
import type { LabeledRow } from "../store/row.ts";
import type { RowOrder } from "../store/run-store.ts";

/** Which rows were asked for, and what that means for what is said of all of them. */
export interface Selection {
  order: RowOrder;
  rows: number;
  /** Rows that were asked for, or got the answer of a row of the same text. */
  reached: number;
  /** The chance of a row to be reached: `reached / rows`. */
  share: number;
  /**
   * `all`: every row was reached. `prefix`: the first ones of the file, which need not be like the others. `mixed`: in several
   * orders, which is no sample. `random`, `stratified`: a sample, from which all rows can be estimated.
   */
  kind: "all" | "prefix" | "mixed" | "random" | "stratified";
  /** Where the order is stratified: each value of its column, the least reached first. */
  strata: { value: string; rows: number; reached: number; share: number }[];
  /** The accuracy that all rows would have, by the rows that were reached; null without a sample or gold labels. */
  estimate: Proportion | null;
}

/** Counts which rows were reached. */
export class SelectionCounter {
  readonly #order: RowOrder;
  readonly #isMixed: boolean;
  readonly #strata = new Map<string, { rows: number; reached: number }>();
  #rows = 0;
  #reached = 0;
  #judged = 0;
  #correct = 0;

  /** @param isMixed whether rows were bought in another order before. */
  constructor(order: RowOrder, isMixed: boolean) {
    this.#order = order;
    this.#isMixed = isMixed;
  }

  /** @param isCorrect undefined where the row has no gold label. */
  add(
    { status, input, inclusion }: Pick<LabeledRow, "status" | "input" | "inclusion">,
    isCorrect: boolean | undefined,
  ): void {
    const isReached = status !== "unpaid";
    this.#rows++;
    if (isReached) this.#reached++;
    // Short rows that fitted the last of a budget were not drawn by chance.
    if (isReached && inclusion !== null && isCorrect !== undefined) {
      this.#judged++;
      if (isCorrect) this.#correct++;
    }
    if (this.#order.kind !== "stratified") return;
    const value = textOf(input[this.#order.column]);
    const stratum = this.#strata.get(value) ?? { rows: 0, reached: 0 };
    stratum.rows++;
    if (isReached) stratum.reached++;
    this.#strata.set(value, stratum);
  }

  selection(): Selection {
    const order = this.#order;
    const isAll = this.#reached === this.#rows;
    const kind = isAll ? "all" : this.#isMixed ? "mixed" : order.kind === "file" ? "prefix" : order.kind;
    const strata = [...this.#strata].map(([value, counts]) => ({
      value,
      ...counts,
      share: counts.reached / counts.rows,
    }));
    return {
      order,
      rows: this.#rows,
      reached: this.#reached,
      share: this.#rows === 0 ? 0 : this.#reached / this.#rows,
      kind,
      strata: strata.sort((a, b) => a.share - b.share || a.value.localeCompare(b.value)),
      // Strata are reached in equal shares, so the rows that were reached need no weights.
      estimate:
        (kind === "random" || kind === "stratified") && this.#judged > 0
          ? proportion(this.#correct, this.#judged)
          : null,
    };
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : value === undefined || value === null ? "" : JSON.stringify(value);
}
