import { Pool } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../../../tests/servers/start-postgres.ts";
import { runStoreSuite } from "../testing/run-store-suite.ts";
import { migratePostgresRuns, NewerStoreError } from "./postgres-run-schema.ts";
import { PostgresRunStore } from "./postgres-run-store.ts";

let server: PostgresServer;
let pool: Pool;
let runs = 0;
beforeAll(async () => {
  server = await startPostgres();
  connect();
}, 60_000);
afterAll(async () => {
  await pool.end();
  await server.stop();
});

function connect(): void {
  pool = new Pool({ connectionString: server.url });
  // The server is killed below idle connections.
  pool.on("error", () => undefined);
}

describe("PostgresRunStore keeps the contract of a run store: it", () => {
  runStoreSuite(() => {
    // Each with books of its own, beside the others in one schema of runs.
    const run = runs++;
    const open = () => PostgresRunStore.open(pool, `run ${run}`, { ledgerSchema: `ledger_${run}` });
    return {
      open,
      beside: open,
      afterKill: async () => {
        const before = pool;
        await server.restart();
        await before.end();
        connect();
        return open();
      },
    };
  });
});

it("is upgraded while workers of the version before are at work", async () => {
  await migratePostgresRuns(pool, "upgraded", 1);
  const { rows } = await pool.query<{ run: string }>("INSERT INTO upgraded.runs (id) VALUES ('run') RETURNING run");
  const run = Number(rows[0]?.run);
  const count = 400;
  await pool.query(
    `INSERT INTO upgraded.rows (run, position, turn, row_id, text, input)
     SELECT $1, row, row, row, 'text ' || row, '{}' FROM generate_series(0, $2::int - 1) AS row`,
    [run, count],
  );
  // What a worker of that version says, to the letter.
  const label = async (position: number) => {
    const attempt = {
      run,
      position,
      reservationId: `call ${position}`,
      costPicoUsd: "7",
      kind: "reported",
      taskVersion: "t",
    };
    await pool.query("SELECT upgraded.keep_attempts($1)", [JSON.stringify([attempt])]);
    const result = { run, position, status: "labeled", label: '"x"', taskVersion: "t" };
    await pool.query("SELECT upgraded.finish_rows($1)", [JSON.stringify([result])]);
  };
  let next = 0;
  const work = async () => {
    while (next < count) await label(next++);
  };
  const working = Promise.all([work(), work(), work()]);
  while (next < count / 4) await new Promise((resolve) => setImmediate(resolve));
  await Promise.all([migratePostgresRuns(pool, "upgraded"), migratePostgresRuns(pool, "upgraded")]);
  expect(next).toBeLessThan(count);
  await working;
  const store = await PostgresRunStore.open(pool, "run", { schema: "upgraded", ledgerSchema: "ledger_upgraded" });
  expect(await store.counts()).toMatchObject({ rows: count, labeled: count });
  expect((await Array.fromAsync(store.attempts())).length).toBe(count);
  const { rows: old } = await pool.query("SELECT FROM upgraded.rows WHERE changed = '0'");
  expect(old.length).toBeLessThan(count);
  await store.close();
});

it("refuses what a newer version wrote", async () => {
  await migratePostgresRuns(pool, "newer");
  await pool.query("INSERT INTO newer.run_schema VALUES (99)");
  await expect(PostgresRunStore.open(pool, "run", { schema: "newer" })).rejects.toThrow(NewerStoreError);
});
