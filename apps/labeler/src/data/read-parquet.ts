import type { FileMetaData, ParquetParsers, SchemaElement } from "hyparquet";
import { UsageError } from "../usage-error.ts";
import type { ColumnType } from "./column-type.ts";
import { parseExact } from "./exact-json.ts";
import { dayOf, isoOf, type TimeUnit } from "./iso-time.ts";
import type { DataRow } from "./read-rows.ts";

/** Rows in memory at once; row groups of some writers hold a million. */
const rowsAtOnce = 20_000;

/**
 * Rows of a Parquet file, part of a row group by part. Values are what JSON can hold, and `bigint` for integers beyond
 * 2^53: dates and times are ISO 8601 text, decimals text with all their digits, bytes that are no UTF-8 base64.
 *
 * @throws UsageError for a file that is no Parquet.
 */
export async function* readParquet(path: string): AsyncGenerator<DataRow> {
  const [{ parquetReadObjects }, { compressors }] = await Promise.all([
    import("hyparquet"),
    import("hyparquet-compressors"),
  ]);
  const { file, metadata } = await openParquet(path);
  const scales = adjustSchema(metadata);
  const columns = topElements(metadata).map(({ name }) => name);
  let groupStart = 0;
  for (const group of metadata.row_groups) {
    const groupEnd = groupStart + Number(group.num_rows);
    for (let rowStart = groupStart; rowStart < groupEnd; rowStart += rowsAtOnce) {
      const rowEnd = Math.min(rowStart + rowsAtOnce, groupEnd);
      const rows = await parquetReadObjects({
        file,
        metadata,
        compressors,
        parsers,
        geoparquet: false,
        rowStart,
        rowEnd,
      });
      for (const row of rows) {
        yield Object.fromEntries(columns.map((column) => [column, plainValue(row[column], scales.get(column))]));
      }
    }
    groupStart = groupEnd;
  }
}

/** The types of a Parquet file's columns, as far as they are kept; others are told by their values. */
export async function parquetColumnTypes(path: string): Promise<Map<string, ColumnType>> {
  const { metadata } = await openParquet(path);
  const known = topElements(metadata).map((element) => [element.name, typeOf(element)] as const);
  return new Map(known.filter((entry): entry is [string, ColumnType] => entry[1] !== undefined));
}

async function openParquet(path: string) {
  const { asyncBufferFromFile, parquetMetadataAsync } = await import("hyparquet");
  const file = await asyncBufferFromFile(path);
  try {
    return { file, metadata: await parquetMetadataAsync(file, { geoparquet: false }) };
  } catch (cause) {
    throw new UsageError(`${path} is no Parquet file: ${(cause as Error).message}`, { cause });
  }
}

/** The columns themselves, without the fields inside them. */
function topElements({ schema }: FileMetaData): SchemaElement[] {
  const top: SchemaElement[] = [];
  const sizeAt = (index: number): number => {
    let next = index + 1;
    for (let child = 0; child < (schema[index]?.num_children ?? 0); child++) next = sizeAt(next);
    return next;
  };
  for (let index = 1; index < schema.length; index = sizeAt(index)) top.push(schema[index] as SchemaElement);
  return top;
}

/**
 * Has decimals read as the whole numbers that they are stored as, because the reader would round them, and JSON as such
 * where only the newer mark says so. @returns the scales of decimals.
 */
function adjustSchema(metadata: FileMetaData): Map<string, number> {
  const scales = new Map<string, number>();
  for (const element of metadata.schema) if (element.logical_type?.type === "JSON") element.converted_type = "JSON";
  for (const element of topElements(metadata)) {
    const { logical_type: logical, converted_type: converted, type } = element;
    if (converted !== "DECIMAL" && logical?.type !== "DECIMAL") continue;
    // Bytes of any length would be taken for text.
    if (type === "BYTE_ARRAY") continue;
    scales.set(element.name, element.scale ?? (logical?.type === "DECIMAL" ? logical.scale : 0));
    delete element.converted_type;
    delete element.logical_type;
  }
  return scales;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textOfBytes(bytes: Uint8Array | undefined): string | undefined {
  if (bytes === undefined) return undefined;
  try {
    return decoder.decode(bytes);
  } catch {
    return Buffer.from(bytes).toString("base64");
  }
}

const isoIn = (unit: TimeUnit) => (count: bigint | undefined) => (count === undefined ? undefined : isoOf(count, unit));

const parsers: Partial<ParquetParsers> = {
  timestampFromMilliseconds: isoIn("ms"),
  timestampFromMicroseconds: isoIn("us"),
  timestampFromNanoseconds: isoIn("ns"),
  dateFromDays: (days: number | undefined) => (days === undefined ? undefined : dayOf(days)),
  stringFromBytes: textOfBytes,
  jsonFromBytes: (bytes) => (bytes === undefined ? undefined : parseExact(textOfBytes(bytes) ?? "null")),
};

function plainValue(value: unknown, scale?: number): unknown {
  if (value === undefined || value === null) return null;
  if (scale !== undefined) return decimalText(value as number | bigint | Uint8Array, scale);
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map((item) => plainValue(item));
  if (typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([field, each]) => [field, plainValue(each)]));
}

/** All digits of a decimal: 12345 of scale 2 is `123.45`. */
function decimalText(unscaled: number | bigint | Uint8Array, scale: number): string {
  const whole =
    unscaled instanceof Uint8Array
      ? BigInt.asIntN(8 * unscaled.length, BigInt(`0x${Buffer.from(unscaled).toString("hex") || "0"}`))
      : BigInt(unscaled);
  const digits = String(whole < 0n ? -whole : whole).padStart(scale + 1, "0");
  const point = digits.length - scale;
  return `${whole < 0n ? "-" : ""}${digits.slice(0, point)}${scale > 0 ? `.${digits.slice(point)}` : ""}`;
}

const timeUnits = { MILLIS: "ms", MICROS: "us", NANOS: "ns" } as const;
const convertedUnits: Readonly<Record<string, TimeUnit>> = { TIMESTAMP_MILLIS: "ms", TIMESTAMP_MICROS: "us" };

function typeOf({ num_children, type, converted_type, logical_type: logical }: SchemaElement): ColumnType | undefined {
  const converted: string = converted_type ?? "";
  if (num_children !== undefined && num_children > 0) return "json";
  if (converted === "DECIMAL" || logical?.type === "DECIMAL") return "string";
  if (logical?.type === "TIMESTAMP") {
    const unit = timeUnits[logical.unit];
    return logical.isAdjustedToUTC ? `timestamp[${unit}, tz=UTC]` : `timestamp[${unit}]`;
  }
  const unit = type === "INT96" ? "ns" : convertedUnits[converted];
  if (unit !== undefined) return `timestamp[${unit}, tz=UTC]`;
  if (converted === "DATE" || logical?.type === "DATE") return "date";
  // Times of day and unsigned numbers are told by their values.
  if (converted.startsWith("TIME") || converted.startsWith("UINT") || logical?.type === "TIME") return undefined;
  if (type === "INT32") return "int32";
  if (type === "INT64") return "int64";
  if (type === "FLOAT") return "float";
  if (type === "DOUBLE") return "double";
  if (type === "BOOLEAN") return "boolean";
  if (converted === "JSON" || logical?.type === "JSON") return "json";
  return converted === "UTF8" || logical?.type === "STRING" ? "string" : undefined;
}
