import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it, test } from "vitest";
import { LedgerError } from "../errors/ledger-error.ts";
import { ReservationStateError } from "../errors/reservation-state-error.ts";
import { ledgerSuite } from "../testing/ledger-suite.ts";
import { fuzzLedger } from "../testing/overspend-fuzzer.ts";
import { CostTracker } from "../tracker/cost-tracker.ts";
import { GroupCommit, SqliteLedger } from "./sqlite.ts";
import { verifyLedger } from "./verify-ledger.ts";

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ledger-"));
  file = join(folder, "ledger.sqlite");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("SqliteLedger", () => {
  ledgerSuite(test, () => new SqliteLedger(file));

  it("keeps its promises in a few random schedules, always the same", async () => {
    const makeLedger = () => new SqliteLedger(":memory:");
    const report = await fuzzLedger({ makeLedger, schedules: 150, seed: 1, ownClock: true });
    expect(report.violations).toEqual([]);
  });

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

  it("holds and marks as dispatched in one step, also a hold that it has", async () => {
    const ledger = new SqliteLedger(file);
    const request = (id: string, limitPicoUsd: bigint | null = null) => ({
      id,
      accounts: [{ scope: "s", window: "all", limitPicoUsd }],
      amountPicoUsd: 5n,
      leaseMs: 60_000,
    });
    expect(await ledger.reserveDispatched(request("new"))).toMatchObject({ admitted: true });
    expect(await ledger.reserveDispatched(request("new"))).toMatchObject({ admitted: true });
    await ledger.reserve(request("known"));
    expect(await ledger.reserveDispatched(request("known"))).toMatchObject({ admitted: true });
    for (const id of ["new", "known"]) await expect(ledger.release(id)).rejects.toThrow(ReservationStateError);
    expect(await ledger.reserveDispatched(request("too much", 12n))).toMatchObject({ admitted: false });
    await expect(ledger.settle("too much", { costPicoUsd: 1n })).rejects.toThrow(ReservationStateError);
    expect((await ledger.recover({ abandonedScope: "s" })).map(({ id }) => id)).toEqual(["new", "known"]);
    expect(verifyLedger(await ledger.inspect())).toEqual([]);
    await ledger.close();
  });

  it("frees a hold that was marked and never sent, because its caller had gone", async () => {
    const ledger = new SqliteLedger(file);
    const tracker = new CostTracker({ budget: "1", ledger });
    const abort = new AbortController();
    const reserving = tracker.reserve({ boundPicoUsd: 5n }, { dispatch: true, signal: abort.signal });
    abort.abort(new Error("gone"));
    await expect(reserving).rejects.toThrow("gone");
    expect(await tracker.getStats()).toMatchObject({ held: 0, unresolved: 0, totalCost: 0 });
    await ledger.close();
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

  it("refuses an amount that it cannot store, without failing what is committed with it", async () => {
    const ledger = new SqliteLedger(file);
    const tracker = new CostTracker({ ledger });
    const hold = await tracker.reserve({ boundPicoUsd: 5n });
    await hold.markDispatched();
    const tooMuch = 2n ** 63n;
    const results = await Promise.allSettled([
      hold.settle({ costPicoUsd: 3n }),
      tracker.addCost("20000000"),
      tracker.reserve({ boundPicoUsd: tooMuch }),
      ledger.settle(hold.id, { costPicoUsd: tooMuch }),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "rejected"]);
    for (const result of results.slice(1)) expect(result).toMatchObject({ reason: { code: "invalid_amount" } });
    expect((await tracker.getStats()).exact).toMatchObject({ spent: { picoUsd: 3n }, held: { picoUsd: 0n } });
    await ledger.close();
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

  it("keeps what the provider told of a call: usage, the model that served it, and that its bound was broken", async () => {
    const ledger = new SqliteLedger(file);
    const tracker = new CostTracker({ budget: 1, ledger });
    const hold = await tracker.reserve({ boundPicoUsd: 5n, priceBook: "abc" }, { modelId: "asked" });
    await hold.markDispatched();
    const usage = { inputTokens: 3, outputTokens: 4 };
    await hold.settle({ costPicoUsd: 6n, kind: "computed", modelId: "served", usage });
    await expect(ledger.settle(hold.id, { costPicoUsd: 6n })).resolves.toEqual([]);
    const database = new DatabaseSync(file);
    expect(database.prepare("SELECT * FROM reservations").get()).toMatchObject({
      state: "settled",
      model_id: "asked",
      price_book: "abc",
      cost_pico_usd: 6,
      kind: "computed",
      served_model_id: "served",
      bound_breached: 1,
      usage: JSON.stringify(usage),
    });
    database.close();
    await ledger.close();
  });

  it("writes down why nothing was charged", async () => {
    const ledger = new SqliteLedger(file);
    const tracker = new CostTracker({ ledger });
    const [refused, unsent, plain] = await Promise.all(
      [1n, 2n, 3n].map((boundPicoUsd) => tracker.reserve({ boundPicoUsd })),
    );
    await refused?.markDispatched();
    await refused?.release("HTTP 429");
    await unsent?.release();
    await plain?.markDispatched();
    await plain?.settle({ costPicoUsd: 3n });
    await tracker.reserve({ boundPicoUsd: 4n });
    await tracker.recover({ abandoned: true });
    const database = new DatabaseSync(file);
    const rows = database.prepare("SELECT amount_pico_usd AS amount, state, evidence, kind FROM reservations").all();
    expect(rows).toMatchObject([
      { amount: 1, state: "released", evidence: "HTTP 429", kind: null },
      { amount: 2, state: "released", evidence: null },
      { amount: 3, state: "settled", kind: "reported" },
      { amount: 4, state: "expired", evidence: "lease ran out before dispatch" },
    ]);
    database.close();
    await ledger.close();
  });

  it("closes a file that it opened, after what is under way, and no database that it was given", async () => {
    const own = new SqliteLedger(file);
    const posted = own.post([{ scope: "a", window: "all" }], { costPicoUsd: 1n });
    await own.close();
    await expect(posted).resolves.toMatchObject([{ spentPicoUsd: 1n }]);
    await expect(own.post([], { costPicoUsd: 1n })).rejects.toThrow(LedgerError);
    const database = new DatabaseSync(file);
    const given = new SqliteLedger(new GroupCommit(database));
    await given.close();
    expect(database.isOpen).toBe(true);
    expect((await given.read([{ scope: "a", window: "all" }]))[0]?.spentPicoUsd).toBe(1n);
    database.close();
  });

  it("knows an id for ever, and says what became of it", async () => {
    const ledger = new SqliteLedger(file);
    const accounts = [{ scope: "a", window: "all", limitPicoUsd: null }];
    const reserve = () => ledger.reserve({ id: "x", accounts, amountPicoUsd: 1n, leaseMs: 0 });
    await reserve();
    await ledger.markDispatched("x");
    await expect(reserve()).resolves.toMatchObject({ admitted: true });
    await ledger.recover();
    await expect(reserve()).resolves.toMatchObject({ admitted: true });
    await ledger.resolve("x", { writeOff: "not in its log" });
    await expect(reserve()).rejects.toThrow("Reservation x is writtenOff: it cannot be reserved again");
    await expect(ledger.release("never")).rejects.toThrow(
      "Reservation never is unknown: it cannot be released without",
    );
    await ledger.close();
  });

  it("prepares its tables in a file that holds other things, and says why it cannot", async () => {
    const database = new DatabaseSync(file);
    database.exec("CREATE TABLE accounts (id TEXT)");
    expect(() => new SqliteLedger(new GroupCommit(database))).toThrow(/tables could not be prepared: .*accounts/);
    expect(database.isTransaction).toBe(false);
    database.close();
    const locked = new DatabaseSync(file, { readOnly: true });
    expect(() => new SqliteLedger(new GroupCommit(locked))).toThrow(/could not be prepared: .*readonly/);
    locked.close();
    const [writer, waiter] = [new DatabaseSync(file), new DatabaseSync(file, { timeout: 0 })];
    writer.exec("BEGIN IMMEDIATE");
    expect(() => new SqliteLedger(new GroupCommit(waiter))).toThrow(/could not be prepared: .*locked/);
    for (const each of [writer, waiter]) each.close();
    expect(() => new SqliteLedger(join(folder, "no", "such", "folder.sqlite"))).toThrow(/cannot be opened as a ledger/);
  });
});

describe("GroupCommit", () => {
  it("rejects one write that breaks a rule and commits the others; nothing of a batch that breaks the store", async () => {
    const database = new DatabaseSync(file);
    const commit = new GroupCommit(database);
    database.exec("CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT");
    const insert = (id: number) => commit.run(() => database.prepare("INSERT INTO t VALUES (?)").run(id));
    const refused = commit.run(() => {
      throw new LedgerError({ message: "not this one" });
    });
    await Promise.all([insert(1), expect(refused).rejects.toThrow("not this one"), insert(2)]);
    const thrown = commit.run(() => {
      throw "a text";
    });
    const batch = [insert(3), thrown, insert(4)].map((write) =>
      expect(write).rejects.toThrow(/not be written: a text/),
    );
    await Promise.all(batch);
    expect(database.prepare("SELECT id FROM t").all()).toMatchObject([{ id: 1 }, { id: 2 }]);
    commit.flush();
    expect(database.isTransaction).toBe(false);
    database.close();
  });

  it("commits what is there once a turn: many writes, one transaction", async () => {
    const database = new DatabaseSync(file);
    const commit = new GroupCommit(database);
    const begun: string[] = [];
    const exec = database.exec.bind(database);
    database.exec = (sql) => {
      begun.push(sql);
      exec(sql);
    };
    await Promise.all([1, 2, 3].map((value) => commit.run(() => value)));
    expect(begun).toEqual(["BEGIN IMMEDIATE", "COMMIT"]);
    database.close();
  });
});
