import { picoToDecimal } from "@autolabel/budget-core";
import type { LabelValue, RowStatus } from "../store/row.ts";
import { humanRows } from "../store/sqlite-reviews.ts";
import { UsageError } from "../usage-error.ts";
import type { Review, RowQuery, RowSummary, RowWindow } from "./api.ts";
import type { Query, RunFile } from "./run-file.ts";

const longestText = 300;

/** Some of the rows that a query finds. Which ones it finds is kept, so that scrolling through them asks only once. */
export function readRows(file: RunFile, query: RowQuery & { from: number; count: number }): RowWindow {
  const { from, count, ...which } = query;
  return file.read((all) => {
    const isWhole = Object.keys(which).every((key) => key === "descending" || which[key as "sort"] === "position");
    if (isWhole) {
      const [last] = all<{ position: bigint | null }>("SELECT max(position) AS position FROM rows");
      const total = Number(last?.position ?? -1n) + 1;
      const places = Array.from({ length: Math.max(0, Math.min(count, total - from)) }, (_, index) =>
        which.descending ? total - 1 - from - index : from + index,
      );
      return { total, rows: summariesOf(all, places) };
    }
    const found = file.keep(`rows ${JSON.stringify(which)}`, () => findRows(all, which));
    return { total: found.length, rows: summariesOf(all, [...found.subarray(from, from + count)]) };
  });
}

/** Places of the rows that a query finds, in its order. */
function findRows(all: Query, { status, label, search, sort = "position", descending = false }: RowQuery): Int32Array {
  const conditions: string[] = [];
  const values: string[] = [];
  const [reviewed] = all<{ some: bigint }>("SELECT EXISTS (SELECT 1 FROM reviews) AS some");
  const model = reviewed?.some ? "position NOT IN (SELECT position FROM human) AND " : "";
  if (status !== undefined) {
    const ended = status === "unpaid" ? "" : "status <> 'unpaid' AND ";
    const human = model === "" || status !== "labeled" ? "" : "OR position IN (SELECT position FROM human)";
    conditions.push(`(${model}${ended}status = ? ${human})`);
    values.push(status);
  }
  if (label !== undefined) {
    const human = model === "" ? "" : `OR position IN (SELECT position FROM human h WHERE ${isNamed("h.label")})`;
    conditions.push(`(${model}status <> 'unpaid' AND status = 'labeled' AND ${isNamed("r.label")} ${human})`);
    values.push(label, label, ...(model === "" ? [] : [label, label]));
  }
  if (search !== undefined) {
    // LIKE folds the case of ASCII letters alone.
    const forms = [...new Set([search, search.toLowerCase(), search.toUpperCase()])];
    const likes = forms.map(
      () => `r.text LIKE ? ESCAPE '\\' OR r.row_id LIKE ? ESCAPE '\\' OR r.label LIKE ? ESCAPE '\\'`,
    );
    conditions.push(`(${likes.join(" OR ")})`);
    for (const form of forms) {
      const pattern = `%${form.replace(/[\\%_]/g, "\\$&")}%`;
      values.push(pattern, pattern, pattern);
    }
  }
  const direction = descending ? "DESC" : "ASC";
  const order = {
    position: `position ${direction}`,
    // Rows that state none come last, whichever way.
    confidence: `confidence IS NULL, confidence ${direction}, position`,
    cost: `cost_pico_usd ${direction}, position`,
  }[sort];
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  const [found] = all<{ places: string }>(
    `WITH ${humanRows} SELECT json_group_array(position) AS places
     FROM (SELECT position FROM rows r ${where} ORDER BY ${order})`,
    ...values,
  );
  return Int32Array.from(JSON.parse(found?.places ?? "[]") as number[]);
}

/** SQL: whether a label is this name, has it among several, or has mentions of this kind. */
function isNamed(label: string): string {
  return `(${label} = json_quote(?) OR (${label} LIKE '[%' AND EXISTS (SELECT 1 FROM json_each(${label}) e
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
    text: row.text.length > longestText ? row.text.slice(0, longestText) : row.text,
    status: human === null ? row.status : "labeled",
    label: human ?? modelLabel,
    modelLabel,
    confidence: row.confidence,
    costUsd: picoToDecimal(row.cost),
    attempts: Number(row.attempts),
    review: row.review === null ? null : (JSON.parse(row.review) as Review),
  };
}

/** @throws UsageError when there is no such row. */
export function readSummary(file: RunFile, position: number): RowSummary {
  const [row] = file.all<StoredSummary>(`SELECT ${summaryColumns} FROM rows r WHERE r.position = ?`, position);
  if (!row) throw new UsageError(`The run has no row at place ${position}`);
  return summaryOf(row);
}
