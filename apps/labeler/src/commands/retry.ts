import type { RowStatus } from "../store/row.ts";
import { UsageError } from "../usage-error.ts";
import type { CommandIo } from "./command-io.ts";
import { goOn, type ResumeOptions } from "./resume.ts";

/** Flags of `autolabel retry`. */
export interface RetryOptions extends Omit<ResumeOptions, "relabel"> {
  /** Which rows, by how they ended, separated by commas. Default: all without a label. */
  only?: string;
}

/** How rows end without a label, as it is said on the command line. */
const endings: Readonly<Record<string, RowStatus>> = {
  truncated: "truncated",
  invalid: "invalid_label",
  refused: "refused",
  error: "error",
};

/**
 * `autolabel retry [RUN]`: buys rows again that ended without a label, and then goes on as `resume` does. What was paid
 * for them before stays counted. @returns the exit code.
 */
export async function retry(id: string | undefined, options: RetryOptions, io: CommandIo): Promise<number> {
  return await goOn(id, options, io, { reopen: readEndings(options.only) });
}

function readEndings(only: string | undefined): RowStatus[] {
  const names = only === undefined ? Object.keys(endings) : only.split(",").map((name) => name.trim());
  return names.map((name) => {
    const status = Object.hasOwn(endings, name) ? endings[name] : undefined;
    if (status) return status;
    throw new UsageError(`--only takes ${Object.keys(endings).join(", ")}, separated by commas; not "${name}"`);
  });
}
