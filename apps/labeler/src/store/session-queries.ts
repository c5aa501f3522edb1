/** What {@link RunDatabase} and workers ask, in SQL. */

const runs = '"autolabel_runs"';
const runOf = `(SELECT run FROM ${runs}.runs WHERE id = $1)`;
const hasFact = (key: string) => `EXISTS (SELECT FROM ${runs}.facts f WHERE f.run = r.run AND f.key = '${key}')`;
const fact = (key: string) => `(SELECT value FROM ${runs}.facts f WHERE f.run = r.run AND f.key = '${key}')`;

/** Rows that a worker would buy. */
const waitingRows = `FROM ${runs}.rows r WHERE run = ${runOf} AND status IN ('unpaid', 'error') AND duplicate_of IS NULL
  AND NOT EXISTS (SELECT FROM ${runs}.reviews v
    WHERE v.run = r.run AND v.position = r.position AND v.undone_at IS NULL AND v.label IS NOT NULL)`;

/** By name. `$1` is a run's id where there is one. */
export const sessionQueries = {
  /** 1: the stem of its id. The next number that is free; of two that ask at once one asks again. */
  newRun: `INSERT INTO ${runs}.runs (id) SELECT $1 || '-' || (1 + coalesce(max(substring(id FROM char_length($1) + 2)::bigint), 0))
    FROM ${runs}.runs WHERE starts_with(id, $1 || '-') AND substring(id FROM char_length($1) + 2) ~ '^[0-9]{1,15}$'
    RETURNING id`,

  lockStarts: "SELECT pg_advisory_xact_lock(hashtextextended('autolabel starts', 0))",

  /** 2, 3: keys and values. */
  setFacts: `INSERT INTO ${runs}.facts SELECT ${runOf}, * FROM unnest($2::text[], $3::text[])
    ON CONFLICT (run, key) DO UPDATE SET value = excluded.value`,

  discardRun: `WITH gone AS (SELECT ${runOf} AS run),
    rows_gone AS (DELETE FROM ${runs}.rows WHERE run IN (SELECT run FROM gone)),
    facts_gone AS (DELETE FROM ${runs}.facts WHERE run IN (SELECT run FROM gone))
    UPDATE ${runs}.runs SET id = id || '/discarded' || run WHERE run IN (SELECT run FROM gone)`,

  listRuns: `SELECT id, ${fact("identity")} AS identity, ${fact("rowsIdentity")} AS rows_identity,
      ${fact("touchedAt")} AS touched_at, ${fact("stage")} AS stage
    FROM ${runs}.runs r WHERE ${hasFact("identity")} ORDER BY touched_at DESC NULLS LAST, run DESC`,

  rowsByTaskVersion: `SELECT task_version AS version, count(*) AS rows FROM ${runs}.rows
    WHERE run = ${runOf} AND task_version IS NOT NULL AND status <> 'error' GROUP BY 1`,

  spent: `SELECT coalesce(sum(cost_pico_usd), 0)::text AS cost FROM ${runs}.attempts WHERE run = ${runOf}`,

  /** 2: after how many ms a worker is gone. */
  session: `SELECT session, chunks_left, (SELECT count(*) FROM ${runs}.workers
      WHERE seen_at > clock_timestamp() - $2 * interval '1 ms') AS workers
    FROM ${runs}.sessions WHERE run = ${runOf} ORDER BY session DESC LIMIT 1`,

  /** 2: rows a chunk. Turns from which on, and before which, the rows of a chunk wait. */
  chunks: `SELECT min(turn) AS from_turn, max(turn) + 1 AS before_turn FROM (
      SELECT turn, (row_number() OVER (ORDER BY turn) - 1) / $2::bigint AS chunk ${waitingRows}) AS waiting
    GROUP BY chunk ORDER BY chunk`,

  waiting: `SELECT count(*) AS rows ${waitingRows}`,

  /** 2: its number; 3: its chunks. */
  beginSession: `INSERT INTO ${runs}.sessions (run, session, chunks_left) VALUES (${runOf}, $2, $3)`,

  /** 2: the session. Whether it is the last one, and what ended it early, if something did. */
  standing: `SELECT session, outcome, (SELECT max(session) FROM ${runs}.sessions WHERE run = ${runOf}) AS last,
      EXISTS (SELECT FROM ${runs}.facts WHERE run = ${runOf} AND key = 'stopAskedAt' AND value <> '') AS stop_asked
    FROM ${runs}.sessions WHERE run = ${runOf} AND session = $2`,

  /** 2: the session; 3: how a chunk of it ended, and what may take its place: the worst is kept. */
  endChunk: `UPDATE ${runs}.sessions SET chunks_left = chunks_left - 1,
      outcome = CASE WHEN array_position($4::text[], $3) > array_position($4::text[], outcome) THEN $3 ELSE outcome END
    WHERE run = ${runOf} AND session = $2 RETURNING chunks_left, outcome`,

  /** 1: the worker; 2: calls that it has in flight at most; 3: after how many ms one is gone. What all have together. */
  announce: `WITH me AS (
      INSERT INTO ${runs}.workers (worker, concurrency) VALUES ($1, $2)
      ON CONFLICT (worker) DO UPDATE SET seen_at = clock_timestamp(), concurrency = excluded.concurrency)
    SELECT coalesce(sum(concurrency), 0)::int + $2::int AS concurrency, count(*)::int + 1 AS workers FROM ${runs}.workers
    WHERE worker <> $1 AND seen_at > clock_timestamp() - $3 * interval '1 ms'`,

  /** 1: the worker. */
  leave: `DELETE FROM ${runs}.workers WHERE worker = $1`,

  /** 1: after how many ms a worker's name is forgotten. */
  forgetWorkers: `DELETE FROM ${runs}.workers WHERE seen_at < clock_timestamp() - $1 * interval '1 ms'`,
} as const;
