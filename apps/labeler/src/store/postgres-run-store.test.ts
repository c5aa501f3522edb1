import { Pool } from "pg";
import { afterAll, beforeAll, describe } from "vitest";
import { type PostgresServer, startPostgres } from "../../../../tests/servers/start-postgres.ts";
import { runStoreSuite } from "../testing/run-store-suite.ts";
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
