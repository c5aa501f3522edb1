import { standardStream } from "../data/data-format.ts";
import type { LabelingRun } from "../engine/labeling-run.ts";
import type { RunOutcome } from "../engine/run-rows.ts";
import { styleFor } from "../progress/layout.ts";
import { showRun } from "../progress/run-view.ts";
import { summarize } from "../progress/summary.ts";
import type { CommandIo } from "./command-io.ts";

/** Exit codes of label and resume. */
const exitCodes = { completed: 0, rowErrors: 4, budget: 3, credit: 5, "rate-limited": 5, interrupted: 130 } as const;

/** Labels what is pending, shows it, writes the output and says how it ended. @returns the exit code. */
export async function finishRun(run: LabelingRun, io: CommandIo, store: string | undefined): Promise<number> {
  const output = run.get("output") as string;
  const isPiped = output === standardStream;
  // Rows have standard output to themselves.
  const said = isPiped ? io.stderr : io.stdout;
  const target = isPiped ? io.stdout : output;
  let outcome: RunOutcome | undefined;
  const resumeCommand = `${io.command} resume ${run.id}${store === undefined ? "" : ` --store ${/^[\w./-]+$/.test(store) ? store : JSON.stringify(store)}`}`;
  try {
    outcome = await watched(run, io, resumeCommand);
    await run.writeTo(target);
    const { spent, unresolved } = (await (run.tracker.parent ?? run.tracker).getStats()).exact;
    const usedPicoUsd = spent.picoUsd + unresolved.picoUsd;
    const stats = await run.stats();
    const rest = run.forecast();
    const end = { runId: run.id, outcome, counts: run.counts, stats, rest, usedPicoUsd, output, resumeCommand };
    said.write(summarize(end, said.columns ?? Number.POSITIVE_INFINITY, styleFor(said)));
    return exitCode(run, outcome);
  } catch (error) {
    // Whatever stopped the run, the rows that were paid for are handed over.
    if (!outcome && run.counts.labeled > 0) await run.writeTo(target).catch(() => undefined);
    throw error;
  } finally {
    await run.close();
  }
}

async function watched(run: LabelingRun, io: CommandIo, resumeCommand: string): Promise<RunOutcome> {
  const view = await showRun(run, io.stderr);
  const stopListening = io.onInterrupt({
    first: () => {
      view.note("Stopping: calls in flight are finished and kept. Ctrl-C again stops at once.");
      run.stop();
    },
    second: `\nStopped at once. Every answer that arrived is kept; calls in flight count at their upper bound.\n  go on       ${resumeCommand}\n`,
  });
  try {
    return await run.finish();
  } finally {
    stopListening();
    await view.end();
  }
}

function exitCode(run: LabelingRun, outcome: RunOutcome): number {
  if (outcome.kind !== "completed") return exitCodes[outcome.kind];
  return run.counts.labeled < run.counts.rows ? exitCodes.rowErrors : exitCodes.completed;
}
