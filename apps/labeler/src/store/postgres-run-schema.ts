import type { Pool } from "pg";
import { UsageError } from "../usage-error.ts";

/** Append-only: step n brings the tables and functions of version n-1 to version n. A released step never changes. */
const steps: readonly string[] = [
  `CREATE TABLE runs (
     run BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
     id TEXT COLLATE "C" NOT NULL UNIQUE,
     begun_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
   );
   CREATE TABLE facts (
     run BIGINT NOT NULL REFERENCES runs (run),
     key TEXT COLLATE "C" NOT NULL,
     value TEXT NOT NULL,
     PRIMARY KEY (run, key)
   );
   -- Label and input are JSON, as text: numbers keep their digits. Of rows of equal text the first has the fingerprint.
   CREATE TABLE rows (
     run BIGINT NOT NULL,
     position BIGINT NOT NULL,
     turn BIGINT NOT NULL,
     row_id TEXT NOT NULL,
     text TEXT NOT NULL,
     input TEXT NOT NULL,
     status TEXT NOT NULL DEFAULT 'unpaid',
     label TEXT,
     confidence FLOAT8,
     explanation TEXT,
     source TEXT,
     error TEXT,
     task_version TEXT,
     fingerprint BYTEA,
     duplicate_of BIGINT,
     PRIMARY KEY (run, position)
   );
   CREATE INDEX open_rows ON rows (run, turn) WHERE status IN ('unpaid', 'error') AND duplicate_of IS NULL;
   CREATE INDEX duplicates ON rows (run, duplicate_of) WHERE duplicate_of IS NOT NULL;
   CREATE INDEX originals ON rows (run, fingerprint) WHERE fingerprint IS NOT NULL;
   -- No reference to the row: it would be locked with each of its attempts, while the ledger's accounts are.
   CREATE TABLE attempts (
     run BIGINT NOT NULL,
     attempt BIGINT GENERATED ALWAYS AS IDENTITY,
     position BIGINT NOT NULL,
     reservation_id TEXT COLLATE "C" NOT NULL,
     at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
     answer TEXT,
     finish_reason TEXT,
     model_id TEXT,
     cost_pico_usd NUMERIC(38, 0) NOT NULL,
     kind TEXT NOT NULL,
     error TEXT,
     task_version TEXT NOT NULL,
     usage TEXT,
     price_book TEXT,
     call_id TEXT,
     superseded BOOLEAN NOT NULL DEFAULT FALSE,
     PRIMARY KEY (run, attempt),
     UNIQUE (run, reservation_id)
   );
   CREATE INDEX attempts_of_row ON attempts (run, position);
   -- An entry is never changed, only marked as taken back. One is for all rows of equal text, at the place of the first.
   CREATE TABLE reviews (
     run BIGINT NOT NULL,
     review BIGINT GENERATED ALWAYS AS IDENTITY,
     position BIGINT NOT NULL,
     action TEXT NOT NULL,
     label TEXT,
     author TEXT NOT NULL,
     at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
     undone_at TIMESTAMPTZ,
     PRIMARY KEY (run, review)
   );
   CREATE INDEX reviews_of_row ON reviews (run, position) WHERE undone_at IS NULL AND label IS NOT NULL;

   -- A run is put to work in a session: its rows that wait are dealt out in chunks, each a job of the queue.
   CREATE TABLE sessions (
     run BIGINT NOT NULL REFERENCES runs (run),
     session INT NOT NULL,
     chunks_left INT NOT NULL,
     outcome TEXT NOT NULL DEFAULT 'completed',
     PRIMARY KEY (run, session)
   );
   CREATE TABLE workers (
     worker TEXT PRIMARY KEY,
     concurrency INT NOT NULL,
     seen_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp()
   );

   CREATE FUNCTION iso(moment TIMESTAMPTZ) RETURNS TEXT STABLE LANGUAGE sql AS $$
     SELECT to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"');
   $$;

   -- Run in the transaction of a charge: it locks nothing but what it inserts. Told twice of an attempt it keeps one.
   CREATE FUNCTION keep_attempts(told JSONB) RETURNS VOID LANGUAGE sql SET search_path FROM CURRENT AS $$
     INSERT INTO attempts (run, position, reservation_id, answer, finish_reason, model_id, cost_pico_usd, kind, error,
         task_version, usage, price_book, call_id)
       SELECT run, position, "reservationId", answer, "finishReason", "modelId", "costPicoUsd", kind, error,
           "taskVersion", usage, "priceBook", "callId"
         FROM jsonb_to_recordset(told) AS each(run BIGINT, position BIGINT, "reservationId" TEXT, answer TEXT,
           "finishReason" TEXT, "modelId" TEXT, "costPicoUsd" NUMERIC, kind TEXT, error TEXT, "taskVersion" TEXT,
           usage TEXT, "priceBook" TEXT, "callId" TEXT)
       ON CONFLICT (run, reservation_id) DO NOTHING;
   $$;

   -- How many rows ended with each: itself and those of equal text.
   CREATE FUNCTION finish_rows(told JSONB) RETURNS JSONB LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
   DECLARE
     each RECORD;
     duplicates BIGINT;
     finished JSONB := '[]';
   BEGIN
     FOR each IN
       SELECT * FROM jsonb_to_recordset(told) AS one(run BIGINT, position BIGINT, status TEXT, label TEXT,
         confidence FLOAT8, explanation TEXT, source TEXT, error TEXT, "taskVersion" TEXT)
     LOOP
       UPDATE rows SET status = each.status, label = each.label, confidence = each.confidence,
           explanation = each.explanation, source = each.source, error = each.error, task_version = each."taskVersion"
         WHERE run = each.run AND position = each.position AND rows.status IN ('unpaid', 'error');
       -- Another worker, which took this one for dead, may have ended the row before.
       IF NOT FOUND THEN
         finished := finished || to_jsonb(0);
         CONTINUE;
       END IF;
       UPDATE rows SET status = each.status, label = each.label, confidence = each.confidence,
           explanation = each.explanation, source = each.source, error = each.error, task_version = each."taskVersion"
         WHERE run = each.run AND duplicate_of = each.position;
       GET DIAGNOSTICS duplicates = ROW_COUNT;
       finished := finished || to_jsonb(1 + duplicates);
     END LOOP;
     RETURN finished;
   END $$;`,
  // The transaction that last wrote an entry: whoever follows a run asks for what changed since it last looked. Entries from
  // before are as old as can be, which takes no time to write down.
  `ALTER TABLE rows ADD COLUMN changed XID8 NOT NULL DEFAULT '0';
   ALTER TABLE rows ALTER COLUMN changed SET DEFAULT pg_current_xact_id();
   ALTER TABLE attempts ADD COLUMN changed XID8 NOT NULL DEFAULT '0';
   ALTER TABLE attempts ALTER COLUMN changed SET DEFAULT pg_current_xact_id();
   ALTER TABLE reviews ADD COLUMN changed XID8 NOT NULL DEFAULT '0';
   ALTER TABLE reviews ALTER COLUMN changed SET DEFAULT pg_current_xact_id();
   CREATE INDEX rows_changed ON rows (run, changed);
   CREATE INDEX attempts_changed ON attempts (run, changed);
   CREATE INDEX reviews_changed ON reviews (run, changed);
   CREATE FUNCTION note_change() RETURNS TRIGGER LANGUAGE plpgsql AS $$
   BEGIN
     NEW.changed := pg_current_xact_id();
     RETURN NEW;
   END $$;
   CREATE TRIGGER changed BEFORE UPDATE ON rows FOR EACH ROW EXECUTE FUNCTION note_change();
   CREATE TRIGGER changed BEFORE UPDATE ON attempts FOR EACH ROW EXECUTE FUNCTION note_change();
   CREATE TRIGGER changed BEFORE UPDATE ON reviews FOR EACH ROW EXECUTE FUNCTION note_change();`,
];

/** A newer version of autolabel was here: this one must not write any more. */
export class NewerStoreError extends UsageError {}

/**
 * Creates or upgrades the schema in which runs are kept. Processes that start at once take turns; one that finds the
 * newest version changes nothing, and needs no right to. Workers of the version before may be at work: what they ask must
 * go on to be understood.
 *
 * @param newest the version that it is brought to; a test may want an older one.
 * @throws NewerStoreError when a newer version of autolabel wrote it.
 */
export async function migratePostgresRuns(pool: Pool, schema: string, newest = steps.length): Promise<void> {
  const found = await versionOf(pool, schema);
  if (found > newest) {
    throw new NewerStoreError(
      `The runs in schema ${schema} were written by a newer version of autolabel: upgrade @autolabel/labeler`,
    );
  }
  if (found === newest) return;
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [`autolabel runs in ${schema}`]);
    // IF NOT EXISTS need not see what was committed while the lock was waited for.
    const { rowCount: schemas } = await client.query("SELECT FROM pg_namespace WHERE nspname = $1", [schema]);
    if (schemas === 0) await client.query(`CREATE SCHEMA "${schema}"`);
    await client.query(`SET LOCAL search_path = "${schema}", pg_temp`);
    await client.query("CREATE TABLE IF NOT EXISTS run_schema (version INT NOT NULL)");
    // Looked at again: whoever had the lock before may have done it.
    const { rows } = await client.query<{ version: number }>(newestVersion("run_schema"));
    for (const [index, step] of steps.slice(0, newest).entries()) {
      if (index < (rows[0]?.version ?? 0)) continue;
      await client.query(step);
      await client.query("INSERT INTO run_schema VALUES ($1)", [index + 1]);
    }
    await client.query("COMMIT");
    client.release();
  } catch (error) {
    client.release(true);
    throw error;
  }
}

const newestVersion = (table: string) => `SELECT coalesce(max(version), 0) AS version FROM ${table}`;

async function versionOf(pool: Pool, schema: string): Promise<number> {
  const { rows: tables } = await pool.query(
    "SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = 'run_schema'",
    [schema],
  );
  if (tables.length === 0) return 0;
  const { rows } = await pool.query<{ version: number }>(newestVersion(`"${schema}".run_schema`));
  return rows[0]?.version ?? 0;
}
