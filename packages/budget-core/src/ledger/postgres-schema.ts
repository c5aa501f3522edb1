import { LedgerError } from "../errors/ledger-error.ts";
import type { PostgresConnection } from "./postgres-connection.ts";
import { ledgerFunctions } from "./postgres-functions.ts";
import { pageFunctions } from "./postgres-page-functions.ts";
import { splitFunctions } from "./postgres-split-functions.ts";
import { stepFunctions } from "./postgres-step-functions.ts";

/** Append-only: step n brings the tables and functions of version n-1 to version n. A released step never changes. */
export const postgresSchemaSteps: readonly string[] = [
  `CREATE TABLE accounts (
     scope TEXT COLLATE "C" NOT NULL,
     "window" TEXT COLLATE "C" NOT NULL,
     spent_pico_usd NUMERIC(38, 0) NOT NULL DEFAULT 0 CHECK (spent_pico_usd >= 0),
     held_pico_usd NUMERIC(38, 0) NOT NULL DEFAULT 0 CHECK (held_pico_usd >= 0),
     unresolved_pico_usd NUMERIC(38, 0) NOT NULL DEFAULT 0 CHECK (unresolved_pico_usd >= 0),
     call_count BIGINT NOT NULL DEFAULT 0,
     bound_call_count BIGINT NOT NULL DEFAULT 0,
     PRIMARY KEY (scope, "window")
   ) WITH (fillfactor = 50);
   CREATE TABLE account_models (
     scope TEXT COLLATE "C" NOT NULL,
     "window" TEXT COLLATE "C" NOT NULL,
     model_id TEXT COLLATE "C" NOT NULL,
     call_count BIGINT NOT NULL,
     spent_pico_usd NUMERIC(38, 0) NOT NULL,
     PRIMARY KEY (scope, "window", model_id)
   ) WITH (fillfactor = 50);
   CREATE TABLE claims (
     scope TEXT COLLATE "C" NOT NULL,
     "window" TEXT COLLATE "C" NOT NULL,
     name TEXT COLLATE "C" NOT NULL,
     claimed_by TEXT NOT NULL,
     PRIMARY KEY (scope, "window", name)
   );
   CREATE TABLE reservations (
     id TEXT COLLATE "C" PRIMARY KEY,
     ordinal BIGINT GENERATED ALWAYS AS IDENTITY,
     state TEXT NOT NULL,
     accounts JSONB NOT NULL,
     amount_pico_usd NUMERIC(38, 0) NOT NULL,
     reserved_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
     lease_ends_at TIMESTAMPTZ NOT NULL,
     model_id TEXT,
     price_book TEXT,
     cost_pico_usd NUMERIC(38, 0),
     kind TEXT,
     served_model_id TEXT,
     bound_breached BOOLEAN NOT NULL DEFAULT FALSE,
     usage JSONB,
     evidence TEXT
   );
   CREATE INDEX open_reservations ON reservations (state) WHERE state IN ('held', 'dispatched', 'unresolved');
   CREATE TABLE journal (
     entry BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     written_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
     scope TEXT COLLATE "C" NOT NULL,
     "window" TEXT COLLATE "C" NOT NULL,
     kind TEXT NOT NULL CHECK (kind IN ('settled', 'posted', 'reset')),
     amount_pico_usd NUMERIC(38, 0) NOT NULL,
     call_count BIGINT NOT NULL,
     bound_call_count BIGINT NOT NULL,
     reservation_id TEXT,
     step_id TEXT,
     model_id TEXT
   );
   CREATE INDEX unreserved_entries ON journal (step_id) WHERE step_id IS NOT NULL;
   CREATE FUNCTION keep_journal() RETURNS TRIGGER LANGUAGE plpgsql AS $$
   BEGIN
     RAISE EXCEPTION 'the journal is append-only';
   END $$;
   CREATE TRIGGER journal_entries_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON journal EXECUTE FUNCTION keep_journal();
   ${stepFunctions}
   ${ledgerFunctions}`,
  pageFunctions,
  splitFunctions,
];

/** The version that {@link migratePostgresLedger} brings a ledger to. */
export const postgresSchemaVersion = postgresSchemaSteps.length;

/**
 * Creates or upgrades the ledger's own schema. Processes that start at once take turns; one that finds the newest version
 * changes nothing and needs no right to.
 *
 * @throws LedgerError when a newer version of this package has written it, or the server refuses.
 */
export async function migratePostgresLedger(connection: PostgresConnection, schema: string): Promise<void> {
  let version = await readVersion(connection, schema);
  if (version < postgresSchemaSteps.length) {
    await connection.query(migration(schema, connection.lockTimeoutMs));
    version = await readVersion(connection, schema);
  }
  if (version <= postgresSchemaSteps.length) return;
  throw new LedgerError({
    message: `This ledger has schema version ${version}, this package knows up to ${postgresSchemaSteps.length}: upgrade @autolabel/budget-core`,
  });
}

async function readVersion(connection: PostgresConnection, schema: string): Promise<number> {
  const [table] = await connection.query(`SELECT to_regclass('"${schema}".ledger_schema')::text AS name`);
  if (!table?.name) return 0;
  const newest = `SELECT coalesce(max(version), 0)::text AS version FROM "${schema}".ledger_schema`;
  const [row] = (await connection.query(newest)) as [{ version: string }];
  return Number(row.version);
}

/** One statement, so that it is one transaction on whichever connection of a pool. */
function migration(schema: string, lockTimeoutMs: number): string {
  const missing = postgresSchemaSteps.map(
    (step, index) => `
     IF found_version < ${index + 1} THEN
       EXECUTE $step$${step}$step$;
       INSERT INTO ledger_schema (version) VALUES (${index + 1});
     END IF;`,
  );
  return `DO $migration$
   DECLARE found_version INT;
   BEGIN
     PERFORM set_config('lock_timeout', '${lockTimeoutMs}', true);
     PERFORM pg_advisory_xact_lock(hashtextextended('autolabel ledger in ${schema}', 0));
     -- Queries of the catalog, because functions such as to_regclass do not see what was committed during the wait.
     IF NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = '${schema}') THEN CREATE SCHEMA "${schema}"; END IF;
     PERFORM set_config('search_path', '"${schema}", pg_temp', true);
     IF NOT EXISTS (SELECT FROM pg_tables WHERE schemaname = '${schema}' AND tablename = 'ledger_schema') THEN
       CREATE TABLE ledger_schema (version INT NOT NULL);
     END IF;
     SELECT coalesce(max(version), 0) INTO found_version FROM ledger_schema;${missing.join("")}
   END $migration$`;
}
