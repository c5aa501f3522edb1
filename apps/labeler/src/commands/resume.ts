import { resolve } from "node:path";
import { Settings } from "../config/settings.ts";
import { assertWritable } from "../data/write-rows.ts";
import { resumeRun } from "../engine/start-run.ts";
import { findRun } from "../store/runs.ts";
import { UsageError } from "../usage-error.ts";
import type { CommandIo } from "./command-io.ts";
import { finishRun } from "./finish-run.ts";
import { readBudgetFlag } from "./label.ts";

/** Flags of `autolabel resume`. */
export interface ResumeOptions {
  budget?: string;
  output?: string;
  concurrency?: number;
  store?: string;
  force?: boolean;
}

/** `autolabel resume [RUN]`: goes on with a run; only rows without a label are bought. @returns the exit code. */
export async function resume(id: string | undefined, options: ResumeOptions, io: CommandIo): Promise<number> {
  const settings = new Settings(options.store ? { store: options.store } : {});
  const changes = {
    ...(options.budget === undefined ? {} : { budget: readBudgetFlag(options.budget) }),
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
  };
  if (options.output !== undefined) assertWritable(resolve(options.output), { force: options.force });
  const run = await resumeRun({
    run: findRun(settings.store, id),
    settings,
    reconfigure: (stored) => ({ ...stored, ...changes }),
    facts: options.output === undefined ? {} : { output: resolve(options.output) },
  });
  if (run.get("output") === undefined) {
    // Started by the library, which writes no file.
    await run.close();
    throw new UsageError(`The run ${run.id} has no output file yet: name one with -o, such as -o ${run.id}.csv`);
  }
  return await finishRun(run, io, options.store);
}
