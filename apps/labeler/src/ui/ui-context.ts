import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { AccessOptions } from "./access.ts";
import type { OpenRun, OpenRuns } from "./open-runs.ts";
import type { PageFile } from "./page-files.ts";
import type { RunProcesses } from "./run-processes.ts";

/** What the server answers from. */
export interface UiContext extends AccessOptions {
  runs: OpenRuns;
  processes: RunProcesses;
  page: ReadonlyMap<string, PageFile>;
  /** Who reviews, unless somebody else says so. */
  author: string;
}

/** The run that an address names. @throws HTTPException (404) when the store has none of it. */
export async function runOf(context: Context, { runs }: UiContext): Promise<OpenRun> {
  const id = context.req.param("run") ?? "";
  const run = await runs.find(id);
  if (run) return run;
  throw new HTTPException(404, { message: `There is no run "${id}"` });
}
