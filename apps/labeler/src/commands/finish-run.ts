import type { LabelingRun } from "../engine/labeling-run.ts";
import type { RunOutcome } from "../engine/run-rows.ts";
import { styleFor } from "../progress/layout.ts";
import { showRun } from "../progress/run-view.ts";
import { summarize } from "../progress/summary.ts";
import type { CommandIo } from "./command-io.ts";

/** Exit codes of label and resume; a probe has those of its outcome. */
export const exitCodes = {
  completed: 0,
  rowErrors: 4,
  budget: 3,
  credit: 5,
  "rate-limited": 5,
  interrupted: 130,
} as const;

/** Labels what is pending, shows it, writes the output and says how it ended. @returns the exit code. */
export async function finishRun(run: LabelingRun, io: CommandIo, store: string | undefined): Promise<number> {
  const output = run.get("output") as string;
  const resumeCommand = resumeCommandOf(run.id, io, store);
  try {
    const outcome = await watched(run, io, { resumeCommand, work: () => run.finish() });
    await run.writeTo(output);
    const { spent, unresolved } = (await (run.tracker.parent ?? run.tracker).getStats()).exact;
    const usedPicoUsd = spent.picoUsd + unresolved.picoUsd;
    const stats = await run.stats();
    const rest = run.forecast();
    const { id: runId, counts } = run;
    const inclusion = counts.unpaid > 0 ? await run.inclusion() : undefined;
    const end = { runId, outcome, counts, stats, rest, usedPicoUsd, inclusion, output, resumeCommand };
    io.stdout.write(summarize(end, io.stdout.columns ?? Number.POSITIVE_INFINITY, styleFor(io.stdout)));
    return exitCode(run, outcome);
  } catch (error) {
    // Whatever stopped the run, the rows that were paid for are handed over.
    if (run.counts.labeled > 0) await run.writeTo(output).catch(() => undefined);
    throw error;
  } finally {
    await run.close();
  }
}

/** The command that goes on with a run. */
export function resumeCommandOf(id: string, { command }: CommandIo, store: string | undefined): string {
  if (store === undefined) return `${command} resume ${id}`;
  return `${command} resume ${id} --store ${/^[\w./-]+$/.test(store) ? store : JSON.stringify(store)}`;
}

/** Shows a run while it works, and stops it on Ctrl-C. @returns why it stopped. */
export async function watched(
  run: LabelingRun,
  io: CommandIo,
  { resumeCommand, goal, work }: { resumeCommand: string; goal?: number; work: () => Promise<RunOutcome> },
): Promise<RunOutcome> {
  const view = await showRun(run, io.stderr, goal);
  const stopListening = io.onInterrupt({
    first: () => {
      view.note("Stopping: calls in flight are finished and kept. Ctrl-C again stops at once.");
      run.stop();
    },
    second: `\nStopped at once. Every answer that arrived is kept; calls in flight count at their upper bound.\n  go on       ${resumeCommand}\n`,
  });
  try {
    return await work();
  } finally {
    stopListening();
    await view.end();
  }
}

function exitCode(run: LabelingRun, outcome: RunOutcome): number {
  if (outcome.kind !== "completed") return exitCodes[outcome.kind];
  return run.counts.labeled < run.counts.rows ? exitCodes.rowErrors : exitCodes.completed;
}
