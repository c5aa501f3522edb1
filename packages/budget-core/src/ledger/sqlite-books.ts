import type { DatabaseSync } from "node:sqlite";
import { LedgerError } from "../errors/ledger-error.ts";
import type { LedgerReport } from "./ledger.ts";
import { inspectSqlite } from "./sqlite-inspect.ts";
import { SqliteRows } from "./sqlite-rows.ts";
import { sqliteSchemaVersion } from "./sqlite-schema.ts";

/** The books of a SQLite ledger, to be looked at and never written. */
export interface SqliteBooks {
  /** What {@link Ledger.inspect} tells; all accounts, or those of some scopes. */
  inspect(scopes?: readonly string[]): LedgerReport;
  /** What was posted to a scope, the oldest first, one entry at a time. */
  journal(scope: string): IterableIterator<JournalEntry>;
}

/** One entry of an account's journal: a change of what is spent, written once and never changed. */
export interface JournalEntry {
  /** By the store's clock, in ms since 1970. */
  atMs: number;
  /**
   * `settled`: the cost of a reserved call. `posted`: a cost without a reservation. `reset`: the balance went back to
   * zero, an amount below it. `opening`: what was spent before there was a journal.
   */
  kind: "settled" | "posted" | "reset" | "opening";
  amountPicoUsd: bigint;
  /** The hold that was settled; null for the other kinds. */
  reservationId: string | null;
}

/**
 * Reads the books in a database that was opened elsewhere, such as read-only beside the process that writes it. Inside a
 * transaction all that it tells is of one moment.
 *
 * @throws LedgerError when there is no ledger in it, or one of another version.
 */
export function readSqliteBooks(database: DatabaseSync): SqliteBooks {
  assertVersion(database);
  const rows = new SqliteRows(database);
  return {
    inspect: (scopes) => inspectSqlite(rows, scopes),
    *journal(scope) {
      const statement = database.prepare(
        "SELECT at_ms, kind, amount_pico_usd, reservation_id FROM journal WHERE scope = ? ORDER BY entry",
      );
      statement.setReadBigInts(true);
      for (const entry of statement.iterate(scope)) {
        const { at_ms, kind, amount_pico_usd, reservation_id } = entry as Record<string, bigint | string | null>;
        yield {
          atMs: Number(at_ms),
          kind: kind as JournalEntry["kind"],
          amountPicoUsd: amount_pico_usd as bigint,
          reservationId: reservation_id as string | null,
        };
      }
    },
  };
}

function assertVersion(database: DatabaseSync): void {
  let version: unknown;
  try {
    version = database.prepare("SELECT max(version) AS version FROM ledger_schema").get()?.version;
  } catch (cause) {
    throw new LedgerError({
      message: "There is no ledger in this database: open the file that a SqliteLedger writes",
      cause,
    });
  }
  if (version === sqliteSchemaVersion) return;
  throw new LedgerError({
    message: `This ledger has schema version ${String(version)}, this package reads ${sqliteSchemaVersion}: open it with a SqliteLedger of this version once to upgrade it, or upgrade @autolabel/budget-core`,
  });
}
