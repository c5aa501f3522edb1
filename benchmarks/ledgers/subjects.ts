import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Ledger, MemoryLedger } from "@autolabel/budget-core";
import { PostgresLedger } from "@autolabel/budget-core/ledgers/postgres";
import { RedisLedger } from "@autolabel/budget-core/ledgers/redis";
import { openDatabase, SqliteLedger } from "@autolabel/budget-core/ledgers/sqlite";
import { Pool } from "pg";
import { createClient } from "redis";
import { startPostgres } from "../../tests/servers/start-postgres.ts";
import { startRedis } from "../../tests/servers/start-redis.ts";

/** Adds the cost of one call to so many counters, one statement each: it holds nothing and refuses nothing. */
export type Add = (counters: number) => Promise<unknown>;

/** A store, with a ledger in it and beside it what most code does. */
export interface Subject {
  ledger: Ledger;
  /** What the naive counter is, in words. */
  naive: string;
  add: Add;
  /** Where another process finds the ledger, and the engine that opens it there; none where it is of this process alone. */
  address?: { engine: string; url: string };
  stop: () => Promise<void>;
}

const costUsd = 0.000001;

async function memory(): Promise<Subject> {
  const spent = new Map<string, number>();
  const add = async (counters: number) => {
    for (let n = 0; n < counters; n++) spent.set(`budget ${n}`, (spent.get(`budget ${n}`) ?? 0) + costUsd);
  };
  return { ledger: new MemoryLedger(), naive: "spent += cost", add, stop: async () => {} };
}

async function sqlite(): Promise<Subject> {
  const folder = mkdtempSync(join(tmpdir(), "autolabel-benchmark-"));
  const file = join(folder, "ledger.sqlite");
  const ledger = new SqliteLedger(file);
  const database = openDatabase(join(folder, "counter.sqlite"));
  database.exec("CREATE TABLE budgets (id INTEGER PRIMARY KEY, spent REAL NOT NULL)");
  for (let n = 0; n < 3; n++) database.exec(`INSERT INTO budgets VALUES (${n}, 0)`);
  const update = database.prepare("UPDATE budgets SET spent = spent + ? WHERE id = ?");
  const add = async (counters: number) => {
    for (let n = 0; n < counters; n++) update.run(costUsd, n);
  };
  const stop = async () => {
    await ledger.close();
    database.close();
    rmSync(folder, { recursive: true });
  };
  return { ledger, naive: "UPDATE, committed to disk", add, address: { engine: "sqlite", url: file }, stop };
}

async function postgres(): Promise<Subject> {
  const server = await startPostgres({ fsync: true });
  const pool = new Pool({ connectionString: server.url, max: 20 });
  await pool.query("CREATE TABLE budgets (id INT PRIMARY KEY, spent FLOAT8 NOT NULL)");
  await pool.query("INSERT INTO budgets VALUES (0, 0), (1, 0), (2, 0)");
  const add = async (counters: number) => {
    for (let n = 0; n < counters; n++) {
      await pool.query("UPDATE budgets SET spent = spent + $1 WHERE id = $2", [costUsd, n]);
    }
  };
  const stop = async () => {
    await pool.end();
    await server.stop();
  };
  const address = { engine: "postgres", url: `${server.url}#autolabel` };
  return { ledger: new PostgresLedger(pool), naive: "UPDATE … SET spent = spent + $1", add, address, stop };
}

async function redis(appendfsync: "everysec" | "always"): Promise<Subject> {
  const server = await startRedis({ appendonly: "yes", appendfsync });
  const client = await createClient({ url: server.url }).connect();
  const add = async (counters: number) => {
    for (let n = 0; n < counters; n++) await client.incrByFloat(`budget ${n}`, costUsd);
  };
  const stop = async () => {
    client.destroy();
    await server.stop();
  };
  const address = { engine: "redis", url: `${server.url}#autolabel` };
  return { ledger: new RedisLedger(client), naive: "INCRBYFLOAT", add, address, stop };
}

/** Stores by name, each started by a call. */
export const subjects: Readonly<Record<string, () => Promise<Subject>>> = {
  memory,
  "SQLite, on disk": sqlite,
  "PostgreSQL, fsync on": postgres,
  "Redis, AOF everysec": () => redis("everysec"),
  "Redis, AOF always": () => redis("always"),
};
