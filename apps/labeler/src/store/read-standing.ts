import type { DatabaseSync } from "node:sqlite";
import type { Standing } from "./run-store.ts";

const sampledAttempts = 5000;

/** Reads what is left of a run, and what its last rows did cost. */
export function readStanding(database: DatabaseSync): Standing {
  const rest = database
    .prepare(
      `SELECT count(*) AS rows, coalesce(sum(length(text)), 0) AS characters FROM rows
       WHERE status IN ('unpaid', 'error') AND duplicate_of IS NULL`,
    )
    .get() as unknown as Standing["rest"];
  // Beside min(), SQLite takes other columns from the row of the minimum: the first attempt.
  const sample = database.prepare(
    `SELECT length(r.text) AS characters, count(*) AS attempts, min(a.id), a.cost AS first, sum(a.cost) AS cost
     FROM (SELECT rowid AS id, position, cost_pico_usd AS cost FROM attempts ORDER BY rowid DESC LIMIT ?) a
     JOIN rows r ON r.position = a.position GROUP BY a.position`,
  );
  sample.setReadBigInts(true);
  const rows = sample.all(sampledAttempts) as Record<"characters" | "attempts" | "first" | "cost", bigint>[];
  return {
    rest,
    sample: rows.map(({ characters, attempts, first, cost }) => ({
      characters: Number(characters),
      attempts: Number(attempts),
      firstPicoUsd: first,
      costPicoUsd: cost,
    })),
  };
}
