import { once } from "node:events";
import { createServer, Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { Pool } from "pg";
import postgres from "postgres";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../../../tests/servers/start-postgres.ts";
import type { LedgerError } from "../errors/ledger-error.ts";
import { CostTracker } from "../tracker/cost-tracker.ts";
import type { Ledger } from "./ledger.ts";
import { PostgresLedger, type PostgresLedgerOptions } from "./postgres.ts";
import { verifyLedger } from "./verify-ledger.ts";

const accounts = [{ scope: "a", window: "all", limitPicoUsd: 100n }];
const request = { id: "x", accounts, amountPicoUsd: 5n, leaseMs: 60_000 };

let server: PostgresServer;
let admin: Pool;
let schema: string;
let schemas = 0;
const ends: (() => unknown)[] = [];
beforeAll(async () => {
  server = await startPostgres();
  admin = poolOf(server.url);
});
afterAll(async () => {
  await admin.end();
  await server.stop();
});
beforeEach(() => {
  schema = `ledger_${schemas++}`;
});
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

function poolOf(connectionString: string, options: object = {}): Pool {
  const pool = new Pool({ connectionString, ...options });
  pool.on("error", () => undefined);
  return pool;
}

/** A pool that ends with the test. */
function connect(url: string, options: object = {}): Pool {
  const pool = poolOf(url, options);
  ends.push(() => pool.end());
  return pool;
}

/** A role that may log in and no more, by its connection string. */
async function addRole(name: string, settings = ""): Promise<string> {
  await admin.query(`CREATE ROLE ${name} LOGIN`);
  if (settings) await admin.query(`ALTER ROLE ${name} ${settings}`);
  return server.url.replace("postgres@", `${name}@`);
}

/** A way to the server on which answers can be kept back, or the connection cut after the server has done its work. */
async function startProxy() {
  const state = { holdsAnswers: false, cutsAnswers: 0, requests: 0 };
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const upstream = new Socket().connect(Number(new URL(server.url).port), "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => [client, upstream].map((each) => each.destroy()));
    }
    client.on("data", (sent) => {
      state.requests++;
      upstream.write(sent);
    });
    let isWelcomed = false;
    upstream.on("data", (answer) => {
      if (state.holdsAnswers) return;
      if (!isWelcomed || state.cutsAnswers === 0) client.write(answer);
      else {
        state.cutsAnswers--;
        client.destroy();
      }
      isWelcomed = true;
    });
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const { port } = proxy.address() as { port: number };
  const cutAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  ends.push(() => {
    cutAll();
    proxy.close();
  });
  return { url: server.url.replace(/:\d+\//, `:${port}/`), state, cutAll };
}

async function expectSoundBooks(ledger: Ledger): Promise<void> {
  expect(verifyLedger(await ledger.inspect())).toEqual([]);
}

/** No call may leave, whatever door it takes. */
async function expectNoDispatch(ledger: PostgresLedger, message: RegExp): Promise<void> {
  const error = { code: "ledger", message: expect.stringMatching(message) };
  const tracker = new CostTracker({ budget: 1, ledger });
  await expect(tracker.reserve({ boundPicoUsd: 5n })).rejects.toMatchObject(error);
  await expect(ledger.markDispatched("x")).rejects.toMatchObject(error);
}

const ledgerOn = (pool: Pool, options: PostgresLedgerOptions = {}) => new PostgresLedger(pool, { schema, ...options });

describe("a PostgreSQL server that fails", () => {
  it("lets no call leave while it does not answer, nor keeps those behind it waiting", async () => {
    const proxy = await startProxy();
    const pool = connect(proxy.url);
    const ledger = ledgerOn(pool, { timeoutMs: 300 });
    await ledger.reserve(request);
    proxy.state.holdsAnswers = true;
    await expectNoDispatch(ledger, /cannot be reached: no answer within 300 ms/);
    const steps = Array.from({ length: 200 }, (_, index) => ledger.reserve({ ...request, id: `behind ${index}` }));
    const outcomes = await Promise.allSettled(steps);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: "ledger" } });
    expect(outcomes.at(-1)).toMatchObject({ reason: { message: expect.stringContaining("not asked within 300 ms") } });

    // What came through all the same is in the books, until its lease runs out.
    const sound = ledgerOn(admin);
    await sound.recover({ abandonedScope: "default" });
    expect(await sound.read([{ scope: "default", window: "all" }])).toMatchObject([{ heldPicoUsd: 0n }]);
    await expectSoundBooks(sound);
  });

  const took: Record<string, (ledger: PostgresLedger) => Promise<unknown>> = {
    reserve: async (ledger) => expect(await ledger.reserve(request)).toMatchObject({ admitted: true }),
    markDispatched: (ledger) => ledger.markDispatched("sent"),
    settle: async (ledger) => {
      const balances = await ledger.settle("sent", { costPicoUsd: 3n });
      expect(balances).toMatchObject([{ spentPicoUsd: 3n, heldPicoUsd: 0n, callCount: 1 }]);
    },
    release: (ledger) => ledger.release("sent", "HTTP 429"),
    extend: (ledger) => ledger.extend("sent", 60_000),
    post: async (ledger) => {
      expect(await ledger.post(accounts, { costPicoUsd: 3n })).toMatchObject([{ spentPicoUsd: 3n, callCount: 1 }]);
    },
    reset: async (ledger) => {
      await ledger.reset(accounts);
      expect((await admin.query(`SELECT kind FROM ${schema}.journal`)).rows).toEqual([{ kind: "reset" }]);
    },
    claim: async (ledger) => {
      const [account] = accounts as [(typeof accounts)[0]];
      expect(await ledger.claim(account, "alert")).toBe(true);
      expect(await ledger.claim(account, "alert")).toBe(false);
    },
    recover: async (ledger) => expect(await ledger.recover({ abandonedScope: "a" })).toMatchObject([{ id: "sent" }]),
    read: async (ledger) => expect(await ledger.read(accounts)).toMatchObject([{ heldPicoUsd: 5n }]),
  };

  it.each(Object.entries(took))(
    "does %s once though the connection is cut before its answer comes",
    async (_, take) => {
      const proxy = await startProxy();
      const ledger = ledgerOn(connect(proxy.url));
      await ledger.reserve({ ...request, id: "sent" });
      await ledger.markDispatched("sent");
      proxy.state.cutsAnswers = 1;
      await take(ledger);
      expect(proxy.state.cutsAnswers).toBe(0);
      await expectSoundBooks(ledger);
    },
  );

  it("posts a cost once though it still waits on the server when its connection is cut", async () => {
    const proxy = await startProxy();
    const ledger = ledgerOn(connect(proxy.url));
    await ledger.post(accounts, { costPicoUsd: 1n });
    const other = await admin.connect();
    await other.query(`BEGIN; SELECT * FROM ${schema}.accounts FOR UPDATE`);
    const waiting = async () => {
      const { rows } = await admin.query("SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
      return rows.length;
    };
    const posted = ledger.post(accounts, { costPicoUsd: 3n });
    await expect.poll(waiting).toBe(1);
    proxy.cutAll();
    await expect.poll(waiting).toBe(2);
    await other.query("COMMIT");
    other.release();
    expect(await posted).toMatchObject([{ spentPicoUsd: 4n, callCount: 2 }]);
    await expect.poll(waiting).toBe(0);
    await expectSoundBooks(ledger);
    expect(await ledger.read(accounts)).toMatchObject([{ spentPicoUsd: 4n, callCount: 2 }]);
  });

  it("fails a step whose connection is cut twice; repeated with its id it counts once", async () => {
    const proxy = await startProxy();
    const ledger = ledgerOn(connect(proxy.url));
    await ledger.open();
    proxy.state.cutsAnswers = 2;
    await expect(ledger.reserve(request)).rejects.toThrow(/cannot be reached: Connection terminated/);
    expect(await ledger.reserve(request)).toMatchObject({ admitted: true });
    expect(await ledger.read(accounts)).toMatchObject([{ heldPicoUsd: 5n }]);
    await expectSoundBooks(ledger);
  });

  it("lets no call leave where nobody listens", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as { port: number };
    closed.close();
    const url = server.url.replace(/:\d+\//, `:${port}/`);
    await expectNoDispatch(ledgerOn(connect(url)), /cannot be reached: .*ECONNREFUSED/);
    const sql = postgres(url);
    ends.push(() => sql.end());
    await expectNoDispatch(new PostgresLedger(sql, { schema }), /cannot be reached: .*ECONNREFUSED/);
  });

  it("keeps what a client throws, whatever it is", async () => {
    const thrown = { gone: "gone", undefined: undefined, null: null, Error: new Error("") };
    for (const [text, reason] of Object.entries(thrown)) {
      const client = { query: () => Promise.reject(reason) };
      const message = `The PostgreSQL ledger cannot be reached: ${text}`;
      await expect(new PostgresLedger(client).now()).rejects.toMatchObject({ code: "ledger", message });
    }
  });

  it("names the fix on a server that is read-only", async () => {
    await ledgerOn(admin).open();
    const url = await addRole("reader", "SET default_transaction_read_only = on");
    await admin.query(`GRANT ALL ON SCHEMA ${schema} TO reader; GRANT ALL ON ALL TABLES IN SCHEMA ${schema} TO reader`);
    await expectNoDispatch(ledgerOn(connect(url)), /\(25006\): it is read-only; connect to the primary/);
  });

  it("names the fix where its role lacks a right, before and after the schema is there", async () => {
    const pool = connect(await addRole("stranger"));
    await expectNoDispatch(ledgerOn(pool), /\(42501\): its role lacks a right; grant/);
    await ledgerOn(admin).open();
    await expectNoDispatch(ledgerOn(pool), /\(42501\): its role lacks a right; grant/);
    await admin.query(`GRANT USAGE ON SCHEMA ${schema} TO stranger`);
    await admin.query(`GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO stranger`);
    expect(await ledgerOn(pool).reserve(request)).toMatchObject({ admitted: true });
  });

  it("lets no call leave where the disk is full, and changes nothing", async () => {
    const ledger = ledgerOn(admin);
    await ledger.reserve({ ...request, id: "before" });
    await admin.query(`
      CREATE FUNCTION ${schema}.fill() RETURNS TRIGGER LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
      CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON ${schema}.reservations EXECUTE FUNCTION ${schema}.fill()`);
    await expect(ledger.reserve(request)).rejects.toThrow("(53100): its disk is full: could not extend file");
    await expect(ledger.markDispatched("before")).rejects.toThrow("its disk is full");
    expect(await ledger.read(accounts)).toMatchObject([{ heldPicoUsd: 5n }]);
    await expectSoundBooks(ledger);
  });

  it("gives up on an account that somebody else has locked, and leaves no statement behind", async () => {
    const ledger = ledgerOn(connect(server.url), { timeoutMs: 500 });
    await ledger.reserve(request);
    const other = await admin.connect();
    await other.query(`BEGIN; SELECT * FROM ${schema}.accounts FOR UPDATE`);
    await expect(ledger.reserve({ ...request, id: "y" })).rejects.toThrow(/\(55P03\): another transaction holds/);
    await other.query("COMMIT");
    other.release();
    expect(await ledger.read(accounts)).toMatchObject([{ heldPicoUsd: 5n }]);
  });

  it("says that its schema is gone", async () => {
    const ledger = ledgerOn(admin);
    await ledger.open();
    await admin.query(`DROP SCHEMA ${schema} CASCADE`);
    await expectNoDispatch(ledger, /\(3F000\): its schema is gone; make the ledger anew/);
  });

  it("fails only the step whose values it cannot store", async () => {
    const ledger = ledgerOn(admin);
    const text = "no text of PostgreSQL: \u0000";
    const results = await Promise.allSettled([
      ledger.reserve(request),
      ledger.reserve({ ...request, id: text }),
      ledger.post([{ scope: "b", window: "all" }], { costPicoUsd: 10n ** 38n - 1n }),
      ledger.post([{ scope: "b", window: "all" }], { costPicoUsd: 1n }),
      ledger.post(accounts, { costPicoUsd: 10n ** 38n }),
      ledger.post(accounts, { costPicoUsd: 2n }),
    ]);
    const codes = results.map((result) => (result.status === "rejected" ? (result.reason as LedgerError).code : "ok"));
    expect(codes).toEqual(["ok", "ledger", "ok", "ledger", "invalid_amount", "ok"]);
    expect(await ledger.read(accounts)).toMatchObject([{ heldPicoUsd: 5n, spentPicoUsd: 2n }]);
    await expectSoundBooks(ledger);
  });

  it("never overspends under a stricter isolation either", async () => {
    const pool = connect(await addRole("strict", "SET default_transaction_isolation = 'serializable'"));
    await admin.query("ALTER ROLE strict SUPERUSER");
    const ledgers = [ledgerOn(pool), ledgerOn(pool), ledgerOn(pool)];
    const outcomes = await Promise.allSettled(
      Array.from({ length: 60 }, async (_, index) => {
        await delay(index % 7);
        return ledgers[index % 3]?.reserve({ ...request, id: `r${index}` });
      }),
    );
    const admitted = outcomes.filter((each) => each.status === "fulfilled" && each.value?.admitted).length;
    expect(admitted).toBeLessThanOrEqual(20);
    const [balance] = await ledgerOn(admin).read(accounts);
    expect(balance?.heldPicoUsd).toBeLessThanOrEqual(100n);
    expect(balance?.heldPicoUsd).toBeGreaterThanOrEqual(BigInt(admitted) * 5n);
    await expectSoundBooks(ledgerOn(admin));
  });
});
