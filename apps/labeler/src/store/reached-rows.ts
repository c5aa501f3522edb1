import type { DatabaseSync } from "node:sqlite";
import type { ReachedRows } from "./run-store.ts";

/** Reads which rows were reached; see {@link ReachedRows}. */
export function readReached(database: DatabaseSync, column: string | undefined): ReachedRows {
  const one = (sql: string, ...values: (string | number)[]) =>
    Number(Object.values(database.prepare(sql).get(...values) ?? {})[0] ?? 0);
  const isReached = "duplicate_of IS NULL AND status <> 'unpaid'";
  const reached = one(`SELECT count(*) FROM rows WHERE ${isReached}`);
  const firstLeft = one("SELECT coalesce(min(turn), 9e15) FROM rows WHERE duplicate_of IS NULL AND status = 'unpaid'");
  const inOrder = one(`SELECT count(*) FROM rows WHERE ${isReached} AND turn < ?`, firstLeft);
  const value = column === undefined ? "''" : "coalesce(json_extract(input, ?), '')";
  const strata = database
    .prepare(
      `SELECT ${value} AS value, count(*) AS rows, sum(status <> 'unpaid') AS reached FROM rows GROUP BY 1 ORDER BY 1`,
    )
    .all(...(column === undefined ? [] : [`$.${JSON.stringify(column)}`]));
  return {
    inOrder,
    beyond: reached - inOrder,
    strata: strata.map((row) => ({
      value: String(row.value),
      rows: Number(row.rows),
      reached: Number(row.reached),
    })),
  };
}
