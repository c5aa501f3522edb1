import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Ledger } from "@autolabel/budget-core";
import { PostgresLedger } from "@autolabel/budget-core/ledgers/postgres";
import { GroupCommit, openDatabase, SqliteLedger } from "@autolabel/budget-core/ledgers/sqlite";
import { Pool } from "pg";
import { startPostgres } from "./servers/start-postgres.ts";

/** Makes one round trip to the store; the tests that kill processes do so before or after it. */
export type RoundTrip = <T>(trip: () => T) => T;

/** What a ledger lives on. The tests of crashes and of many processes run on every engine. */
export interface Engine {
  /** Starts the store. */
  start(): Promise<Store>;
  /** Opens a ledger in it; called in the processes under test too. Every trip to the store goes through `roundTrip`. */
  open(url: string, roundTrip?: RoundTrip): Promise<Ledger>;
}

/** A store that runs. */
export interface Store {
  /** Where a ledger that has no balances yet can be opened. */
  freshUrl(): Promise<string>;
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
    return { freshUrl: async () => `${server.url}#ledger_${++schemas}`, stop: server.stop };
  },
  async open(url, roundTrip = (trip) => trip()) {
    const { href, hash } = new URL(url);
    const pool = new Pool({ connectionString: href.slice(0, -hash.length), max: 4 });
    const query = (text: string, values?: string[]) => roundTrip(() => pool.query(text, values));
    const ledger = new PostgresLedger({ query }, { schema: hash.slice(1) });
    const close = ledger.close.bind(ledger);
    ledger.close = async () => {
      await close();
      await pool.end();
    };
    await ledger.open();
    return ledger;
  },
};

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

const firstVersion = join(import.meta.dirname, "../packages/budget-core/src/ledger/schema/sqlite-1.sql");

function makeFirstVersion(file: string): void {
  const database = new DatabaseSync(file);
  database.exec(`BEGIN; ${readFileSync(firstVersion, "utf8")} INSERT INTO ledger_schema VALUES (1); COMMIT`);
  database.close();
}

/** Every engine that ledgers are tested on, by name. */
export const engines: Readonly<Record<string, Engine>> = { sqlite, postgres };

/** Engines that are wrong on purpose. */
const broken: Readonly<Record<string, Engine>> = { torn };

/** @throws Error for an engine that is not listed. */
export function engineNamed(name: string): Engine {
  const engine = engines[name] ?? broken[name];
  if (!engine) throw new Error(`No engine "${name}": there are ${Object.keys(engines).join(", ")}`);
  return engine;
}
