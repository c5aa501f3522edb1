import { stopAskedFact } from "../store/run-store.ts";
import { findRun, withRuns } from "../store/runs.ts";
import { UsageError } from "../usage-error.ts";
import type { CommandIo } from "./command-io.ts";
import { type StoreFlags, settingsOf } from "./config-flags.ts";

/**
 * `autolabel stop [RUN]`: asks whoever works on a run, here or elsewhere, to take no more rows of it. Calls in flight are
 * finished and kept. @returns the exit code.
 */
export async function stop(id: string | undefined, options: StoreFlags, io: CommandIo): Promise<number> {
  return await withRuns(settingsOf(options).store, async (runs) => {
    const run = await findRun(runs, id);
    if (!(await runs.isWorking(run))) throw new UsageError(`Nobody works on the run ${run.id}`);
    const store = await runs.beside(run);
    try {
      await store.set({ [stopAskedFact]: new Date().toISOString() });
    } finally {
      await store.close();
    }
    io.stdout.write(
      `Asked the run ${run.id} to stop: calls in flight are finished and kept. Go on with ${io.command} resume ${run.id}\n`,
    );
    return 0;
  });
}
