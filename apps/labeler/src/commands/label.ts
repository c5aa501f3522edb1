import { basename, extname, resolve } from "node:path";
import { type Money, UnpricedModelError } from "@autolabel/budget-core";
import { given } from "../config/given.ts";
import type { LabelingConfigInput } from "../config/labeling-config.ts";
import { type FileConfig, findConfigFile, readConfigFile } from "../config/read-config-file.ts";
import { readExamples, readLabels, readSchema, readText } from "../config/read-task-files.ts";
import { readBudget, Settings } from "../config/settings.ts";
import { readRows } from "../data/read-rows.ts";
import { type TextSource, withText } from "../data/text-source.ts";
import { assertWritable } from "../data/write-rows.ts";
import { startRun } from "../engine/start-run.ts";
import type { InputRow, RowOrder } from "../store/run-store.ts";
import type { Labels } from "../tasks/label-set.ts";
import type { TaskKind } from "../tasks/task.ts";
import { UsageError } from "../usage-error.ts";
import type { CommandIo } from "./command-io.ts";
import { finishRun } from "./finish-run.ts";

/** Flags of `autolabel label`. */
export interface LabelOptions {
  config?: string;
  textColumn?: string;
  template?: string;
  idColumn?: string;
  delimiter?: string;
  task?: TaskKind;
  labels?: string;
  schema?: string;
  model?: string;
  budget?: string;
  output?: string;
  concurrency?: number;
  guidelines?: string;
  examples?: string;
  similarExamples?: number;
  chainOfThought?: boolean;
  confidence?: boolean;
  dedupe: boolean;
  order?: string;
  rpm?: number;
  tpm?: number;
  maxOutputTokens?: number;
  name?: string;
  store?: string;
  new?: boolean;
  force?: boolean;
  inputPrice?: string;
  outputPrice?: string;
}

/**
 * `autolabel label [DATA]`: labels a file under a budget. Flags stand before the configuration file, that before the
 * environment. @returns the exit code.
 */
export async function label(dataPath: string | undefined, options: LabelOptions, io: CommandIo): Promise<number> {
  const input = await readLabelInput(dataPath, options);
  if (input.config.budget === undefined && input.settings.llmBudget === undefined) {
    throw new UsageError("No budget: set one in USD with --budget 5 or LLM_BUDGET, or ask for --budget unlimited");
  }
  assertWritable(input.facts.output, { force: options.force });
  const run = await explainPrice(() =>
    startRun({
      ...input,
      whenKnown: ({ id, isProbe }) => {
        if (options.new) return "start over";
        if (isProbe) return "continue";
        throw new UsageError(
          `The run ${id} labels these rows already: go on with ${io.command} resume ${id}, or pay for them again with --new`,
        );
      },
    }),
  );
  return await finishRun(run, io, options.store);
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
  facts: { output: string; source: string; goldColumn?: string };
}

/** @throws UsageError for what is missing or cannot be. */
export async function readLabelInput(dataPath: string | undefined, options: LabelOptions): Promise<LabelInput> {
  const settings = new Settings(options.store ? { store: options.store } : {});
  const file = await configFileOf(options);
  const data = dataPath ?? file.data;
  if (data === undefined) throw new UsageError("No data: name a file to label, or dataset.path in autolabel.yaml");
  const source = { ...file.source, ...sourceOf(options) };
  return {
    settings,
    config: complete({ ...file.config, ...(await configOf(options)) }),
    name: options.name ?? file.name ?? basename(data, extname(data)),
    rows: withText(readRows(data, source), source, data),
    facts: {
      output: outputOf(data, options, file),
      source: resolve(data),
      ...(file.goldColumn ? { goldColumn: file.goldColumn } : {}),
    },
  };
}

async function configFileOf(options: LabelOptions): Promise<FileConfig> {
  const path = options.config === undefined ? findConfigFile(process.cwd()) : resolve(options.config);
  return path === undefined ? { source: {}, config: {} } : await readConfigFile(path);
}

function outputOf(data: string, options: LabelOptions, file: FileConfig): string {
  const usual = `${basename(data, extname(data))}.labeled${outputEnding(data)}`;
  const output = resolve(options.output ?? file.output ?? usual);
  if (output !== resolve(data)) return output;
  throw new UsageError(`${data} would be overwritten by its own labels: name another file with -o`);
}

function complete(config: Partial<LabelingConfigInput>): LabelingConfigInput {
  const { model } = config;
  if (model === undefined)
    throw new UsageError("No model: name one with --model openrouter:openai/gpt-4o-mini, or in autolabel.yaml");
  return { ...config, model };
}

/** @throws UsageError unless it is an amount in USD or the word `unlimited`. */
export function readBudgetFlag(given: string): Money | "unlimited" {
  return given === "unlimited" ? given : readBudget(given, "--budget");
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

async function configOf(options: LabelOptions): Promise<Partial<LabelingConfigInput>> {
  const { budget, guidelines, labels, examples, schema } = options;
  const columns = { text: options.textColumn ?? "text", label: "label" };
  return given({
    model: options.model,
    task: options.task,
    labels: labels === undefined ? undefined : labelsOf(labels),
    schema: schema === undefined ? undefined : readSchema(schema),
    budget: budget === undefined ? undefined : readBudgetFlag(budget),
    concurrency: options.concurrency,
    requestsPerMinute: options.rpm,
    tokensPerMinute: options.tpm,
    maxOutputTokens: options.maxOutputTokens,
    guidelines: guidelines !== undefined && /\.(txt|md)$/i.test(guidelines) ? readText(guidelines) : guidelines,
    examples: examples === undefined ? undefined : await readExamples(examples, columns),
    exampleSelection: options.similarExamples === undefined ? undefined : "similar",
    exampleCount: options.similarExamples,
    chainOfThought: options.chainOfThought,
    confidence: options.confidence,
    dedupe: options.dedupe ? undefined : false,
    order: options.order === undefined ? undefined : orderOf(options.order),
    ...statedPrices(options),
  });
}

function sourceOf({ textColumn: column, template, idColumn, delimiter }: LabelOptions): TextSource {
  return given({ column, template, idColumn, delimiter });
}

/** `file`, `random`, `random:SEED`, `stratified:COLUMN`. */
function orderOf(flag: string): RowOrder {
  const [kind, value = ""] = flag.split(/:(.*)/s);
  if (kind === "file" && value === "") return { kind };
  if (kind === "random" && /^\d*$/.test(value)) return { kind, seed: Number(value || 1) };
  if (kind === "stratified" && value !== "") return { kind, seed: 1, column: value };
  throw new UsageError(`--order must be file, random, random:SEED or stratified:COLUMN, not "${flag}"`);
}

function labelsOf(flag: string): Labels {
  return /\.(json|txt)$/i.test(flag) ? readLabels(flag) : flag.split(",").map((name) => name.trim());
}

function statedPrices({ model = "", inputPrice, outputPrice }: LabelOptions): Pick<LabelingConfigInput, "prices"> {
  if (inputPrice === undefined && outputPrice === undefined) return {};
  if (inputPrice === undefined || outputPrice === undefined) {
    throw new UsageError("State both prices, in USD per 1M tokens: --input-price 0.15 --output-price 0.60");
  }
  const modelId = model.slice(model.indexOf(":") + 1);
  readBudget(inputPrice, "--input-price");
  readBudget(outputPrice, "--output-price");
  return { prices: { [modelId]: { input: inputPrice, output: outputPrice } } };
}

function outputEnding(data: string): string {
  const ending = extname(data).toLowerCase();
  return ending === ".json" ? ".jsonl" : ending;
}
