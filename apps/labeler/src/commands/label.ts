import { existsSync } from "node:fs";
import { basename, extname, resolve } from "node:path";
import { UnpricedModelError } from "@autolabel/budget-core";
import { given } from "../config/given.ts";
import type { LabelingConfigInput } from "../config/labeling-config.ts";
import { type FileConfig, readConfigFile } from "../config/read-config-file.ts";
import type { Settings } from "../config/settings.ts";
import { type DataFormat, formOf, standardStream } from "../data/data-format.ts";
import { inputFormat, readRows } from "../data/read-rows.ts";
import { type TextSource, withText } from "../data/text-source.ts";
import { assertWritable } from "../data/write-rows.ts";
import { type StartRunOptions, startRun } from "../engine/start-run.ts";
import { isUrl } from "../ledger/ledger-servers.ts";
import type { InputRow } from "../store/run-store.ts";
import { isDatabase, withRuns } from "../store/runs.ts";
import { UsageError } from "../usage-error.ts";
import type { CommandIo } from "./command-io.ts";
import {
  type BudgetFlags,
  configOfFlags,
  configPathOf,
  type PaceFlags,
  type StoreFlags,
  settingsOf,
  type TaskFlags,
} from "./config-flags.ts";
import { finishRun } from "./finish-run.ts";
import { refuseChanged } from "./refuse-changed.ts";
import { tellQueued } from "./tell-queued.ts";

/** Flags of `autolabel label`. */
export interface LabelOptions extends StoreFlags, BudgetFlags, TaskFlags, PaceFlags {
  config?: string;
  template?: string;
  idColumn?: string;
  delimiter?: string;
  format?: DataFormat;
  encoding?: string;
  output?: string;
  dedupe: boolean;
  name?: string;
  new?: boolean;
  force?: boolean;
  json?: boolean;
}

/**
 * `autolabel label [DATA]`: labels a file under a budget. Flags stand before the configuration file, that before the
 * environment. @returns the exit code.
 */
export async function label(dataPath: string | undefined, options: LabelOptions, io: CommandIo): Promise<number> {
  const input = await readLabelInput(dataPath, options);
  assertLimited(input, options);
  if (isUrl(input.settings.store)) refuseOutput(options);
  else assertWritable(input.facts.output, { force: options.force, format: input.facts.outputFormat });
  const start: StartRunOptions = {
    ...input,
    whenKnown: ({ id, isProbe }, isWorking) => {
      if (options.new) return "start over";
      if (isWorking) {
        throw new UsageError(
          `Another process labels these rows, as the run ${id}: ${io.command} status ${id} shows how far it is; wait for it, or stop it`,
        );
      }
      if (isProbe) return "continue";
      throw new UsageError(
        `The run ${id} labels these rows already: go on with ${io.command} resume ${id}, or pay for them again with --new`,
      );
    },
    whenChanged: async (known, now) => {
      if (!options.new) await refuseChanged(known, { ...now, input, options, command: io.command });
    },
  };
  return await withRuns(input.settings.store, async (runs) => {
    if (isDatabase(runs)) {
      const { output: _written, outputFormat: _format, ...facts } = start.facts ?? {};
      const { queueRun } = await import("../engine/queue-run.ts");
      return await tellQueued(await explainPrice(() => queueRun(runs, { ...start, facts })), io, options);
    }
    return await finishRun(await explainPrice(() => startRun(start)), io, options);
  });
}

/** @throws UsageError where a file is named that nobody would write: workers know no file of this machine. */
export function refuseOutput({ output }: Pick<LabelOptions, "output">): void {
  if (output === undefined) return;
  throw new UsageError(
    "Workers write no file: leave out -o, and get the rows by autolabel export RUN --to csv -o FILE, at any time",
  );
}

/** @throws UsageError where nothing limits the run, and nobody said that nothing should. */
export function assertLimited({ config, settings }: LabelInput, { ledger }: StoreFlags): void {
  if (config.budget === undefined && config.pool === undefined && settings.llmBudget === undefined) {
    throw new UsageError("No budget: set one in USD with --budget 5 or LLM_BUDGET, or ask for --budget unlimited");
  }
  if (ledger !== undefined && config.pool === undefined && config.budget !== undefined) {
    throw new UsageError(
      "--ledger is where what runs share is counted: name a pool too, with --pool and --pool-budget",
    );
  }
}

/** What a command on a data file is given: flags before the configuration file, that before the environment. */
export interface LabelInput {
  settings: Settings;
  config: LabelingConfigInput;
  /** Names the run. */
  name: string;
  /** The rows of the file, once. */
  rows: AsyncIterable<InputRow>;
  /** To be kept with the run. */
  facts: LabelFacts;
}

/** What is kept with a run that was started from a file. */
interface LabelFacts extends Readonly<Record<string, string>> {
  output: string;
  outputFormat?: DataFormat;
  source: string;
}

/** @throws UsageError for what is missing or cannot be. */
export async function readLabelInput(dataPath: string | undefined, options: LabelOptions): Promise<LabelInput> {
  const settings = settingsOf(options);
  const file = await configFileOf(options);
  const data = dataPath ?? file.data;
  if (data === undefined) throw new UsageError("No data: name a file to label, or dataset.path in autolabel.yaml");
  const config = {
    ...file.config,
    ...(await configOfFlags(options)),
    ...(options.dedupe ? {} : { dedupe: false }),
  };
  const source = { ...file.source, ...sourceOf(options) };
  const format = inputFormat(data, source.format);
  const output = outputOf(data, options, file);
  const isPiped = data === standardStream;
  return {
    settings,
    config: complete(config),
    name: options.name ?? file.name ?? (isPiped ? "stdin" : stemOf(data)),
    rows: withText(readRows(data, source), source, isPiped ? "Standard input" : data),
    facts: {
      output,
      source: isPiped ? data : resolve(data),
      ...given({
        outputFormat: formOf(output)?.format ?? options.format ?? (output === standardStream ? format : undefined),
        goldColumn: file.goldColumn,
        columnTypes: format === "parquet" ? await typesIn(data) : undefined,
      }),
    },
  };
}

async function configFileOf(options: LabelOptions): Promise<FileConfig> {
  const path = configPathOf(options);
  return path === undefined ? { source: {}, config: {} } : await readConfigFile(path);
}

function outputOf(data: string, options: LabelOptions, file: FileConfig): string {
  // What comes by a pipe goes on by one.
  const usual = data === standardStream ? data : `${stemOf(data)}.labeled${outputEnding(data)}`;
  const asked = options.output ?? file.output ?? usual;
  if (asked === standardStream) return asked;
  const output = resolve(asked);
  if (output !== resolve(data)) return output;
  throw new UsageError(`${data} would be overwritten by its own labels: name another file with -o`);
}

/** The types of a Parquet file's columns, as they are kept with the run. */
async function typesIn(path: string): Promise<string | undefined> {
  if (path === standardStream || !existsSync(path)) return undefined;
  const { parquetColumnTypes } = await import("../data/read-parquet.ts");
  return JSON.stringify(Object.fromEntries(await parquetColumnTypes(path)));
}

/** A file's name without folder and endings. */
function stemOf(path: string): string {
  const name = basename(path).replace(/\.gz$/i, "");
  return basename(name, extname(name));
}

function complete(config: Partial<LabelingConfigInput>): LabelingConfigInput {
  const { model } = config;
  if (model === undefined)
    throw new UsageError("No model: name one with --model openrouter:openai/gpt-4o-mini, or in autolabel.yaml");
  return { ...config, model };
}

/** The flags that mend a missing price, in place of the library's option. */
export async function explainPrice<T>(start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    if (!UnpricedModelError.isInstance(error)) throw error;
    const meant = error.nearest.length > 0 ? `; did you mean ${error.nearest.join(", ")}?` : "";
    throw new UsageError(
      `No price is known for "${error.modelId}"${meant} To use it, state what it costs per 1M tokens: --input-price 0.15 --output-price 0.60`,
      { cause: error },
    );
  }
}

function sourceOf({ textColumn: column, template, idColumn, delimiter, format, encoding }: LabelOptions): TextSource {
  return given({ column, template, idColumn, delimiter, format, encoding });
}

function outputEnding(data: string): string {
  const form = formOf(data);
  const packed = form?.isPacked ? ".gz" : "";
  return form?.format === "json"
    ? `.jsonl${packed}`
    : `${extname(packed ? data.slice(0, -3) : data).toLowerCase()}${packed}`;
}
