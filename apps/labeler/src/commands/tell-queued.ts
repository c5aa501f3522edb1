import type { QueuedRun } from "../engine/queue-run.ts";
import { rowsText } from "../progress/bar.ts";
import type { CommandIo } from "./command-io.ts";
import type { FinishOptions } from "./finish-run.ts";

/** Says that rows wait for workers, and how to see what becomes of them. @returns the exit code. */
export async function tellQueued(queued: QueuedRun, io: CommandIo, { json }: FinishOptions): Promise<number> {
  const { id, rows, workers } = queued;
  if (json) {
    io.stdout.write(`${JSON.stringify({ event: "queued", run: id, rows, workers })}\n`);
    return 0;
  }
  const { command } = io;
  const lines =
    rows === 0
      ? [`Nothing is left to buy in the run ${id}.`]
      : [
          `Queued: ${rowsText(rows)} of the run ${id}, for ${workersText(workers)}.`,
          ...(workers === 0 ? [`  work        ${command} worker, here or on any machine that reaches the store`] : []),
          `  watch       ${command} status ${id}`,
        ];
  io.stdout.write(`${[...lines, `  hand over   ${command} export ${id} --to csv`].join("\n")}\n`);
  return 0;
}

function workersText(workers: number): string {
  if (workers === 0) return "workers, of which there are none yet";
  return workers === 1 ? "the one worker that is there" : `${workers} workers`;
}
