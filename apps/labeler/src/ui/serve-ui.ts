import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import type { Settings } from "../config/settings.ts";
import { UsageError } from "../usage-error.ts";
import { OpenRuns } from "./open-runs.ts";
import { findPage, readPage } from "./page-files.ts";
import { makeRoutes } from "./routes.ts";
import { type CommandLine, RunProcesses } from "./run-processes.ts";

/** What {@link serveUi} takes. */
export interface ServeUiOptions {
  settings: Settings;
  /** 0: any free one. */
  port: number;
  /** Who reviews, unless somebody else says so. */
  author: string;
  /** How autolabel itself is called. */
  commandLine: CommandLine;
  /** The folder of the built page. Default: where the package has it. */
  page?: string;
}

/** A server that runs. */
export interface UiServer {
  /** Where it answers, with the token of this start: whoever has it may do all that the page does. */
  url: string;
  close(): Promise<void>;
}

const tokenBytes = 32;

/**
 * Serves the page and its data to this machine alone.
 *
 * @throws UsageError when the page is not built, or the port is taken.
 */
export async function serveUi({ settings, port, author, commandLine, page }: ServeUiOptions): Promise<UiServer> {
  const runs = await OpenRuns.open(settings);
  const token = randomBytes(tokenBytes).toString("base64url");
  let listening = port;
  const app = makeRoutes({
    runs,
    author,
    token,
    port: () => listening,
    // By the environment: an address may hold a password, which other users could read on a command line.
    processes: new RunProcesses({ ...commandLine, env: { ...commandLine.env, AUTOLABEL_STORE: settings.store } }),
    page: readPage(page ?? findPage()),
  });
  const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port });
  await new Promise<void>((resolve, reject) => {
    server.once("listening", resolve);
    server.once("error", (cause: Error & { code?: string }) => {
      void runs.close();
      const isTaken = cause.code === "EADDRINUSE";
      reject(isTaken ? new UsageError(`Port ${port} is taken: name another one with --port`, { cause }) : cause);
    });
  });
  listening = (server.address() as AddressInfo).port;
  return {
    url: `http://127.0.0.1:${listening}/?token=${token}`,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      if ("closeAllConnections" in server) server.closeAllConnections();
      await closed;
      await runs.close();
    },
  };
}
