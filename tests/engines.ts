import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Ledger } from "@autolabel/budget-core";
import { PostgresLedger } from "@autolabel/budget-core/ledgers/postgres";
import { RedisLedger } from "@autolabel/budget-core/ledgers/redis";
import { SlicedLedger } from "@autolabel/budget-core/ledgers/sliced";
import { GroupCommit, openDatabase, SqliteLedger } from "@autolabel/budget-core/ledgers/sqlite";
import { startPostgres } from "./servers/start-postgres.ts";
import { isRedisThere, startRedis } from "./servers/start-redis.ts";

/** Makes one round trip to the store; the tests that kill processes do so before or after it. */
export type RoundTrip = <T>(trip: () => T) => T;

/**
 * What a ledger lives on. The tests of crashes and of many processes run on every engine. A driver is loaded when it is
 * needed: it takes longer than all else at the start of a process, and hundreds are started.
 */
export interface Engine {
  /** Whether it can be tested on this machine. Default: yes. */
  isThere?(): boolean;
  /** Whether calls of a process that died are unresolved in sums, of those that were not sent too. */
  isSliced?: boolean;
  /** Starts the store. */
  start(): Promise<Store>;
  /** Opens a ledger in it; called in the processes under test too. Every trip to the store goes through `roundTrip`. */
  open(url: string, roundTrip?: RoundTrip): Promise<Ledger>;
}

/** A store that runs. */
export interface Store {
  /** Where a ledger that has no balances yet can be opened. */
  freshUrl(): Promise<string>;
  /** Waits until the store has done what a killed process had sent, and has let go of it. */
  quiet(url: string): Promise<void>;
  /** Crashes the server, where there is one, and starts it again on the same port and data. */
  restart?(): Promise<void>;
  stop(): Promise<void>;
}

const sqlite: Engine = {
  async start() {
    const folder = mkdtempSync(join(tmpdir(), "autolabel-engine-"));
    let files = 0;
    return {
      // Every second one was made by the first version that was released, so that its upgrade is under test too.
      freshUrl: async () => {
        const file = join(folder, `${++files}.sqlite`);
        if (files % 2 === 0) makeFirstVersion(file);
        return file;
      },
      quiet: async () => {},
      stop: async () => rmSync(folder, { recursive: true, force: true }),
    };
  },
  open: async (url, roundTrip) => new SqliteLedger(new GroupCommit(tripping(openDatabase(url), roundTrip))),
};

/** Sends the writes of a database through `roundTrip`. */
function tripping(database: DatabaseSync, roundTrip: RoundTrip = (trip) => trip()): DatabaseSync {
  const exec = database.exec.bind(database);
  database.exec = (sql) => roundTrip(() => exec(sql));
  const prepare = database.prepare.bind(database);
  database.prepare = (sql) => {
    const statement = prepare(sql);
    const run = statement.run.bind(statement) as (...values: unknown[]) => ReturnType<typeof statement.run>;
    statement.run = (...values: unknown[]) => roundTrip(() => run(...values));
    return statement;
  };
  return database;
}

const postgres: Engine = {
  async start() {
    const server = await startPostgres();
    let schemas = 0;
    return {
      // Every second one was made by the first version, for PostgreSQL too.
      freshUrl: async () => {
        const url = `${server.url}#ledger_${++schemas}`;
        if (schemas % 2 === 0) await makeFirstSchema(url);
        return url;
      },
      async quiet(url) {
        const { Pool } = await import("pg");
        const pool = new Pool({ connectionString: server.url });
        const connected = "SELECT FROM pg_stat_activity WHERE application_name = $1";
        while ((await pool.query(connected, [nameIn(url)])).rowCount !== 0);
        await pool.end();
      },
      restart: server.restart,
      stop: server.stop,
    };
  },
  async open(url, roundTrip = (trip) => trip()) {
    const name = nameIn(url);
    const { Pool } = await import("pg");
    const pool = new Pool({ connectionString: serverOf(url), max: 4, application_name: name });
    pool.on("error", () => undefined);
    const query = (text: string, values?: string[]) => roundTrip(() => pool.query(text, values));
    const ledger = new PostgresLedger({ query }, { schema: name });
    return await openedWith(ledger, () => pool.end());
  },
};

const redis: Engine = {
  isThere: isRedisThere,
  async start() {
    const server = await startRedis({ appendonly: "yes", appendfsync: "always" });
    let prefixes = 0;
    return {
      freshUrl: async () => `${server.url}#ledger_${++prefixes}`,
      async quiet(url) {
        const { createClient } = await import("redis");
        const client = await createClient({ url: server.url }).connect();
        while ((await client.clientList()).some(({ name }) => name === nameIn(url)));
        client.destroy();
      },
      restart: server.restart,
      stop: server.stop,
    };
  },
  async open(url, roundTrip = (trip) => trip()) {
    const name = nameIn(url);
    const { createClient } = await import("redis");
    // All clients have the same options: for others the driver makes its class of some hundred commands anew.
    const client = createClient({ url: serverOf(url) });
    client.on("error", () => undefined);
    await client.connect();
    await client.clientSetName(name);
    type Script = { keys: string[]; arguments: string[] };
    const tripping = {
      evalSha: (sha1: string, script: Script) => roundTrip(() => client.evalSha(sha1, script)),
      eval: (text: string, script: Script) => roundTrip(() => client.eval(text, script)),
    };
    return await openedWith(new RedisLedger(tripping, { prefix: name }), () => client.destroy());
  },
};

/** The schema or prefix that a URL names behind `#`. */
function nameIn(url: string): string {
  return new URL(url).hash.slice(1);
}

function serverOf(url: string): string {
  return url.slice(0, url.indexOf("#"));
}

/** A ledger that is open, and ends its client too when it is closed. */
async function openedWith(
  ledger: PostgresLedger | RedisLedger,
  endClient: () => void | Promise<void>,
): Promise<Ledger> {
  const close = ledger.close.bind(ledger);
  ledger.close = async () => {
    await close();
    await endClient();
  };
  await ledger.open();
  return ledger;
}

/** A planted bug: writes that are not committed together. The tests must find it. */
const torn: Engine = {
  start: () => sqlite.start(),
  async open(url, roundTrip) {
    await (await sqlite.open(url, roundTrip)).close();
    const database = tripping(openDatabase(url), roundTrip);
    const exec = database.exec.bind(database);
    const ledger = new SqliteLedger(new GroupCommit(database));
    database.exec = (sql) => (/^(BEGIN|COMMIT)/.test(sql) ? undefined : exec(sql));
    return ledger;
  },
};

/** A file of SQLite from which each process draws slices. */
const slices: Engine = {
  isSliced: true,
  start: () => sqlite.start(),
  open: async (url, roundTrip) => new SlicedLedger(await sqlite.open(url, roundTrip)),
};

/** What the first version of an engine's ledger was made by. */
function firstVersionOf(engine: string): string {
  return readFileSync(join(import.meta.dirname, `../packages/budget-core/src/ledger/schema/${engine}-1.sql`), "utf8");
}

function makeFirstVersion(file: string): void {
  const database = new DatabaseSync(file);
  database.exec(`BEGIN; ${firstVersionOf("sqlite")} INSERT INTO ledger_schema VALUES (1); COMMIT`);
  database.close();
}

async function makeFirstSchema(url: string): Promise<void> {
  const { Client } = await import("pg");
  const client = new Client({ connectionString: serverOf(url) });
  await client.connect();
  await client.query(`BEGIN; CREATE SCHEMA ${nameIn(url)}; SET LOCAL search_path = ${nameIn(url)}, pg_temp;
    ${firstVersionOf("postgres")}; CREATE TABLE ledger_schema (version INT NOT NULL);
    INSERT INTO ledger_schema VALUES (1); COMMIT`);
  await client.end();
}

/** Every engine that ledgers are tested on, by name. */
const engines: Readonly<Record<string, Engine>> = { sqlite, postgres, redis };

/** The engines that can be tested on this machine. */
export function enginesHere(): string[] {
  return Object.keys(engines).filter((name) => engines[name]?.isThere?.() ?? true);
}

/** What is made of an engine: slices drawn from it, or one that is wrong on purpose. */
const derived: Readonly<Record<string, Engine>> = { slices, torn };

/** @throws Error for an engine that is not listed. */
export function engineNamed(name: string): Engine {
  const engine = engines[name] ?? derived[name];
  if (!engine) throw new Error(`No engine "${name}": there are ${Object.keys(engines).join(", ")}`);
  return engine;
}
