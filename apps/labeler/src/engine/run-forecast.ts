import { type Money, picoToDecimal } from "@autolabel/budget-core";
import type { ModelPrice } from "@autolabel/budget-core/prices";
import type { PendingRow } from "../store/row.ts";
import type { Standing } from "../store/run-store.ts";
import { CostModel, type CostRange } from "./cost-model.ts";

const charactersPerToken = 4;

/** What is left of a run, and what it will cost, from what its rows did cost so far. */
export class RunForecast {
  readonly #model: CostModel;
  readonly #rest: { rows: number; characters: number };
  /** Rows in work that were charged already: how much at first, and whether another call for them is on its way. */
  readonly #charged = new Map<number, { first: number; isAsked: boolean }>();

  /** @param price what the model is listed at; undefined where it counts as free. */
  constructor({ rest, sample }: Standing, price: ModelPrice | undefined) {
    this.#rest = { ...rest };
    this.#model = new CostModel(price && inUsd(price.rates.input) / 1_000_000 / charactersPerToken);
    for (const { characters, firstPicoUsd, costPicoUsd, attempts } of sample) {
      const first = inUsd(firstPicoUsd);
      this.#model.first(characters, first);
      for (let call = 1; call < attempts; call++) this.#model.again();
      this.#model.further(attempts - 1, inUsd(costPicoUsd) - first, first);
    }
  }

  /** An attempt for a row was charged. The row counts as bought from then on; what may follow, by what followed others. */
  charge({ position, text }: PendingRow, costPicoUsd: bigint): void {
    const cost = inUsd(costPicoUsd);
    const row = this.#charged.get(position);
    if (!row) {
      this.#charged.set(position, { first: cost, isAsked: false });
      this.#model.first(text.length, cost);
      this.#leave(text);
      return;
    }
    if (!row.isAsked) this.#model.again();
    row.isAsked = false;
    this.#model.further(1, cost, row.first);
  }

  /**
   * A row is to be asked again. Known at once, not when the answer is there: rows in trouble are finished last, and would
   * be too few among the finished ones.
   */
  again({ position }: PendingRow): void {
    const row = this.#charged.get(position);
    if (!row || row.isAsked) return;
    row.isAsked = true;
    this.#model.again();
  }

  /** A row is finished, whatever came of it. */
  finish({ position, text }: PendingRow): void {
    if (!this.#charged.delete(position)) this.#leave(text);
  }

  /** Cost of what is left, in USD. */
  rest(): CostRange | undefined {
    let repeated = 0;
    for (const { first, isAsked } of this.#charged.values()) if (isAsked) repeated += first;
    return this.#model.forecast(this.#rest.rows, this.#rest.characters, repeated);
  }

  /** Which share of what is left so much more money pays for, from 0 to 1. */
  shareReached(available: Money | null): number | undefined {
    const whole = this.rest()?.p50;
    if (available === null || whole === undefined) return undefined;
    return whole === 0 ? 1 : Math.min(1, inUsd(available.picoUsd) / whole);
  }

  #leave(text: string): void {
    this.#rest.rows--;
    this.#rest.characters -= text.length;
  }
}

function inUsd(picoUsd: bigint): number {
  return Number(picoToDecimal(picoUsd));
}
