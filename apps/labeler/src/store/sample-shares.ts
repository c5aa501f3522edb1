import type { DatabaseSync } from "node:sqlite";
import type { RowOrder } from "./run-store.ts";

/** Which rows were chosen by chance, and with which probability. */
export interface SampleShares {
  /** SQL for a row `r`: the stratum that it was drawn from; null where it was not drawn. */
  stratum: string;
  /** Which share of each stratum's texts was drawn. */
  shares: ReadonlyMap<string, number>;
}

/**
 * The sample that a run in random or stratified order has bought: the rows up to the first one in that order that it has
 * not. What came later fitted the last of the budget because it is short, so it was not drawn by chance. Rows of equal
 * text were drawn with the one that was bought for them.
 */
export function readSample(database: DatabaseSync, order: Exclude<RowOrder, { kind: "file" }>): SampleShares {
  const value =
    order.kind === "random"
      ? "''"
      : `CAST(coalesce(json_extract(input, ${quoted(`$.${JSON.stringify(order.column)}`)}), '') AS TEXT)`;
  const { turn } = database
    .prepare("SELECT coalesce(min(turn), 9e15) AS turn FROM rows WHERE duplicate_of IS NULL AND status = 'unpaid'")
    .get() as { turn: number };
  const strata = database
    .prepare(`SELECT ${value} AS value, avg(turn < ?) AS share FROM rows WHERE duplicate_of IS NULL GROUP BY 1`)
    .all(turn) as { value: string; share: number }[];
  return {
    stratum: `(SELECT CASE WHEN turn < ${turn} THEN ${value} END FROM rows WHERE position = coalesce(r.duplicate_of, r.position))`,
    shares: new Map(strata.map(({ value: name, share }) => [name, share])),
  };
}

/** A text as a literal of SQL. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
