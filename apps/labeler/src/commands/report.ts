import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Settings } from "../config/settings.ts";
import { styleFor } from "../progress/layout.ts";
import { reportHtml } from "../report/report-html.ts";
import { reportJson } from "../report/report-json.ts";
import { reportRun } from "../report/report-run.ts";
import { reportText } from "../report/report-text.ts";
import { UsageError } from "../usage-error.ts";
import type { CommandIo } from "./command-io.ts";

/** Flags of `autolabel report`. */
export interface ReportCommandOptions {
  gold?: string;
  goldFile?: string;
  reviews?: boolean;
  json?: boolean;
  html?: string;
  /** How many calls are compared; true: as many as is usual. */
  reconcile?: number | true;
  store?: string;
}

const usualSample = 50;
const widest = 120;

/** `autolabel report [RUN]`: what a run is worth, and what it did cost. It asks for nothing. @returns the exit code. */
export async function report(id: string | undefined, options: ReportCommandOptions, io: CommandIo): Promise<number> {
  const { gold, goldFile, reviews, reconcile = 0 } = options;
  const settings = new Settings(options.store ? { store: options.store } : {});
  const sample = reconcile === true ? usualSample : reconcile;
  const told = await reportRun({ run: id, settings, gold, goldFile, reviews, reconcile: sample });
  if (options.html !== undefined) writePage(options.html, reportHtml(told));
  if (options.json) {
    io.stdout.write(`${JSON.stringify(reportJson(told))}\n`);
    return 0;
  }
  const width = Math.min(io.stdout.columns ?? widest, widest);
  io.stdout.write(reportText(told, { width, style: styleFor(io.stdout) }));
  if (options.html !== undefined) io.stdout.write(`\nCharts and all labels: ${options.html}\n`);
  return 0;
}

function writePage(path: string, page: string): void {
  try {
    writeFileSync(resolve(path), page);
  } catch (cause) {
    throw new UsageError(`${path} cannot be written (${(cause as Error).message}): name another file with --html`, {
      cause,
    });
  }
}
