import { picoToDecimal } from "@autolabel/budget-core";
import type { LabelingRun } from "../engine/labeling-run.ts";
import type { RunOutcome } from "../engine/run-rows.ts";
import { moneyOf } from "../progress/run-money.ts";

/** Takes one event of a run. Amounts are USD as decimal text. */
export type EmitEvent = (event: { event: string; [field: string]: unknown }) => void;

/** Tells a run as it goes on, for `--json`: its start, each row, each alert. @returns a function that stops listening. */
export async function tellRun(run: LabelingRun, emit: EmitEvent): Promise<() => Promise<void>> {
  emit({
    event: "started",
    runId: run.id,
    model: run.config.model,
    taskVersion: run.taskVersion,
    ...run.counts,
    ...(await amountsOf(run)),
  });
  const reading = new Set<Promise<void>>();
  const tellRow = async (position: number, finished: number) => {
    const row = await run.row(position);
    const { rowId, status, label, confidence, source, attempts, error, taskVersion } = row;
    const costUsd = picoToDecimal(row.cost.picoUsd);
    // Rows of equal text end with the one that was bought for them.
    const told = { position, rowId, rows: finished, status, label, confidence, source, costUsd, attempts, error };
    emit({ event: "row", ...told, taskVersion });
  };
  const stopListening = [
    run.onRow((position, finished) => {
      const told: Promise<void> = tellRow(position, finished).finally(() => reading.delete(told));
      reading.add(told);
    }),
    ...run.limits.map((limit) => limit.on("alert", (alert) => emit({ event: "alert", ...alert }))),
  ];
  return async () => {
    for (const stop of stopListening) stop();
    await Promise.all(reading);
  };
}

/** Why a run stopped. */
export function stopEvent(outcome: RunOutcome): { event: string; [field: string]: unknown } {
  const { kind } = outcome;
  if (kind === "completed" || kind === "interrupted") return { event: "stop", kind };
  const { message } = outcome.error;
  if (kind === "rate-limited") return { event: "stop", kind, message, retryAt: outcome.error.retryAt.toISOString() };
  if (kind === "credit") return { event: "stop", kind, message };
  const { scope, resetsAt } = outcome.error;
  return { event: "stop", kind, message, scope, ...(resetsAt ? { resetsAt: resetsAt.toISOString() } : {}) };
}

/** How a run stands when it ended. */
export async function summaryEvent(run: LabelingRun, end: { output: string; exitCode: number; goOn: string }) {
  return { event: "summary", runId: run.id, ...run.counts, ...(await amountsOf(run)), ...end };
}

async function amountsOf(run: LabelingRun): Promise<Record<string, unknown>> {
  const { budget, spent, held, unresolved, free } = await moneyOf(run);
  return {
    budgetUsd: budget ? picoToDecimal(budget.picoUsd) : null,
    spentUsd: picoToDecimal(spent.picoUsd),
    heldUsd: picoToDecimal(held.picoUsd),
    unresolvedUsd: picoToDecimal(unresolved.picoUsd),
    freeUsd: free ? picoToDecimal(free.picoUsd) : null,
  };
}
