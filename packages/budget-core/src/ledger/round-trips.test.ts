import { DatabaseSync } from "node:sqlite";
import { Redis } from "ioredis";
import { Pool } from "pg";
import postgres from "postgres";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../../../tests/servers/start-postgres.ts";
import { type CuttableProxy, startProxy } from "../../../../tests/servers/start-proxy.ts";
import { isRedisThere, type RedisServer, startRedis } from "../../../../tests/servers/start-redis.ts";
import type { Ledger } from "./ledger.ts";
import { PostgresLedger } from "./postgres.ts";
import { RedisLedger } from "./redis.ts";
import { GroupCommit, SqliteLedger } from "./sqlite.ts";

/** A ledger over a line on which round trips are counted. */
interface Wired {
  ledger: Ledger;
  end: () => unknown;
}

/** What one driver makes of a port of this machine. */
type Wire = (port: number) => Promise<Wired>;

const clients: Record<string, { server: "postgres" | "redis"; wire: Wire }> = {
  pg: {
    server: "postgres",
    wire: async (port) => {
      const pool = new Pool({ host: "127.0.0.1", port, user: "postgres", max: 1 });
      return { ledger: new PostgresLedger(pool, { schema: "pg" }), end: () => pool.end() };
    },
  },
  "postgres.js": {
    server: "postgres",
    wire: async (port) => {
      const sql = postgres({ host: "127.0.0.1", port, user: "postgres", max: 1 });
      return { ledger: new PostgresLedger(sql, { schema: "postgres_js" }), end: () => sql.end() };
    },
  },
  redis: {
    server: "redis",
    wire: async (port) => {
      const client = createClient({ socket: { host: "127.0.0.1", port } });
      return { ledger: new RedisLedger(await client.connect(), { prefix: "redis" }), end: () => client.destroy() };
    },
  },
  ioredis: {
    server: "redis",
    wire: async (port) => {
      const client = new Redis(port);
      return { ledger: new RedisLedger(client, { prefix: "ioredis" }), end: () => client.disconnect() };
    },
  },
};

const accountsOf = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ scope: `s${index}`, window: "all", limitPicoUsd: 1000n }));

/** Every step of a call, and what goes on beside calls, by name. */
function stepsOn(ledger: Ledger, count: number): Record<string, () => Promise<unknown>> {
  const accounts = accountsOf(count);
  const request = { accounts, amountPicoUsd: 5n, leaseMs: 60_000 };
  return {
    reserve: () => ledger.reserve({ ...request, id: `paid ${count}` }),
    "reserve another": () => ledger.reserve({ ...request, id: `free ${count}` }),
    "reserve too much": () => ledger.reserve({ ...request, id: `denied ${count}`, amountPicoUsd: 2000n }),
    markDispatched: () => ledger.markDispatched(`paid ${count}`),
    extend: () => ledger.extend(`paid ${count}`, 60_000),
    settle: () => ledger.settle(`paid ${count}`, { costPicoUsd: 3n }),
    release: () => ledger.release(`free ${count}`),
    post: () => ledger.post(accounts, { costPicoUsd: 1n }),
    read: () => ledger.read(accounts),
    claim: () => ledger.claim(accounts[0] as (typeof accounts)[0], "alert 0.5"),
    recover: () => ledger.recover({ abandonedScope: "s0" }),
    reset: () => ledger.reset(accounts),
    now: () => ledger.now(),
  };
}

describe("on the wire, every step is one round trip for 1 account and for 30,", () => {
  let postgresServer: PostgresServer;
  let redisServer: RedisServer | undefined;
  const ports = { postgres: 0, redis: 0 };
  const isHere = isRedisThere();
  beforeAll(async () => {
    postgresServer = await startPostgres();
    redisServer = isHere ? await startRedis() : undefined;
    ports.postgres = Number(new URL(postgresServer.url).port);
    ports.redis = redisServer?.port ?? 0;
  });
  afterAll(() => Promise.all([postgresServer.stop(), redisServer?.stop()]));

  const here = Object.entries(clients).filter(([, { server }]) => server === "postgres" || isHere);
  it.each(here)("by the driver %s", async (_name, { server, wire }) => {
    const proxy: CuttableProxy = await startProxy(ports[server]);
    const { ledger, end } = await wire(proxy.port);
    // The first time, a server is sent the text of a step.
    for (const step of Object.values(stepsOn(ledger, 2))) await step();
    for (const count of [1, 30]) {
      const trips: Record<string, number> = {};
      const steps = Object.entries(stepsOn(ledger, count));
      for (const [name, step] of steps) {
        const before = proxy.roundTrips;
        await step();
        trips[name] = proxy.roundTrips - before;
      }
      expect(trips).toEqual(Object.fromEntries(steps.map(([name]) => [name, 1])));
    }
    await end();
    proxy.stop();
  });
});

it("a step in SQLite is one transaction for 1 account and for 30, and the steps of one turn share one", async () => {
  const database = new DatabaseSync(":memory:");
  const ledger = new SqliteLedger(new GroupCommit(database));
  let commits = 0;
  const exec = database.exec.bind(database);
  database.exec = (sql) => {
    if (sql === "COMMIT") commits++;
    exec(sql);
  };
  for (const count of [1, 30]) {
    for (const [name, step] of Object.entries(stepsOn(ledger, count))) {
      commits = 0;
      await step();
      expect([name, commits]).toEqual([name, name === "read" || name === "now" ? 0 : 1]);
    }
  }
  commits = 0;
  const accounts = accountsOf(30);
  await Promise.all(
    Array.from({ length: 64 }, (_, index) =>
      ledger.reserve({ id: `at once ${index}`, accounts, amountPicoUsd: 1n, leaseMs: 60_000 }),
    ),
  );
  expect(commits).toBe(1);
});
