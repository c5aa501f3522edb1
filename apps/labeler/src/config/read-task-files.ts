import { readFileSync } from "node:fs";
import { extname } from "node:path";
import type { JSONSchema7 } from "ai";
import { readRows } from "../data/read-rows.ts";
import type { LabelValue } from "../store/row.ts";
import type { Labels } from "../tasks/label-set.ts";
import type { Example } from "../tasks/task.ts";
import { UsageError } from "../usage-error.ts";

/** Labels of a .json file (names, or names with what they mean) or a .txt file with a name a line. */
export function readLabels(path: string): Labels {
  const text = readText(path);
  if (extname(path).toLowerCase() !== ".json") return text.split(/\r?\n/).filter((line) => line.trim() !== "");
  const labels = parseJson(path, text);
  const names = Array.isArray(labels) ? labels : Object.values(labels as object);
  if (typeof labels === "object" && labels !== null && names.every((name) => typeof name === "string")) {
    return labels as Labels;
  }
  throw new UsageError(
    `${path} must hold a JSON array of label names, such as ["good", "bad"], or an object of names and what they mean`,
  );
}

/** The JSON schema in a .json file. */
export function readSchema(path: string): JSONSchema7 {
  const schema = parseJson(path, readText(path));
  if (typeof schema === "object" && schema !== null && !Array.isArray(schema)) return schema as JSONSchema7;
  throw new UsageError(`${path} must hold a JSON schema of the type object`);
}

/**
 * Examples of a data file or of a list: rows with the columns of the data and the true label. A label that is written as
 * a JSON list or object is read as one.
 */
export async function readExamples(
  given: string | readonly Readonly<Record<string, unknown>>[],
  columns: { text: string; label: string },
): Promise<Example[]> {
  const examples: Example[] = [];
  for await (const row of typeof given === "string" ? readRows(given) : given) {
    const { [columns.text]: text = row.text, [columns.label]: label = row.label, explanation } = row;
    if (typeof text !== "string" || label === undefined || label === null) {
      const where = typeof given === "string" ? given : "few_shot_examples";
      throw new UsageError(`${where}: each example needs "${columns.text}" and "${columns.label}"`);
    }
    const value = typeof label === "string" && /^\s*[[{]/.test(label) ? parseJson("an example", label) : label;
    examples.push({
      text,
      label: value as LabelValue,
      ...(typeof explanation === "string" && explanation !== "" ? { explanation } : {}),
    });
  }
  return examples;
}

/** A file's text. @throws UsageError when it cannot be read. */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new UsageError(`${path}: no such file, or it may not be read`, { cause });
  }
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${path} is not JSON: ${(cause as Error).message}`, { cause });
  }
}
