import type { Writable } from "node:stream";
import type { LabeledRow } from "../store/row.ts";
import { type Column, type ColumnType, inferTypes } from "./column-type.ts";
import { type DataFormat, outputForm, standardStream } from "./data-format.ts";
import { encodeRows } from "./encode-rows.ts";
import { LabelColumns } from "./label-columns.ts";
import type { DataRow } from "./read-rows.ts";
import { assertFree, writeFile, writeToStream } from "./write-file.ts";

/** Rows to be written, and their columns. */
export interface RowsToWrite {
  /** Every row in input order; called once for each time that they are read. */
  rows: () => AsyncIterable<LabeledRow>;
  /** The input's columns, in order. */
  inputColumns: readonly string[];
  /** Types of input columns where the input told them. */
  columnTypes?: ReadonlyMap<string, ColumnType> | undefined;
  /** Whether rows tell with which probability they were drawn. Default false. */
  isSample?: boolean;
}

/**
 * To be called before anything is spent.
 *
 * @throws UsageError when rows could not be written there: no format, a folder, a file that must be kept.
 */
export function assertWritable(
  path: string,
  { force, format }: { force?: boolean | undefined; format?: DataFormat | undefined } = {},
): void {
  outputForm(path, format);
  if (path !== standardStream) assertFree(path, { force });
}

/**
 * Writes rows with their labels to a file, which is the old one or the whole new one, never a part; or to a stream.
 *
 * @param format for a file whose ending tells none, and for a stream.
 */
export async function writeRows(
  target: string | Writable,
  { rows, inputColumns, columnTypes, isSample }: RowsToWrite,
  format?: DataFormat,
): Promise<void> {
  const form = outputForm(typeof target === "string" ? target : standardStream, format);
  const labels = new LabelColumns(inputColumns, isSample);
  const types =
    form.format === "parquet" ? await typesOf(rows(), inputColumns, columnTypes) : new Map<string, ColumnType>();
  const columns: Column[] = labels.columns(types);
  const parts = encodeRows(
    form.format,
    mapRows(rows(), (row) => labels.record(row)),
    columns,
  );
  if (typeof target === "string") await writeFile(target, parts, form);
  else await writeToStream(target, parts);
}

/** The types of input columns: what the input told, else what all values of a column allow. */
export async function typesOf(
  rows: AsyncIterable<LabeledRow>,
  inputColumns: readonly string[],
  known: ReadonlyMap<string, ColumnType> = new Map(),
): Promise<Map<string, ColumnType>> {
  const unknown = inputColumns.filter((column) => !known.has(column));
  if (unknown.length === 0) return new Map(known);
  const inferred = await inferTypes(
    mapRows(rows, (row) => row.input as DataRow),
    unknown,
  );
  return new Map([...known, ...inferred]);
}

/** What is made of each row, as the rows come. */
export async function* mapRows<T>(rows: AsyncIterable<LabeledRow>, make: (row: LabeledRow) => T): AsyncGenerator<T> {
  for await (const row of rows) yield make(row);
}
