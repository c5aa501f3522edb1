import { Redis } from "ioredis";
import { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../../../tests/servers/start-postgres.ts";
import { isRedisThere, type RedisServer, startRedis } from "../../../../tests/servers/start-redis.ts";
import type { Ledger } from "./ledger.ts";
import { MemoryLedger } from "./memory.ts";
import { PostgresLedger } from "./postgres.ts";
import { RedisLedger } from "./redis.ts";
import { SqliteLedger } from "./sqlite.ts";

let server: PostgresServer;
let pool: Pool;
let schemas = 0;
beforeAll(async () => {
  server = await startPostgres();
  pool = new Pool({ connectionString: server.url });
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});

const accounts = [{ scope: "a", window: "all", limitPicoUsd: null }];
const receipt = { costPicoUsd: 1n };

/** An attempt that was brought into a state. */
async function bring(ledger: Ledger, state: string): Promise<void> {
  if (state === "unknown") return;
  await ledger.reserve({ id: "x", accounts, amountPicoUsd: 5n, leaseMs: 0 });
  if (state === "held") return;
  if (state === "released") return ledger.release("x");
  if (state === "expired") return void (await ledger.recover());
  await ledger.markDispatched("x");
  if (state === "dispatched") return;
  if (state === "settled") return void (await ledger.settle("x", receipt));
  await ledger.recover();
  if (state === "writtenOff") await ledger.resolve("x", { writeOff: "not in its log" });
}

const steps: Record<string, { refusal: string; allowed: string[]; take: (ledger: Ledger) => Promise<unknown> }> = {
  reserve: {
    refusal: "reserved again",
    allowed: ["unknown", "held", "dispatched", "unresolved"],
    take: (ledger) => ledger.reserve({ id: "x", accounts, amountPicoUsd: 5n, leaseMs: 0 }),
  },
  "reserve more": {
    refusal: "reserved again",
    allowed: ["unknown"],
    take: (ledger) => ledger.reserve({ id: "x", accounts, amountPicoUsd: 6n, leaseMs: 0 }),
  },
  markDispatched: {
    refusal: "dispatched",
    allowed: ["held", "dispatched"],
    take: (ledger) => ledger.markDispatched("x"),
  },
  settle: {
    refusal: "settled",
    allowed: ["dispatched", "unresolved", "settled"],
    take: (ledger) => ledger.settle("x", receipt),
  },
  "resolve by a receipt": {
    refusal: "settled",
    allowed: ["dispatched", "unresolved", "settled"],
    take: (ledger) => ledger.resolve("x", receipt),
  },
  release: {
    refusal: "released without evidence",
    allowed: ["held", "released"],
    take: (ledger) => ledger.release("x"),
  },
  "release with evidence": {
    refusal: "released without evidence",
    allowed: ["held", "dispatched", "released"],
    take: (ledger) => ledger.release("x", "HTTP 429"),
  },
  extend: { refusal: "extended", allowed: ["held", "dispatched"], take: (ledger) => ledger.extend("x", 5) },
  "write off": {
    refusal: "written off",
    allowed: ["unresolved", "writtenOff"],
    take: (ledger) => ledger.resolve("x", { writeOff: "again" }),
  },
};
const states = ["unknown", "held", "dispatched", "unresolved", "settled", "released", "expired", "writtenOff"];

let redis: { server: RedisServer; client: Redis } | undefined;
let prefixes = 0;

async function makeRedisLedger(): Promise<Ledger> {
  if (!redis) {
    const server = await startRedis();
    redis = { server, client: new Redis(server.url) };
  }
  return new RedisLedger(redis.client, { prefix: `ledger ${prefixes++}` });
}

afterAll(async () => {
  redis?.client.disconnect();
  await redis?.server.stop();
});

const ledgers: [string, () => Ledger | Promise<Ledger>][] = [
  ["MemoryLedger", () => new MemoryLedger()],
  ["SqliteLedger", () => new SqliteLedger(":memory:")],
  ["PostgresLedger", () => new PostgresLedger(pool, { schema: `ledger_${schemas++}` })],
];
if (isRedisThere()) ledgers.push(["RedisLedger", makeRedisLedger]);

describe.each(ledgers)("every step of a %s in every state", (_name, makeLedger) => {
  it.each(Object.entries(steps))("%s goes through or says what is wrong", async (_step, { refusal, allowed, take }) => {
    for (const state of states) {
      const ledger = await makeLedger();
      await bring(ledger, state);
      const before = await ledger.read(accounts);
      const error = await take(ledger).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (allowed.includes(state)) expect(error).toBeUndefined();
      else {
        const message = `Reservation x is ${state}: it cannot be ${refusal}`;
        expect(error).toMatchObject({ code: "reservation_state", reservationId: "x", state, message });
        expect(await ledger.read(accounts)).toEqual(before);
      }
      await ledger.close();
    }
  });

  it("a settlement that is repeated posts nothing and returns nothing", async () => {
    const ledger = await makeLedger();
    await bring(ledger, "dispatched");
    expect(await ledger.settle("x", receipt)).toMatchObject([{ scope: "a", window: "all", spentPicoUsd: 1n }]);
    expect(await ledger.settle("x", { costPicoUsd: 9n })).toEqual([]);
    await ledger.close();
  });

  it("says which amount is wrong", async () => {
    const ledger = await makeLedger();
    const bad = ledger.reserve({ id: "x", accounts, amountPicoUsd: -1n, leaseMs: 0 });
    await expect(bad).rejects.toThrow("amountPicoUsd of a reservation must be a finite amount >= 0, not -1");
    await expect(ledger.post(accounts, { costPicoUsd: -1n })).rejects.toThrow("costPicoUsd of a receipt must be");
    await ledger.close();
  });

  it("abandons a call of which one account alone is abandoned, and says which model was asked", async () => {
    const ledger = await makeLedger();
    const both = [...accounts, { scope: "b", window: "all", limitPicoUsd: null }];
    await ledger.reserve({ id: "y", accounts: both, amountPicoUsd: 5n, leaseMs: 60_000, modelId: "m" });
    await ledger.reserve({ id: "z", accounts: both, amountPicoUsd: 5n, leaseMs: 60_000 });
    await ledger.markDispatched("y");
    await ledger.markDispatched("z");
    const open = { accounts: both.map(({ scope, window }) => ({ scope, window })), amountPicoUsd: 5n };
    const listed = await ledger.recover({ abandonedScope: "b" });
    expect(listed).toEqual([
      { id: "y", ...open, modelId: "m" },
      { id: "z", ...open },
    ]);
    expect(listed[1]).not.toHaveProperty("modelId");
    await ledger.close();
  });

  it("counts calls by model, and those at their bound, one by one", async () => {
    const ledger = await makeLedger();
    for (const kind of ["bound", "computed", "bound", "reported"] as const) {
      await ledger.post(accounts, { costPicoUsd: 2n, kind, modelId: "m" });
    }
    expect(await ledger.read(accounts)).toMatchObject([
      { callCount: 4, boundCallCount: 2, byModel: { m: { callCount: 4, spentPicoUsd: 8n } } },
    ]);
    await ledger.close();
  });
});
