import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { Redis } from "ioredis";
import { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPostgres } from "../../../../tests/servers/start-postgres.ts";
import { isRedisThere, startRedis } from "../../../../tests/servers/start-redis.ts";
import type { BudgetError } from "../errors/budget-error.ts";
import { usd } from "../money.ts";
import { Random } from "../testing/random.ts";
import { CostTracker } from "../tracker/cost-tracker.ts";
import type { Ledger } from "./ledger.ts";
import { MemoryLedger } from "./memory.ts";
import { PostgresLedger } from "./postgres.ts";
import { RedisLedger } from "./redis.ts";
import { SlicedLedger } from "./sliced.ts";
import { SqliteLedger } from "./sqlite.ts";
import { verifyLedger } from "./verify-ledger.ts";

/** A store that several workers share. */
interface SharedStore {
  makeLedger: (name: string) => Ledger;
  stop: () => Promise<void>;
}

async function memory(): Promise<SharedStore> {
  const ledgers = new Map<string, Ledger>();
  const makeLedger = (name: string) => {
    const ledger = ledgers.get(name) ?? new MemoryLedger();
    ledgers.set(name, ledger);
    return ledger;
  };
  return { makeLedger, stop: async () => undefined };
}

async function sqlite(): Promise<SharedStore> {
  const folder = mkdtempSync(join(tmpdir(), "sliced-races-"));
  return {
    makeLedger: (name) => new SqliteLedger(join(folder, name)),
    stop: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function onPostgres(): Promise<SharedStore> {
  const server = await startPostgres();
  const pool = new Pool({ connectionString: server.url, max: 20 });
  return {
    makeLedger: (schema) => new PostgresLedger(pool, { schema }),
    stop: async () => {
      await pool.end();
      await server.stop();
    },
  };
}

async function redis(): Promise<SharedStore> {
  const server = await startRedis();
  const client = new Redis(server.url);
  return {
    makeLedger: (prefix) => new RedisLedger(client, { prefix }),
    stop: async () => {
      client.disconnect();
      await server.stop();
    },
  };
}

describe.each([
  ["memory", memory, true],
  ["SQLite", sqlite, true],
  ["PostgreSQL", onPostgres, true],
  ["Redis", redis, isRedisThere()],
] as const)("the provider's bill, of four workers with slices of one budget in %s,", (_name, start, isThere) => {
  let store: SharedStore;
  beforeAll(async () => {
    if (isThere) store = await start();
  });
  afterAll(async () => {
    if (isThere) await store.stop();
  });

  it.skipIf(!isThere).each([1, 2, 3])(
    "stays within it, and uses it up, whatever their calls cost (%i)",
    async (seed) => {
      const random = new Random(seed);
      const name = `race_${seed}`;
      const limit = 100_000n;
      let billed = 0n;
      const ledgers = Array.from({ length: 4 }, () => new SlicedLedger(store.makeLedger(name), { idleMs: 50 }));
      const trackers = ledgers.map((ledger) => new CostTracker({ budget: usd.pico(limit), ledger, leaseMs: 60_000 }));
      const call = async (tracker: CostTracker) => {
        const boundPicoUsd = BigInt(100 + random.below(900));
        const kind = random.below(10);
        const hold = await tracker.reserve({ boundPicoUsd }, { modelId: random.pick(["m1", "m2"]) });
        if (kind === 0) return await hold.release();
        await hold.markDispatched();
        for (let turns = random.below(5); turns > 0; turns--) await turn();
        if (kind === 1) return await hold.release("HTTP 429");
        const costPicoUsd = (boundPicoUsd * BigInt(random.below(101))) / 100n;
        billed += costPicoUsd;
        await hold.settle({ costPicoUsd });
      };
      const codes = new Set<string>();
      const worker = async (tracker: CostTracker) => {
        for (let calls = 0; calls < 60; calls++) {
          await call(tracker).catch((error: unknown) => codes.add((error as BudgetError).code));
        }
      };
      await Promise.all(trackers.flatMap((tracker) => Array.from({ length: 8 }, () => worker(tracker))));
      expect([...codes]).toEqual(["budget_exceeded"]);
      expect(billed).toBeLessThanOrEqual(limit);
      expect(billed).toBeGreaterThanOrEqual((limit * 99n) / 100n);

      const ledger = store.makeLedger(name);
      await Promise.all(ledgers.map((each) => each.close()));
      const report = await ledger.inspect();
      expect(verifyLedger(report)).toEqual([]);
      expect(report.open).toEqual([]);
      expect(report.accounts).toMatchObject([{ spentPicoUsd: billed, heldPicoUsd: 0n, unresolvedPicoUsd: 0n }]);
      await ledger.close();
    },
  );
});
