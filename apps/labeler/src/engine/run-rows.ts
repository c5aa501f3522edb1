import { BudgetExceededError, UpstreamBudgetError } from "@autolabel/budget-core";
import type { PendingRow } from "../store/row.ts";
import type { RowResult, RunStore } from "../store/run-store.ts";

/** Why a run ended. */
export type RunOutcome =
  | { kind: "completed" }
  | { kind: "budget"; error: BudgetExceededError }
  | { kind: "credit"; error: UpstreamBudgetError }
  | { kind: "interrupted" };

/** What {@link runRows} needs. */
export interface RunRowsOptions {
  store: RunStore;
  concurrency: number;
  /** Labels one row; undefined when the run stopped before it could. */
  label: (row: PendingRow) => Promise<RowResult | undefined>;
  /** Aborted to stop taking rows; what is in flight is finished and kept. */
  stop: AbortSignal;
  onRow: (row: PendingRow, result: RowResult) => void;
}

const readAhead = 1000;

/**
 * Labels what is pending with so many workers. Each takes the next row when it has finished one, so a slow call holds up
 * nobody. The first row that money ends for stops all; the others finish what they have in flight.
 *
 * @throws what `label` or the store throws otherwise; rows in flight are finished first.
 */
export async function runRows(options: RunRowsOptions): Promise<RunOutcome> {
  const { store, concurrency, stop } = options;
  const rows = pendingRows(store);
  let ended: RunOutcome | undefined;
  let failure: { error: unknown } | undefined;

  const work = async () => {
    while (!ended && !failure && !stop.aborted) {
      const { value: row, done } = rows.next();
      if (done) return;
      try {
        const result = await options.label(row);
        if (!result) return;
        await store.finishRow(row.position, result);
        options.onRow(row, result);
      } catch (error) {
        if (BudgetExceededError.isInstance(error)) ended ??= { kind: "budget", error };
        else if (UpstreamBudgetError.isInstance(error)) ended ??= { kind: "credit", error };
        else failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));

  if (failure) throw failure.error;
  if (ended) return ended;
  return stop.aborted && !rows.next().done ? { kind: "interrupted" } : { kind: "completed" };
}

function* pendingRows(store: RunStore): Generator<PendingRow, undefined> {
  for (let next = 0; ; ) {
    const batch = store.pendingFrom(next, readAhead);
    if (batch.length === 0) return undefined;
    yield* batch;
    next = (batch.at(-1)?.position ?? next) + 1;
  }
}
