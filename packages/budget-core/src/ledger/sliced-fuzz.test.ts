import { describe, expect, it } from "vitest";
import { seedFromEnvironment } from "../testing/random.ts";
import { fuzzTracker } from "../testing/tracker-fuzzer.ts";
import type { AccountKey } from "./ledger.ts";
import { MemoryLedger } from "./memory.ts";
import { SlicedLedger } from "./sliced.ts";

const seed = seedFromEnvironment(process.env);
const replayHint = `replay with FUZZ_SEED=${seed}`;

/** What is looked at are holds of calls: money that no call needs is given back before. */
class Drained extends SlicedLedger {
  override async read(accounts: readonly AccountKey[]) {
    await this.drain();
    return await super.read(accounts);
  }
}

describe(`concurrent calls with slices in random order, ${replayHint}`, () => {
  it("never overspend, never get stuck, leak nothing and are refused only for good reason", {
    timeout: 120_000,
  }, async () => {
    const makeLedger = (now: () => number) => new Drained(new MemoryLedger({ now }), { now });
    const report = await fuzzTracker({ schedules: 3000, callsPerSchedule: 12, seed, makeLedger });
    expect(report.violations, replayHint).toEqual([]);
  });
});
