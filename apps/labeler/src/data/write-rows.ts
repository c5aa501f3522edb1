import { createWriteStream, existsSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
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

/**
 * To be called before anything is spent.
 *
 * @throws UsageError when rows could not be written there: an unknown ending, a folder, a file that must be kept.
 */
export function assertWritable(path: string, options: { force?: boolean | undefined } = {}): void {
  if (!Object.hasOwn(writers, extname(path).toLowerCase())) {
    throw new UsageError(`${path}: the output's ending must be one of ${Object.keys(writers).join(", ")}`);
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(`${path} is a folder: name a file with -o`);
  if (existsSync(path) && !options.force) {
    throw new UsageError(`${path} exists: name another file with -o, or overwrite it with --force`);
  }
  try {
    mkdirSync(dirname(path), { recursive: true });
    const probe = `${path}.partial-${process.pid}`;
    writeFileSync(probe, "");
    rmSync(probe);
  } catch (cause) {
    throw new UsageError(`${path} cannot be written (${(cause as Error).message}): name another file with -o`, {
      cause,
    });
  }
}

/**
 * Writes rows beside `path` and moves them there in one step: the file is the old one or the whole new one, never a part.
 * Where the input has a column of the same name already, the added ones are prefixed by `autolabel_`, and by
 * `autolabel2_` where it has those too.
 */
export async function writeRows(
  path: string,
  rows: AsyncIterable<LabeledRow>,
  inputColumns: readonly string[],
): Promise<void> {
  const prefix = freePrefix(inputColumns);
  const nameOf = (column: string) => `${prefix}${column}`;
  const added = outputColumns.map(nameOf).filter((column) => !inputColumns.includes(column));
  const columns = [...inputColumns, ...added];
  const partial = `${path}.partial-${process.pid}`;
  const extension = extname(path).toLowerCase() as keyof typeof writers;
  try {
    await pipeline(Readable.from(records(rows, nameOf)), writers[extension](columns), createWriteStream(partial));
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

function freePrefix(inputColumns: readonly string[]): string {
  for (let round = 0; ; round++) {
    const prefix = round === 0 ? "" : `autolabel${round === 1 ? "" : round}_`;
    // The row's name may be the input's own; a label must never be mistaken for one that was there before.
    const clashes = outputColumns.some((column) => column !== "row_id" && inputColumns.includes(`${prefix}${column}`));
    if (!clashes) return prefix;
  }
}

async function* records(
  rows: AsyncIterable<LabeledRow>,
  nameOf: (column: string) => string,
): AsyncGenerator<Record<string, unknown>> {
  for await (const row of rows) {
    const added = {
      label: row.label,
      label_confidence: row.confidence,
      label_status: row.status,
      label_source: row.source,
      label_cost_usd: picoToDecimal(row.cost.picoUsd),
      label_attempts: row.attempts,
      label_error: row.error,
      row_id: row.rowId,
    };
    const named = Object.entries(added).map(([column, value]) => [nameOf(column), value]);
    yield { ...row.input, ...Object.fromEntries(named) };
  }
}

function jsonLines(): Transform {
  return new Transform({
    writableObjectMode: true,
    transform: (record: Record<string, unknown>, _encoding, done) => done(null, `${JSON.stringify(record)}\n`),
  });
}
