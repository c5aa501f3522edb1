import { createHash } from "node:crypto";
import type { Ledger } from "@autolabel/budget-core";
import type { Pool } from "pg";
import { stringifyExact } from "../data/exact-json.ts";
import { UsageError } from "../usage-error.ts";
import { GatheredCalls } from "./gathered-calls.ts";
import { JoinedLedger, type Joining } from "./joined-ledger.ts";
import { patiently } from "./patiently.ts";
import { runQueries } from "./postgres-run-queries.ts";
import { migratePostgresRuns } from "./postgres-run-schema.ts";
import { asItWas, restored, storable, storableJson, storableTexts } from "./postgres-texts.ts";
import { readPaidSample, sampledAttempts } from "./read-standing.ts";
import { asReviewed, type LabeledRow, type PendingRow, type RowCounts, type RowStatus } from "./row.ts";
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
import { storedAttempt } from "./stored-attempt.ts";
import { readAttempt, readPending, readRow, type StoredRow } from "./stored-row.ts";

/** Rows that are taken in or read ahead at once: so many, or fewer that are so long. */
const mostRows = 1000;
const mostCharacters = 4_000_000;

/** Options of {@link PostgresRunStore.open}. */
export interface PostgresRunStoreOptions {
  /** Schema in which runs are kept; it is created and upgraded. Default `"autolabel_runs"`. */
  schema?: string;
  /** Schema of the ledger beside it. Default `"autolabel"`, as everywhere. */
  ledgerSchema?: string;
}

/**
 * One run among others in PostgreSQL. The ledger stands in the same database, and settles a call in the transaction that
 * keeps its answer.
 */
export class PostgresRunStore implements RunStore {
  readonly isShared = true;
  readonly #client: Pool;
  readonly #options: Required<PostgresRunStoreOptions>;
  readonly #run: string;
  readonly #recorded: GatheredCalls<object, void>;
  readonly #finished: GatheredCalls<object, number>;
  /** By reservation. */
  readonly #joining = new Map<string, Joining>();

  private constructor(client: Pool, options: Required<PostgresRunStoreOptions>, run: string) {
    this.#client = client;
    this.#options = options;
    this.#run = run;
    this.#recorded = new GatheredCalls<object, void>(async (attempts) => {
      await patiently(() => this.#client.query(this.#text("keepAttempts"), [JSON.stringify(attempts)]));
      return [];
    });
    this.#finished = new GatheredCalls(async (rows) => {
      const { rows: answers } = await patiently(() =>
        this.#client.query<{ finished: number[] }>(this.#text("finishRows"), [JSON.stringify(rows)]),
      );
      return answers[0]?.finished ?? [];
    });
  }

  /**
   * Opens a run, or makes one.
   *
   * @param client is not ended by the store. It needs a listener of `error`: it emits one for an idle connection that breaks.
   * @throws UsageError when a newer version of autolabel was here, and errors of the server.
   */
  static async open(client: Pool, id: string, options: PostgresRunStoreOptions = {}): Promise<PostgresRunStore> {
    const { schema = "autolabel_runs", ledgerSchema = "autolabel" } = options;
    await migratePostgresRuns(client, schema);
    const runOf = async (query: "find" | "make") =>
      (await client.query<{ run: string }>(inSchema(schema, runQueries[query]), [storable(id)])).rows[0]?.run;
    const run = (await runOf("find")) ?? (await runOf("make"));
    return new PostgresRunStore(client, { schema, ledgerSchema }, String(run));
  }

  openLedger(): Ledger {
    const { schema, ledgerSchema } = this.#options;
    return new JoinedLedger(this.#client, { schema: ledgerSchema }, (reservationId) => {
      const joining = this.#joining.get(reservationId);
      this.#joining.delete(reservationId);
      return joining && { ...joining, functionName: `"${schema}".keep_attempts` };
    });
  }

  async facts(): Promise<Readonly<Record<string, string>>> {
    const facts = await this.#read("facts");
    return Object.fromEntries(facts.map(({ key, value }) => [restored(String(key)), restored(String(value))]));
  }

  async set(facts: Readonly<Record<string, string>>): Promise<void> {
    await this.#write("set", Object.keys(facts).map(storable), Object.values(facts).map(storable));
  }

  async addRows(rows: Iterable<InputRow> | AsyncIterable<InputRow>, options: AddRowsOptions): Promise<number> {
    let position = 0;
    let batch: StoredInput[] = [];
    let characters = 0;
    for await (const { rowId, text, input } of rows) {
      const row = { position, rowId, text, input: stringifyExact(input) };
      position++;
      batch.push(row);
      characters += text.length + row.input.length;
      if (batch.length < mostRows && characters < mostCharacters) continue;
      await this.#addRows(batch, options.dedupe);
      batch = [];
      characters = 0;
    }
    await this.#addRows(batch, options.dedupe);
    await this.reorder(options.order);
    return position;
  }

  async #addRows(rows: readonly StoredInput[], dedupe: boolean): Promise<void> {
    const fingerprints = rows.map(({ text }) =>
      dedupe ? createHash("sha256").update(text).digest().subarray(0, 16) : null,
    );
    const known = dedupe ? await this.#read("originals", fingerprints) : [];
    const originals = new Map(known.map((row) => [hexOf(row.fingerprint), Number(row.position)]));
    const duplicates = rows.map(({ position }, index) => {
      const fingerprint = fingerprints[index];
      if (!fingerprint) return null;
      const original = originals.get(hexOf(fingerprint));
      if (original === undefined) originals.set(hexOf(fingerprint), position);
      return original ?? null;
    });
    await this.#write(
      "addRows",
      rows.map(({ position }) => position),
      rows.map(({ rowId }) => storable(rowId)),
      rows.map(({ text }) => storable(text)),
      rows.map(({ input }) => storableJson(input)),
      fingerprints.map((fingerprint, index) => (duplicates[index] === null ? fingerprint : null)),
      duplicates,
    );
  }

  async reorder(order: RowOrder): Promise<void> {
    if (order.kind === "file") await this.#write("inFileOrder");
    else await this.#write("inDrawnOrder", columnOf(order), String(order.seed));
  }

  async reached(column: string | undefined): Promise<ReachedRows> {
    const stored = column === undefined ? null : storable(column);
    const [[total], strata] = await Promise.all([this.#read("reached"), this.#read("strata", stored)]);
    const inOrder = Number(total?.in_order);
    return {
      inOrder,
      beyond: Number(total?.reached) - inOrder,
      strata: strata.map(({ value, rows, reached }) => ({
        value: restored(String(value)),
        rows: Number(rows),
        reached: Number(reached),
      })),
    };
  }

  async pending(fromTurn: number, most = mostRows, beforeTurn = Number.MAX_SAFE_INTEGER): Promise<PendingRow[]> {
    return (await this.#read("pending", fromTurn, most, beforeTurn)).map((row) => readPending(asItWas(row)));
  }

  /** Waits for the end of the turn: the charge may come, and then both are kept in one transaction. */
  recordAttempt(position: number, attempt: Attempt): Promise<void> {
    const { reservationId, costPicoUsd, ...texts } = storedAttempt(attempt);
    const stored = {
      run: this.#run,
      position,
      reservationId,
      costPicoUsd: String(costPicoUsd),
      ...storableTexts(texts),
    };
    return new Promise((resolve, reject) => {
      this.#joining.set(reservationId, { attempt: stored, resolve, reject });
      setImmediate(() => {
        if (this.#joining.delete(reservationId)) this.#recorded.tell(stored).then(resolve, reject);
      });
    });
  }

  finishRow(position: number, { status, label, confidence, ...rest }: RowResult): Promise<number> {
    return this.#finished.tell({
      run: this.#run,
      position,
      status,
      label: label === undefined ? null : storableJson(JSON.stringify(label)),
      confidence: confidence ?? null,
      ...storableTexts(rest),
    });
  }

  async reopen(statuses: readonly RowStatus[], { notOfVersion }: ReopenOptions = {}): Promise<number> {
    return await this.#write("reopen", statuses, notOfVersion === undefined ? null : storable(notOfVersion));
  }

  async *attempts(): AsyncGenerator<RecordedAttempt> {
    for await (const attempt of this.#pages("attempts")) yield readAttempt(asItWas(attempt));
  }

  async attemptCost(reservationId: string): Promise<AttemptCost | undefined> {
    const [row] = await this.#read("attemptCost", reservationId);
    if (!row) return undefined;
    const { modelId, kind, costPicoUsd } = readAttempt(asItWas(row));
    return { costPicoUsd, modelId: modelId ?? undefined, kind };
  }

  async standing(): Promise<Standing> {
    const [[rest], sample] = await Promise.all([this.#read("rest"), this.#read("paidSample", sampledAttempts)]);
    const amounts = sample.map(({ characters, attempts, first, cost }) => ({
      characters: BigInt(characters ?? 0),
      attempts: BigInt(attempts ?? 0),
      first: BigInt(first ?? 0),
      cost: BigInt(cost ?? 0),
    }));
    return {
      rest: { rows: Number(rest?.rows), characters: Number(rest?.characters) },
      sample: readPaidSample(amounts),
    };
  }

  async counts({ asModelSaid = false }: { asModelSaid?: boolean } = {}): Promise<RowCounts> {
    const counts: RowCounts = { rows: 0, labeled: 0, invalid: 0, errors: 0, unpaid: 0 };
    for (const [status, rows] of await this.rowsByStatus(asModelSaid)) {
      counts.rows += rows;
      counts[countOf[status]] += rows;
    }
    return counts;
  }

  /** How many rows are in each state that has some; those that a person labeled are labeled, unless it is for the model's word. */
  async rowsByStatus(asModelSaid = false): Promise<[RowStatus, number][]> {
    return (await this.#read("counts", asModelSaid)).map(({ status, rows }) => [status as RowStatus, Number(rows)]);
  }

  async *rows({ asModelSaid = false, sample }: ReadRowsOptions = {}): AsyncGenerator<LabeledRow> {
    const read = (stored: StoredRow) => {
      const row = readRow(asItWas(stored));
      return asModelSaid ? row : asReviewed(row);
    };
    if (!sample || sample.kind === "file") {
      for await (const stored of this.#pages("rows")) yield read(stored);
      return;
    }
    const strata = await this.#read("shares", columnOf(sample));
    const shares = new Map(strata.map(({ value, share }) => [value, Number(share)]));
    for await (const stored of this.#pages("sampledRows", columnOf(sample)))
      yield { ...read(stored), inclusion: shares.get(stored.stratum ?? null) ?? null };
  }

  async row(position: number): Promise<LabeledRow> {
    const [stored] = await this.#read("row", position);
    if (!stored) throw noSuchRow(position);
    return asReviewed(readRow(asItWas(stored)));
  }

  async review({ position, action, label, author }: ReviewInput): Promise<void> {
    const [row] = await this.#read("statusOf", position);
    if (!row) throw noSuchRow(position);
    if (row.status === "unpaid")
      throw new UsageError(`Row ${position} has no answer yet: it can be reviewed once the model was asked`);
    const stored = label === null ? null : storableJson(JSON.stringify(label));
    await this.#write("review", position, action, stored, storable(author));
  }

  async undoReview(author: string, position?: number): Promise<number | undefined> {
    const [taken] = await this.#read("undoReview", storable(author), position ?? null);
    return taken && Number(taken.position);
  }

  async isStopAsked(): Promise<boolean> {
    return (await this.#read("isStopAsked", stopAskedFact)).length > 0;
  }

  /** Waits for what is under way, and leaves the client open. */
  async close(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([this.#recorded.drain(), this.#finished.drain()]);
  }

  #text(query: QueryName): string {
    return inSchema(this.#options.schema, runQueries[query]);
  }

  async #read(query: QueryName, ...values: unknown[]): Promise<StoredRow[]> {
    return (await this.#client.query<StoredRow>(this.#text(query), [this.#run, ...values])).rows;
  }

  /** @returns how many rows were written. */
  async #write(query: QueryName, ...values: unknown[]): Promise<number> {
    return (await this.#client.query(this.#text(query), [this.#run, ...values])).rowCount ?? 0;
  }

  /** Reads page by page, all of one moment, on a connection of its own. */
  async *#pages(query: "rows" | "sampledRows" | "attempts", ...values: unknown[]): AsyncGenerator<StoredRow> {
    const client = await this.#client.connect();
    try {
      await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
      for (let place: unknown = -1; place !== undefined; ) {
        const { rows } = await client.query<StoredRow>(this.#text(query), [this.#run, place, ...values]);
        yield* rows;
        place = rows.at(-1)?.place;
      }
    } finally {
      // Also for a reader that had enough. A connection that is gone is not given back.
      await client.query("ROLLBACK").then(
        () => client.release(),
        () => client.release(true),
      );
    }
  }
}

type QueryName = keyof typeof runQueries;
type StoredInput = Omit<InputRow, "input"> & { position: number; input: string };

function inSchema(schema: string, query: string): string {
  return query.replaceAll("@", `"${schema}".`);
}

function columnOf(order: Exclude<RowOrder, { kind: "file" }>): string | null {
  return order.kind === "stratified" ? storable(order.column) : null;
}

function hexOf(fingerprint: unknown): string {
  return (fingerprint as Buffer).toString("hex");
}

function noSuchRow(position: number): UsageError {
  return new UsageError(`The run has no row at place ${position}`);
}
