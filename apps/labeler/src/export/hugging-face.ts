import { mkdirSync } from "node:fs";
import { rename, rm, writeFile as writeText } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import type { Column, ColumnType } from "../data/column-type.ts";
import { encodeRows } from "../data/encode-rows.ts";
import { LabelColumns } from "../data/label-columns.ts";
import { explainWrite, partialPath, writeFile } from "../data/write-file.ts";
import { mapRows, typesOf } from "../data/write-rows.ts";
import type { TaskKind } from "../tasks/task.ts";
import { type ExportJob, exportedRows } from "./export-job.ts";

const dataFile = "data/train-00000-of-00001.parquet";

const labelTypes: Readonly<Record<TaskKind, ColumnType>> = {
  classification: "string",
  question_answering: "string",
  multilabel: "strings",
  entities: "spans",
  extraction: "json",
};

const taskCategories: Readonly<Record<TaskKind, string[]>> = {
  classification: ["text-classification"],
  multilabel: ["text-classification"],
  entities: ["token-classification"],
  question_answering: ["question-answering"],
  extraction: [],
};

/**
 * Writes a folder that `load_dataset(folder)` of Hugging Face's `datasets` reads, and that can be pushed to a repository
 * as it is: rows in `data/`, and a dataset card whose YAML names the split's file (`configs`) and the columns' types
 * (`dataset_info.features`) (huggingface.co/docs/datasets/repository_structure, read in 2026-11). The labels of a
 * classification are a `class_label`, those of `multilabel` and `entities` lists; what needs JSON is text.
 *
 * @returns how many rows were written. The folder is the old one or the whole new one.
 */
export async function writeHuggingFaceFolder(folder: string, job: ExportJob): Promise<number> {
  const partial = partialPath(folder);
  const labels = new LabelColumns(job.inputColumns, job.isSample);
  const types = await typesOf(job.rows(), job.inputColumns, job.columnTypes);
  const columns = labels.columns(types, labelTypes[job.task]).map(withoutJson);
  let count = 0;
  const records = mapRows(exportedRows(job), (row) => {
    count++;
    return labels.record(row);
  });
  try {
    mkdirSync(join(partial, "data"), { recursive: true });
    await writeFile(join(partial, dataFile), encodeRows("parquet", records, columns), { isPacked: false });
    await writeText(join(partial, "README.md"), card(job, columns, labels.label, count));
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder);
    return count;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw explainWrite(error, folder);
  }
}

/** Not all versions of `datasets` read Parquet's JSON as text. */
function withoutJson({ name, type }: Column): Column {
  return { name, type: type === "json" ? "string" : type };
}

function card(job: ExportJob, columns: readonly Column[], labelColumn: string, count: number): string {
  const { runId, task, model, labels, onlyLabeled } = job;
  const features = columns.map(({ name, type }) => ({
    name,
    ...(name === labelColumn && task === "classification" ? classLabel(labels) : feature(type)),
  }));
  const front = {
    pretty_name: runId,
    annotations_creators: ["machine-generated"],
    task_categories: taskCategories[task],
    configs: [{ config_name: "default", data_files: [{ split: "train", path: dataFile }] }],
    dataset_info: { features },
  };
  return `---
${stringify(front)}---

# ${runId}

${count} rows${onlyLabeled ? " with a label" : ""}. Labeled by \`${model}\` (task: ${task}) with autolabel.

| column | what it holds |
| --- | --- |
| \`${labelColumn}\` | the label; null where a row has none |
| \`${labelColumn}_confidence\` | how sure the model says it is, from 0 to 1, where it was asked |
| \`${labelColumn}_status\` | labeled, unpaid, invalid_label, truncated, refused or error |
| \`${labelColumn}_source\` | the model that served the label |
| \`${labelColumn}_cost_usd\` | what the row did cost, in USD |
${task === "entities" ? `\nPlaces of mentions are counted in ${offsetNames[job.offsets]}.\n` : ""}`;
}

const offsetNames = { utf16: "UTF-16 units", codepoint: "code points", byte: "bytes of UTF-8" };

function classLabel(labels: readonly string[]): object {
  return {
    dtype: { class_label: { names: Object.fromEntries(labels.map((label, index) => [String(index), label])) } },
  };
}

const dtypes: Partial<Record<ColumnType, string>> = {
  boolean: "bool",
  float: "float32",
  double: "float64",
  date: "date32",
  json: "string",
};

function feature(type: ColumnType): object {
  if (type === "strings") return { list: "string" };
  if (type !== "spans") return { dtype: dtypes[type] ?? type };
  const whole = ["start", "end"].map((name) => ({ name, dtype: "int64" }));
  const words = ["text", "label"].map((name) => ({ name, dtype: "string" }));
  return { list: [...whole, ...words] };
}
