import { Readable } from "node:stream";
import { stringify } from "csv-stringify";
import type { Column } from "./column-type.ts";
import type { DataFormat } from "./data-format.ts";
import { encodeParquet } from "./encode-parquet.ts";
import { stringifyExact } from "./exact-json.ts";
import type { DataRow } from "./read-rows.ts";

/** Text is handed on in parts of about this length. */
const partLength = 65_536;

/** Rows in a format, in parts. Types are used by Parquet alone: text formats write values as they are. */
export function encodeRows(
  format: DataFormat,
  rows: AsyncIterable<DataRow>,
  columns: readonly Column[],
): AsyncIterable<string | Uint8Array> {
  if (format === "parquet") return encodeParquet(rows, columns);
  if (format === "jsonl") return encodeJsonLines(rows);
  if (format === "json") return encodeJsonArray(rows);
  return encodeDelimited(rows, columns, format === "csv" ? "," : "\t");
}

/** An object a line. */
export async function* encodeJsonLines(rows: AsyncIterable<object>): AsyncGenerator<string> {
  let part = "";
  for await (const row of rows) {
    part += `${stringifyExact(row)}\n`;
    if (part.length < partLength) continue;
    yield part;
    part = "";
  }
  yield part;
}

/** One array, an object a line. */
export async function* encodeJsonArray(rows: AsyncIterable<object>): AsyncGenerator<string> {
  let part = "[";
  let isFirst = true;
  for await (const row of rows) {
    part += `${isFirst ? "" : ","}\n${stringifyExact(row)}`;
    isFirst = false;
    if (part.length < partLength) continue;
    yield part;
    part = "";
  }
  yield `${part}\n]\n`;
}

async function* encodeDelimited(
  rows: AsyncIterable<DataRow>,
  columns: readonly Column[],
  delimiter: string,
): AsyncGenerator<string | Uint8Array> {
  const writer = stringify({
    delimiter,
    // A CR would end the line for some readers.
    quoted_match: "\r",
    cast: {
      boolean: (value) => String(value),
      object: (value) => stringifyExact(value),
    },
  });
  const source = Readable.from(cellsOf(rows, columns)).on("error", (error) => writer.destroy(error));
  try {
    yield* source.pipe(writer) as AsyncIterable<Uint8Array>;
  } finally {
    source.destroy();
  }
}

/** The header, then the cells of each row. By place and not by name: the writer would take the name `a.b` for a path. */
async function* cellsOf(rows: AsyncIterable<DataRow>, columns: readonly Column[]): AsyncGenerator<unknown[]> {
  yield columns.map(({ name }) => name);
  for await (const row of rows) yield columns.map(({ name }) => row[name]);
}
