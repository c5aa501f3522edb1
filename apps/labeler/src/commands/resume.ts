import { resolve } from "node:path";
import { readBudget, Settings } from "../config/settings.ts";
import { assertWritable } from "../data/write-rows.ts";
import { resumeRun } from "../engine/start-run.ts";
import { findRun } from "../store/runs.ts";
import type { CommandIo } from "./command-io.ts";
import { finishRun } from "./finish-run.ts";

/** Flags of `autolabel resume`. */
export interface ResumeOptions {
  budget?: string;
  output?: string;
  concurrency?: number;
  store?: string;
}

/** `autolabel resume [RUN]`: goes on with a run; only rows without a label are bought. @returns the exit code. */
export async function resume(id: string | undefined, options: ResumeOptions, io: CommandIo): Promise<number> {
  const settings = new Settings(options.store ? { store: options.store } : {}, io.env ? { env: io.env } : {});
  const { budget, concurrency } = options;
  if (options.output !== undefined) assertWritable(options.output);
  const run = await resumeRun({
    run: findRun(settings.store, id),
    settings,
    concurrency,
    ...(budget === undefined ? {} : { budget: budget === "unlimited" ? budget : readBudget(budget, "--budget") }),
    facts: options.output === undefined ? {} : { output: resolve(options.output) },
  });
  return await finishRun(run, io, options.store ? ` --store ${options.store}` : "");
}
