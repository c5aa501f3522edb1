import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { LedgerError } from "../errors/ledger-error.ts";
import { CostTracker } from "../tracker/cost-tracker.ts";
import { readSqliteBooks, SqliteLedger } from "./sqlite.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "books-"));
  file = join(folder, "ledger.sqlite");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("readSqliteBooks", () => {
  it("tells balances and entries beside the ledger that is open, without writing", async () => {
    const ledger = new SqliteLedger(file);
    const tracker = new CostTracker({ name: "team", budget: "1", ledger });
    await tracker.addCost("0.25");
    const hold = await tracker.reserve({ boundPicoUsd: 9n });
    await hold.markDispatched();
    await hold.settle({ costPicoUsd: 7n });
    await tracker.child({ name: "other" }).addCost("0.5");
    await tracker.reset();
    await tracker.reserve({ boundPicoUsd: 11n });

    const database = new DatabaseSync(file, { readOnly: true });
    const books = readSqliteBooks(database);
    const team = books.inspect(["team"]);
    expect(team).toEqual({ ...(await ledger.inspect({ scopes: ["team"] })), atMs: team.atMs, open: team.open });
    expect(team.open).toMatchObject([{ amountPicoUsd: 11n, state: "held" }]);
    expect(books.inspect().accounts.map(({ scope }) => scope)).toEqual(["team", "team/other"]);
    const entries = [...books.journal("team")];
    expect(entries.map(({ kind, amountPicoUsd }) => [kind, amountPicoUsd])).toEqual([
      ["posted", 250_000_000_000n],
      ["settled", 7n],
      ["posted", 500_000_000_000n],
      ["reset", -750_000_000_007n],
    ]);
    expect(entries.map(({ reservationId }) => reservationId)).toEqual([null, hold.id, null, null]);
    expect(entries[0]?.atMs).toBeGreaterThan(1_700_000_000_000);
    database.close();
    await ledger.close();
  });

  it("refuses a database without a ledger, and one of another version", async () => {
    expect(() => readSqliteBooks(new DatabaseSync(":memory:"))).toThrow(/no ledger/);
    const old = new DatabaseSync(":memory:");
    old.exec("CREATE TABLE ledger_schema (version INTEGER NOT NULL); INSERT INTO ledger_schema VALUES (1)");
    expect(() => readSqliteBooks(old)).toThrow(LedgerError);
    expect(() => readSqliteBooks(old)).toThrow(/version 1/);
  });
});
