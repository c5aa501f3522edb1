import { picoToDecimal } from "@autolabel/budget-core";
import type { LabelValue, RowStatus } from "../store/row.ts";
import { humanRows } from "../store/sqlite-reviews.ts";
import { UsageError } from "../usage-error.ts";
import type { Review, RowQuery, RowSummary, RowWindow } from "./api.ts";
import type { Query, RunFile } from "./run-file.ts";

const longestText = 300;

/** Stands for a list without a label among the names of labels. */
export const noNames = "(none)";

/** Some of the rows that a query finds. Which ones it finds is kept, so that scrolling through them asks only once. */
export function readRows(file: RunFile, query: RowQuery & { from: number; count: number }): RowWindow {
  const { from, count, ...which } = query;
  return file.read((all) => {
    const isWhole = Object.keys(which).every((key) => key === "descending" || which[key as "sort"] === "position");
    if (isWhole) {
      const total = rowCount(all);
      const places = Array.from({ length: Math.max(0, Math.min(count, total - from)) }, (_, index) =>
        which.descending ? total - 1 - from - index : from + index,
      );
      return { total, rows: summariesOf(all, places) };
    }
    const found = file.keep(`rows ${JSON.stringify(which)}`, () => findRows(all, which));
    return { total: found.length, rows: summariesOf(all, [...found.subarray(from, from + count)]) };
  });
}

/** Places of the rows that a query finds, in its order. Rows that wait have nothing to be sorted by and come last. */
function findRows(all: Query, query: RowQuery): Int32Array {
  const { sort = "position", descending = false } = query;
  const { conditions, values } = conditionsOf(all, query);
  const placesOf = (more: readonly string[], order: string) => {
    const where = [...more, ...conditions].map((condition) => `(${condition})`).join(" AND ");
    const [found] = all<{ places: string }>(
      `WITH ${humanRows} SELECT json_group_array(position) AS places
       FROM (SELECT position FROM rows r WHERE ${where} ORDER BY ${order})`,
      ...values,
    );
    return JSON.parse(found?.places ?? "[]") as number[];
  };
  const direction = descending ? "DESC" : "ASC";
  if (sort === "position") return Int32Array.from(placesOf(["true"], `position ${direction}`));
  const order = {
    confidence: `confidence ${direction} NULLS LAST, position`,
    cost: `cost_pico_usd ${direction}, position`,
  }[sort];
  const ended = placesOf(["status <> 'unpaid'"], order);
  const waiting = conditions.length === 0 ? othersThan(all, ended) : placesOf(["status = 'unpaid'"], "position");
  const found = new Int32Array(ended.length + waiting.length);
  found.set(ended);
  found.set(waiting, ended.length);
  return found;
}

/** All places but these, without reading a row. */
function othersThan(all: Query, places: readonly number[]): Int32Array {
  const isKnown = new Uint8Array(rowCount(all));
  for (const place of places) isKnown[place] = 1;
  const others = new Int32Array(isKnown.length - places.length);
  let next = 0;
  for (const [place, known] of isKnown.entries()) if (known === 0) others[next++] = place;
  return others;
}

/** Rows stand at places without gaps. */
function rowCount(all: Query): number {
  const [last] = all<{ position: bigint | null }>("SELECT max(position) AS position FROM rows");
  return Number(last?.position ?? -1n) + 1;
}

/** SQL, by the labels that count. */
function conditionsOf(all: Query, { status, label, search }: RowQuery): { conditions: string[]; values: string[] } {
  const conditions: string[] = [];
  const values: string[] = [];
  const [reviewed] = all<{ some: bigint }>("SELECT EXISTS (SELECT 1 FROM reviews) AS some");
  const hasReviews = reviewed?.some === 1n;
  const model = hasReviews ? "position NOT IN (SELECT position FROM human) AND " : "";
  if (status !== undefined) {
    const human = hasReviews && status === "labeled" ? "OR position IN (SELECT position FROM human)" : "";
    conditions.push(`${model}${status === "unpaid" ? "" : "status <> 'unpaid' AND "}status = ? ${human}`);
    values.push(status);
  }
  if (label !== undefined) {
    const human = hasReviews ? `OR position IN (SELECT position FROM human h WHERE ${isNamed("h.label", label)})` : "";
    conditions.push(`${model}status <> 'unpaid' AND status = 'labeled' AND ${isNamed("r.label", label)} ${human}`);
    values.push(label, label, label, ...(hasReviews ? [label, label, label] : []));
  }
  if (search !== undefined) {
    // LIKE folds the case of ASCII letters alone.
    const forms = [...new Set([search, ...(isAscii(search) ? [] : [search.toLowerCase(), search.toUpperCase()])])];
    const isLike = (column: string) => `${column} LIKE ? ESCAPE '\\'`;
    const human = hasReviews ? `position IN (SELECT position FROM human h WHERE ${isLike("h.label")})` : undefined;
    const places = ["r.text", "r.row_id", "r.label"].map(isLike).concat(human ?? []);
    conditions.push(forms.map(() => places.join(" OR ")).join(" OR "));
    const patterns = forms.map((form) => `%${form.replace(/[\\%_]/g, "\\$&")}%`);
    values.push(...patterns.flatMap((pattern) => places.map(() => pattern)));
  }
  return { conditions, values };
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length;
}

/** SQL: whether a label is this name or this JSON, has it among several, or has mentions of this kind; or is none of several. */
function isNamed(label: string, name: string): string {
  const named = noNames === name ? `${label} = '[]' OR ` : "";
  return `(${named}${label} = json_quote(?) OR ${label} = ? OR (${label} LIKE '[%' AND EXISTS (SELECT 1 FROM json_each(${label}) e
    WHERE coalesce(CASE e.type WHEN 'object' THEN json_extract(e.value, '$.label') END, e.value) = ?)))`;
}

/** A stored row, and what people said of it. */
export interface StoredSummary {
  position: bigint;
  row_id: string;
  text: string;
  status: RowStatus;
  label: string | null;
  confidence: number | null;
  cost: bigint;
  attempts: bigint;
  human: string | null;
  review: string | null;
}

const ofText = "coalesce(r.duplicate_of, r.position)";

/** SQL: the columns of a {@link StoredSummary}, of `rows r`. */
export const summaryColumns = `r.position, r.row_id, r.text, r.status, r.label, r.confidence, r.cost_pico_usd AS cost,
  (SELECT count(*) FROM attempts a WHERE a.position = r.position) AS attempts,
  (SELECT v.label FROM reviews v WHERE v.position = ${ofText} AND v.undone_at IS NULL AND v.label IS NOT NULL
    ORDER BY v.review DESC LIMIT 1) AS human,
  (SELECT json_object('action', v.action, 'label', json(v.label), 'author', v.author, 'at', v.at) FROM reviews v
    WHERE v.position = ${ofText} AND v.undone_at IS NULL ORDER BY v.review DESC LIMIT 1) AS review`;

function summariesOf(all: Query, places: readonly number[]): RowSummary[] {
  const rows = all<StoredSummary>(
    `SELECT ${summaryColumns} FROM json_each(?) p JOIN rows r ON r.position = p.value ORDER BY p.key`,
    JSON.stringify(places),
  );
  return rows.map(summaryOf);
}

/** A row as it is shown in a list. */
export function summaryOf(row: StoredSummary): RowSummary {
  const modelLabel = row.label === null ? null : (JSON.parse(row.label) as LabelValue);
  const human = row.human === null ? null : (JSON.parse(row.human) as LabelValue);
  return {
    position: Number(row.position),
    rowId: row.row_id,
    text: row.text.length > longestText ? beginningOf(row.text) : row.text,
    status: human === null ? row.status : "labeled",
    label: human ?? modelLabel,
    modelLabel,
    confidence: row.confidence,
    costUsd: picoToDecimal(row.cost),
    attempts: Number(row.attempts),
    review: row.review === null ? null : (JSON.parse(row.review) as Review),
  };
}

/** The first characters; none of two halves is cut through. */
function beginningOf(text: string): string {
  return text.slice(0, longestText).replace(/[\uD800-\uDBFF]$/, "");
}

/** @throws UsageError when there is no such row. */
export function readSummary(file: RunFile, position: number): RowSummary {
  const [row] = file.all<StoredSummary>(`SELECT ${summaryColumns} FROM rows r WHERE r.position = ?`, position);
  if (!row) throw new UsageError(`The run has no row at place ${position}`);
  return summaryOf(row);
}
