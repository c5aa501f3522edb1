import type { DatabaseSync } from "node:sqlite";
import type { Standing } from "./run-store.ts";
import { hasHumanLabel } from "./sqlite-reviews.ts";

/** So many attempts tell enough. */
export const sampledAttempts = 5000;

/** Reads what is left of a run, and what its last rows did cost. */
export function readStanding(database: DatabaseSync): Standing {
  const rest = database
    .prepare(
      `SELECT count(*) AS rows, coalesce(sum(length(text)), 0) AS characters FROM rows
       WHERE status IN ('unpaid', 'error') AND duplicate_of IS NULL AND NOT ${hasHumanLabel("rows.position")}`,
    )
    .get() as unknown as Standing["rest"];
  const sample = database.prepare(paidSample);
  sample.setReadBigInts(true);
  return { rest, sample: readPaidSample(sample.all(sampledAttempts) as PaidRow[]) };
}

/**
 * SQL: what the rows of the last so many attempts did cost; integers are read as bigints. Beside min(), SQLite takes other
 * columns from the row of the minimum: the first attempt.
 */
export const paidSample = `SELECT length(r.text) AS characters, count(*) AS attempts, min(a.id), a.cost AS first, sum(a.cost) AS cost
  FROM (SELECT rowid AS id, position, cost_pico_usd AS cost FROM attempts ORDER BY rowid DESC LIMIT ?) a
  JOIN rows r ON r.position = a.position GROUP BY a.position`;

/** A row of {@link paidSample}. */
export type PaidRow = Record<"characters" | "attempts" | "first" | "cost", bigint>;

/** What {@link paidSample} found, as a forecast takes it. */
export function readPaidSample(rows: readonly PaidRow[]): Standing["sample"] {
  return rows.map(({ characters, attempts, first, cost }) => ({
    characters: Number(characters),
    attempts: Number(attempts),
    firstPicoUsd: first,
    costPicoUsd: cost,
  }));
}
