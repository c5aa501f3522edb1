import { fork } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { RowReport, WorkerTask } from "./labeling-worker.ts";
import type { Scratch } from "./scratch.ts";

/** A labeling process that is watched, and killed in the middle. */
export interface KilledWorker {
  /** Rows that it reported as finished, so far. */
  readonly reported: ReadonlySet<string>;
  /** The books as it last reported them. */
  readonly last: RowReport | undefined;
  /** Resolves when the process is dead, with the signal that ended it. */
  readonly ended: Promise<NodeJS.Signals | null>;
}

/** Starts labeling in a process of its own and kills it with SIGKILL once it has reported `rows` rows. */
export function startAndKill(task: WorkerTask, rows: number, scratch: Scratch): KilledWorker {
  const reported = new Set<string>();
  let last: RowReport | undefined;
  const child = fork(new URL("./labeling-worker.ts", import.meta.url), [JSON.stringify(task)], {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  const forget = scratch.endWith(() => child.kill("SIGKILL"));
  child.on("message", (report: RowReport) => {
    reported.add(report.rowId);
    last = report;
    if (reported.size === rows) child.kill("SIGKILL");
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (_code, signal) => resolve(signal));
  }).finally(forget);
  return {
    reported,
    ended,
    get last() {
      return last;
    },
  };
}

/** Resolves when `isTrue` is; looks every few milliseconds. */
export async function until(isTrue: () => boolean, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error(`Nothing happened for ${timeoutMs / 1000} s`);
    await sleep(5);
  }
}
