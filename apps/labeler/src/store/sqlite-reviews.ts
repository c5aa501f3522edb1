import type { DatabaseSync } from "node:sqlite";
import { UsageError } from "../usage-error.ts";
import type { ReviewInput } from "./run-store.ts";

/** A review that counts: it was not taken back, and says a label. */
const counts = "v.undone_at IS NULL AND v.label IS NOT NULL";

/** SQL: the last label that a person gave the rows of a text, as JSON; NULL where nobody did. @param position SQL too. */
export function humanLabelOf(position: string): string {
  return `(SELECT json_object('label', json(v.label), 'author', v.author, 'at', v.at) FROM reviews v
    WHERE v.position = ${position} AND ${counts} ORDER BY v.review DESC LIMIT 1)`;
}

/** SQL: whether a person gave the rows of a text a label. @param position SQL too. */
export function hasHumanLabel(position: string): string {
  return `EXISTS (SELECT 1 FROM reviews v WHERE v.position = ${position} AND ${counts})`;
}

/** SQL: a table of all rows that a person labeled: `human (position, label)`. It goes behind WITH. */
export const humanRows = `
  human AS MATERIALIZED (
    SELECT r.position, h.label FROM rows r JOIN (
      SELECT position, label, max(review) FROM reviews v WHERE ${counts} GROUP BY position
    ) h ON r.position = h.position
    UNION ALL
    SELECT r.position, h.label FROM rows r JOIN (
      SELECT position, label, max(review) FROM reviews v WHERE ${counts} GROUP BY position
    ) h ON r.duplicate_of = h.position)`;

/** SQL: how many rows are in each state, as the model left them. Rows stand at places without gaps: none is counted. */
export const rowsByModelStatus = `
  WITH ended AS (SELECT status, sum(rows) AS rows FROM ended_counts GROUP BY status)
  SELECT status, rows FROM ended WHERE rows > 0
  UNION ALL SELECT 'unpaid', (SELECT coalesce(max(position) + 1, 0) FROM rows) - (SELECT coalesce(sum(rows), 0) FROM ended)`;

/** SQL: how many rows are in each state; those that a person labeled are labeled. */
export const rowsByStatus = `
  WITH ${humanRows},
    mended AS (SELECT status, count(*) AS rows FROM rows WHERE position IN (SELECT position FROM human) GROUP BY status)
  SELECT status, sum(rows) AS rows FROM (
    SELECT * FROM (${rowsByModelStatus})
    UNION ALL SELECT status, -rows FROM mended
    UNION ALL SELECT 'labeled', rows FROM mended)
  GROUP BY status HAVING sum(rows) > 0`;

/** @throws UsageError when there is no such row, or it has not ended yet. */
export function checkReviewable(database: DatabaseSync, position: number): void {
  const row = database.prepare("SELECT status FROM rows WHERE position = ?").get(position);
  if (!row) throw new UsageError(`The run has no row at place ${position}`);
  if (row.status === "unpaid")
    throw new UsageError(`Row ${position} has no answer yet: it can be reviewed once the model was asked`);
}

/** Writes a review, for all rows of the same text. */
export function insertReview(database: DatabaseSync, { position, action, label, author }: ReviewInput): void {
  database
    .prepare(
      `INSERT INTO reviews (position, action, label, author, at)
       SELECT coalesce(duplicate_of, position), ?, ?, ?, ? FROM rows WHERE position = ?`,
    )
    .run(action, label === null ? null : JSON.stringify(label), author, new Date().toISOString(), position);
}

/** Takes an author's last review back, of one row or of all; it stays on file. @returns its row, or undefined when there is none. */
export function takeBackReview(database: DatabaseSync, author: string, position?: number): number | undefined {
  const taken = database
    .prepare(
      `UPDATE reviews SET undone_at = ?1 WHERE review = (
         SELECT max(review) FROM reviews WHERE author = ?2 AND undone_at IS NULL
           AND (?3 IS NULL OR position = (SELECT coalesce(duplicate_of, r.position) FROM rows r WHERE r.position = ?3))
       ) RETURNING position`,
    )
    .get(new Date().toISOString(), author, position ?? null) as { position: number } | undefined;
  return taken?.position;
}
