import { DatabaseSync } from "node:sqlite";
import { LedgerError } from "../errors/ledger-error.ts";

/** SQLite's result code for a lock that somebody else holds: https://www.sqlite.org/rescode.html#busy */
const busy = 5;
const patienceMs = 10_000;

/**
 * Opens a SQLite file for durable writes that several processes may share.
 *
 * @throws LedgerError when it cannot be opened, or is no SQLite file.
 */
export function openDatabase(path: string): DatabaseSync {
  try {
    const database = new DatabaseSync(path, { timeout: patienceMs });
    writeAhead(database);
    database.exec("PRAGMA synchronous = FULL");
    return database;
  } catch (cause) {
    throw new LedgerError({ message: `${path} cannot be opened as a ledger: ${(cause as Error).message}`, cause });
  }
}

/**
 * Sets the journal mode. When several processes do so for a new file at one time, each holds a read lock that another
 * waits for: SQLite then refuses at once instead of waiting its timeout, so that the loser has to ask again.
 */
function writeAhead(database: DatabaseSync): void {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      database.exec("PRAGMA journal_mode = WAL");
      return;
    } catch (error) {
      if ((error as { errcode?: number }).errcode !== busy || performance.now() > deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
