import { BudgetExceededError, UpstreamBudgetError } from "@autolabel/budget-core";
import type { PendingRow } from "../store/row.ts";
import type { RowResult, RunStore } from "../store/run-store.ts";
import { jsonBytes } from "./json-bytes.ts";
import { RateLimitedError } from "./rate-limited-error.ts";
import { RepairRefusedError } from "./repair-refused-error.ts";

/** Why a run ended. `credit` and `rate-limited` are pauses that the provider imposes. */
export type RunOutcome =
  | { kind: "completed" }
  | { kind: "budget"; error: BudgetExceededError }
  | { kind: "credit"; error: UpstreamBudgetError }
  | { kind: "rate-limited"; error: RateLimitedError }
  | { kind: "interrupted" };

/** What {@link runRows} needs. */
export interface RunRowsOptions {
  store: RunStore;
  /** The rows to label. Default: all that wait, in their order. */
  rows?: readonly PendingRow[] | undefined;
  concurrency: number;
  /** Labels one row; undefined when the run stopped before it could. */
  label: (row: PendingRow) => Promise<RowResult | undefined>;
  /** Aborted to stop taking rows; what was sent is finished and kept. */
  stop: AbortSignal;
  /** Called when a row, and so many duplicates of it, are finished and on disk. */
  onRow: (row: PendingRow, result: RowResult, finished: number) => void;
}

/**
 * Labels what is pending with so many workers. Each takes the next row when it has finished one, so a slow call holds up
 * nobody. A row that no longer fits the budget is left for later, and so is every row as long; shorter ones go on.
 *
 * @throws what `label` or the store throws otherwise; rows in flight are finished first.
 */
export async function runRows(options: RunRowsOptions): Promise<RunOutcome> {
  const { store, concurrency, stop } = options;
  const rows = new PendingRows(store, options.rows);
  let refused: { error: BudgetExceededError; bytes: number } | undefined;
  let paused: Extract<RunOutcome, { kind: "credit" | "rate-limited" }> | undefined;
  let failure: { error: unknown } | undefined;

  const finish = async (row: PendingRow, result: RowResult) => {
    try {
      options.onRow(row, result, await store.finishRow(row.position, result));
    } catch (error) {
      failure ??= { error };
    }
  };
  const work = async () => {
    // Not waited for before the next call: what was paid for is on disk, and both steps then share one commit.
    let finishing = Promise.resolve();
    while (!paused && !failure && !stop.aborted) {
      const row = await rows.next();
      if (!row) break;
      if (refused && jsonBytes(row.text) >= refused.bytes) continue;
      try {
        const result = await options.label(row);
        if (!result) break;
        await finishing;
        finishing = finish(row, result);
      } catch (error) {
        if (BudgetExceededError.isInstance(error)) {
          const bytes = Math.min(jsonBytes(row.text), refused?.bytes ?? Number.POSITIVE_INFINITY);
          refused = { error: refused?.error ?? error, bytes };
        } else if (error instanceof RepairRefusedError)
          refused ??= { error: error.refusal, bytes: Number.POSITIVE_INFINITY };
        else if (UpstreamBudgetError.isInstance(error)) paused ??= { kind: "credit", error };
        else if (error instanceof RateLimitedError) paused ??= { kind: "rate-limited", error };
        else failure ??= { error };
      }
    }
    await finishing;
  };
  await Promise.all(Array.from({ length: concurrency }, work));

  if (failure) throw failure.error;
  if (paused) return paused;
  if (stop.aborted && (await store.counts()).unpaid > 0) return { kind: "interrupted" };
  return refused ? { kind: "budget", error: refused.error } : { kind: "completed" };
}

/** What is pending, read ahead in batches, for many takers. */
class PendingRows {
  readonly #store: RunStore;
  #batch: PendingRow[];
  #nextTurn: number;
  #reading: Promise<void> | undefined;

  /** @param rows these and no others. */
  constructor(store: RunStore, rows: readonly PendingRow[] | undefined) {
    this.#store = store;
    this.#batch = rows?.toReversed() ?? [];
    this.#nextTurn = rows ? Number.NaN : 0;
  }

  async next(): Promise<PendingRow | undefined> {
    for (;;) {
      const row = this.#batch.pop();
      if (row) return row;
      if (Number.isNaN(this.#nextTurn)) return undefined;
      this.#reading ??= this.#read().finally(() => {
        this.#reading = undefined;
      });
      await this.#reading;
    }
  }

  async #read(): Promise<void> {
    const batch = await this.#store.pending(this.#nextTurn);
    this.#nextTurn = (batch.at(-1)?.turn ?? Number.NaN) + 1;
    this.#batch = batch.reverse();
  }
}
