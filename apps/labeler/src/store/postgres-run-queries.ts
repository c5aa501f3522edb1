/** What {@link PostgresRunStore} asks, in SQL. `@` stands for the schema, `$1` for the run. */

/** A review that counts: it was not taken back, and says a label. */
const counts = "v.undone_at IS NULL AND v.label IS NOT NULL";

/** Whether a person gave the rows of a text a label. @param position SQL. */
const hasHumanLabel = (position: string) =>
  `EXISTS (SELECT FROM @reviews v WHERE v.run = $1 AND v.position = ${position} AND ${counts})`;

/** The value of a column for a row; empty where it has none, or none is asked for. @param column a parameter. */
const stratum = (row: string, column = "$2") =>
  `CASE WHEN ${column}::text IS NULL THEN '' ELSE coalesce(${row}.input::json ->> ${column}::text, '') END`;

/** Where what was bought in order ends. */
const firstLeft = `SELECT coalesce(min(turn), 9e15) FROM @rows
  WHERE run = $1 AND duplicate_of IS NULL AND status = 'unpaid'`;

/** So many characters are read at once, about. */
const mostBytes = 4_000_000;

/** The rows of a query that come before the first few MB end. @param rows its rows have `bytes`. */
const fewMb = (rows: string, order: string) => `SELECT * FROM (
  SELECT *, sum(bytes) OVER (ORDER BY ${order}) - bytes AS before FROM (${rows}) counted) AS limited
  WHERE before < ${mostBytes}`;

/** A row, with its paid attempts counted. @param rows that are read. */
const wholeRows = (rows: string) => `SELECT r.position, r.row_id, r.text, r.input, r.status, r.label, r.confidence,
    r.explanation, r.source, r.error, r.task_version, r.duplicate_of, r.position AS place, paid.attempts, paid.cost,
    (SELECT json_build_object('label', v.label::json, 'author', v.author, 'at', @iso(v.at))::text FROM @reviews v
      WHERE v.run = $1 AND v.position = coalesce(r.duplicate_of, r.position) AND ${counts}
      ORDER BY v.review DESC LIMIT 1) AS review
  FROM (${rows}) AS r CROSS JOIN LATERAL (
    SELECT count(*) AS attempts, coalesce(sum(a.cost_pico_usd), 0) AS cost FROM @attempts a
      WHERE a.run = $1 AND a.position = r.position) paid`;

const pageOfRows = wholeRows(
  fewMb(
    `SELECT *, octet_length(text) + octet_length(input) AS bytes FROM @rows
       WHERE run = $1 AND position > $2 ORDER BY position LIMIT 1000`,
    "position",
  ),
);

/** By name; those that read pages are asked again behind the `place` of the last row. */
export const runQueries = {
  find: "SELECT run FROM @runs WHERE id = $1",

  make: `INSERT INTO @runs (id) VALUES ($1) ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING run`,

  facts: "SELECT key, value FROM @facts WHERE run = $1",

  set: `INSERT INTO @facts SELECT $1, * FROM unnest($2::text[], $3::text[])
    ON CONFLICT (run, key) DO UPDATE SET value = excluded.value`,

  isStopAsked: "SELECT FROM @facts WHERE run = $1 AND key = $2 AND value <> ''",

  /** 2: fingerprints. */
  originals: "SELECT position, fingerprint FROM @rows WHERE run = $1 AND fingerprint = ANY ($2::bytea[])",

  addRows: `INSERT INTO @rows (run, position, turn, row_id, text, input, fingerprint, duplicate_of)
    SELECT $1, position, position, row_id, text, input, fingerprint, duplicate_of FROM unnest($2::bigint[], $3::text[],
      $4::text[], $5::text[], $6::bytea[], $7::bigint[]) AS t(position, row_id, text, input, fingerprint, duplicate_of)`,

  inFileOrder: "UPDATE @rows SET turn = position WHERE run = $1 AND turn <> position",

  /** 2: the column, or null for an order that is random alone; 3: the seed. */
  inDrawnOrder: `UPDATE @rows r SET turn = t.turn FROM (
      SELECT position, row_number() OVER (ORDER BY share, position) - 1 AS turn FROM (
        SELECT position, (row_number() OVER (PARTITION BY stratum ORDER BY is_left, drawn) - 0.5::float8) /
          count(*) OVER (PARTITION BY stratum) AS share
        FROM (SELECT position, ${stratum("d")} AS stratum, status = 'unpaid' AS is_left,
          substring(sha256(convert_to($3 || ':' || position, 'UTF8')) FROM 1 FOR 8) AS drawn
          FROM @rows d WHERE run = $1) AS each) AS placed) AS t
    WHERE r.run = $1 AND r.position = t.position AND r.turn <> t.turn`,

  /** 2: from this turn on; 3: so many; 4: before this turn. */
  pending: `SELECT position, turn, row_id, text, status, (
        SELECT coalesce(json_agg(json_build_object('text', answer, 'finishReason', finish_reason, 'modelId', model_id)
          ORDER BY attempt), '[]')::text
        FROM @attempts a WHERE a.run = $1 AND a.position = next.position AND answer IS NOT NULL AND NOT superseded
      ) AS answers
    FROM (${fewMb(
      `SELECT *, octet_length(text) AS bytes FROM @rows r WHERE run = $1 AND status IN ('unpaid', 'error')
         AND duplicate_of IS NULL AND turn >= $2 AND turn < $4 AND NOT ${hasHumanLabel("r.position")} ORDER BY turn LIMIT $3`,
      "turn",
    )}) AS next ORDER BY turn`,

  keepAttempts: "SELECT @keep_attempts($1)",

  finishRows: "SELECT @finish_rows($1) AS finished",

  /** 2: states; 3: a version of the task whose rows stay, or null. */
  reopen: `WITH chosen AS (
      SELECT position FROM @rows r WHERE run = $1 AND status = ANY ($2::text[])
        AND ($3::text IS NULL OR task_version <> $3) AND NOT ${hasHumanLabel("coalesce(r.duplicate_of, r.position)")}
    ), unread AS (
      UPDATE @attempts SET superseded = TRUE WHERE run = $1 AND position IN (SELECT position FROM chosen)
    )
    UPDATE @rows SET status = 'unpaid', label = NULL, confidence = NULL, explanation = NULL, source = NULL, error = NULL,
      task_version = NULL WHERE run = $1 AND position IN (SELECT position FROM chosen)`,

  counts: `SELECT CASE WHEN human.position IS NULL OR $2::boolean THEN status ELSE 'labeled' END AS status, count(*) AS rows
    FROM @rows r LEFT JOIN (SELECT DISTINCT position FROM @reviews v WHERE run = $1 AND ${counts}) human
      ON human.position = coalesce(r.duplicate_of, r.position)
    WHERE r.run = $1 GROUP BY 1`,

  rest: `SELECT count(*) AS rows, coalesce(sum(char_length(text)), 0) AS characters FROM @rows r
    WHERE run = $1 AND status IN ('unpaid', 'error') AND duplicate_of IS NULL AND NOT ${hasHumanLabel("r.position")}`,

  /** 2: so many of the last attempts. */
  paidSample: `SELECT char_length(r.text) AS characters, count(*) AS attempts, sum(a.cost_pico_usd) AS cost,
      (array_agg(a.cost_pico_usd ORDER BY a.attempt))[1] AS first
    FROM (SELECT * FROM @attempts WHERE run = $1 ORDER BY attempt DESC LIMIT $2) a
    JOIN @rows r ON r.run = $1 AND r.position = a.position GROUP BY r.position, r.text`,

  reached: `SELECT count(*) AS reached, count(*) FILTER (WHERE turn < (${firstLeft})) AS in_order FROM @rows
    WHERE run = $1 AND duplicate_of IS NULL AND status <> 'unpaid'`,

  /** 2: the column, or null. */
  strata: `SELECT * FROM (
      SELECT ${stratum("r")} AS value, count(*) AS rows, count(*) FILTER (WHERE status <> 'unpaid') AS reached
      FROM @rows r WHERE run = $1 GROUP BY 1) AS strata ORDER BY value COLLATE "C"`,

  /** 2: the column, or null. What share of each stratum's texts was drawn. */
  shares: `SELECT ${stratum("r")} AS value, count(*) FILTER (WHERE turn < (${firstLeft}))::float8 / count(*) AS share
    FROM @rows r WHERE run = $1 AND duplicate_of IS NULL GROUP BY 1`,

  attempts: `SELECT position, reservation_id, cost_pico_usd, kind, model_id, (answer IS NOT NULL)::int AS answered,
      superseded::int AS superseded, @iso(at) AS at, call_id, attempt AS place
    FROM @attempts WHERE run = $1 AND attempt > $2 ORDER BY attempt LIMIT 5000`,

  attemptCost: "SELECT cost_pico_usd, model_id, kind FROM @attempts WHERE run = $1 AND reservation_id = $2",

  row: wholeRows("SELECT * FROM @rows WHERE run = $1 AND position = $2"),

  /** 2: behind this position. */
  rows: `${pageOfRows} ORDER BY r.position`,

  /** 2: behind this position; 3: the column, or null. With the stratum that a row was drawn from; null where it was not. */
  sampledRows: `SELECT drawn.*, (SELECT CASE WHEN turn < (${firstLeft}) THEN ${stratum("o", "$3")} END FROM @rows o
      WHERE o.run = $1 AND o.position = coalesce(drawn.duplicate_of, drawn.position)) AS stratum
    FROM (${pageOfRows}) AS drawn ORDER BY position`,

  statusOf: "SELECT status FROM @rows WHERE run = $1 AND position = $2",

  review: `INSERT INTO @reviews (run, position, action, label, author)
    SELECT $1, coalesce(duplicate_of, position), $3, $4, $5 FROM @rows WHERE run = $1 AND position = $2`,

  /** 2: the author; 3: the row, or null for whichever was last. */
  undoReview: `UPDATE @reviews SET undone_at = clock_timestamp() WHERE run = $1 AND review = (
      SELECT max(review) FROM @reviews WHERE run = $1 AND author = $2 AND undone_at IS NULL AND ($3::bigint IS NULL
        OR position = (SELECT coalesce(duplicate_of, r.position) FROM @rows r WHERE r.run = $1 AND r.position = $3)))
    RETURNING position`,
} as const;
