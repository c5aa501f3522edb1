import { DatabaseSync } from "node:sqlite";
import { openDatabase } from "@autolabel/budget-core/ledgers/sqlite";
import { UsageError } from "../usage-error.ts";
import { isCurrentRunFile } from "./sqlite-run-schema.ts";

/**
 * Opens a run file to look at it: nothing is locked or written, and all that is read is of one moment, also beside a
 * process that works on it.
 *
 * @throws UsageError when it was written by another version.
 */
export function openToRead(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 10_000 });
  // The moment is that of the first read.
  database.exec("BEGIN");
  return current(database, path);
}

/** Opens a run file to look at it again and again; each look is of its own moment. */
export function openBesideToRead(path: string): DatabaseSync {
  return current(new DatabaseSync(path, { readOnly: true, timeout: 10_000 }), path);
}

/**
 * Opens a run file to write a little, beside a process that works on it: each write takes its turn.
 *
 * @throws UsageError when it was written by another version.
 */
export function openBeside(path: string): DatabaseSync {
  return current(openDatabase(path), path);
}

function current(database: DatabaseSync, path: string): DatabaseSync {
  if (isCurrentRunFile(database)) return database;
  database.close();
  throw new UsageError(`${path} was written by another version of autolabel: upgrade, or resume the run once`);
}
