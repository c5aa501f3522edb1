import { resolve } from "node:path";
import type { Money } from "@autolabel/budget-core";
import { given } from "../config/given.ts";
import type { LabelingConfigInput } from "../config/labeling-config.ts";
import { findConfigFile } from "../config/read-config-file.ts";
import { readExamples, readLabels, readSchema, readText } from "../config/read-task-files.ts";
import { readBudget, Settings } from "../config/settings.ts";
import type { RowOrder } from "../store/run-store.ts";
import type { Labels } from "../tasks/label-set.ts";
import type { TaskKind } from "../tasks/task.ts";
import { UsageError } from "../usage-error.ts";

/** Where runs, and what they share, are kept. */
export interface StoreFlags {
  store?: string;
  ledger?: string;
}

/** What a run may spend. */
export interface BudgetFlags {
  budget?: string;
  pool?: string;
  poolBudget?: string;
  maxRowCost?: string;
}

/** What rows are asked for. */
export interface TaskFlags {
  model?: string;
  task?: TaskKind;
  labels?: string;
  schema?: string;
  guidelines?: string;
  examples?: string;
  similarExamples?: number;
  chainOfThought?: boolean;
  confidence?: boolean;
  maxOutputTokens?: number;
  inputPrice?: string;
  outputPrice?: string;
  /** Name of the column of texts in the examples. */
  textColumn?: string;
}

/** How rows are bought. */
export interface PaceFlags {
  concurrency?: number;
  rpm?: number;
  tpm?: number;
  order?: string;
}

/** Settings with flags before the environment. */
export function settingsOf({ store, ledger }: StoreFlags): Settings {
  return new Settings({ ...(store ? { store } : {}), ...(ledger ? { ledger } : {}) });
}

/** The configuration file that is meant: the one that is named, else the usual one of the folder. */
export function configPathOf({ config }: { config?: string }): string | undefined {
  return config === undefined ? findConfigFile(process.cwd()) : resolve(config);
}

/** The part of a configuration that flags say. @throws UsageError that names the flag and the fix. */
export async function configOfFlags(flags: BudgetFlags & TaskFlags & PaceFlags): Promise<Partial<LabelingConfigInput>> {
  return given({ ...budgetsOf(flags), ...(await taskOf(flags)), ...paceOf(flags) });
}

/** @throws UsageError unless it is an amount in USD or the word `unlimited`. */
function readBudgetFlag(amount: string): Money | "unlimited" {
  return amount === "unlimited" ? amount : readBudget(amount, "--budget");
}

function budgetsOf({ budget, pool, poolBudget, maxRowCost }: BudgetFlags) {
  return {
    budget: budget === undefined ? undefined : readBudgetFlag(budget),
    pool,
    poolBudget: poolBudget === undefined ? undefined : readBudget(poolBudget, "--pool-budget"),
    maxRowCost: maxRowCost === undefined ? undefined : readBudget(maxRowCost, "--max-row-cost"),
  };
}

async function taskOf(flags: TaskFlags) {
  const { guidelines, labels, examples, schema } = flags;
  const columns = { text: flags.textColumn ?? "text", label: "label" };
  return {
    model: flags.model,
    task: flags.task,
    labels: labels === undefined ? undefined : labelsOf(labels),
    schema: schema === undefined ? undefined : readSchema(schema),
    guidelines: guidelines !== undefined && /\.(txt|md)$/i.test(guidelines) ? readText(guidelines) : guidelines,
    examples: examples === undefined ? undefined : await readExamples(examples, columns),
    exampleSelection: flags.similarExamples === undefined ? undefined : ("similar" as const),
    exampleCount: flags.similarExamples,
    chainOfThought: flags.chainOfThought,
    confidence: flags.confidence,
    maxOutputTokens: flags.maxOutputTokens,
    ...statedPrices(flags),
  };
}

function paceOf({ concurrency, rpm, tpm, order }: PaceFlags) {
  return {
    concurrency,
    requestsPerMinute: rpm,
    tokensPerMinute: tpm,
    order: order === undefined ? undefined : orderOf(order),
  };
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

function statedPrices({ model = "", inputPrice, outputPrice }: TaskFlags): Pick<LabelingConfigInput, "prices"> {
  if (inputPrice === undefined && outputPrice === undefined) return {};
  if (inputPrice === undefined || outputPrice === undefined) {
    throw new UsageError("State both prices, in USD per 1M tokens: --input-price 0.15 --output-price 0.60");
  }
  const modelId = model.slice(model.indexOf(":") + 1);
  readBudget(inputPrice, "--input-price");
  readBudget(outputPrice, "--output-price");
  return { prices: { [modelId]: { input: inputPrice, output: outputPrice } } };
}
