import type { DatabaseSync } from "node:sqlite";
import { BudgetError } from "../errors/budget-error.ts";
import { LedgerError } from "../errors/ledger-error.ts";

interface Pending {
  write: () => unknown;
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/**
 * Gathers the writes of one turn of the event loop into one SQLite transaction, so that many concurrent calls share one
 * flush to disk. A write's promise settles only after the commit: what it reports is durable.
 *
 * A write must check before it changes anything: when it throws a BudgetError only that write is rejected and the
 * others go on; any other error is the store's fault, rolls the whole transaction back and rejects every write in it.
 */
export class GroupCommit {
  readonly database: DatabaseSync;
  #pending: Pending[] = [];

  constructor(database: DatabaseSync) {
    this.database = database;
  }

  /**
   * Runs `write` inside the next transaction.
   *
   * @throws LedgerError when the transaction cannot be committed; then nothing of it happened.
   */
  run<T>(write: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#pending.push({ write, resolve: resolve as (value: unknown) => void, reject }) === 1) {
        setImmediate(() => this.flush());
      }
    });
  }

  /** Commits what is pending now instead of at the end of this turn. */
  flush(): void {
    const batch = this.#pending;
    this.#pending = [];
    if (batch.length === 0) return;
    const reports: (() => void)[] = [];
    try {
      this.database.exec("BEGIN IMMEDIATE");
      for (const { write, resolve, reject } of batch) {
        try {
          const value = write();
          reports.push(() => resolve(value));
        } catch (error) {
          if (!BudgetError.isInstance(error)) throw error;
          reports.push(() => reject(error));
        }
      }
      this.database.exec("COMMIT");
    } catch (cause) {
      rollBack(this.database);
      const error = new LedgerError({ message: `The ledger file could not be written: ${messageOf(cause)}`, cause });
      for (const { reject } of batch) reject(error);
      return;
    }
    for (const report of reports) report();
  }
}

function rollBack(database: DatabaseSync): void {
  try {
    database.exec("ROLLBACK");
  } catch {
    // No transaction is open: BEGIN itself failed, or SQLite has rolled back already.
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
