import type { SchemaElement } from "hyparquet";
import { type Column, type ColumnType, textOf } from "./column-type.ts";
import { stringifyExact } from "./exact-json.ts";
import { countOf, daysTo, type TimeUnit } from "./iso-time.ts";
import type { DataRow } from "./read-rows.ts";

/** A row group ends with so many rows or characters of text, whatever comes first: it is held in memory whole. */
const rowsPerGroup = 10_000;
const charactersPerGroup = 16_000_000;

/** The bytes of a Parquet file with a row group every few thousand rows, packed by Snappy. */
export async function* encodeParquet(
  rows: AsyncIterable<DataRow>,
  columns: readonly Column[],
): AsyncGenerator<Uint8Array> {
  const { ByteWriter, ParquetWriter } = await import("hyparquet-writer");
  const writer = new ByteWriter();
  const root = { name: "root", num_children: columns.length };
  const schema = [root, ...columns.flatMap(({ name, type }) => elementsOf(name, type))];
  const parquet = new ParquetWriter({ writer, schema, createdBy: "autolabel" });
  const written = () => {
    const bytes = writer.getBytes().slice();
    writer.index = 0;
    return bytes;
  };
  for await (const group of groupsOf(rows)) {
    const columnData = columns.map(({ name, type }) => ({ name, data: group.map((row) => cellOf(row[name], type)) }));
    await parquet.write({ columnData, rowGroupSize: group.length });
    yield written();
  }
  await parquet.finish();
  yield written();
}

async function* groupsOf(rows: AsyncIterable<DataRow>): AsyncGenerator<DataRow[]> {
  let group: DataRow[] = [];
  let characters = 0;
  for await (const row of rows) {
    for (const value of Object.values(row)) if (typeof value === "string") characters += value.length;
    if (group.push(row) < rowsPerGroup && characters < charactersPerGroup) continue;
    yield group;
    group = [];
    characters = 0;
  }
  if (group.length > 0) yield group;
}

const optional = { repetition_type: "OPTIONAL" } as const;
const text = { ...optional, type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } } as const;
const simple = {
  string: text,
  boolean: { ...optional, type: "BOOLEAN" },
  int32: { ...optional, type: "INT32" },
  int64: { ...optional, type: "INT64" },
  float: { ...optional, type: "FLOAT" },
  double: { ...optional, type: "DOUBLE" },
  date: { ...optional, type: "INT32", converted_type: "DATE", logical_type: { type: "DATE" } },
  // Without the older mark: with it the writer would round integers beyond 2^53.
  json: { ...optional, type: "BYTE_ARRAY", logical_type: { type: "JSON" } },
} as const;
const units = { ms: "MILLIS", us: "MICROS", ns: "NANOS" } as const;

/** A column's part of the schema; lists have the three levels that the format asks for. */
function elementsOf(name: string, type: ColumnType): SchemaElement[] {
  const unit = unitOf(type);
  if (unit !== undefined) {
    const isAdjustedToUTC = type.endsWith("tz=UTC]");
    return [
      { ...optional, name, type: "INT64", logical_type: { type: "TIMESTAMP", unit: units[unit], isAdjustedToUTC } },
    ];
  }
  if (type !== "strings" && type !== "spans") return [{ ...simple[type as keyof typeof simple], name }];
  const list: SchemaElement[] = [
    { ...optional, name, converted_type: "LIST", logical_type: { type: "LIST" }, num_children: 1 },
    { name: "list", repetition_type: "REPEATED", num_children: 1 },
  ];
  if (type === "strings") return [...list, { ...text, name: "element" }];
  return [
    ...list,
    { ...optional, name: "element", num_children: 4 },
    { ...simple.int64, name: "start" },
    { ...simple.int64, name: "end" },
    { ...text, name: "text" },
    { ...text, name: "label" },
  ];
}

function unitOf(type: ColumnType): TimeUnit | undefined {
  return /^timestamp\[(ms|us|ns)/.exec(type)?.[1] as TimeUnit | undefined;
}

const encoder = new TextEncoder();

function cellOf(value: unknown, type: ColumnType): unknown {
  if (value === null || value === undefined) return null;
  const unit = unitOf(type);
  if (unit !== undefined) return countOf(value as string, unit);
  if (type === "string") return textOf(value);
  if (type === "int64") return BigInt(value as number | bigint);
  if (type === "date") return daysTo(value as string);
  if (type === "float" || type === "double") return Number(value);
  if (type === "json") return encoder.encode(stringifyExact(value));
  if (type === "spans") {
    const spans = value as readonly { start: number; end: number; text: string; label: string }[];
    return spans.map((span) => ({ ...span, start: BigInt(span.start), end: BigInt(span.end) }));
  }
  return value;
}
