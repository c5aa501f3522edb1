import { stringifyExact } from "./exact-json.ts";
import type { TimeUnit } from "./iso-time.ts";
import type { DataRow } from "./read-rows.ts";

/**
 * What a column holds, for formats that ask. Dates and times are ISO 8601 text in rows; `json` is anything that needs
 * JSON to be written down. `strings` and `spans` are labels of tasks that give lists.
 */
export type ColumnType =
  | "string"
  | "boolean"
  | "int32"
  | "int64"
  | "float"
  | "double"
  | "date"
  | `timestamp[${TimeUnit}]`
  | `timestamp[${TimeUnit}, tz=UTC]`
  | "json"
  | "strings"
  | "spans";

/** A column of an output. */
export interface Column {
  name: string;
  type: ColumnType;
}

type Kind = "boolean" | "integer" | "long" | "fraction" | "text" | "other";

const longestInteger = 2n ** 63n;

/** The types of columns by all their values. */
export async function inferTypes(
  rows: AsyncIterable<DataRow>,
  columns: readonly string[],
): Promise<Map<string, ColumnType>> {
  const kinds = new Map(columns.map((column) => [column, new Set<Kind>()]));
  for await (const row of rows) {
    for (const [column, seen] of kinds) {
      const kind = kindOf(row[column]);
      if (kind !== undefined) seen.add(kind);
    }
  }
  return new Map([...kinds].map(([column, seen]) => [column, typeOfKinds(seen)]));
}

function kindOf(value: unknown): Kind | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === "string") return "text";
  if (typeof value === "boolean") return "boolean";
  if (typeof value === "number") return Number.isSafeInteger(value) ? "integer" : "fraction";
  if (typeof value === "bigint") return value >= -longestInteger && value < longestInteger ? "long" : "other";
  return "other";
}

const widest: readonly (readonly [kinds: readonly Kind[], type: ColumnType])[] = [
  [["text"], "string"],
  [["boolean"], "boolean"],
  [["integer", "long"], "int64"],
  [["integer", "fraction"], "double"],
];

function typeOfKinds(kinds: ReadonlySet<Kind>): ColumnType {
  const fitting = widest.find(([known]) => [...kinds].every((kind) => known.includes(kind)));
  return fitting ? fitting[1] : "json";
}

/** A value as text: text stands as it is, all else as JSON. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : stringifyExact(value);
}
