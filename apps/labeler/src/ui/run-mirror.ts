import { DatabaseSync, type StatementSync } from "node:sqlite";
import type { PoolClient } from "pg";
import { asItWas, storable } from "../store/postgres-texts.ts";
import { inTransaction, type RunDatabase } from "../store/run-database.ts";
import type { RunSummary } from "../store/runs.ts";
import { migrateRunFile } from "../store/sqlite-run-schema.ts";
import type { StoredRow } from "../store/stored-row.ts";

/** So old may be what is shown, in ms. */
const freshMs = 500;
/** Entries that are read at once. */
const pageSize = 500;

/** A run of a database as a run file of this machine, to be looked at. It follows the run by what changed since it looked. */
export class RunMirror {
  readonly path: string;
  readonly #runs: RunDatabase;
  readonly #run: RunSummary;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #facts = "";
  /** The first transaction whose work may not have been seen. */
  #since = "0";
  #last: Promise<void> = Promise.resolve();
  #begunAt = Number.NEGATIVE_INFINITY;

  private constructor(runs: RunDatabase, run: RunSummary, path: string) {
    this.path = path;
    this.#runs = runs;
    this.#run = run;
    // Rows come in any order: those of equal text before the one that they point to.
    this.#database = new DatabaseSync(path, { enableForeignKeyConstraints: false });
    // What is lost with the machine is read again.
    this.#database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;");
    migrateRunFile(this.#database);
  }

  /** Copies all of a run to a file that is made for it. */
  static async open(runs: RunDatabase, run: RunSummary, path: string): Promise<RunMirror> {
    const mirror = new RunMirror(runs, run, path);
    try {
      await mirror.follow();
      return mirror;
    } catch (error) {
      mirror.close();
      throw error;
    }
  }

  /** Copies what changed, unless that was done a moment ago. @param staleMs how long ago that may be. */
  follow(staleMs = freshMs): Promise<void> {
    if (performance.now() - this.#begunAt < staleMs) return this.#last;
    this.#last = this.#last
      .catch(() => undefined)
      .then(() => {
        this.#begunAt = performance.now();
        return this.#copy();
      });
    // Until it begins, others wait for this one.
    this.#begunAt = performance.now();
    return this.#last;
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  async #copy(): Promise<void> {
    const facts = JSON.stringify(await this.#factsNow());
    this.#database.exec("BEGIN");
    try {
      if (facts !== this.#facts) {
        this.#write("DELETE FROM run");
        this.#write("INSERT INTO run SELECT key, value FROM json_each($facts)", { facts });
      }
      const since = await inTransaction(this.#runs.pool, (client) => this.#copyChanges(client));
      this.#database.exec("COMMIT");
      this.#facts = facts;
      this.#since = since;
    } catch (error) {
      // Whoever closed it while it waited for the server needs no copy.
      if (this.#database.isOpen) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  /** With how the run stands as its outcome, as long as rows of it wait. */
  async #factsNow(): Promise<Readonly<Record<string, string>>> {
    return (await this.#runs.standing(this.#run)).facts;
  }

  /** @returns the first transaction that was under way. */
  async #copyChanges(client: PoolClient): Promise<string> {
    await client.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    const { rows } = await client.query<{ first: string }>(
      "SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS first",
    );
    for await (const row of this.#changes(client, "rows", rowColumns)) this.#keepRow(row);
    for await (const attempt of this.#changes(client, "attempts", attemptColumns)) this.#keepAttempt(attempt);
    for await (const review of this.#changes(client, "reviews", reviewColumns)) this.#keepReview(review);
    return String(rows[0]?.first);
  }

  async *#changes(client: PoolClient, table: string, columns: string): AsyncGenerator<StoredRow> {
    await client.query(
      `DECLARE changes NO SCROLL CURSOR FOR SELECT ${columns} FROM "autolabel_runs".${table} e
       WHERE run = (SELECT run FROM "autolabel_runs".runs WHERE id = $1) AND changed >= $2::xid8 ORDER BY 1`,
      [storable(this.#run.id), this.#since],
    );
    for (let isMore = true; isMore; ) {
      const { rows } = await client.query<StoredRow>(`FETCH ${pageSize} FROM changes`);
      for (const row of rows) yield asItWas(row);
      isMore = rows.length === pageSize;
    }
    await client.query("CLOSE changes");
  }

  /** Entered as one that waits first: the file's sums follow what becomes of a row. */
  #keepRow(row: StoredRow): void {
    this.#write(
      `INSERT OR IGNORE INTO rows (position, turn, row_id, text, input, duplicate_of)
       VALUES ($position, $turn, $row_id, $text, $input, $duplicate_of)`,
      row,
    );
    this.#write(
      `UPDATE rows SET turn = $turn, status = $status, label = $label, confidence = $confidence, error = $error,
         explanation = $explanation, source = $source, task_version = $task_version WHERE position = $position`,
      row,
    );
  }

  #keepAttempt(attempt: StoredRow): void {
    this.#write(
      `INSERT OR IGNORE INTO attempts (position, reservation_id, answer, finish_reason, model_id, cost_pico_usd, kind,
         error, at, task_version, usage, price_book, call_id)
       VALUES ($position, $reservation_id, $answer, $finish_reason, $model_id, $cost_pico_usd, $kind, $error, $at,
         $task_version, $usage, $price_book, $call_id)`,
      attempt,
    );
    this.#write("UPDATE attempts SET superseded = $superseded WHERE reservation_id = $reservation_id", attempt);
  }

  #keepReview(review: StoredRow): void {
    this.#write(
      `INSERT INTO reviews (review, position, action, label, author, at, undone_at)
       VALUES ($review, $position, $action, $label, $author, $at, $undone_at)
       ON CONFLICT DO UPDATE SET undone_at = excluded.undone_at`,
      review,
    );
  }

  #write(sql: string, values: StoredRow = {}): void {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      statement.setAllowUnknownNamedParameters(true);
      this.#statements.set(sql, statement);
    }
    statement.run(values);
  }
}

const iso = (column: string) => `"autolabel_runs".iso(${column}) AS ${column}`;

/** The first one is what they are ordered by. */
const rowColumns = `position, turn, row_id, text, input, duplicate_of, status, label, confidence, explanation, source,
  error, task_version`;
const attemptColumns = `attempt, position, reservation_id, answer, finish_reason, model_id, cost_pico_usd, kind, error,
  ${iso("at")}, task_version, usage, price_book, call_id, superseded::int AS superseded`;
const reviewColumns = `review, position, action, label, author, ${iso("at")}, ${iso("undone_at")}`;
