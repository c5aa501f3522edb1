import { PGlite } from "@electric-sql/pglite";
import { Pool } from "pg";
import postgres from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, it, test, vi } from "vitest";
import { type PostgresServer, startPostgres } from "../../../../tests/servers/start-postgres.ts";
import { ledgerSuite } from "../testing/ledger-suite.ts";
import { CostTracker } from "../tracker/cost-tracker.ts";
import { type PostgresClient, PostgresLedger } from "./postgres.ts";
import { verifyLedger } from "./verify-ledger.ts";

let server: PostgresServer;
let pool: Pool;
let sql: ReturnType<typeof postgres>;
let schema: string;
let schemas = 0;
beforeAll(async () => {
  server = await startPostgres();
  pool = new Pool({ connectionString: server.url, max: 20 });
  sql = postgres(server.url);
});
afterAll(async () => {
  await Promise.all([pool.end(), sql.end()]);
  await server.stop();
});
beforeEach(() => {
  schema = `ledger_${schemas++}`;
});

const accounts = [{ scope: "a", window: "all", limitPicoUsd: null }];
const makeLedger = (client: PostgresClient = pool) => new PostgresLedger(client, { schema });

/** Passes on to a client, and counts what it is asked. */
function counted() {
  const asked: string[] = [];
  const query = (text: string, values?: string[]) => {
    asked.push(text);
    return pool.query(text, values);
  };
  return { asked, query };
}

describe("PostgresLedger with pg", () => ledgerSuite(test, () => makeLedger()));

describe("PostgresLedger with postgres.js", () => ledgerSuite(test, () => makeLedger(sql)));

describe("PostgresLedger with PGlite", () => {
  let database: PGlite;
  beforeAll(async () => {
    database = await PGlite.create();
  }, 60_000);
  afterAll(() => database.close());
  ledgerSuite(test, () => makeLedger(database));
});

describe("PostgresLedger", () => {
  it("remembers spend, and what was in flight, for the next process", async () => {
    const tracker = new CostTracker({ budget: "0.1", ledger: makeLedger() });
    await tracker.addCost("0.05");
    await (await tracker.reserve({ boundPicoUsd: 10n ** 10n }, { modelId: "m" })).markDispatched();

    const second = new CostTracker({ budget: "0.1", ledger: makeLedger(sql) });
    expect(await second.recover({ abandoned: true })).toMatchObject([{ amountPicoUsd: 10n ** 10n, modelId: "m" }]);
    expect(await second.getStats()).toMatchObject({ totalCost: 0.05, unresolved: 0.01, remainingBudget: 0.04 });
  });

  it("waits for money that another process holds", async () => {
    const [one, two] = [pool, sql].map((client) => new CostTracker({ budget: "0.00001", ledger: makeLedger(client) }));
    const held = await one?.reserve({ boundPicoUsd: 9_000_000n });
    const waiting = two?.reserve({ boundPicoUsd: 9_000_000n });
    await held?.release();
    await expect(waiting).resolves.toBeDefined();
  });

  it("takes one round trip a step for any number of accounts, and one for the steps of many calls at once", async () => {
    const client = counted();
    const ledger = makeLedger(client);
    await ledger.open();
    client.asked.length = 0;
    const many = Array.from({ length: 9 }, (_, index) => ({ scope: `s${index}`, window: "all", limitPicoUsd: 9n }));
    const steps = [
      () => ledger.reserve({ id: "x", accounts: many, amountPicoUsd: 9n, leaseMs: 1000 }),
      () => ledger.reserve({ id: "y", accounts: many, amountPicoUsd: 1n, leaseMs: 1000 }),
      () => ledger.markDispatched("x"),
      () => ledger.extend("x", 1000),
      () => ledger.settle("x", { costPicoUsd: 1n }),
      () => ledger.post(many, { costPicoUsd: 1n }),
      () => ledger.reset(many),
      () => ledger.read(many),
      () => ledger.recover(),
    ];
    for (const step of steps) await step();
    expect(client.asked).toHaveLength(steps.length);

    client.asked.length = 0;
    const holds = Array.from({ length: 60 }, (_, index) => {
      return ledger.reserve({ id: `z${index}`, accounts: many, amountPicoUsd: 1n, leaseMs: 1000 });
    });
    const outcomes = await Promise.all(holds);
    expect(outcomes.filter(({ admitted }) => admitted)).toHaveLength(9);
    expect(client.asked).toHaveLength(1);
  });

  it("never makes two ledgers wait for each other, whatever order they name accounts in", async () => {
    const names = ["a", "b", "c", "d"];
    const ledgers = Array.from({ length: 6 }, () => makeLedger());
    const calls = ledgers.flatMap((ledger, place) =>
      Array.from({ length: 40 }, async (_, index) => {
        const start = (place + index) % 4;
        const order = [...names.slice(start), ...names.slice(0, start)];
        const held = (index % 2 ? order : order.reverse()).map((scope) => ({
          scope,
          window: "all",
          limitPicoUsd: null,
        }));
        const id = `${place} ${index}`;
        await ledger.reserve({ id, accounts: held, amountPicoUsd: 1n, leaseMs: 60_000 });
        await ledger.markDispatched(id);
        await ledger.settle(id, { costPicoUsd: 1n });
      }),
    );
    await Promise.all(calls);
    const { rows } = await pool.query("SELECT deadlocks::int FROM pg_stat_database WHERE datname = 'postgres'");
    expect(rows).toEqual([{ deadlocks: 0 }]);
    expect(await ledgers[0]?.read(accounts)).toMatchObject([{ spentPicoUsd: 240n, callCount: 240 }]);
  });

  it("counts amounts far past 64 bits", async () => {
    const ledger = makeLedger();
    const large = 10n ** 37n;
    await ledger.reserve({
      id: "x",
      accounts: [{ scope: "a", window: "all", limitPicoUsd: large }],
      amountPicoUsd: large,
      leaseMs: 1000,
    });
    await ledger.post(accounts, { costPicoUsd: large + 1n });
    expect(await ledger.read(accounts)).toMatchObject([{ heldPicoUsd: large, spentPicoUsd: large + 1n }]);
  });

  it("keeps what the provider told of a call, and why another was free", async () => {
    const tracker = new CostTracker({ budget: 1, ledger: makeLedger(), name: "a" });
    const hold = await tracker.reserve({ boundPicoUsd: 5n, priceBook: "abc" }, { modelId: "asked" });
    await hold.markDispatched();
    const usage = { inputTokens: 3, outputTokens: 4 };
    await hold.settle({ costPicoUsd: 6n, kind: "computed", modelId: "served", usage });
    const refused = await tracker.reserve({ boundPicoUsd: 7n });
    await refused.markDispatched();
    await refused.release("HTTP 429");
    await tracker.reserve({ boundPicoUsd: 8n });
    await tracker.recover({ abandoned: true });
    const { rows } = await pool.query(`SELECT * FROM ${schema}.reservations ORDER BY ordinal`);
    const told = { cost_pico_usd: "6", kind: "computed", served_model_id: "served", bound_breached: true, usage };
    expect(rows).toMatchObject([
      { state: "settled", model_id: "asked", price_book: "abc", evidence: null, ...told },
      { state: "released", evidence: "HTTP 429", kind: null, cost_pico_usd: null },
      { state: "expired", evidence: "lease ran out before dispatch" },
    ]);
  });

  it.each(["UPDATE journal SET amount_pico_usd = 0", "DELETE FROM journal", "TRUNCATE journal"])(
    "keeps its journal as it was written: %s is refused",
    async (change) => {
      const ledger = makeLedger();
      await ledger.post(accounts, { costPicoUsd: 1n });
      const statement = change.replace("journal", `${schema}.journal`);
      await expect(pool.query(statement)).rejects.toThrow("the journal is append-only");
    },
  );

  it("shows an account whose balance was taken away beside its journal and its open calls", async () => {
    const ledger = makeLedger();
    await ledger.reserve({ id: "x", accounts, amountPicoUsd: 5n, leaseMs: 60_000 });
    await ledger.post(accounts, { costPicoUsd: 3n });
    await pool.query(`DELETE FROM ${schema}.accounts`);
    const report = await ledger.inspect();
    expect(report).toMatchObject({ schemaVersion: 3, accounts: [{ scope: "a", spentPicoUsd: 0n, heldPicoUsd: 0n }] });
    const fields = verifyLedger(report).map(({ field, expected }) => `${field} ${expected}`);
    expect(fields).toEqual(["spentPicoUsd 3", "callCount 1", "heldPicoUsd 5"]);
  });

  describe("settles beside a function of the caller's own:", () => {
    const dispatched = async (...ids: string[]) => {
      const ledger = makeLedger();
      await ledger.open();
      for (const id of ids) {
        await ledger.reserve({ id, accounts, amountPicoUsd: 5n, leaseMs: 60_000 });
        await ledger.markDispatched(id);
      }
      await pool.query(`CREATE TABLE ${schema}.kept (id TEXT PRIMARY KEY, calls INT NOT NULL CHECK (calls < 9));
        CREATE FUNCTION ${schema}.keep(told JSONB) RETURNS VOID LANGUAGE sql AS $$
          INSERT INTO ${schema}.kept SELECT each ->> 'id', jsonb_array_length(told) + (each ->> 'more')::int
            FROM jsonb_array_elements(told) AS each ON CONFLICT DO NOTHING $$`);
      return ledger;
    };
    const keep = (id: string, more = 0) => ({ functionName: `${schema}.keep`, value: { id, more } });
    const kept = async () => (await pool.query(`SELECT id, calls FROM ${schema}.kept ORDER BY id`)).rows;

    it("a part of a reservation and its charge come in one trip, and with it, or not at all", async () => {
      const ledger = await dispatched("x");
      const query = vi.spyOn(pool, "query");
      const settle = (id: string, more: number) =>
        Promise.allSettled([
          ledger.split("x", { id, amountPicoUsd: 2n }),
          ledger.settle(id, { costPicoUsd: 1n }, keep(id, more)),
        ]);
      const settled = await settle("part", 0);
      expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled"]);
      expect(query).toHaveBeenCalledTimes(1);
      query.mockRestore();
      const [, refused] = await settle("refused", 9);
      expect(refused).toMatchObject({ status: "rejected" });
      expect(await kept()).toEqual([{ id: "part", calls: 1 }]);
      expect(await ledger.read(accounts)).toMatchObject([{ spentPicoUsd: 1n, heldPicoUsd: 3n }]);
    });

    it("a part and its charge are never in two trips, which could overtake each other", async () => {
      const ledger = await dispatched("x");
      const query = vi.spyOn(pool, "query");
      const ids = Array.from({ length: 40 }, (_, index) => `part ${index}`);
      await Promise.all([
        ledger.extend("x", 60_000),
        ...ids.flatMap((id) => [ledger.split("x", { id, amountPicoUsd: 0n }), ledger.settle(id, { costPicoUsd: 0n })]),
      ]);
      const lastSteps = query.mock.calls.map(([, values]) => {
        const { steps } = JSON.parse((values as unknown as string[])[0] ?? "") as { steps: { do: string }[] };
        return `${steps.length} ${steps.at(-1)?.do}`;
      });
      expect(lastSteps).toEqual(["65 settle", "16 settle"]);
      query.mockRestore();
    });

    it("what those of one turn tell comes in one call, in the transaction of their charges", async () => {
      const ledger = await dispatched("x", "y", "z");
      const receipt = { costPicoUsd: 1n };
      await Promise.all([
        ledger.settle("x", receipt, keep("x")),
        ledger.settle("y", receipt),
        ledger.settle("z", receipt, keep("z")),
      ]);
      expect(await kept()).toEqual([
        { id: "x", calls: 2 },
        { id: "z", calls: 2 },
      ]);
      expect(await ledger.read(accounts)).toMatchObject([{ spentPicoUsd: 3n, heldPicoUsd: 0n }]);
    });

    it("where it fails nothing is settled, but what others told is kept", async () => {
      const ledger = await dispatched("x", "y");
      const settled = ["x", "y"].map((id) => ledger.settle(id, { costPicoUsd: 1n }, keep(id, id === "y" ? 9 : 0)));
      const failed = { reason: { code: "ledger", message: expect.stringContaining("23514") } };
      expect(await Promise.allSettled(settled)).toMatchObject([{ status: "fulfilled" }, failed]);
      expect(await kept()).toEqual([{ id: "x", calls: 1 }]);
      expect(await ledger.read(accounts)).toMatchObject([{ spentPicoUsd: 1n, heldPicoUsd: 5n }]);
    });

    it("it is told where the settlement is refused, too: the call was made", async () => {
      const ledger = await dispatched();
      await expect(ledger.settle("gone", { costPicoUsd: 1n }, keep("gone"))).rejects.toThrow(/cannot be settled/);
      expect(await kept()).toEqual([{ id: "gone", calls: 1 }]);
    });
  });

  it("waits at its end for what is under way, and leaves the client open", async () => {
    const ledger = makeLedger();
    const posts = Array.from({ length: 300 }, () => ledger.post(accounts, { costPicoUsd: 1n }));
    await ledger.close();
    expect(await makeLedger().read(accounts)).toMatchObject([{ spentPicoUsd: 300n }]);
    expect(await Promise.all(posts)).toHaveLength(300);
  });
});
