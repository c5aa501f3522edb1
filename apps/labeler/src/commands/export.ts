import { relative, resolve } from "node:path";
import { LabelingConfig, type LabelingConfigInput } from "../config/labeling-config.ts";
import { Settings } from "../config/settings.ts";
import type { ColumnType } from "../data/column-type.ts";
import { type DataFormat, dataFormats, outputForm, standardStream } from "../data/data-format.ts";
import { encodeJsonArray, encodeJsonLines } from "../data/encode-rows.ts";
import { assertFree, type FileParts, writeFile, writeToStream } from "../data/write-file.ts";
import { writeRows } from "../data/write-rows.ts";
import { sampleOrder } from "../engine/inclusion.ts";
import { argillaRecords } from "../export/argilla.ts";
import { type ExportJob, exportedRows } from "../export/export-job.ts";
import type { ExportLayout } from "../export/export-layout.ts";
import { writeHuggingFaceFolder } from "../export/hugging-face.ts";
import { labelStudioConfig, labelStudioTasks } from "../export/label-studio.ts";
import type { OffsetUnit } from "../export/offsets.ts";
import { spacyExamples } from "../export/spacy.ts";
import { findRun, type RunSummary, type Runs, type RunView, withRuns } from "../store/runs.ts";
import { labelSet } from "../tasks/label-set.ts";
import { UsageError } from "../usage-error.ts";
import type { CommandIo } from "./command-io.ts";

/** Flags of `autolabel export`. */
export interface ExportOptions {
  to: ExportLayout;
  output?: string;
  /** Default: `labeled` for spaCy, which takes a missing label for one that does not apply; else `all`. */
  only?: "labeled" | "all";
  /** Default: UTF-16 units for data formats, as in the run; code points for other tools, which count as Python does. */
  offsets?: OffsetUnit;
  force?: boolean;
  store?: string;
}

const endings: Readonly<Record<Exclude<ExportLayout, DataFormat>, string>> = {
  "label-studio": ".label-studio.json",
  argilla: ".argilla.json",
  spacy: ".spacy.jsonl",
  hf: "-hf",
};

/**
 * `autolabel export [RUN]`: writes a run's rows for another tool, from what is stored: no call is made and nothing is
 * paid. It may run beside the process that works on the run. @returns the exit code.
 */
export async function exportRun(id: string | undefined, options: ExportOptions, io: CommandIo): Promise<number> {
  const { store } = new Settings(options.store ? { store: options.store } : {});
  return await withRuns(store, async (runs) => exportOne(runs, await findRun(runs, id), options, io));
}

async function exportOne(runs: Runs, run: RunSummary, options: ExportOptions, io: CommandIo): Promise<number> {
  const output = outputOf(run, options);
  const opened = await runs.look(run);
  try {
    const job = await jobOf(run, opened, options);
    const { rows, labeled } = await opened.counts();
    const notes = await write(job, options, output, io);
    const count = job.onlyLabeled ? labeled : rows;
    const place = output === standardStream ? "standard output" : relative(process.cwd(), output) || output;
    const said = output === standardStream ? io.stderr : io.stdout;
    const empty = job.onlyLabeled || labeled === rows ? "" : `, ${rows - labeled} of them without a label`;
    said.write(`Exported ${count} ${count === 1 ? "row" : "rows"}${empty}, to ${place}\n${notes}`);
    return 0;
  } finally {
    await opened.close();
  }
}

/** @throws UsageError when nothing may be written there. */
function outputOf(run: RunSummary, { to, output, force }: ExportOptions): string {
  const isFormat = isDataFormat(to);
  const asked = output ?? `${run.id}${isFormat ? `.${to}` : endings[to]}`;
  if (asked === standardStream) {
    if (to === "hf") throw new UsageError("A Hugging Face data set is a folder: name one with -o");
    return asked;
  }
  const path = resolve(asked);
  assertFree(path, { force, isFolder: to === "hf" });
  return path;
}

function isDataFormat(to: ExportLayout): to is DataFormat {
  return (dataFormats as readonly string[]).includes(to);
}

async function jobOf(run: RunSummary, store: RunView, { to, only, offsets }: ExportOptions): Promise<ExportJob> {
  const facts = await store.facts();
  const config = new LabelingConfig(JSON.parse(facts.config ?? "{}") as LabelingConfigInput);
  const { task, labels, model, schema } = config;
  const sample = sampleOrder(facts, config);
  return {
    runId: run.id,
    task,
    model,
    labels: labels === undefined ? [] : labelSet(labels).names,
    fields: Object.keys(schema?.properties ?? {}),
    inputColumns: JSON.parse(facts.columns ?? "[]") as string[],
    columnTypes: new Map(Object.entries(JSON.parse(facts.columnTypes ?? "{}") as Record<string, ColumnType>)),
    offsets: offsets ?? (isDataFormat(to) ? "utf16" : "codepoint"),
    onlyLabeled: (only ?? (to === "spacy" ? "labeled" : "all")) === "labeled",
    isSample: sample !== undefined,
    rows: () => store.rows({ sample }),
  };
}

/** @returns what a person should know about what was written, in lines. */
async function write(job: ExportJob, { to }: ExportOptions, output: string, { stdout }: CommandIo): Promise<string> {
  const target = output === standardStream ? stdout : output;
  if (isDataFormat(to)) {
    await writeRows(target, { ...job, rows: () => exportedRows(job) }, to);
    return "";
  }
  if (to === "hf") {
    await writeHuggingFaceFolder(output, job);
    return "";
  }
  if (to === "spacy") {
    await writeParts(target, encodeJsonLines(spacyExamples(job)));
    return "";
  }
  if (to === "argilla") {
    await writeParts(target, encodeJsonArray(argillaRecords(job)));
    return "";
  }
  await writeParts(target, encodeJsonArray(labelStudioTasks(job)));
  if (typeof target !== "string") return "";
  const path = `${target.replace(/\.json$/, "")}.xml`;
  await writeFile(path, textParts(labelStudioConfig(job)), { isPacked: false });
  return `Its labeling configuration is in ${relative(process.cwd(), path)}\n`;
}

async function writeParts(target: string | NodeJS.WriteStream, parts: FileParts): Promise<void> {
  if (typeof target === "string") await writeFile(target, parts, outputForm(target, "json"));
  else await writeToStream(target, parts);
}

async function* textParts(text: string): AsyncGenerator<string> {
  yield text;
}
