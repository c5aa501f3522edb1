import { PGlite } from "@electric-sql/pglite";
import { Pool } from "pg";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { type PostgresServer, startPostgres } from "../../../../tests/servers/start-postgres.ts";
import { ledgerSuite } from "../testing/ledger-suite.ts";
import { PostgresLedger } from "./postgres.ts";

let server: PostgresServer;
let pool: Pool;
let schemas = 0;
beforeAll(async () => {
  server = await startPostgres();
  pool = new Pool({ connectionString: server.url, max: 10 });
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});
const freshSchema = () => `ledger_${schemas++}`;

describe("PostgresLedger through pg", () => {
  ledgerSuite(test, () => new PostgresLedger(pool, { schema: freshSchema() }));
});

describe("PostgresLedger through postgres.js", () => {
  let sql: ReturnType<typeof postgres>;
  beforeAll(() => {
    sql = postgres(server.url);
  });
  afterAll(() => sql.end());
  ledgerSuite(test, () => new PostgresLedger(sql, { schema: freshSchema() }));
});

describe("PostgresLedger in PGlite", () => {
  let database: PGlite;
  beforeAll(async () => {
    database = await PGlite.create();
  });
  afterAll(() => database.close());
  ledgerSuite(test, () => new PostgresLedger(database, { schema: freshSchema() }));
});

it("x", () => expect(1).toBe(1));
