import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { type Posting, usd } from "@autolabel/budget-core";
import { GroupCommit, openDatabase } from "@autolabel/budget-core/ledgers/sqlite";
import { UsageError } from "../usage-error.ts";
import type { LabeledRow, PendingRow, RowCounts, RowStatus } from "./row.ts";
import { migrateRunFile } from "./schema.ts";

/** A row of the input, before it has a place in the run. */
export interface InputRow {
  rowId: string;
  text: string;
  input: Readonly<Record<string, unknown>>;
}

/** How a row ended. */
export interface RowResult {
  status: Exclude<RowStatus, "unpaid">;
  label?: string | undefined;
  source?: string | undefined;
  error?: string | undefined;
}

const rowsPerTransaction = 1000;

/** Which count a state belongs to. */
export const countOf: Readonly<Record<RowStatus, Exclude<keyof RowCounts, "rows">>> = {
  unpaid: "unpaid",
  labeled: "labeled",
  invalid_label: "invalid",
  truncated: "invalid",
  error: "errors",
};

/**
 * One run as one SQLite file: input, answers, charges. The ledger stands in the same file and shares its transactions,
 * so an answer and its charge are on disk together or not at all.
 */
export class RunStore {
  /** The transactions; a SqliteLedger made on them shares them. */
  readonly commit: GroupCommit;
  readonly path: string;
  readonly #database: DatabaseSync;
  readonly #lock: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /**
   * Opens a run file, or makes one, and locks it for this process; the lock ends with the process, however it ends.
   *
   * @throws UsageError when another process works on the run.
   */
  constructor(path: string) {
    mkdirSync(dirname(path), { recursive: true });
    this.path = path;
    this.#lock = lockRun(path);
    this.#database = openDatabase(path);
    this.commit = new GroupCommit(this.#database);
    migrateRunFile(this.#database);
  }

  /** A fact about the run, such as its budget; undefined when never set. */
  get(key: string): string | undefined {
    const row = this.#statement("SELECT value FROM run WHERE key = ?").get(key) as { value: string } | undefined;
    return row?.value;
  }

  /** Sets facts about the run, durably. */
  set(facts: Readonly<Record<string, string>>): Promise<void> {
    return this.commit.run(() => {
      for (const [key, value] of Object.entries(facts)) {
        this.#statement("INSERT INTO run VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value").run(
          key,
          value,
        );
      }
    });
  }

  /** Takes the input in, in order. Called once, before the first label. */
  async addRows(rows: Iterable<InputRow> | AsyncIterable<InputRow>): Promise<number> {
    let position = 0;
    let batch: InputRow[] = [];
    const write = async () => {
      const first = position - batch.length;
      await this.commit.run(() => {
        const insert = this.#statement("INSERT INTO rows (position, row_id, text, input) VALUES (?, ?, ?, ?)");
        for (const [index, row] of batch.entries()) {
          insert.run(first + index, row.rowId, row.text, JSON.stringify(row.input));
        }
      });
      batch = [];
    };
    for await (const row of rows) {
      position++;
      if (batch.push(row) === rowsPerTransaction) await write();
    }
    await write();
    return position;
  }

  /** Rows that still need a label, from a position on, in input order. */
  pendingFrom(position: number, limit: number): PendingRow[] {
    const rows = this.#statement(
      `SELECT r.position, r.row_id, r.text, r.status, a.answer, a.finish_reason, a.model_id
       FROM rows r LEFT JOIN attempts a ON a.rowid =
         (SELECT max(rowid) FROM attempts WHERE position = r.position AND answer IS NOT NULL)
       WHERE r.status IN ('unpaid', 'error') AND r.position >= ? ORDER BY r.position LIMIT ?`,
    ).all(position, limit) as Record<string, string | number | null>[];
    return rows.map((row) => ({
      position: Number(row.position),
      rowId: String(row.row_id),
      text: String(row.text),
      status: row.status === "error" ? "error" : "unpaid",
      ...(row.answer === null
        ? {}
        : {
            answer: {
              text: String(row.answer),
              finishReason: textOrUndefined(row.finish_reason),
              modelId: textOrUndefined(row.model_id),
            },
          }),
    }));
  }

  /**
   * Keeps a charged attempt and its answer. Not awaited by its caller: it joins the transaction in which the ledger posts
   * the charge.
   */
  recordAttempt(
    position: number,
    { reservationId, receipt, outcome }: Posting,
    answer: string | undefined,
  ): Promise<void> {
    const finishReason = (outcome.result?.finishReason as { unified?: unknown } | undefined)?.unified;
    return this.commit.run(() => {
      this.#statement(
        `INSERT INTO attempts (position, reservation_id, answer, finish_reason, model_id, cost_pico_usd, kind, error)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ).run(
        position,
        reservationId,
        answer ?? null,
        typeof finishReason === "string" ? finishReason : null,
        receipt.modelId ?? null,
        receipt.costPicoUsd,
        receipt.kind ?? "reported",
        outcome.error === undefined ? null : messageOf(outcome.error),
      );
    });
  }

  /** Keeps how a row ended. */
  finishRow(position: number, result: RowResult): Promise<void> {
    return this.commit.run(() => {
      this.#statement("UPDATE rows SET status = ?, label = ?, source = ?, error = ? WHERE position = ?").run(
        result.status,
        result.label ?? null,
        result.source ?? null,
        result.error ?? null,
        position,
      );
    });
  }

  /** Charged attempts by reservation, to resolve what a crash left open in another ledger file. */
  attemptCost(reservationId: string): { costPicoUsd: bigint; modelId: string | undefined } | undefined {
    const statement = this.#statement("SELECT cost_pico_usd, model_id FROM attempts WHERE reservation_id = ?");
    statement.setReadBigInts(true);
    const row = statement.get(reservationId) as { cost_pico_usd: bigint; model_id: string | null } | undefined;
    return row && { costPicoUsd: row.cost_pico_usd, modelId: row.model_id ?? undefined };
  }

  counts(): RowCounts {
    const counts: RowCounts = { rows: 0, labeled: 0, invalid: 0, errors: 0, unpaid: 0 };
    const states = this.#statement("SELECT status, count(*) AS rows FROM rows GROUP BY status").all();
    for (const { status, rows } of states as { status: RowStatus; rows: number }[]) {
      counts.rows += rows;
      counts[countOf[status]] += rows;
    }
    return counts;
  }

  /** All rows in input order, one at a time: memory does not grow with the run. */
  *rows(): Generator<LabeledRow> {
    const statement = this.#database.prepare(
      `SELECT r.*, (SELECT count(*) FROM attempts a WHERE a.position = r.position) AS attempts,
         (SELECT coalesce(sum(cost_pico_usd), 0) FROM attempts a WHERE a.position = r.position) AS cost
       FROM rows r ORDER BY r.position`,
    );
    statement.setReadBigInts(true);
    for (const row of statement.iterate() as Iterable<Record<string, string | bigint | null>>) yield readRow(row);
  }

  /** One row as it stands. */
  row(position: number): LabeledRow {
    const statement = this.#statement(
      `SELECT r.*, (SELECT count(*) FROM attempts a WHERE a.position = r.position) AS attempts,
         (SELECT coalesce(sum(cost_pico_usd), 0) FROM attempts a WHERE a.position = r.position) AS cost
       FROM rows r WHERE r.position = ?`,
    );
    statement.setReadBigInts(true);
    return readRow(statement.get(position) as Record<string, string | bigint | null>);
  }

  close(): void {
    if (!this.#database.isOpen) return;
    this.commit.flush();
    this.#database.close();
    this.#lock.close();
  }

  #statement(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/**
 * An open exclusive transaction on a file beside the run: the operating system frees it even after `kill -9`. Close it to
 * unlock.
 *
 * @throws UsageError when another process works on the run.
 */
export function lockRun(path: string): DatabaseSync {
  const lock = new DatabaseSync(`${path}.lock`, { timeout: 0 });
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (cause) {
    lock.close();
    throw new UsageError(`Another process works on the run ${path}: wait for it, or stop it`, { cause });
  }
}

function readRow(row: Record<string, string | bigint | null>): LabeledRow {
  return {
    position: Number(row.position),
    rowId: String(row.row_id),
    input: JSON.parse(String(row.input)) as Record<string, unknown>,
    text: String(row.text),
    label: textOrNull(row.label),
    status: row.status as RowStatus,
    source: textOrNull(row.source),
    cost: usd.pico(BigInt(row.cost ?? 0n)),
    attempts: Number(row.attempts),
    error: textOrNull(row.error),
  };
}

type Cell = string | number | bigint | null | undefined;

function textOrNull(value: Cell): string | null {
  return value === null || value === undefined ? null : String(value);
}

function textOrUndefined(value: Cell): string | undefined {
  return textOrNull(value) ?? undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : JSON.stringify(error);
}
