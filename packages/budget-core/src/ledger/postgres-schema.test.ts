import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Pool } from "pg";
import postgres from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../../../tests/servers/start-postgres.ts";
import { type PostgresClient, PostgresLedger } from "./postgres.ts";
import { postgresSchemaSteps, postgresSchemaVersion } from "./postgres-schema.ts";
import { verifyLedger } from "./verify-ledger.ts";

let server: PostgresServer;
let pool: Pool;
let sql: ReturnType<typeof postgres>;
let schema: string;
let schemas = 0;
beforeAll(async () => {
  server = await startPostgres();
  pool = new Pool({ connectionString: server.url, max: 20 });
  pool.on("error", () => undefined);
  sql = postgres(server.url);
});
afterAll(async () => {
  await Promise.all([pool.end(), sql.end()]);
  await server.stop();
});
beforeEach(() => {
  schema = `ledger_${schemas++}`;
});

const accounts = [{ scope: "a", window: "all", limitPicoUsd: null }];
const makeLedger = (client: PostgresClient = pool) => new PostgresLedger(client, { schema });

/** Passes on to a client, and tells what it is asked. */
function counted() {
  const asked: string[] = [];
  const query = (text: string, values?: string[]) => {
    asked.push(text);
    return pool.query(text, values);
  };
  return { asked, query };
}

describe("the schema of a PostgreSQL ledger", () => {
  const versions = postgresSchemaSteps.map((_, index) => index + 1);
  const olderVersions = versions.slice(0, -1);
  /** What made each version as it was released; a file is added with each version and never changes. */
  const released = (version: number) =>
    readFileSync(join(import.meta.dirname, `schema/postgres-${version}.sql`), "utf8");

  /** Makes a schema as a released version made it. */
  async function makeVersion(version: number, name = schema): Promise<void> {
    const steps = versions
      .slice(0, version)
      .map((step) => `${released(step)}; INSERT INTO ledger_schema VALUES (${step});`);
    await pool.query(`BEGIN; CREATE SCHEMA ${name}; SET LOCAL search_path = ${name}, pg_temp;
      CREATE TABLE ledger_schema (version INT NOT NULL); ${steps.join("\n")} COMMIT`);
  }

  const versionsIn = async (name = schema) => {
    const { rows } = await pool.query<{ version: number }>(`SELECT version FROM ${name}.ledger_schema`);
    return rows.map(({ version }) => version);
  };

  /** Every column, index, trigger and function of a schema. */
  async function dump(name: string): Promise<string[]> {
    const { rows } = await pool.query<{ made: string }>(`
      SELECT concat_ws(' ', table_name, column_name, data_type, column_default, is_nullable) AS made
        FROM information_schema.columns WHERE table_schema = '${name}'
      UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = '${name}'
      UNION ALL SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
        WHERE relnamespace = '${name}'::regnamespace
      UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = '${name}'::regnamespace ORDER BY 1`);
    return rows.map(({ made }) => made.replaceAll(name, "the schema"));
  }

  it("has a file for every version that was released, and its steps are those of the files", () => {
    const files = readdirSync(join(import.meta.dirname, "schema")).filter((file) => file.startsWith("postgres-"));
    expect(files).toEqual(versions.map((version) => `postgres-${version}.sql`));
    for (const [index, step] of postgresSchemaSteps.entries()) expect(`${step}\n`).toBe(released(index + 1));
  });

  it("is not touched where it was made by a released version", async () => {
    await makeVersion(postgresSchemaVersion);
    const { asked, query } = counted();
    const ledger = makeLedger({ query });
    await ledger.open();
    expect(asked.filter((text) => !text.trimStart().startsWith("SELECT"))).toEqual([]);
    await ledger.post(accounts, { costPicoUsd: 3n });
    expect(verifyLedger(await ledger.inspect())).toEqual([]);
  });

  it.each(olderVersions)("is the same after an upgrade from version %i", async (version) => {
    await makeVersion(version);
    await makeLedger().open();
    await new PostgresLedger(pool, { schema: "newest" }).open();
    expect(await dump(schema)).toEqual(await dump("newest"));
    expect(await versionsIn()).toEqual(versions);
    await pool.query("DROP SCHEMA newest CASCADE");
  });

  /** A call that was paid, one that was sent and one that was not, made with the functions of version 1. */
  async function callsOfVersion1(): Promise<void> {
    await makeVersion(1);
    const reserve = (id: string) => ({ do: "reserve", id, accounts, amountPicoUsd: "5", leaseMs: 0 });
    const steps = [
      ...["paid", "sent", "unsent"].map(reserve),
      { do: "markDispatched", id: "paid" },
      { do: "markDispatched", id: "sent" },
      { do: "settle", id: "paid", receipt: { costPicoUsd: "3", kind: "reported" } },
    ];
    const request = JSON.stringify({ steps, lockTimeoutMs: 1000 });
    await pool.query(`SELECT ${schema}.take_steps($1::text::jsonb)`, [request]);
  }

  it("keeps spend and open calls of version 1, and a process of that version goes on beside the upgrade", async () => {
    await callsOfVersion1();
    const ledger = makeLedger();
    expect((await ledger.inspect()).open).toMatchObject([{ id: "sent" }, { id: "unsent" }]);
    const old = await pool.query(`SELECT ${schema}.recover('{"lockTimeoutMs": 1000}') AS unresolved`);
    expect(old.rows).toMatchObject([{ unresolved: [{ id: "sent", amountPicoUsd: "5" }] }]);
    expect(await ledger.recover()).toEqual([
      { id: "sent", accounts: [{ scope: "a", window: "all" }], amountPicoUsd: 5n },
    ]);
    await ledger.settle("sent", { costPicoUsd: 4n });
    expect(await ledger.read(accounts)).toMatchObject([{ spentPicoUsd: 7n, heldPicoUsd: 0n, unresolvedPicoUsd: 0n }]);
    expect(verifyLedger(await ledger.inspect())).toEqual([]);
  });

  it("stays as it was when its upgrade is killed in the middle, and the next process upgrades it", async () => {
    await callsOfVersion1();
    const before = await dump(schema);
    const other = await pool.connect();
    // The upgrade has taken its step and waits to say so.
    await other.query(`BEGIN; LOCK TABLE ${schema}.ledger_schema IN EXCLUSIVE MODE`);
    const upgrading = expect(makeLedger().open()).rejects.toMatchObject({ code: "ledger" });
    const waiting = `SELECT pid FROM pg_locks WHERE relation = '${schema}.ledger_schema'::regclass AND NOT granted`;
    await expect.poll(async () => (await pool.query(waiting)).rowCount).toBe(1);
    await pool.query(`SELECT pg_terminate_backend(pid) FROM (${waiting}) AS upgrade`);
    await upgrading;
    await other.query("COMMIT");
    other.release();
    expect(await dump(schema)).toEqual(before);
    expect(await versionsIn()).toEqual([1]);

    const ledger = makeLedger();
    expect(await ledger.recover()).toMatchObject([{ id: "sent" }]);
    expect(await versionsIn()).toEqual(versions);
    expect(verifyLedger(await ledger.inspect())).toEqual([]);
  });

  it("is upgraded once when many start at once", async () => {
    await makeVersion(1);
    await Promise.all(Array.from({ length: 8 }, (_, index) => makeLedger(index % 2 ? pool : sql).open()));
    expect(await versionsIn()).toEqual(versions);
  });

  it("is made once when many start at once", async () => {
    for (let round = 0; round < 10; round++) {
      schema = `started_${round}`;
      await Promise.all(Array.from({ length: 8 }, (_, index) => makeLedger(index % 2 ? pool : sql).open()));
      expect(await versionsIn()).toEqual(versions);
    }
  });

  it("may have a name of any case, and stands beside others", async () => {
    const ledgers = ["Team_A", "team_a"].map((name) => new PostgresLedger(pool, { schema: name }));
    await ledgers[0]?.post(accounts, { costPicoUsd: 1n });
    const [one, two] = await Promise.all(ledgers.map((ledger) => ledger.read(accounts)));
    expect([one?.[0]?.spentPicoUsd, two?.[0]?.spentPicoUsd]).toEqual([1n, 0n]);
  });

  it("is called autolabel where nothing is said", async () => {
    await new PostgresLedger(pool).post(accounts, { costPicoUsd: 1n });
    expect((await pool.query("SELECT spent_pico_usd FROM autolabel.accounts")).rows).toEqual([{ spent_pico_usd: "1" }]);
  });

  it("refuses a name that is none", () => {
    for (const name of ["", "a b", 'x"; DROP', "1a", "a".repeat(64)]) {
      expect(() => new PostgresLedger(pool, { schema: name })).toThrow(/cannot name a schema/);
    }
  });

  it("of a newer version is refused, and left as it is", async () => {
    await makeLedger().open();
    await pool.query(`INSERT INTO ${schema}.ledger_schema VALUES (${postgresSchemaVersion + 1})`);
    const refused = expect.objectContaining({
      code: "ledger",
      message: expect.stringContaining("knows up to 3: upgrade"),
    });
    await expect(makeLedger().open()).rejects.toEqual(refused);
    await expect(makeLedger().post(accounts, { costPicoUsd: 1n })).rejects.toEqual(refused);
    expect((await pool.query(`SELECT FROM ${schema}.journal`)).rowCount).toBe(0);
  });

  it("of a newer version is refused too when it appears while this one waits to make its own", async () => {
    const other = await pool.connect();
    await other.query("BEGIN");
    await other.query(`SELECT pg_advisory_xact_lock(hashtextextended('autolabel ledger in ${schema}', 0))`);
    const client = counted();
    const opened = makeLedger(client).open();
    const refused = expect(opened).rejects.toThrow("schema version 7, this package knows up to 3");
    await expect.poll(() => client.asked.some((text) => text.startsWith("DO"))).toBe(true);
    await other.query(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.ledger_schema (version INT NOT NULL);
      INSERT INTO ${schema}.ledger_schema VALUES (7); COMMIT`);
    other.release();
    await refused;
  });
});
