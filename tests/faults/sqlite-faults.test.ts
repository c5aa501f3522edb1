import { mkdtempSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { CostTracker, type Ledger, LedgerError } from "@autolabel/budget-core";
import { verifyLedger } from "@autolabel/budget-core/audit";
import { type GuardEvent, guardLedger } from "@autolabel/budget-core/guard";
import { GroupCommit, openDatabase, SqliteLedger } from "@autolabel/budget-core/ledgers/sqlite";
import { type Simulator, startSimulator } from "@autolabel/simulator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeMeteredCall } from "../metered-call.ts";

let folder: string;
let file: string;
let simulator: Simulator;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "sqlite-faults-"));
  file = join(folder, "ledger.sqlite");
  simulator = await startSimulator();
});
afterEach(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

let calls = 0;
const callWith = (ledger: Ledger) => {
  const tracker = new CostTracker({ name: "app", budget: 1, ledger });
  return makeMeteredCall({ tracker, baseUrl: simulator.openRouterUrl, prompt: `Call ${calls++}`, apiKey: () => "key" });
};

async function expectBooksToEqualTheBill(ledger: Ledger): Promise<void> {
  const report = await ledger.inspect();
  expect(verifyLedger(report)).toEqual([]);
  expect(report.open).toEqual([]);
  expect(report.accounts.reduce((sum, { spentPicoUsd }) => sum + spentPicoUsd, 0n)).toBe(
    simulator.invoice.totalPicoUsd,
  );
}

/** Brings a fault about in an open database. @returns what mends it. */
type Fault = (database: DatabaseSync) => () => void;

const faults: Record<string, Fault> = {
  "a file that became read-only": (database) => {
    database.exec("PRAGMA query_only = ON");
    return () => database.exec("PRAGMA query_only = OFF");
  },
  "a full disk": (database) => {
    database.exec(`PRAGMA max_page_count = ${Number(database.prepare("PRAGMA page_count").get()?.page_count)}`);
    // Fills what room there is in the pages of the tables that grow, so that whatever comes next needs a new page.
    let rows = 0;
    const reservation = database.prepare(
      "INSERT INTO reservations (id, state, accounts, amount_pico_usd, lease_ends_at_ms) VALUES (?, 'released', ?, 0, 0)",
    );
    const entry = database.prepare(
      `INSERT INTO journal (at_ms, scope, window, kind, amount_pico_usd, call_count, bound_call_count)
       VALUES (0, 'ballast', ?, 'posted', 0, 0, 0)`,
    );
    const fill = (insert: () => void) => {
      for (;;) {
        try {
          insert();
        } catch {
          return;
        }
      }
    };
    for (const length of [400, 100, 10, 0]) {
      fill(() => reservation.run(`ballast ${rows++}`, " ".repeat(length)));
      fill(() => entry.run(" ".repeat(length)));
    }
    return () => database.exec("PRAGMA max_page_count = 1000000; DELETE FROM reservations WHERE id LIKE 'ballast %'");
  },
  "a file that another process keeps locked": (database) => {
    database.exec("PRAGMA busy_timeout = 20");
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    return () => other.close();
  },
  "tables that are gone": (database) => {
    database.exec("ALTER TABLE accounts RENAME TO lost");
    return () => database.exec("ALTER TABLE lost RENAME TO accounts");
  },
};

describe.each(Object.entries(faults))("%s", (_name, bringAbout) => {
  it("stops calls before they are sent, with a typed error, and loses nothing", async () => {
    const database = openDatabase(file);
    const ledger = new SqliteLedger(new GroupCommit(database));
    await callWith(ledger);
    const mend = bringAbout(database);
    for (let tries = 0; tries < 20; tries++) {
      const error = await callWith(ledger).catch((reason: unknown) => reason);
      expect(LedgerError.isInstance(error), String(error)).toBe(true);
    }
    expect(simulator.requests).toBe(1);
    mend();
    await callWith(ledger);
    expect(simulator.invoice.count).toBe(2);
    await expectBooksToEqualTheBill(ledger);
    database.close();
  });

  it("while a call is under way leaves it at its bound; a guarded ledger posts its true cost afterwards", async () => {
    for (const isGuarded of [false, true]) {
      simulator.reset();
      const database = openDatabase(join(folder, `${isGuarded}.sqlite`));
      file = join(folder, `${isGuarded}.sqlite`);
      const store = new SqliteLedger(new GroupCommit(database));
      const events: GuardEvent[] = [];
      const guarded = guardLedger(store, { onEvent: (event) => events.push(event) });
      const tracker = new CostTracker({ name: "app", budget: 1, ledger: isGuarded ? guarded : store });
      const told: unknown[] = [];
      tracker.on("fault", ({ error }) => told.push(error));
      let mend = () => {};
      const apiKey = () => {
        // Right before the request leaves: it is marked as dispatched already.
        mend = bringAbout(database);
        return "key";
      };
      await makeMeteredCall({ tracker, baseUrl: simulator.openRouterUrl, prompt: "A call", apiKey });
      expect([simulator.invoice.count, told.length, LedgerError.isInstance(told[0])]).toEqual([1, 1, true]);
      mend();
      const [open] = (await store.inspect()).open;
      expect(open?.state).toBe("dispatched");
      expect(open?.amountPicoUsd).toBeGreaterThan(simulator.invoice.totalPicoUsd);
      if (isGuarded) {
        expect(await guarded.flush()).toBe(0);
        expect(events.map(({ kind }) => kind)).toEqual(["waiting", "posted"]);
        await expectBooksToEqualTheBill(store);
      }
      database.close();
    }
  });

  it('lets calls go on under "allow-and-record", and posts every one of them afterwards', async () => {
    const database = openDatabase(file);
    const store = new SqliteLedger(new GroupCommit(database));
    const ledger = guardLedger(store, { onLedgerFailure: "allow-and-record" });
    const mend = bringAbout(database);
    for (let call = 0; call < 5; call++) await callWith(ledger);
    expect([simulator.invoice.count, ledger.waiting]).toEqual([5, 5]);
    mend();
    expect(await ledger.flush()).toBe(0);
    await expectBooksToEqualTheBill(store);
    database.close();
  });
});

describe("no call is sent with a file that cannot be used:", () => {
  const overwrite = (from: number) => {
    const descriptor = openSync(file, "r+");
    writeSync(descriptor, Buffer.alloc(4096, 0xa5), 0, 4096, from);
  };
  it.each<[string, () => unknown]>([
    [
      "no database",
      () => writeFileSync(file, "not a database, but long enough to be taken for the header of one ...."),
    ],
    ["a damaged header", () => overwrite(0)],
    ["damaged tables", () => overwrite(4096)],
    ["the end missing", () => truncateSync(file, 4096)],
    [
      "a newer schema",
      () => {
        const database = new DatabaseSync(file);
        database.exec("INSERT INTO ledger_schema VALUES (99)");
        database.close();
      },
    ],
  ])("%s", async (_name, damage) => {
    const ledger = new SqliteLedger(file);
    await callWith(ledger);
    await ledger.close();
    damage();
    const error = await Promise.resolve()
      .then(() => callWith(new SqliteLedger(file)))
      .catch((reason: unknown) => reason);
    expect(LedgerError.isInstance(error), String(error)).toBe(true);
    expect(simulator.requests).toBe(1);
  });

  it("a file that may only be read", async () => {
    await new SqliteLedger(file).close();
    const database = new DatabaseSync(file, { readOnly: true });
    const ledger = new SqliteLedger(new GroupCommit(database));
    const error = await callWith(ledger).catch((reason: unknown) => reason);
    expect(LedgerError.isInstance(error), String(error)).toBe(true);
    expect([simulator.requests, (await ledger.inspect()).accounts]).toEqual([0, []]);
    database.close();
  });
});
