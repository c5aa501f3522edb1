import { existsSync, readFileSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { JSONSchema7 } from "ai";
import { parse } from "yaml";
import type { TextSource } from "../data/text-source.ts";
import type { RowOrder } from "../store/run-store.ts";
import { UsageError } from "../usage-error.ts";
import { type ConfigFile, fileSchema, selections, taskTypes } from "./file-schema.ts";
import { given } from "./given.ts";
import type { LabelingConfigInput } from "./labeling-config.ts";
import { readExamples, readLabels, readSchema } from "./read-task-files.ts";

/** What a configuration file says, in the labeler's own words; its paths are absolute. */
export interface FileConfig {
  name?: string | undefined;
  data?: string | undefined;
  output?: string | undefined;
  source: TextSource;
  /** The column with the true labels. */
  goldColumn?: string | undefined;
  config: Partial<LabelingConfigInput>;
}

const usualNames = ["autolabel.yaml", "autolabel.yml", "autolabel.json", "autolabel.ts"];

/** The configuration file of a folder, if there is one. */
export function findConfigFile(folder: string): string | undefined {
  return usualNames.map((name) => join(folder, name)).find((path) => existsSync(path));
}

/** Reads a .yaml, .json or .ts file. @throws UsageError that names file, key and fix. */
export async function readConfigFile(path: string): Promise<FileConfig> {
  const parsed = fileSchema.safeParse(await readDocument(path));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new UsageError(`${path}: ${issue?.path.join(".") || "the file"}: ${issue?.message ?? "not valid"}`);
  }
  const { task_name: name, dataset, output } = parsed.data;
  const at = (file: string | undefined) => (file === undefined ? undefined : resolve(dirname(path), file));
  return {
    name,
    data: at(dataset?.path),
    output: at(output),
    source: sourceOf(parsed.data),
    goldColumn: dataset?.label_column,
    config: await configOf(parsed.data, (file) => resolve(dirname(path), file)),
  };
}

function sourceOf({ dataset, prompt }: ConfigFile): TextSource {
  const { text_column: column, id_column: idColumn, label_column: goldColumn } = dataset ?? {};
  const { delimiter, format, encoding } = dataset ?? {};
  return given({
    column,
    idColumn,
    delimiter,
    format,
    encoding,
    template: withoutGold(prompt?.example_template, goldColumn),
  });
}

/** Refuel's templates show how an example is written, its label in the last line: `Input: {text}\nOutput: {label}`. */
function withoutGold(template: string | undefined, goldColumn = "label"): string | undefined {
  const lines = template?.split("\n").filter((line) => !line.includes(`{${goldColumn}}`));
  return lines?.join("\n").trim() || undefined;
}

async function configOf(file: ConfigFile, at: (file: string) => string): Promise<Partial<LabelingConfigInput>> {
  const { prompt = {}, model, limits = {}, order, task_type: type, dataset } = file;
  const { labels, schema, few_shot_examples: examples, few_shot_selection: selection } = prompt;
  const modelId = typeof model === "object" ? `${model.provider}:${model.name}` : model;
  const columns = { text: dataset?.text_column ?? "text", label: dataset?.label_column ?? "label" };
  return given({
    model: modelId,
    task: type && taskTypes[type],
    labels: typeof labels === "string" ? readLabels(at(labels)) : labels,
    schema: typeof schema === "string" ? readSchema(at(schema)) : (schema as JSONSchema7 | undefined),
    ...budgetsOf(file.budget),
    guidelines: prompt.task_guidelines?.replaceAll("{labels}", "the labels above"),
    examples:
      examples === undefined
        ? undefined
        : await readExamples(typeof examples === "string" ? at(examples) : examples, columns),
    exampleSelection: selection && selections[selection],
    exampleCount: prompt.few_shot_num,
    chainOfThought: prompt.chain_of_thought,
    confidence: prompt.confidence,
    dedupe: file.dedupe,
    order: order && orderOf(order),
    concurrency: limits.max_concurrent_requests,
    requestsPerMinute: limits.max_requests_per_minute,
    tokensPerMinute: limits.max_tokens_per_minute,
    maxOutputTokens: typeof model === "object" ? model.params?.max_tokens : undefined,
    prices: typeof model === "object" && model.price ? { [model.name]: model.price } : undefined,
  });
}

function budgetsOf(budget: ConfigFile["budget"]): Partial<LabelingConfigInput> {
  if (typeof budget !== "object") return given({ budget });
  const { max_usd, pool, max_usd_per_row } = budget;
  return given({ budget: max_usd, pool: pool?.name, poolBudget: pool?.max_usd, maxRowCost: max_usd_per_row });
}

/** Rows are drawn by this seed unless another is asked for. */
const usualSeed = 1;

function orderOf(order: NonNullable<ConfigFile["order"]>): RowOrder {
  if (typeof order === "object") return { kind: "stratified", seed: usualSeed, column: order.stratified };
  return order === "random" ? { kind: order, seed: usualSeed } : { kind: order };
}

async function readDocument(path: string): Promise<unknown> {
  const ending = extname(path).toLowerCase();
  try {
    if ([".ts", ".mts", ".js", ".mjs"].includes(ending)) {
      const module = (await import(pathToFileURL(path).href)) as { default?: unknown };
      return module.default;
    }
    if ([".yaml", ".yml", ".json"].includes(ending)) return parse(readFileSync(path, "utf8"));
  } catch (cause) {
    const { code, message } = cause as { code?: string; message?: string };
    const isMissing = code === "ENOENT" || code === "ERR_MODULE_NOT_FOUND";
    throw new UsageError(isMissing ? `${path}: no such file` : `${path} cannot be read: ${message?.split("\n")[0]}`, {
      cause,
    });
  }
  throw new UsageError(`${path}: a configuration is a .yaml, .json or .ts file`);
}
