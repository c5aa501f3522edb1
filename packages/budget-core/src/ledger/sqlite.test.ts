import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { LedgerError } from "../errors/ledger-error.ts";
import { ledgerSuite } from "../testing/ledger-suite.ts";
import { CostTracker } from "../tracker/cost-tracker.ts";
import { GroupCommit, SqliteLedger } from "./sqlite.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ledger-"));
  file = join(folder, "ledger.sqlite");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("SqliteLedger", () => {
  ledgerSuite(test, () => new SqliteLedger(file));

  it("remembers spend, and what was in flight, in the next process", async () => {
    const first = new SqliteLedger(file);
    const tracker = new CostTracker({ budget: "0.1", ledger: first });
    await tracker.addCost("0.05");
    await (await tracker.reserve({ boundPicoUsd: 10n ** 10n }, { modelId: "m" })).markDispatched();

    const second = new CostTracker({ budget: "0.1", ledger: new SqliteLedger(file) });
    expect(await second.recover({ abandoned: true })).toMatchObject([{ amountPicoUsd: 10n ** 10n, modelId: "m" }]);
    expect(await second.getStats()).toMatchObject({ totalCost: 0.05, unresolved: 0.01, remainingBudget: 0.04 });
    await first.close();
    await second.ledger.close();
  });

  it("keeps two trackers of one file within one limit", async () => {
    const ledgers = [new SqliteLedger(file), new SqliteLedger(file)];
    const trackers = ledgers.map((ledger) => new CostTracker({ budget: "0.00001", ledger, onInsufficient: "deny" }));
    const attempts = trackers.flatMap((tracker) =>
      Array.from({ length: 20 }, () => tracker.reserve({ boundPicoUsd: 1_000_000n })),
    );
    const outcomes = await Promise.allSettled(attempts);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
    await Promise.all(ledgers.map((ledger) => ledger.close()));
  });

  it("waits for money that another process holds", async () => {
    const ledgers = [new SqliteLedger(file), new SqliteLedger(file)] as const;
    const [one, two] = ledgers.map((ledger) => new CostTracker({ budget: "0.00001", ledger }));
    const hold = await one?.reserve({ boundPicoUsd: 9_000_000n });
    const waiting = two?.reserve({ boundPicoUsd: 9_000_000n });
    await hold?.release();
    await expect(waiting).resolves.toBeDefined();
    await Promise.all(ledgers.map((ledger) => ledger.close()));
  });

  it("shares its transaction: a write beside a settlement is committed with it, or not at all", async () => {
    const database = new DatabaseSync(file);
    const commit = new GroupCommit(database);
    const ledger = new SqliteLedger(commit);
    database.exec("CREATE TABLE answers (id TEXT PRIMARY KEY) STRICT");
    const tracker = new CostTracker({ budget: 1, ledger });
    const hold = await tracker.reserve({ boundPicoUsd: 5n });
    await hold.markDispatched();
    const answer = commit.run(() => database.prepare("INSERT INTO answers VALUES ('x')").run());
    await Promise.all([answer, hold.settle({ costPicoUsd: 5n })]);

    const clash = commit.run(() => database.prepare("INSERT INTO answers VALUES ('x')").run());
    const posted = tracker.addCost("0.5");
    await expect(clash).rejects.toThrow(LedgerError);
    await expect(posted).rejects.toThrow(LedgerError);
    expect((await tracker.getStats()).exact.spent.picoUsd).toBe(5n);
    database.close();
  });

  it.each([
    [
      "a file that is no database",
      () => writeFileSync(file, "not a database, just text that is long enough to be read"),
    ],
    [
      "a newer schema",
      () => {
        const database = new DatabaseSync(file);
        database.exec(
          "CREATE TABLE ledger_schema (version INTEGER NOT NULL) STRICT; INSERT INTO ledger_schema VALUES (99)",
        );
        database.close();
      },
    ],
  ])("refuses %s with a typed error and leaves it as it is", (_name, make) => {
    make();
    expect(() => new SqliteLedger(file)).toThrow(LedgerError);
  });

  it("admits nothing when the store fails", async () => {
    const ledger = new SqliteLedger(file);
    const tracker = new CostTracker({ budget: 1, ledger });
    const blocker = new DatabaseSync(file);
    blocker.exec("DROP TABLE reservations");
    await expect(tracker.reserve({ boundPicoUsd: 5n })).rejects.toThrow(LedgerError);
    blocker.close();
    await ledger.close();
  });
});
