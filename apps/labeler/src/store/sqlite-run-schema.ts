import type { DatabaseSync } from "node:sqlite";
import { UsageError } from "../usage-error.ts";

/** Append-only: step n brings a run file of version n-1 to version n. */
const steps: readonly string[] = [
  `CREATE TABLE run (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
   CREATE TABLE rows (
     position INTEGER PRIMARY KEY,
     row_id TEXT NOT NULL,
     text TEXT NOT NULL,
     input TEXT NOT NULL,
     status TEXT NOT NULL DEFAULT 'unpaid',
     label TEXT,
     source TEXT,
     error TEXT
   ) STRICT;
   CREATE INDEX open_rows ON rows (position) WHERE status IN ('unpaid', 'error');
   CREATE TABLE attempts (
     position INTEGER NOT NULL REFERENCES rows (position),
     reservation_id TEXT NOT NULL UNIQUE,
     answer TEXT,
     finish_reason TEXT,
     model_id TEXT,
     cost_pico_usd INTEGER NOT NULL,
     kind TEXT NOT NULL,
     error TEXT
   ) STRICT;
   CREATE INDEX attempts_of_row ON attempts (position);`,
  // Labels are JSON from here on; rows of equal text are bought once; rows are bought in an order of their own.
  `UPDATE rows SET label = json_quote(label) WHERE label IS NOT NULL;
   ALTER TABLE rows ADD COLUMN confidence REAL;
   ALTER TABLE rows ADD COLUMN explanation TEXT;
   ALTER TABLE rows ADD COLUMN task_version TEXT;
   ALTER TABLE rows ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE rows ADD COLUMN fingerprint BLOB;
   ALTER TABLE rows ADD COLUMN duplicate_of INTEGER REFERENCES rows (position);
   UPDATE rows SET turn = position;
   DROP INDEX open_rows;
   CREATE INDEX open_rows ON rows (turn) WHERE status IN ('unpaid', 'error') AND duplicate_of IS NULL;
   CREATE INDEX duplicates ON rows (duplicate_of) WHERE duplicate_of IS NOT NULL;
   CREATE INDEX originals ON rows (fingerprint) WHERE fingerprint IS NOT NULL;
   ALTER TABLE attempts ADD COLUMN at TEXT;
   ALTER TABLE attempts ADD COLUMN task_version TEXT;
   ALTER TABLE attempts ADD COLUMN usage TEXT;
   ALTER TABLE attempts ADD COLUMN price_book TEXT;
   ALTER TABLE attempts ADD COLUMN superseded INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE attempts ADD COLUMN call_id TEXT;`,
  // What people say of rows: an entry is never changed, only marked as taken back. One entry is for all rows of equal
  // text, at the place of the one that was bought.
  `CREATE TABLE reviews (
     review INTEGER PRIMARY KEY,
     position INTEGER NOT NULL REFERENCES rows (position),
     action TEXT NOT NULL,
     label TEXT,
     author TEXT NOT NULL,
     at TEXT NOT NULL,
     undone_at TEXT
   ) STRICT;
   CREATE INDEX reviews_of_row ON reviews (position);`,
  // What it takes to tell how a run of a million rows stands without reading them: sums that triggers keep, calls in parts
  // of 1024, and an index of all that a row is looked for by. Rows that wait are in neither, so a row is entered once.
  `ALTER TABLE rows ADD COLUMN cost_pico_usd INTEGER NOT NULL DEFAULT 0;
   UPDATE rows SET cost_pico_usd = (SELECT sum(a.cost_pico_usd) FROM attempts a WHERE a.position = rows.position)
     WHERE position IN (SELECT position FROM attempts);
   CREATE INDEX ended_rows ON rows (status, label, cost_pico_usd, confidence, duplicate_of) WHERE status <> 'unpaid';
   CREATE TABLE ended_counts (
     status TEXT NOT NULL,
     task_version TEXT NOT NULL,
     rows INTEGER NOT NULL,
     PRIMARY KEY (status, task_version)
   ) STRICT, WITHOUT ROWID;
   INSERT INTO ended_counts SELECT status, coalesce(task_version, ''), count(*) FROM rows WHERE status <> 'unpaid'
     GROUP BY status, coalesce(task_version, '');
   CREATE TRIGGER rows_end AFTER UPDATE OF status, task_version ON rows WHEN NEW.status <> 'unpaid' BEGIN
     INSERT INTO ended_counts VALUES (NEW.status, coalesce(NEW.task_version, ''), 1) ON CONFLICT DO UPDATE SET rows = rows + 1;
   END;
   CREATE TRIGGER rows_open_again AFTER UPDATE OF status, task_version ON rows WHEN OLD.status <> 'unpaid' BEGIN
     UPDATE ended_counts SET rows = rows - 1 WHERE status = OLD.status AND task_version = coalesce(OLD.task_version, '');
   END;
   CREATE TABLE spend (
     part INTEGER NOT NULL,
     model_id TEXT NOT NULL,
     calls INTEGER NOT NULL,
     cost_pico_usd INTEGER NOT NULL,
     at TEXT,
     PRIMARY KEY (part, model_id)
   ) STRICT, WITHOUT ROWID;
   INSERT INTO spend SELECT (rowid - 1) / 1024, coalesce(model_id, ''), count(*), sum(cost_pico_usd), max(at) FROM attempts
     GROUP BY (rowid - 1) / 1024, coalesce(model_id, '');
   CREATE TRIGGER attempts_cost AFTER INSERT ON attempts BEGIN
     INSERT INTO spend VALUES ((NEW.rowid - 1) / 1024, coalesce(NEW.model_id, ''), 1, NEW.cost_pico_usd, NEW.at)
       ON CONFLICT DO UPDATE SET calls = calls + 1, cost_pico_usd = cost_pico_usd + excluded.cost_pico_usd, at = excluded.at;
     UPDATE rows SET cost_pico_usd = cost_pico_usd + NEW.cost_pico_usd WHERE position = NEW.position;
   END;`,
];

/** Whether a run file has the tables that this version of autolabel reads. */
export function isCurrentRunFile(database: DatabaseSync): boolean {
  const { version } = database.prepare("SELECT max(version) AS version FROM run_schema").get() as { version: number };
  return version === steps.length;
}

/** The version that {@link migrateRunFile} brings a run file to. */
export const runSchemaVersion = steps.length;

/** Creates or upgrades the labeler's tables in a run file. */
export function migrateRunFile(database: DatabaseSync): void {
  database.exec("BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS run_schema (version INTEGER NOT NULL) STRICT;");
  const row = database.prepare("SELECT max(version) AS version FROM run_schema").get() as { version: number | null };
  const version = row.version ?? 0;
  if (version > steps.length) {
    database.exec("ROLLBACK");
    throw new UsageError("This run was written by a newer version of autolabel: upgrade @autolabel/labeler");
  }
  for (const [index, step] of steps.entries()) {
    if (index < version) continue;
    database.exec(step);
    database.prepare("INSERT INTO run_schema (version) VALUES (?)").run(index + 1);
  }
  database.exec("COMMIT");
}
