import { DatabaseSync } from "node:sqlite";
import { LedgerError } from "../errors/ledger-error.ts";

/**
 * Opens a SQLite file for durable writes that several processes may share.
 *
 * @throws LedgerError when it cannot be opened, or is no SQLite file.
 */
export function openDatabase(path: string): DatabaseSync {
  try {
    const database = new DatabaseSync(path, { timeout: 10_000 });
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    return database;
  } catch (cause) {
    throw new LedgerError({ message: `${path} cannot be opened as a ledger: ${(cause as Error).message}`, cause });
  }
}
