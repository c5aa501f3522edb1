import { standardStream } from "../data/data-format.ts";
import type { LabelingRun } from "../engine/labeling-run.ts";
import type { RunOutcome } from "../engine/run-rows.ts";
import { withoutPassword } from "../ledger/ledger-servers.ts";
import { styleFor } from "../progress/layout.ts";
import { moneyOf } from "../progress/run-money.ts";
import { showRun } from "../progress/run-view.ts";
import { summarize } from "../progress/summary.ts";
import type { CommandIo } from "./command-io.ts";
import type { StoreFlags } from "./config-flags.ts";
import { type EmitEvent, stopEvent, summaryEvent, tellRun } from "./run-events.ts";

/** Exit codes of label, resume and retry; a probe has those of its outcome. */
export const exitCodes = {
  completed: 0,
  rowErrors: 4,
  budget: 3,
  credit: 5,
  "rate-limited": 5,
  interrupted: 130,
} as const;

/** How a run is shown. */
export interface FinishOptions extends StoreFlags {
  /** Events as JSON lines on stdout; what a person reads goes to stderr. */
  json?: boolean;
}

/** Labels what is pending, shows it, writes the output and says how it ended. @returns the exit code. */
export async function finishRun(run: LabelingRun, io: CommandIo, options: FinishOptions): Promise<number> {
  const output = run.get("output") as string;
  const resumeCommand = resumeCommandOf(run.id, io, options);
  const emit: EmitEvent | undefined = options.json
    ? (event) => void io.stdout.write(`${JSON.stringify(event)}\n`)
    : undefined;
  const isPiped = output === standardStream;
  // Rows, or events, have standard output to themselves.
  const reader = isPiped || options.json ? io.stderr : io.stdout;
  const target = isPiped ? io.stdout : output;
  let outcome: RunOutcome | undefined;
  try {
    const stopTelling = emit && (await tellRun(run, emit));
    try {
      outcome = await watched(run, io, { resumeCommand, work: () => run.finish() });
    } finally {
      await stopTelling?.();
    }
    emit?.(stopEvent(outcome));
    await run.writeTo(target);
    const code = exitCode(run, outcome);
    reader.write(await summaryText(run, outcome, { output, resumeCommand, stream: reader }));
    emit?.(await summaryEvent(run, { output, exitCode: code, goOn: resumeCommand }));
    return code;
  } catch (error) {
    // Whatever stopped the run, the rows that were paid for are handed over.
    if (!outcome && run.counts.labeled > 0) await run.writeTo(target).catch(() => undefined);
    emit?.({ event: "stop", kind: "failed", message: error instanceof Error ? error.message : String(error) });
    throw error;
  } finally {
    await run.close();
  }
}

async function summaryText(
  run: LabelingRun,
  outcome: RunOutcome,
  { stream, ...end }: { output: string; resumeCommand: string; stream: NodeJS.WriteStream },
): Promise<string> {
  // What limits the run is what refused it, else its outermost budget.
  const scope = outcome.kind === "budget" ? outcome.error.scope : undefined;
  const limit = run.limits.find((each) => each.scope === scope) ?? run.tracker.parent ?? run.tracker;
  const { spent, unresolved } = (await limit.getStats()).exact;
  const usedPicoUsd = spent.picoUsd + unresolved.picoUsd;
  const { counts } = run;
  const inclusion = counts.unpaid > 0 ? await run.inclusion() : undefined;
  const pool = (await moneyOf(run)).shared.find(({ kind }) => kind === "pool");
  const state = { counts, inclusion, pool, stats: await run.stats(), rest: run.forecast() };
  const said = { ownScope: run.tracker.scope, outcome, usedPicoUsd, ...state, ...end };
  return summarize(said, stream.columns ?? Number.POSITIVE_INFINITY, styleFor(stream));
}

/** The command that goes on with a run. */
export function resumeCommandOf(id: string, { command }: CommandIo, { store, ledger }: StoreFlags): string {
  return `${command} resume ${id}${flag("--store", store)}${flag("--ledger", ledger && withoutPassword(ledger))}`;
}

function flag(name: string, value: string | undefined): string {
  if (!value) return "";
  return ` ${name} ${shellWord(value)}`;
}

/** A value as it is typed on a command line. */
export function shellWord(value: string): string {
  return /^[\w./:,-]+$/.test(value) ? value : JSON.stringify(value);
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
