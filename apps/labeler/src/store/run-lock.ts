import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { UsageError } from "../usage-error.ts";

/** Who only looks whether a run is locked is in the way for a moment. */
const lockPatienceMs = 250;

/**
 * An open exclusive transaction on a file beside the run: the operating system frees it even after `kill -9`. Close it to
 * unlock.
 *
 * @throws UsageError when another process works on the run.
 */
export function lockRun(path: string): DatabaseSync {
  const lock = new DatabaseSync(`${path}.lock`, { timeout: lockPatienceMs });
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (cause) {
    lock.close();
    throw new UsageError(`Another process works on the run ${path}: wait for it, or stop it`, { cause });
  }
}

/** Whether a process works on a run now; looked up without keeping another one out. */
export function isRunLocked(path: string): boolean {
  if (!existsSync(`${path}.lock`)) return false;
  const lock = new DatabaseSync(`${path}.lock`, { readOnly: true, timeout: 0 });
  try {
    lock.prepare("SELECT count(*) FROM sqlite_master").get();
    return false;
  } catch (error) {
    // SQLITE_BUSY: its owner has it.
    if ((error as { errcode?: number }).errcode === 5) return true;
    throw error;
  } finally {
    lock.close();
  }
}
