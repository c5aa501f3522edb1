import { DatabaseSync } from "node:sqlite";
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
  if (isCurrentRunFile(database)) return database;
  database.close();
  throw new UsageError(`${path} was written by another version of autolabel: upgrade, or resume the run once`);
}
