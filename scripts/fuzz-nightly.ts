import { MemoryLedger } from "@autolabel/budget-core";
import { SqliteLedger } from "@autolabel/budget-core/ledgers/sqlite";
import { fuzzLedger, fuzzTracker, seedFromEnvironment } from "@autolabel/budget-core/testing";

// node --conditions=@autolabel/source scripts/fuzz-nightly.ts [schedules] [seed]
const schedules = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? seedFromEnvironment(process.env));
console.log(`Seed ${seed}`);

const runs = {
  "memory ledger": () =>
    fuzzLedger({ makeLedger: (now) => new MemoryLedger({ now }), schedules, seed, stepsPerSchedule: 12 }),
  "SQLite ledger": () =>
    fuzzLedger({
      makeLedger: () => new SqliteLedger(":memory:"),
      ownClock: true,
      schedules: Math.ceil(schedules / 20),
      seed,
      stepsPerSchedule: 12,
    }),
  "nested trackers, 5 calls": () => fuzzTracker({ schedules: Math.ceil(schedules / 5), seed, callsPerSchedule: 5 }),
  "nested trackers, 20 calls": () => fuzzTracker({ schedules: Math.ceil(schedules / 20), seed, callsPerSchedule: 20 }),
};
for (const [name, run] of Object.entries(runs)) {
  const startedAt = performance.now();
  const report = await run();
  const seconds = (performance.now() - startedAt) / 1000;
  const speed = Math.round(report.schedules / seconds);
  console.log(`${name}: ${report.schedules} schedules, ${report.steps} steps, ${speed} schedules/s`);
  for (const failure of report.violations) {
    console.error(`${failure.invariant}, seed ${failure.seed}: ${failure.message}`);
    console.error(failure.trace.map((step) => `  ${step}`).join("\n"));
    process.exitCode = 1;
  }
}
