import { styleFor } from "../progress/layout.ts";
import { readAllStatus, readStatus } from "../progress/read-status.ts";
import { runsText, statusText } from "../progress/run-status.ts";
import { findRun, withRuns } from "../store/runs.ts";
import type { CommandIo } from "./command-io.ts";
import { type StoreFlags, settingsOf } from "./config-flags.ts";

/** Flags of `autolabel status` and `runs`. */
export interface StatusOptions extends StoreFlags {
  json?: boolean;
}

/** `autolabel status [RUN]`: how a run stands. It changes nothing, also while the run goes on. @returns the exit code. */
export async function status(id: string | undefined, options: StatusOptions, io: CommandIo): Promise<number> {
  const settings = settingsOf(options);
  const told = await withRuns(settings.store, async (runs) => readStatus(runs, await findRun(runs, id), settings));
  const text = () => statusText(told, { command: io.command, style: styleFor(io.stdout) });
  io.stdout.write(options.json ? `${JSON.stringify(told)}\n` : text());
  return 0;
}

/** `autolabel runs`: the runs of a store, the last used first. @returns the exit code. */
export async function runs(options: StatusOptions, io: CommandIo): Promise<number> {
  const settings = settingsOf(options);
  const [told, name] = await withRuns(settings.store, async (runs) => [await readAllStatus(runs, settings), runs.name]);
  io.stdout.write(options.json ? `${JSON.stringify(told)}\n` : runsText(told, name, styleFor(io.stdout)));
  return 0;
}
