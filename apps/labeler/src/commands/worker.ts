import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { Settings } from "../config/settings.ts";
import { RowWorker } from "../engine/row-worker.ts";
import { serveHealth } from "../engine/worker-health.ts";
import { meterWorker } from "../engine/worker-metrics.ts";
import { isUrl } from "../ledger/ledger-servers.ts";
import { patiently } from "../store/patiently.ts";
import { RowQueue } from "../store/row-queue.ts";
import type { RunDatabase } from "../store/run-database.ts";
import { openRuns } from "../store/runs.ts";
import { UsageError } from "../usage-error.ts";
import type { CommandIo } from "./command-io.ts";
import { type StoreFlags, settingsOf } from "./config-flags.ts";

/** Flags of `autolabel worker`. */
export interface WorkerOptions extends Pick<StoreFlags, "store"> {
  concurrency?: number;
  healthPort?: number;
}

const usualConcurrency = 16;
/** Queries that a worker has under way at once: those of calls share round trips. */
const connections = 6;

/**
 * `autolabel worker`: labels rows of whatever runs wait in a database, until it is told to stop: by SIGTERM or Ctrl-C it
 * finishes the calls in flight and gives the rest back. @returns the exit code.
 */
export async function worker(options: WorkerOptions, io: CommandIo): Promise<number> {
  const settings = settingsOf(options);
  if (!isUrl(settings.store)) {
    throw new UsageError(
      "Workers take rows from a database: name it with --store postgres://… or AUTOLABEL_STORE; runs in a folder are labeled by autolabel label itself",
    );
  }
  // A worker may be started before its database is, and while that is away for a moment.
  const runs = (await patiently(() => openRuns(settings.store, connections))) as RunDatabase;
  try {
    const queue = await patiently(() => RowQueue.open(runs.pool, { supervise: true }));
    try {
      return await workOn(runs, queue, { options, settings, io });
    } finally {
      await queue.close();
    }
  } finally {
    await runs.close();
  }
}

async function workOn(
  runs: RunDatabase,
  queue: RowQueue,
  { options, settings, io }: { options: WorkerOptions; settings: Settings; io: CommandIo },
): Promise<number> {
  const rowWorker = new RowWorker({
    name: `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`,
    runs,
    queue,
    settings,
    concurrency: options.concurrency ?? usualConcurrency,
    onNote: (text) => io.stderr.write(`${new Date().toISOString()} ${text}\n`),
  });
  const stopMetering = await meterWorker(rowWorker);
  const health = options.healthPort === undefined ? undefined : await serveHealth(rowWorker, options.healthPort);
  const stopListening = io.onInterrupt({
    first: () => {
      io.stderr.write("Stopping: calls in flight are finished and kept, other rows go to other workers.\n");
      rowWorker.stop();
    },
    second: "\nStopped at once. Calls in flight count at their upper bound until they are resolved.\n",
  });
  const { name, concurrency } = rowWorker.state;
  io.stderr.write(`Worker ${name} takes rows from ${runs.name}, ${concurrency} calls at once.\n`);
  try {
    await rowWorker.work();
  } finally {
    stopListening();
    stopMetering();
    await health?.close();
  }
  io.stderr.write(`Stopped after ${rowWorker.state.rows} rows.\n`);
  return 0;
}
