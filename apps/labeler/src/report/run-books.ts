import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { readSqliteBooks, type SqliteBooks } from "@autolabel/budget-core/ledgers/sqlite";
import type { SqliteRunStore } from "../store/sqlite-run-store.ts";

/** The ledger that a run draws on, to be looked at. */
export interface RunBooks extends SqliteBooks {
  /** The run's own account. */
  scope: string;
  /** The account that its budget limits: the run's own, or the one that it shares. */
  limitedScope: string;
  close(): void;
}

/**
 * The books of a run that was opened to read: of the same moment as the run where they are in its file.
 *
 * @param folder where runs are kept.
 * @returns undefined where the run drew on a tracker that it was given.
 */
export function openRunBooks(
  store: SqliteRunStore,
  facts: Readonly<Record<string, string>>,
  folder: string,
): RunBooks | undefined {
  const { id = "run", budgetKind } = facts;
  if (budgetKind === "own") {
    return { ...readSqliteBooks(store.commit.database), scope: id, limitedScope: id, close: () => undefined };
  }
  const shared = join(folder, "llm-budget.ledger");
  if (budgetKind !== "shared" || !existsSync(shared)) return undefined;
  const database = new DatabaseSync(shared, { readOnly: true, timeout: 10_000 });
  database.exec("BEGIN");
  const limitedScope = "llm-budget";
  const close = () => database.close();
  return { ...readSqliteBooks(database), scope: `${limitedScope}/${id}`, limitedScope, close };
}
