import { writeFileSync } from "node:fs";
import { basename, extname, relative } from "node:path";
import { stringify } from "yaml";
import { type DataDescription, describeData, mostValues } from "../config/describe-data.ts";
import { findConfigFile } from "../config/read-config-file.ts";
import { readRows } from "../data/read-rows.ts";
import { rowsText } from "../progress/bar.ts";
import { UsageError } from "../usage-error.ts";
import type { CommandIo } from "./command-io.ts";

/** Flags of `autolabel init`. */
export interface InitOptions {
  textColumn?: string;
  labelColumn?: string;
  delimiter?: string;
}

/** The JSON schema that this package ships, where editors find it. */
const schemaUrl = "https://unpkg.com/@autolabel/labeler/schema.json";
const file = "autolabel.yaml";

/** `autolabel init DATA`: looks at the data and writes `autolabel.yaml` beside you. @returns the exit code. */
export async function init(data: string, options: InitOptions, io: CommandIo): Promise<number> {
  const there = findConfigFile(process.cwd());
  if (there !== undefined) throw new UsageError(`${relative("", there)} exists: edit it, or move it away`);
  const { delimiter } = options;
  const found = await describeData(readRows(data, delimiter === undefined ? {} : { delimiter }));
  if (found.rows === 0) throw new UsageError(`${data} has no rows: there is nothing to label`);
  const described = choose(found, options, data);
  // Not over a file that came up meanwhile.
  writeFileSync(file, configText(data, described, delimiter), { flag: "wx" });
  const labels = described.labelColumn ? `, ${described.labelColumn.values.length} labels` : "";
  io.stdout.write(
    `Wrote ${file}: ${rowsText(described.rows)}${labels}. Look it over, above all labels, model and budget; then\n  ${io.command} label\n`,
  );
  return 0;
}

/** The columns that were named stand before those that were found. */
function choose(found: DataDescription, { textColumn, labelColumn }: InitOptions, data: string): DataDescription {
  const column = (name: string) => {
    const known = found.columns.find((each) => each.name === name);
    if (known) return known;
    throw new UsageError(
      `${data} has no column "${name}": it has ${found.columns.map((each) => each.name).join(", ")}`,
    );
  };
  return {
    ...found,
    ...(textColumn === undefined ? {} : { textColumn: column(textColumn).name }),
    ...(labelColumn === undefined ? {} : { labelColumn: column(labelColumn) }),
  };
}

/** The file, with what each key is for. */
function configText(data: string, found: DataDescription, delimiter: string | undefined): string {
  const { textColumn = "text", labelColumn, idColumn } = found;
  const stem = basename(data, extname(data));
  const ending = extname(data).toLowerCase() === ".json" ? ".jsonl" : extname(data).toLowerCase();
  const columns = found.columns.map(({ name, meanLength, values }) => {
    return `#   ${name}: ${Math.round(meanLength)} characters on average, ${manyOf(values.length)}`;
  });
  const dataset = {
    path: data,
    text_column: textColumn,
    ...(idColumn === undefined ? {} : { id_column: idColumn }),
    ...(delimiter === undefined ? {} : { delimiter }),
  };
  return `# yaml-language-server: $schema=${schemaUrl}
# What autolabel label does here. Flags stand before this file, and this file before the environment.

${yaml({ task_name: stem })}
# classification, multilabel, entities, extraction or question_answering
task_type: classification

# ${rowsText(found.rows)}:
${columns.join("\n")}
${yaml({ dataset }).trimEnd()}
${labelColumn ? `  # The true labels, for a report; the model never sees them.\n  ${yaml({ label_column: labelColumn.name })}` : ""}
# openrouter:…, openai:… or corporate:…
model: openrouter:openai/gpt-4o-mini

prompt:
  # What the labels mean and how to decide, in your words.
  task_guidelines: ""
${labelsText(labelColumn?.values)}
budget:
  # USD for the whole run, resumes included. Everything paid is kept when it is reached; autolabel resume goes on.
  max_usd: 1
  # USD for one row, all its attempts together.
  # max_usd_per_row: 0.01
  # A further limit over all runs that name it.
  # pool: { name: team, max_usd: 20 }

limits:
  max_concurrent_requests: 16

# file, random, or { stratified: column }: what a budget that ends early has reached.
order: random

${yaml({ output: `${stem}.labeled${ending}` })}`;
}

function labelsText(labels: readonly string[] | undefined): string {
  if (labels === undefined) {
    return `  # Names, or names with what they mean. No column of the data looks like labels: write yours here.
  labels: []
`;
  }
  const list = indent(yaml({ labels: [...labels].sort() }));
  return `  # Names, or names with what they mean (good: "would buy again"). These are in the data.\n${list}`;
}

function manyOf(values: number): string {
  return values > mostValues
    ? `more than ${mostValues} different values`
    : `${values} different ${values === 1 ? "value" : "values"}`;
}

function yaml(value: object): string {
  return stringify(value, { lineWidth: 0 });
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}
