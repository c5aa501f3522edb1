import { readFileSync } from "node:fs";
import { basename, extname, resolve } from "node:path";
import { type Money, UnpricedModelError } from "@autolabel/budget-core";
import type { LabelingConfigInput } from "../config/labeling-config.ts";
import { readBudget, Settings } from "../config/settings.ts";
import { readRows, withText } from "../data/read-rows.ts";
import { assertWritable } from "../data/write-rows.ts";
import { startRun } from "../engine/start-run.ts";
import { UsageError } from "../usage-error.ts";
import type { CommandIo } from "./command-io.ts";
import { finishRun } from "./finish-run.ts";

/** Flags of `autolabel label`. */
export interface LabelOptions {
  textColumn: string;
  labels: string;
  model: string;
  budget?: string;
  output?: string;
  concurrency?: number;
  guidelines?: string;
  name?: string;
  store?: string;
  new?: boolean;
  force?: boolean;
  inputPrice?: string;
  outputPrice?: string;
}

/** `autolabel label DATA`: labels a file under a budget. @returns the exit code. */
export async function label(data: string, options: LabelOptions, io: CommandIo): Promise<number> {
  const settings = new Settings(options.store ? { store: options.store } : {});
  const config = configOf(options);
  if (config.budget === undefined && settings.llmBudget === undefined) {
    throw new UsageError("No budget: set one in USD with --budget 5 or LLM_BUDGET, or ask for --budget unlimited");
  }
  const output = resolve(options.output ?? `${basename(data, extname(data))}.labeled${outputEnding(data)}`);
  if (output === resolve(data)) {
    throw new UsageError(`${data} would be overwritten by its own labels: name another file with -o`);
  }
  assertWritable(output, { force: options.force });
  const run = await explainPrice(() =>
    startRun({
      name: options.name ?? basename(data, extname(data)),
      settings,
      config,
      rows: withText(readRows(data), options.textColumn, data),
      facts: { output, source: resolve(data) },
      whenKnown: ({ id }) => {
        if (options.new) return "start over";
        throw new UsageError(
          `The run ${id} labels these rows already: go on with ${io.command} resume ${id}, or pay for them again with --new`,
        );
      },
    }),
  );
  return await finishRun(run, io, options.store);
}

/** @throws UsageError unless it is an amount in USD or the word `unlimited`. */
export function readBudgetFlag(given: string): Money | "unlimited" {
  return given === "unlimited" ? given : readBudget(given, "--budget");
}

/** The flags that mend a missing price, in place of the library's option. */
async function explainPrice<T>(start: () => Promise<T>): Promise<T> {
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

function configOf(options: LabelOptions): LabelingConfigInput {
  const { budget, concurrency, guidelines } = options;
  return {
    model: options.model,
    labels: readLabels(options.labels),
    ...(budget === undefined ? {} : { budget: readBudgetFlag(budget) }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(guidelines === undefined ? {} : { guidelines: readText(guidelines) }),
    ...statedPrices(options),
  };
}

function statedPrices({ model, inputPrice, outputPrice }: LabelOptions): Pick<LabelingConfigInput, "prices"> {
  if (inputPrice === undefined && outputPrice === undefined) return {};
  if (inputPrice === undefined || outputPrice === undefined) {
    throw new UsageError("State both prices, in USD per 1M tokens: --input-price 0.15 --output-price 0.60");
  }
  const modelId = model.slice(model.indexOf(":") + 1);
  readBudget(inputPrice, "--input-price");
  readBudget(outputPrice, "--output-price");
  return { prices: { [modelId]: { input: inputPrice, output: outputPrice } } };
}

/** `a,b,c`, or a .json file with an array of names, or a .txt file with a name a line. */
function readLabels(given: string): string[] {
  const ending = extname(given).toLowerCase();
  if (ending !== ".json" && ending !== ".txt") return given.split(",").map((name) => name.trim());
  const text = readText(given);
  if (ending === ".txt") return text.split(/\r?\n/).filter((line) => line.trim() !== "");
  try {
    const names: unknown = JSON.parse(text);
    if (Array.isArray(names) && names.every((name) => typeof name === "string")) return names;
  } catch {
    // Told below, like any other content that is no list of names.
  }
  throw new UsageError(`${given} must hold a JSON array of label names, such as ["good", "bad"]`);
}

function readText(given: string): string {
  if (!/\.(json|txt|md)$/i.test(given)) return given;
  try {
    return readFileSync(given, "utf8");
  } catch (cause) {
    throw new UsageError(`${given}: no such file, or it may not be read`, { cause });
  }
}

function outputEnding(data: string): string {
  const ending = extname(data).toLowerCase();
  return ending === ".json" ? ".jsonl" : ending;
}
