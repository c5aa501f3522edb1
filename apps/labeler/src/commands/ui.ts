import { userInfo } from "node:os";
import { findRun, withRuns } from "../store/runs.ts";
import { serveUi } from "../ui/serve-ui.ts";
import type { CommandIo } from "./command-io.ts";
import { type StoreFlags, settingsOf } from "./config-flags.ts";

/** Flags of `autolabel ui`. */
export interface UiOptions extends StoreFlags {
  port?: number;
  author?: string;
}

/** `autolabel ui [RUN]`: serves the page to this machine until Ctrl-C. @returns the exit code. */
export async function ui(id: string | undefined, options: UiOptions, io: CommandIo): Promise<number> {
  const settings = settingsOf(options);
  const run = id === undefined ? undefined : await withRuns(settings.store, (runs) => findRun(runs, id));
  const { execPath, execArgv, argv } = process;
  const server = await serveUi({
    settings,
    port: options.port ?? 0,
    author: options.author ?? userInfo().username,
    commandLine: {
      program: [execPath, ...execArgv, argv[1] as string],
      // An address may hold a password, which other users could read on a command line.
      env: settings.ledger === undefined ? {} : { AUTOLABEL_LEDGER: settings.ledger },
    },
  });
  io.stdout.write(`${server.url}${run ? `#/runs/${encodeURIComponent(run.id)}` : ""}\n`);
  io.stderr.write("Open this address in a browser. Ctrl-C ends the page; runs go on.\n");
  await new Promise<void>((resolve) => {
    io.onInterrupt({ first: resolve, second: "" });
  });
  await server.close();
  return 0;
}
