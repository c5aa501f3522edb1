import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { readSqliteBooks } from "@autolabel/budget-core/ledgers/sqlite";
import type { RunBooks, RunView } from "./runs.ts";
import { SqliteRunStore } from "./sqlite-run-store.ts";

/** A run's file at one moment, and the books that are in it, or beside it in the folder. */
export class SqliteRunView extends SqliteRunStore implements RunView {
  readonly #folder: string;
  #shared: DatabaseSync | undefined;

  constructor(path: string, folder: string) {
    super(path, { readOnly: true });
    this.#folder = folder;
  }

  async books(): Promise<RunBooks | undefined> {
    const { id = "run", budgetKind } = await this.facts();
    if (budgetKind === "own") return booksOf(this.commit.database, id, id);
    const path = join(this.#folder, "llm-budget.ledger");
    if (budgetKind !== "shared" || !existsSync(path)) return undefined;
    this.#shared ??= new DatabaseSync(path, { readOnly: true, timeout: 10_000 });
    if (!this.#shared.isTransaction) this.#shared.exec("BEGIN");
    return booksOf(this.#shared, `llm-budget/${id}`, "llm-budget");
  }

  override async close(): Promise<void> {
    this.#shared?.close();
    await super.close();
  }
}

function booksOf(database: DatabaseSync, scope: string, limitedScope: string): RunBooks {
  const books = readSqliteBooks(database);
  return {
    scope,
    limitedScope,
    inspect: async (scopes) => books.inspect(scopes),
    journal: () => books.journal(scope),
  };
}
