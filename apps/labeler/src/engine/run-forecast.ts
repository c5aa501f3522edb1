import { type Money, picoToDecimal } from "@autolabel/budget-core";
import type { PendingRow } from "../store/row.ts";
import type { Standing } from "../store/run-store.ts";
import { CostModel, type CostRange } from "./cost-model.ts";

/** What is left of a run, and what it will cost, from what its rows did cost so far. */
export class RunForecast {
  readonly #model = new CostModel();
  readonly #rest: { rows: number; characters: number };
  readonly #charged = new Map<number, bigint>();

  constructor({ rest, sample }: Standing) {
    this.#rest = { ...rest };
    for (const { characters, costPicoUsd } of sample) this.#model.add(characters, inUsd(costPicoUsd));
  }

  /** An attempt for a row was charged. */
  charge({ position }: PendingRow, costPicoUsd: bigint): void {
    this.#charged.set(position, (this.#charged.get(position) ?? 0n) + costPicoUsd);
  }

  /** A row is finished, whatever came of it. */
  finish({ position, text }: PendingRow): void {
    const costPicoUsd = this.#charged.get(position);
    this.#charged.delete(position);
    this.#rest.rows--;
    this.#rest.characters -= text.length;
    if (costPicoUsd !== undefined) this.#model.add(text.length, inUsd(costPicoUsd));
  }

  /** Cost of what is left, in USD. */
  rest(): CostRange | undefined {
    return this.#model.forecast(this.#rest.rows, this.#rest.characters);
  }

  /** Which share of what is left so much more money pays for, from 0 to 1. */
  shareReached(available: Money | null): number | undefined {
    const whole = this.rest()?.p50;
    if (available === null || whole === undefined) return undefined;
    return whole === 0 ? 1 : Math.min(1, inUsd(available.picoUsd) / whole);
  }
}

function inUsd(picoUsd: bigint): number {
  return Number(picoToDecimal(picoUsd));
}
