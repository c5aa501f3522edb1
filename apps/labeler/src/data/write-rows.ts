import { createWriteStream } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { dirname, extname } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { picoToDecimal } from "@autolabel/budget-core";
import { stringify } from "csv-stringify";
import type { LabeledRow } from "../store/row.ts";
import { UsageError } from "../usage-error.ts";

/** Columns added to the input's, in this order. */
const outputColumns = [
  "label",
  "label_confidence",
  "label_status",
  "label_source",
  "label_cost_usd",
  "label_attempts",
  "label_error",
  "row_id",
] as const;

const cast = { object: (value: object) => JSON.stringify(value) };
const writers = {
  ".csv": (columns: string[]) => stringify({ header: true, columns, cast }),
  ".tsv": (columns: string[]) => stringify({ header: true, columns, cast, delimiter: "\t" }),
  ".jsonl": () => jsonLines(),
  ".ndjson": () => jsonLines(),
};

/** @throws UsageError when an output path has an ending that cannot be written. */
export function assertWritable(path: string): void {
  if (extname(path).toLowerCase() in writers) return;
  throw new UsageError(`${path}: the output's ending must be one of ${Object.keys(writers).join(", ")}`);
}

/**
 * Writes rows beside `path` and moves them there in one step: the file is the old one or the whole new one, never a part.
 * Where the input has a column of the same name already, the added ones are prefixed by `autolabel_`.
 */
export async function writeRows(
  path: string,
  rows: Iterable<LabeledRow>,
  inputColumns: readonly string[],
): Promise<void> {
  assertWritable(path);
  const clash = outputColumns.some((column) => column !== "row_id" && inputColumns.includes(column));
  const nameOf = (column: string) => (clash ? `autolabel_${column}` : column);
  const added = outputColumns.filter((column) => column !== "row_id" || !inputColumns.includes(column)).map(nameOf);
  const columns = [...inputColumns, ...added];
  const partial = `${path}.partial-${process.pid}`;
  const extension = extname(path).toLowerCase() as keyof typeof writers;
  await mkdir(dirname(path), { recursive: true });
  await pipeline(Readable.from(records(rows, nameOf)), writers[extension](columns), createWriteStream(partial));
  await rename(partial, path);
}

function* records(rows: Iterable<LabeledRow>, nameOf: (column: string) => string): Generator<Record<string, unknown>> {
  for (const row of rows) {
    const added = {
      label: row.label,
      label_confidence: null,
      label_status: row.status,
      label_source: row.source,
      label_cost_usd: picoToDecimal(row.cost.picoUsd),
      label_attempts: row.attempts,
      label_error: row.error,
      row_id: row.rowId,
    };
    const named = Object.entries(added).map(([column, value]) => [nameOf(column), value]);
    yield { ...Object.fromEntries(named), ...row.input };
  }
}

function jsonLines(): Transform {
  return new Transform({
    writableObjectMode: true,
    transform: (record: Record<string, unknown>, _encoding, done) => done(null, `${JSON.stringify(record)}\n`),
  });
}
