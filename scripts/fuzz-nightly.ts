import { type Ledger, MemoryLedger } from "@autolabel/budget-core";
import { PostgresLedger } from "@autolabel/budget-core/ledgers/postgres";
import { RedisLedger } from "@autolabel/budget-core/ledgers/redis";
import { SqliteLedger } from "@autolabel/budget-core/ledgers/sqlite";
import { type FuzzReport, fuzzLedger, fuzzTracker, seedFromEnvironment } from "@autolabel/budget-core/testing";
import { Pool } from "pg";
import { createClient } from "redis";
import { startPostgres } from "../tests/servers/start-postgres.ts";
import { isRedisThere, startRedis } from "../tests/servers/start-redis.ts";

// node --conditions=@autolabel/source scripts/fuzz-nightly.ts [schedules] [seed]
const schedules = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? seedFromEnvironment(process.env));
console.log(`Seed ${seed}`);

/** Schedules on a ledger that goes by its store's clock; there are fewer of them where each step is a round trip. */
const fuzzStore = (makeLedger: () => Ledger, share: number) =>
  fuzzLedger({ makeLedger, ownClock: true, schedules: Math.ceil(schedules / share), seed, stepsPerSchedule: 12 });

async function fuzzPostgres(): Promise<FuzzReport> {
  const server = await startPostgres();
  const pool = new Pool({ connectionString: server.url });
  let ledgers = 0;
  // A schedule looks at the whole journal, which must not grow for ever.
  const report = await fuzzStore(
    () => new PostgresLedger(pool, { schema: `fuzz_${Math.floor(ledgers++ / 100)}` }),
    500,
  );
  await pool.end();
  await server.stop();
  return report;
}

async function fuzzRedis(journalEntries: number): Promise<FuzzReport> {
  const server = await startRedis();
  const client = await createClient({ url: server.url }).connect();
  let ledgers = 0;
  const report = await fuzzStore(() => new RedisLedger(client, { prefix: `fuzz ${ledgers++}`, journalEntries }), 500);
  client.destroy();
  await server.stop();
  return report;
}

const runs: Record<string, () => Promise<FuzzReport>> = {
  "memory ledger": () =>
    fuzzLedger({ makeLedger: (now) => new MemoryLedger({ now }), schedules, seed, stepsPerSchedule: 12 }),
  "SQLite ledger": () => fuzzStore(() => new SqliteLedger(":memory:"), 20),
  "PostgreSQL ledger": fuzzPostgres,
  ...(isRedisThere()
    ? { "Redis ledger": () => fuzzRedis(100_000), "Redis ledger, short journal": () => fuzzRedis(20) }
    : {}),
  // Of nested trackers in memory only: their interleavings are chosen, and a server answers when it likes.
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
