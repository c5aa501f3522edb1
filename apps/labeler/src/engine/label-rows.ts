import type { Posting } from "@autolabel/budget-core";
import type { LabelingConfig } from "../config/labeling-config.ts";
import type { Settings } from "../config/settings.ts";
import { getLlmClient, providerCallId, upstreamBudgetError } from "../llm-client.ts";
import type { PendingRow } from "../store/row.ts";
import type { RowResult, RunStore } from "../store/run-store.ts";
import type { Task } from "../tasks/task.ts";
import { answerOf, labelRow } from "./label-row.ts";
import type { Pacer } from "./pacer.ts";
import type { RunBudget } from "./run-budget.ts";
import { type RunOutcome, runRows } from "./run-rows.ts";

/** What {@link labelRows} needs. */
export interface LabelRowsOptions {
  store: RunStore;
  settings: Settings;
  config: LabelingConfig;
  task: Task;
  budget: RunBudget;
  pacer: Pacer;
  /** These rows and no others. Default: all that wait. */
  rows?: readonly PendingRow[] | undefined;
  /** Aborted to stop taking rows; what was sent is finished and kept. */
  stop: AbortSignal;
  /** Waits until a call may be made that the provider's limits let go, and is told its end. Default: at once. */
  inTurn?: <T>(work: () => Promise<T>) => Promise<T>;
  /** Told of a charge when it is on disk. */
  onCharge?: (row: PendingRow, costPicoUsd: bigint) => void;
  /** Told of every attempt that failed for another reason than money. */
  onFailure?: (error: unknown) => void;
  /** Told as soon as it is known that a row is asked again. */
  onAgain?: (row: PendingRow) => void;
  /** Told when a row, and so many duplicates of it, are finished and on disk. */
  onRow?: (row: PendingRow, result: RowResult, finished: number) => void;
}

/**
 * Labels rows of a run and says why it stopped.
 *
 * @throws UsageError when the provider or its key is missing, and errors of the store; finished rows are kept.
 */
export async function labelRows(options: LabelRowsOptions): Promise<RunOutcome> {
  const { store, settings, config, task, budget, stop, inTurn = (work) => work() } = options;
  const client = { settings, config, costTracker: budget.tracker };
  const label = (row: PendingRow) =>
    budget.callFor(row.position, () =>
      labelRow({
        row,
        task,
        model: (fetch) => getLlmClient({ ...client, fetch, onReceipt: (posting) => record(options, row, posting) }),
        isRowLimit: budget.isRowLimit,
        upstreamBudgetError: (error) => upstreamBudgetError(config.model, error),
        onFailure: (error) => options.onFailure?.(error),
        onAgain: () => options.onAgain?.(row),
        repair: config.repair,
        pacer: options.pacer,
        inTurn,
        longestWaitMs: config.longestWaitMs,
        maxAttempts: config.maxAttempts,
        timeoutMs: config.timeoutMs,
        stop,
      }),
    );
  return await runRows({
    store,
    rows: options.rows,
    concurrency: config.concurrency,
    label,
    stop,
    onRow: (row, result, finished) => options.onRow?.(row, result, finished),
  });
}

/**
 * In the run's own ledger the answer joins the transaction of the charge, and a failure of it fails the ledger's next
 * step. With a ledger elsewhere the answer is on disk before the charge is posted.
 */
function record(
  { store, config, task, budget, onCharge }: LabelRowsOptions,
  row: PendingRow,
  posting: Posting,
): Promise<void> | undefined {
  const recorded = store.recordAttempt(row.position, {
    posting,
    answer: answerOf(posting),
    callId: providerCallId(config.model, posting),
    taskVersion: task.version,
  });
  // Counted when it is on disk, so that what is spent and what is left add up at any moment.
  recorded.then(
    () => onCharge?.(row, posting.receipt.costPicoUsd),
    () => undefined,
  );
  return budget.isInStore ? undefined : recorded;
}
