import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { RowOrder } from "./run-store.ts";

/**
 * Gives every row its turn.
 *
 * Random orders sort by a hash of seed and position: the same seed gives the same order, on every machine. What was bought
 * before, the random rows of a probe, comes first: with what follows it is a sample too.
 */
export function orderRows(database: DatabaseSync, order: RowOrder): void {
  if (order.kind === "file") {
    database.exec("UPDATE rows SET turn = position WHERE turn <> position");
    return;
  }
  const seed = String(order.seed);
  database.function("draw", { deterministic: true }, (position) =>
    createHash("sha256")
      .update(`${seed}:${String(position)}`)
      .digest()
      .subarray(0, 8),
  );
  if (order.kind === "random") {
    assignTurns(
      database,
      "SELECT position, row_number() OVER (ORDER BY status = 'unpaid', draw(position)) - 1 AS turn FROM rows",
    );
    return;
  }
  // The k-th of n rows of a stratum comes at (k - 1/2) / n of the way, so every prefix holds the same share of each.
  const path = `$.${JSON.stringify(order.column)}`;
  assignTurns(
    database,
    `SELECT position, row_number() OVER (ORDER BY share, position) - 1 AS turn FROM (
       SELECT position, (row_number() OVER (PARTITION BY stratum ORDER BY is_left, drawn) - 0.5) /
         count(*) OVER (PARTITION BY stratum) AS share
       FROM (SELECT position, coalesce(json_extract(input, ?), '') AS stratum, status = 'unpaid' AS is_left,
         draw(position) AS drawn FROM rows))`,
    path,
  );
}

function assignTurns(database: DatabaseSync, turns: string, ...values: string[]): void {
  database
    .prepare(`UPDATE rows SET turn = t.turn FROM (${turns}) AS t WHERE rows.position = t.position`)
    .run(...values);
}
