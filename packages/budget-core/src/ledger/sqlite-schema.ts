import type { DatabaseSync } from "node:sqlite";
import { LedgerError } from "../errors/ledger-error.ts";

/** Append-only: step n brings the tables of version n-1 to version n. A released step never changes. */
const steps: readonly string[] = [
  `CREATE TABLE accounts (
     scope TEXT NOT NULL,
     window TEXT NOT NULL,
     spent_pico_usd INTEGER NOT NULL,
     held_pico_usd INTEGER NOT NULL,
     unresolved_pico_usd INTEGER NOT NULL,
     call_count INTEGER NOT NULL,
     bound_call_count INTEGER NOT NULL,
     PRIMARY KEY (scope, window)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE account_models (
     scope TEXT NOT NULL,
     window TEXT NOT NULL,
     model_id TEXT NOT NULL,
     call_count INTEGER NOT NULL,
     spent_pico_usd INTEGER NOT NULL,
     PRIMARY KEY (scope, window, model_id)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE claims (
     scope TEXT NOT NULL,
     window TEXT NOT NULL,
     name TEXT NOT NULL,
     PRIMARY KEY (scope, window, name)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE reservations (
     id TEXT PRIMARY KEY,
     state TEXT NOT NULL,
     accounts TEXT NOT NULL,
     amount_pico_usd INTEGER NOT NULL,
     lease_ends_at_ms INTEGER NOT NULL,
     model_id TEXT,
     price_book TEXT,
     cost_pico_usd INTEGER,
     kind TEXT,
     served_model_id TEXT,
     bound_breached INTEGER NOT NULL DEFAULT 0,
     usage TEXT,
     evidence TEXT
   ) STRICT;
   CREATE INDEX open_reservations ON reservations (state) WHERE state IN ('held', 'dispatched', 'unresolved');`,
  // A journal beside the balances. What was spent before it began is one opening entry an account; a reservation that
  // was open then counts its age from here.
  `ALTER TABLE reservations ADD COLUMN reserved_at_ms INTEGER NOT NULL DEFAULT 0;
   UPDATE reservations SET reserved_at_ms = CAST(unixepoch('subsec') * 1000 AS INTEGER);
   CREATE TABLE journal (
     entry INTEGER PRIMARY KEY,
     at_ms INTEGER NOT NULL,
     scope TEXT NOT NULL,
     window TEXT NOT NULL,
     kind TEXT NOT NULL CHECK (kind IN ('opening', 'settled', 'posted', 'reset')),
     amount_pico_usd INTEGER NOT NULL,
     call_count INTEGER NOT NULL,
     bound_call_count INTEGER NOT NULL,
     reservation_id TEXT,
     model_id TEXT
   ) STRICT;
   CREATE TRIGGER journal_entries_stay BEFORE DELETE ON journal
     BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
   CREATE TRIGGER journal_entries_never_change BEFORE UPDATE ON journal
     BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
   INSERT INTO journal (at_ms, scope, window, kind, amount_pico_usd, call_count, bound_call_count)
     SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER), scope, window, 'opening', spent_pico_usd, call_count,
       bound_call_count FROM accounts;`,
];

/** The version that {@link migrateSqliteLedger} brings a ledger to. */
export const sqliteSchemaVersion = steps.length;

/**
 * Creates or upgrades the ledger's tables. The version stands in its own table, so that the file may hold other things.
 *
 * @throws LedgerError when the file was written by a newer version of this package, or is no SQLite file.
 */
export function migrateSqliteLedger(database: DatabaseSync): void {
  try {
    database.exec("BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS ledger_schema (version INTEGER NOT NULL) STRICT;");
    const row = database.prepare("SELECT max(version) AS version FROM ledger_schema").get() as {
      version: number | null;
    };
    const version = row.version ?? 0;
    if (version > steps.length) {
      throw new LedgerError({
        message: `This ledger has schema version ${version}, this package knows up to ${steps.length}: upgrade @autolabel/budget-core`,
      });
    }
    for (const [index, step] of steps.entries()) {
      if (index < version) continue;
      database.exec(step);
      database.prepare("INSERT INTO ledger_schema (version) VALUES (?)").run(index + 1);
    }
    database.exec("COMMIT");
  } catch (cause) {
    if (database.isTransaction) database.exec("ROLLBACK");
    if (LedgerError.isInstance(cause)) throw cause;
    throw new LedgerError({ message: `The ledger's tables could not be prepared: ${(cause as Error).message}`, cause });
  }
}
