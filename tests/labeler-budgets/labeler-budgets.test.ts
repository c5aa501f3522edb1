import { seedFromEnvironment } from "@autolabel/budget-core/testing";
import { expect, it } from "vitest";
import { enginesHere } from "../engines.ts";
import { runSchedules } from "./spend-schedules.ts";

const seed = seedFromEnvironment(process.env) % 1_000_000;

it(`labeling runs that share a budget never pass it, whatever goes wrong (FUZZ_SEED=${seed})`, {
  timeout: 300_000,
}, async () => {
  const { failures, overshootPicoUsd, calls, runs } = await runSchedules({ schedules: 30, seed, budgetCalls: 30 });
  expect(failures).toEqual([]);
  expect(overshootPicoUsd).toBe(0n);
  // Else there was nothing to pass it with.
  expect(calls).toBeGreaterThan(300);
  expect(runs).toBeGreaterThan(50);
});

it(`and use at least 99.5 % of one that is worth 1,000 calls, where rows are left (FUZZ_SEED=${seed})`, {
  timeout: 300_000,
}, async () => {
  const { failures, used } = await runSchedules({ schedules: 4, seed: seed + 1, budgetCalls: 1050 });
  expect(failures).toEqual([]);
  expect(used.length).toBeGreaterThan(0);
  expect(used[0]).toBeGreaterThanOrEqual(0.995);
});

it.each(enginesHere())(
  `a pool in a ledger of %s is never passed either (FUZZ_SEED=${seed})`,
  {
    timeout: 300_000,
  },
  async (engine) => {
    const summary = await runSchedules({ engine, schedules: 6, seed: seed + 2, budgetCalls: 30 });
    expect(summary.failures).toEqual([]);
    expect(summary.overshootPicoUsd).toBe(0n);
    expect(summary.calls).toBeGreaterThan(60);
  },
);
