import { Pool } from "pg";
import { expect, it } from "vitest";
import { startPostgres } from "../../../../tests/servers/start-postgres.ts";
import { fuzzLedger } from "../testing/overspend-fuzzer.ts";
import { seedFromEnvironment } from "../testing/random.ts";
import { PostgresLedger } from "./postgres.ts";

const seed = seedFromEnvironment(process.env);
const replayHint = `replay with FUZZ_SEED=${seed}`;

it(`random schedules, ${replayHint}, never overspend, lose or invent money`, { timeout: 120_000 }, async () => {
  const server = await startPostgres();
  const pool = new Pool({ connectionString: server.url });
  try {
    let ledgers = 0;
    // A schedule looks at the whole journal, which must not grow for ever.
    const makeLedger = () => new PostgresLedger(pool, { schema: `fuzz_${Math.floor(ledgers++ / 100)}` });
    const report = await fuzzLedger({ makeLedger, schedules: 400, seed, ownClock: true });
    expect(report.violations, replayHint).toEqual([]);
    expect(report.schedules).toBe(400);
  } finally {
    await pool.end();
    await server.stop();
  }
});
