import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Ledger } from "@autolabel/budget-core";
import { GroupCommit, openDatabase, SqliteLedger } from "@autolabel/budget-core/ledgers/sqlite";
import { stringifyExact } from "../data/exact-json.ts";
import { openBeside, openToRead } from "./open-to-read.ts";
import { orderRows } from "./order-rows.ts";
import { readReached } from "./reached-rows.ts";
import { readStanding } from "./read-standing.ts";
import { asReviewed, type LabeledRow, type PendingRow, type RowCounts, type RowStatus } from "./row.ts";
import { lockRun } from "./run-lock.ts";
import {
  type AddRowsOptions,
  type Attempt,
  type AttemptCost,
  countOf,
  type InputRow,
  type ReachedRows,
  type ReadRowsOptions,
  type RecordedAttempt,
  type ReopenOptions,
  type ReviewInput,
  type RowOrder,
  type RowResult,
  type RunStore,
  type Standing,
  stopAskedFact,
} from "./run-store.ts";
import { readSample } from "./sample-shares.ts";
import {
  checkReviewable,
  hasHumanLabel,
  humanLabelOf,
  insertReview,
  rowsByModelStatus,
  rowsByStatus,
  takeBackReview,
} from "./sqlite-reviews.ts";
import { migrateRunFile } from "./sqlite-run-schema.ts";
import { storedAttempt } from "./stored-attempt.ts";
import { readAttempt, readPending, readRow, type StoredRow } from "./stored-row.ts";

/** Rows that are taken in or read ahead at once: so many, or fewer that are so long. */
const mostRows = 1000;
const mostCharacters = 4_000_000;

/** A row, with its paid attempts counted. */
const wholeRow = (stratum = "NULL") =>
  `SELECT r.*, (SELECT count(*) FROM attempts a WHERE a.position = r.position) AS attempts,
   (SELECT coalesce(sum(cost_pico_usd), 0) FROM attempts a WHERE a.position = r.position) AS cost,
   ${humanLabelOf("coalesce(r.duplicate_of, r.position)")} AS review, ${stratum} AS stratum FROM rows r`;

/**
 * One run as one SQLite file: input, answers, charges. The ledger stands in the same file and shares its transactions,
 * so an answer and its charge are on disk together or not at all.
 */
export class SqliteRunStore implements RunStore {
  readonly isShared = false;
  /** The transactions; a SqliteLedger made on them shares them. */
  readonly commit: GroupCommit;
  readonly path: string;
  readonly #database: DatabaseSync;
  readonly #lock: DatabaseSync | undefined;
  readonly #statements = new Map<string, StatementSync>();

  /**
   * Opens a run file, or makes one, and locks it for this process; the lock ends with the process, however it ends.
   *
   * @param options.readOnly looks at a run as it stands at this moment, without lock, beside the process that works on it.
   * @param options.beside writes what people say, without lock, beside the process that works on it.
   * @throws UsageError when another process works on the run, or another version of autolabel wrote it.
   */
  constructor(path: string, { readOnly = false, beside = false }: { readOnly?: boolean; beside?: boolean } = {}) {
    this.path = path;
    if (readOnly || beside) {
      this.#database = readOnly ? openToRead(path) : openBeside(path);
      this.commit = new GroupCommit(this.#database);
      return;
    }
    mkdirSync(dirname(path), { recursive: true });
    this.#lock = lockRun(path);
    this.#database = openDatabase(path);
    this.commit = new GroupCommit(this.#database);
    migrateRunFile(this.#database);
  }

  openLedger(): Ledger {
    return new SqliteLedger(this.commit);
  }

  async facts(): Promise<Readonly<Record<string, string>>> {
    const rows = this.#statement("SELECT key, value FROM run").all() as { key: string; value: string }[];
    return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
  }

  set(facts: Readonly<Record<string, string>>): Promise<void> {
    return this.commit.run(() => this.setNow(facts));
  }

  /** Sets facts in one step that is on disk when this returns. */
  setNow(facts: Readonly<Record<string, string>>): void {
    this.#statement(
      `INSERT INTO run SELECT key, value FROM json_each(?) WHERE true
       ON CONFLICT DO UPDATE SET value = excluded.value`,
    ).run(JSON.stringify(facts));
  }

  async addRows(rows: Iterable<InputRow> | AsyncIterable<InputRow>, options: AddRowsOptions): Promise<number> {
    let position = 0;
    let batch: StoredInput[] = [];
    let characters = 0;
    const write = async () => {
      const first = position - batch.length;
      const added = batch;
      batch = [];
      characters = 0;
      await this.commit.run(() => {
        for (const [index, row] of added.entries()) this.#addRow(first + index, row, options.dedupe);
      });
    };
    for await (const { rowId, text, input } of rows) {
      const row = { rowId, text, input: stringifyExact(input) };
      position++;
      batch.push(row);
      characters += text.length + row.input.length;
      if (batch.length === mostRows || characters >= mostCharacters) await write();
    }
    await write();
    await this.commit.run(() => orderRows(this.#database, options.order));
    return position;
  }

  reorder(order: RowOrder): Promise<void> {
    return this.commit.run(() => orderRows(this.#database, order));
  }

  async reached(column: string | undefined): Promise<ReachedRows> {
    return readReached(this.#database, column);
  }

  #addRow(position: number, { rowId, text, input }: StoredInput, dedupe: boolean): void {
    const fingerprint = dedupe ? createHash("sha256").update(text).digest().subarray(0, 16) : null;
    const original = fingerprint && this.#statement("SELECT position FROM rows WHERE fingerprint = ?").get(fingerprint);
    this.#statement(
      `INSERT INTO rows (position, turn, row_id, text, input, fingerprint, duplicate_of) VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6)`,
    ).run(position, rowId, text, input, original ? null : fingerprint, original?.position ?? null);
  }

  async pending(fromTurn: number, most = mostRows, beforeTurn = Number.MAX_SAFE_INTEGER): Promise<PendingRow[]> {
    const statement = this.#statement(
      `SELECT position, turn, row_id, text, status, (SELECT json_group_array(
         json_object('text', answer, 'finishReason', finish_reason, 'modelId', model_id) ORDER BY rowid)
         FROM attempts a WHERE a.position = r.position AND answer IS NOT NULL AND superseded = 0) AS answers
       FROM rows r WHERE status IN ('unpaid', 'error') AND duplicate_of IS NULL AND turn >= ?
         AND turn < ? AND NOT ${hasHumanLabel("r.position")} ORDER BY turn LIMIT ?`,
    );
    const rows: PendingRow[] = [];
    let characters = 0;
    for (const row of statement.iterate(fromTurn, beforeTurn, most) as Iterable<StoredRow>) {
      rows.push(readPending(row));
      characters += String(row.text).length + String(row.answers).length;
      if (characters >= mostCharacters) break;
    }
    return rows;
  }

  /** Not awaited by its caller where the ledger is in this file: it joins the transaction that posts the charge. */
  recordAttempt(position: number, attempt: Attempt): Promise<void> {
    const stored = storedAttempt(attempt);
    const at = new Date().toISOString();
    return this.commit.run(() => {
      this.#statement(
        `INSERT INTO attempts (position, reservation_id, answer, finish_reason, model_id, cost_pico_usd, kind, error,
           at, task_version, usage, price_book, call_id) VALUES ($position, $reservationId, $answer, $finishReason,
           $modelId, $costPicoUsd, $kind, $error, $at, $taskVersion, $usage, $priceBook, $callId)`,
      ).run({ ...stored, position, at });
    });
  }

  finishRow(position: number, result: RowResult): Promise<number> {
    const { status, label, confidence, explanation, source, error, taskVersion } = result;
    const values = [
      status,
      label === undefined ? null : JSON.stringify(label),
      confidence ?? null,
      explanation ?? null,
      source ?? null,
      error ?? null,
      taskVersion,
      position,
    ] as const;
    const set =
      "UPDATE rows SET status = ?, label = ?, confidence = ?, explanation = ?, source = ?, error = ?, task_version = ?";
    return this.commit.run(() => {
      this.#statement(`${set} WHERE position = ?`).run(...values);
      const { changes } = this.#statement(`${set} WHERE duplicate_of = ?`).run(...values);
      return 1 + Number(changes);
    });
  }

  reopen(statuses: readonly RowStatus[], { notOfVersion }: ReopenOptions = {}): Promise<number> {
    const chosen = [JSON.stringify(statuses), notOfVersion ?? null] as const;
    // A row that a person labeled needs no more money.
    const isChosen = `status IN (SELECT value FROM json_each(?1)) AND (?2 IS NULL OR task_version <> ?2)
      AND NOT ${hasHumanLabel("coalesce(rows.duplicate_of, rows.position)")}`;
    return this.commit.run(() => {
      // Their answers were read and found wanting: the next question must not be answered by them.
      this.#statement(
        `UPDATE attempts SET superseded = 1 WHERE position IN (SELECT position FROM rows WHERE ${isChosen})`,
      ).run(...chosen);
      const { changes } = this.#statement(
        `UPDATE rows SET status = 'unpaid', label = NULL, confidence = NULL, explanation = NULL, source = NULL, error = NULL,
           task_version = NULL WHERE ${isChosen}`,
      ).run(...chosen);
      return Number(changes);
    });
  }

  async *attempts(): AsyncGenerator<RecordedAttempt> {
    const statement = this.#database.prepare(
      `SELECT position, reservation_id, cost_pico_usd, kind, model_id, answer IS NOT NULL AS answered, superseded, at, call_id
       FROM attempts ORDER BY rowid`,
    );
    statement.setReadBigInts(true);
    for (const attempt of statement.iterate() as Iterable<StoredRow>) yield readAttempt(attempt);
  }

  async attemptCost(reservationId: string): Promise<AttemptCost | undefined> {
    const statement = this.#statement("SELECT cost_pico_usd, model_id, kind FROM attempts WHERE reservation_id = ?");
    statement.setReadBigInts(true);
    type Row = { cost_pico_usd: bigint; model_id: string | null; kind: AttemptCost["kind"] };
    const row = statement.get(reservationId) as Row | undefined;
    return row && { costPicoUsd: row.cost_pico_usd, modelId: row.model_id ?? undefined, kind: row.kind };
  }

  async standing(): Promise<Standing> {
    return readStanding(this.#database);
  }

  async counts({ asModelSaid = false }: { asModelSaid?: boolean } = {}): Promise<RowCounts> {
    const counts: RowCounts = { rows: 0, labeled: 0, invalid: 0, errors: 0, unpaid: 0 };
    const states = this.#statement(asModelSaid ? rowsByModelStatus : rowsByStatus).all() as {
      status: RowStatus;
      rows: number;
    }[];
    for (const { status, rows } of states) {
      counts.rows += rows;
      counts[countOf[status]] += rows;
    }
    return counts;
  }

  async *rows({ asModelSaid = false, sample }: ReadRowsOptions = {}): AsyncGenerator<LabeledRow> {
    const drawn = sample && sample.kind !== "file" ? readSample(this.#database, sample) : undefined;
    const statement = this.#database.prepare(`${wholeRow(drawn?.stratum)} ORDER BY r.position`);
    statement.setReadBigInts(true);
    for (const stored of statement.iterate() as Iterable<StoredRow>) {
      const read = readRow(stored);
      const row = asModelSaid ? read : asReviewed(read);
      if (!drawn) yield row;
      else
        yield {
          ...row,
          inclusion: stored.stratum === null ? null : (drawn.shares.get(String(stored.stratum)) ?? null),
        };
    }
  }

  async row(position: number): Promise<LabeledRow> {
    const statement = this.#statement(`${wholeRow()} WHERE r.position = ?`);
    statement.setReadBigInts(true);
    return asReviewed(readRow(statement.get(position) as StoredRow));
  }

  async review(input: ReviewInput): Promise<void> {
    checkReviewable(this.#database, input.position);
    await this.commit.run(() => insertReview(this.#database, input));
  }

  undoReview(author: string, position?: number): Promise<number | undefined> {
    return this.commit.run(() => takeBackReview(this.#database, author, position));
  }

  async isStopAsked(): Promise<boolean> {
    const asked = this.#statement("SELECT value FROM run WHERE key = ?").get(stopAskedFact);
    return asked !== undefined && asked.value !== "";
  }

  async close(): Promise<void> {
    if (!this.#database.isOpen) return;
    this.commit.flush();
    this.#database.close();
    this.#lock?.close();
  }

  #statement(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

type StoredInput = Omit<InputRow, "input"> & { input: string };
