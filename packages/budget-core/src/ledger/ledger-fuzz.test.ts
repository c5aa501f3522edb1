import { describe, expect, it } from "vitest";
import { fuzzLedger } from "../testing/overspend-fuzzer.ts";
import { seedFromEnvironment } from "../testing/random.ts";
import { MemoryLedger } from "./memory.ts";
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
});
