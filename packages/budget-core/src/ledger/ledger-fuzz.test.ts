import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { isRedisThere, startRedis } from "../../../../tests/servers/start-redis.ts";
import { fuzzLedger } from "../testing/overspend-fuzzer.ts";
import { seedFromEnvironment } from "../testing/random.ts";
import { MemoryLedger } from "./memory.ts";
import { RedisLedger } from "./redis.ts";
import { SqliteLedger } from "./sqlite.ts";

const seed = seedFromEnvironment(process.env);
const replayHint = `replay with FUZZ_SEED=${seed}`;

describe(`random schedules, ${replayHint}`, () => {
  it("never overspend, lose or invent money in memory", { timeout: 120_000 }, async () => {
    const makeLedger = (now: () => number) => new MemoryLedger({ now });
    const report = await fuzzLedger({ makeLedger, schedules: 100_000, seed });
    expect(report.violations, replayHint).toEqual([]);
    expect(report.schedules).toBe(100_000);
  });

  it("never overspend, lose or invent money in SQLite", { timeout: 120_000 }, async () => {
    const makeLedger = () => new SqliteLedger(":memory:");
    const report = await fuzzLedger({ makeLedger, schedules: 3000, seed, ownClock: true });
    expect(report.violations, replayHint).toEqual([]);
  });

  it.skipIf(!isRedisThere())("never overspend, lose or invent money in Redis", { timeout: 120_000 }, async () => {
    const server = await startRedis();
    const client = new Redis(server.url);
    let ledgers = 0;
    for (const journalEntries of [20, 100_000]) {
      const makeLedger = () => new RedisLedger(client, { prefix: `ledger ${ledgers++}`, journalEntries });
      const report = await fuzzLedger({ makeLedger, schedules: 500, seed, ownClock: true });
      expect(report.violations, replayHint).toEqual([]);
    }
    client.disconnect();
    await server.stop();
  });
});
