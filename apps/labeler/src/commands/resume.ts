import { resolve } from "node:path";
import { given } from "../config/given.ts";
import { Settings } from "../config/settings.ts";
import { type DataFormat, standardStream } from "../data/data-format.ts";
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
  format?: DataFormat;
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
  const output =
    options.output === undefined || options.output === standardStream ? options.output : resolve(options.output);
  if (output !== undefined && output !== standardStream) assertWritable(output, options);
  const run = await resumeRun({
    run: findRun(settings.store, id),
    settings,
    reconfigure: (stored) => ({ ...stored, ...changes }),
    facts: given({ output, outputFormat: options.format }) as Record<string, string>,
  });
  if (run.get("output") === undefined) {
    // Started by the library, which writes no file.
    await run.close();
    throw new UsageError(`The run ${run.id} has no output file yet: name one with -o, such as -o ${run.id}.csv`);
  }
  if (output === standardStream && run.get("outputFormat") === undefined) {
    await run.close();
    throw new UsageError(`The run ${run.id} has no output format yet: say --format csv`);
  }
  return await finishRun(run, io, options.store);
}
