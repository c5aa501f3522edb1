import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { Pool } from "pg";
import postgres from "postgres";
import { createClient } from "redis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPostgres } from "../../../../tests/servers/start-postgres.ts";
import { isRedisThere, startRedis } from "../../../../tests/servers/start-redis.ts";
import type { BudgetError } from "../errors/budget-error.ts";
import { usd } from "../money.ts";
import { CostTracker } from "../tracker/cost-tracker.ts";
import type { Ledger } from "./ledger.ts";
import { PostgresLedger } from "./postgres.ts";
import { RedisLedger } from "./redis.ts";
import { SqliteLedger } from "./sqlite.ts";
import { verifyLedger } from "./verify-ledger.ts";

/** A store that several ledgers look at, by all of its drivers. */
interface SharedStore {
  /** Four ledgers of one new account book. */
  makeLedgers: (name: string) => Ledger[];
  stop: () => Promise<void>;
}

async function sqlite(): Promise<SharedStore> {
  const folder = mkdtempSync(join(tmpdir(), "shared-races-"));
  return {
    makeLedgers: (name) => Array.from({ length: 4 }, () => new SqliteLedger(join(folder, name))),
    stop: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function onPostgres(): Promise<SharedStore> {
  const server = await startPostgres();
  const pool = new Pool({ connectionString: server.url, max: 20 });
  const sql = postgres(server.url);
  return {
    makeLedgers: (schema) => [pool, pool, sql, sql].map((client) => new PostgresLedger(client, { schema })),
    stop: async () => {
      await Promise.all([pool.end(), sql.end()]);
      await server.stop();
    },
  };
}

async function redis(): Promise<SharedStore> {
  const server = await startRedis();
  const io = new Redis(server.url);
  const node = await createClient({ url: server.url }).connect();
  return {
    makeLedgers: (prefix) => [io, io, node, node].map((client) => new RedisLedger(client, { prefix })),
    stop: async () => {
      io.disconnect();
      node.destroy();
      await server.stop();
    },
  };
}

describe.each([
  ["SQLite", sqlite, true],
  ["PostgreSQL", onPostgres, true],
  ["Redis", redis, isRedisThere()],
] as const)("the provider's bill, of four ledgers in %s,", (_name, start, isThere) => {
  let store: SharedStore;
  beforeAll(async () => {
    if (isThere) store = await start();
  });
  afterAll(async () => {
    if (isThere) await store.stop();
  });
  const rounds = [1, 10, 100, 1000].flatMap((calls) =>
    (["wait", "deny"] as const).map((mode) => [calls, mode] as const),
  );

  it.skipIf(!isThere).each(rounds)("stays within the budget with %i calls at once that %s", async (calls, mode) => {
    let billed = 0n;
    // Where nobody waits a bill of the whole bound shows the first hold too many.
    const costPicoUsd = mode === "deny" ? 1000n : 300n;
    const options = { budget: usd.pico(40_000n), onInsufficient: mode };
    const ledgers = store.makeLedgers(`${mode}_${calls}`);
    const trackers = ledgers.map((ledger) => new CostTracker({ ...options, ledger }));
    // An account that is new is made by one of them while the others wait: the race is for one that is there.
    await (await trackers[0]?.reserve({ boundPicoUsd: 1n }))?.release();
    const call = async (tracker: CostTracker) => {
      const hold = await tracker.reserve({ boundPicoUsd: 1000n });
      await hold.markDispatched();
      billed += costPicoUsd;
      await hold.settle({ costPicoUsd });
    };
    const made = await Promise.allSettled(
      Array.from({ length: calls }, (_, index) => call(trackers[index % 4] as CostTracker)),
    );
    const [tracker] = trackers as [CostTracker];
    const { exact } = await tracker.getStats();
    expect(billed).toBeLessThanOrEqual(40_000n);
    expect(exact).toMatchObject({ spent: { picoUsd: billed }, held: { picoUsd: 0n } });
    // At least as many as fit at their bound; who waits gets all that fits by the true cost.
    const fitting = mode === "deny" ? 40 : Math.floor((40_000 - 1000) / 300) + 1;
    const codes = made.map((each) => (each.status === "fulfilled" ? "made" : (each.reason as BudgetError).code));
    const count = codes.filter((code) => code === "made").length;
    expect(codes.filter((code) => code !== "made" && code !== "budget_exceeded")).toEqual([]);
    expect(count).toBeGreaterThanOrEqual(Math.min(calls, fitting));
    if (mode === "wait") expect(count).toBe(Math.min(calls, fitting));
    expect(verifyLedger(await tracker.ledger.inspect())).toEqual([]);
    await Promise.all(ledgers.map((ledger) => ledger.close()));
  });
});
