import { resolve } from "node:path";
import { given } from "../config/given.ts";
import type { LabelingConfigInput } from "../config/labeling-config.ts";
import { readConfigFile } from "../config/read-config-file.ts";
import { type DataFormat, standardStream } from "../data/data-format.ts";
import { assertWritable } from "../data/write-rows.ts";
import type { LabelingRun } from "../engine/labeling-run.ts";
import { type ResumeRunOptions, resumeRun } from "../engine/start-run.ts";
import { isUrl } from "../ledger/ledger-servers.ts";
import { findRun, isDatabase, withRuns } from "../store/runs.ts";
import { UsageError } from "../usage-error.ts";
import type { CommandIo } from "./command-io.ts";
import {
  type BudgetFlags,
  configOfFlags,
  type PaceFlags,
  type StoreFlags,
  settingsOf,
  type TaskFlags,
} from "./config-flags.ts";
import { finishRun } from "./finish-run.ts";
import { refuseOutput } from "./label.ts";
import { tellQueued } from "./tell-queued.ts";

/** Flags of `autolabel resume`. */
export interface ResumeOptions
  extends StoreFlags,
    BudgetFlags,
    PaceFlags,
    Pick<TaskFlags, "labels" | "guidelines" | "examples" | "schema"> {
  /** A configuration file: what it says stands before what the run has. */
  config?: string;
  output?: string;
  format?: DataFormat;
  force?: boolean;
  json?: boolean;
  /** Buys rows again that an earlier version of the task labeled. */
  relabel?: boolean;
}

/** `autolabel resume [RUN]`: goes on with a run; only rows without a label are bought. @returns the exit code. */
export async function resume(id: string | undefined, options: ResumeOptions, io: CommandIo): Promise<number> {
  return await goOn(id, options, io, options.relabel ? { relabel: true } : {});
}

/** Goes on with a run, after rows that are finished were opened again where that is asked for. @returns the exit code. */
export async function goOn(
  id: string | undefined,
  options: ResumeOptions,
  io: CommandIo,
  again: Pick<ResumeRunOptions, "reopen" | "relabel">,
): Promise<number> {
  const settings = settingsOf(options);
  const file = options.config === undefined ? undefined : await readConfigFile(resolve(options.config));
  const changes = { ...file?.config, ...(await configOfFlags(options)) };
  const output =
    options.output === undefined || options.output === standardStream ? options.output : resolve(options.output);
  if (isUrl(settings.store)) refuseOutput(options);
  else if (output !== undefined && output !== standardStream)
    assertWritable(output, { force: options.force, format: options.format });
  return await withRuns(settings.store, async (runs) => {
    const change = {
      run: await findRun(runs, id),
      settings,
      reconfigure: (stored: LabelingConfigInput) => ({ ...stored, ...changes }),
      facts: given({ output, outputFormat: options.format }) as Record<string, string>,
      ...again,
    };
    if (isDatabase(runs)) {
      const { requeueRun } = await import("../engine/queue-run.ts");
      return await tellQueued(await requeueRun({ ...change, runs }), io, options);
    }
    const run = await resumeRun({ ...change, runs });
    await assertOutput(run, output);
    return await finishRun(run, io, options);
  });
}

/** @throws UsageError when it is not known where the rows go, or how; then the run is closed. */
async function assertOutput(run: LabelingRun, output: string | undefined): Promise<void> {
  if (run.get("output") === undefined) {
    // Started by the library, which writes no file.
    await run.close();
    throw new UsageError(`The run ${run.id} has no output file yet: name one with -o, such as -o ${run.id}.csv`);
  }
  if (output === standardStream && run.get("outputFormat") === undefined) {
    await run.close();
    throw new UsageError(`The run ${run.id} has no output format yet: say --format csv`);
  }
}
