import { describe, expect, it } from "vitest";
import { seedFromEnvironment } from "../testing/random.ts";
import { fuzzTracker } from "../testing/tracker-fuzzer.ts";

const seed = seedFromEnvironment(process.env);
const replayHint = `replay with FUZZ_SEED=${seed}`;

describe(`concurrent calls in random order, ${replayHint}`, () => {
  it("never overspend, never get stuck, leak nothing and are refused only for good reason", {
    timeout: 120_000,
  }, async () => {
    const report = await fuzzTracker({ schedules: 10_000, seed });
    expect(report.violations, replayHint).toEqual([]);
  });
});
