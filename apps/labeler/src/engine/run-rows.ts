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
  /** Aborted to stop taking rows; what was sent is finished and kept. */
  stop: AbortSignal;
  onRow: (row: PendingRow, result: RowResult) => void;
}

const readAhead = 1000;

/**
 * Labels what is pending with so many workers. Each takes the next row when it has finished one, so a slow call holds up
 * nobody. A row that no longer fits the budget is left for later, and so is every row as long; shorter ones go on.
 *
 * @throws what `label` or the store throws otherwise; rows in flight are finished first.
 */
export async function runRows(options: RunRowsOptions): Promise<RunOutcome> {
  const { store, concurrency, stop } = options;
  const rows = pendingRows(store);
  let refused: { error: BudgetExceededError; bytes: number } | undefined;
  let credit: UpstreamBudgetError | undefined;
  let failure: { error: unknown } | undefined;

  const work = async () => {
    while (!credit && !failure && !stop.aborted) {
      const { value: row, done } = rows.next();
      if (done) return;
      if (refused && bytesOf(row) >= refused.bytes) continue;
      try {
        const result = await options.label(row);
        if (!result) return;
        await store.finishRow(row.position, result);
        options.onRow(row, result);
      } catch (error) {
        if (BudgetExceededError.isInstance(error)) {
          const bytes = Math.min(bytesOf(row), refused?.bytes ?? Number.POSITIVE_INFINITY);
          refused = { error: refused?.error ?? error, bytes };
        } else if (UpstreamBudgetError.isInstance(error)) credit ??= error;
        else failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));

  if (failure) throw failure.error;
  if (credit) return { kind: "credit", error: credit };
  if (stop.aborted && hasPending(store)) return { kind: "interrupted" };
  return refused ? { kind: "budget", error: refused.error } : { kind: "completed" };
}

/** What the bound of a row grows with. */
function bytesOf({ text }: PendingRow): number {
  const bytes = (form: string) => Buffer.byteLength(JSON.stringify(form));
  return Math.max(bytes(text), bytes(text.normalize("NFKC")));
}

function hasPending(store: RunStore): boolean {
  return store.counts().unpaid > 0;
}

function* pendingRows(store: RunStore): Generator<PendingRow, undefined> {
  for (let next = 0; ; ) {
    const batch = store.pendingFrom(next, readAhead);
    if (batch.length === 0) return undefined;
    yield* batch;
    next = (batch.at(-1)?.position ?? next) + 1;
  }
}
