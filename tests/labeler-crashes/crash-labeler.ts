import { rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { bundleChild } from "../bundle-child.ts";
import { startSharedLedger } from "../shared-ledger.ts";
import { type MomentKind, runStory } from "./crash-story.ts";

/** What came of killing the labeler. */
export interface LabelerCrashSummary {
  /** Processes that were killed, by what chose the moment. */
  killed: Record<MomentKind, number>;
  /** Runs that they belonged to, each resumed to its end. */
  runs: number;
  rows: number;
  /** Calls that the provider billed, more than one for some rows. */
  billed: number;
  /** Calls in flight at a kill whose outcome nobody can know. */
  unresolved: number;
  /** What was wrong; empty for a labeler that loses nothing. */
  failures: string[];
}

/** Options of {@link crashLabeler}. */
export interface LabelerCrashOptions {
  /** How many processes to kill. */
  kills: number;
  /** Chooses the moments. Print it. */
  seed: number;
  /** How many runs at a time. Default 2. */
  parallel?: number;
  /** Plants a bug that must be found: writes are not committed together. Default false. */
  isTorn?: boolean;
  /** Where runs draw on a pool in a ledger of that engine. Default: each has a budget of its own, in its file. */
  engine?: string | undefined;
}

const killsPerRun = 6;
const rowsPerRun = 150;

/**
 * Kills the command line by SIGKILL at random moments and right before and after commits, resumes it, and holds what is
 * on disk after every kill against the provider's invoice: no paid answer is lost, no row that was paid for is bought again.
 */
export async function crashLabeler({
  kills,
  seed,
  parallel = 2,
  isTorn = false,
  engine,
}: LabelerCrashOptions): Promise<LabelerCrashSummary> {
  const root = join(import.meta.dirname, "../..");
  const cli = await bundleChild(join(root, "apps/labeler/src/cli.ts"));
  const preload = pathToFileURL(await bundleChild(join(import.meta.dirname, "kill-at-commit-child.ts")));
  const ledger = engine === undefined ? undefined : await startSharedLedger(engine);
  const killed = { time: 0, commit: 0, request: 0 };
  const summary: LabelerCrashSummary = { killed, runs: 0, rows: 0, billed: 0, unresolved: 0, failures: [] };
  const left = () => kills - killed.time - killed.commit - killed.request;
  // A process may end before it is killed: then there are more runs, but not without end.
  const mostRuns = Math.ceil((2 * kills) / killsPerRun) + parallel;
  try {
    const lane = async () => {
      while (left() > 0 && summary.runs < mostRuns) {
        const story = {
          program: { cli, preload: preload.href, isTorn, ledger },
          seed: seed * 1000 + summary.runs++,
          kills: killsPerRun,
          rows: rowsPerRun,
        };
        const report = await runStory(story);
        for (const kind of ["time", "commit", "request"] as const) killed[kind] += report.killed[kind];
        summary.rows += report.rows;
        summary.billed += report.billed;
        summary.unresolved += report.unresolved;
        summary.failures.push(...report.failures);
      }
    };
    await Promise.all(Array.from({ length: parallel }, lane));
  } finally {
    await ledger?.stop();
    rmSync(cli);
    rmSync(preload);
  }
  return summary;
}
