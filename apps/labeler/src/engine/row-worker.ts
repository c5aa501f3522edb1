import { setTimeout as sleep } from "node:timers/promises";
import { BudgetError, LedgerError } from "@autolabel/budget-core";
import { PostgresLedger } from "@autolabel/budget-core/ledgers/postgres";
import pLimit, { type LimitFunction } from "p-limit";
import type { Settings } from "../config/settings.ts";
import { patiently } from "../store/patiently.ts";
import { storable } from "../store/postgres-texts.ts";
import { chunkLeaseMs, type RowQueue, type TakenChunk } from "../store/row-queue.ts";
import { inTransaction, type RunDatabase } from "../store/run-database.ts";
import { sessionQueries as queries } from "../store/session-queries.ts";
import { UsageError } from "../usage-error.ts";
import type { RunOutcome } from "./run-rows.ts";
import { SharedRun } from "./shared-run.ts";

/** How a session of a run ends; the one furthest right of what happened to its chunks. */
const outcomes = ["completed", "budget", "interrupted", "rate-limited", "credit", "failed"] as const;
type SessionOutcome = (typeof outcomes)[number];

/** How often a worker says that it lives, in ms. */
const heartbeatMs = 2000;
/** How often a worker that has nothing to do looks for rows, in ms. */
const pollMs = 500;
/** A worker that was not heard of for so long is not counted any more, in ms. */
const goneMs = 10_000;
/** How often calls of workers that are gone are looked for, in ms. */
const recoverMs = 5000;

/** What a {@link RowWorker} tells those who watch it. */
export interface WorkerState {
  name: string;
  concurrency: number;
  /** Rows that were finished here. */
  rows: number;
  callsInFlight: number;
  chunks: number;
  /** Live workers, this one included. */
  workers: number;
  /** When the database last answered, in ms since 1970. */
  heardAtMs: number;
  isStopping: boolean;
}

/** What a {@link RowWorker} is made of. */
export interface RowWorkerOptions {
  name: string;
  runs: RunDatabase;
  queue: RowQueue;
  settings: Settings;
  /** Calls in flight at most, of all runs together. */
  concurrency: number;
  /** Told what a person should know. */
  onNote?: (text: string) => void;
}

/** Labels rows of whatever runs wait in a database, beside any number of its like. */
export class RowWorker {
  readonly #options: RowWorkerOptions;
  readonly #limit: LimitFunction;
  readonly #ledger: PostgresLedger;
  readonly #stop = new AbortController();
  readonly #chunks = new Map<TakenChunk, AbortController>();
  readonly #runs = new Map<string, Promise<SharedRun>>();
  #rows = 0;
  #workers = { count: 1, concurrency: 0 };
  #heardAt = Date.now();
  /** By the clock that does not go back; another worker may have the chunks when it is over. */
  #ownsUntil = performance.now() + chunkLeaseMs;
  #wake = () => {};

  constructor(options: RowWorkerOptions) {
    this.#options = options;
    this.#limit = pLimit(options.concurrency);
    this.#ledger = new PostgresLedger(options.runs.pool);
  }

  get state(): WorkerState {
    return {
      name: this.#options.name,
      concurrency: this.#options.concurrency,
      rows: this.#rows,
      callsInFlight: this.#limit.activeCount,
      chunks: this.#chunks.size,
      workers: this.#workers.count,
      heardAtMs: this.#heardAt,
      isStopping: this.#stop.signal.aborted,
    };
  }

  /** Takes no more rows; calls in flight are finished and kept, and the rest goes back at once. */
  stop(): void {
    this.#stop.abort();
    for (const chunk of this.#chunks.values()) chunk.abort();
    this.#wake();
  }

  /** Works until it is stopped. */
  async work(): Promise<void> {
    await patiently(() => this.#announce());
    // Those who share a limit with it get to know of it first.
    if (this.#workers.count > 1) await this.#sleep(heartbeatMs);
    const beating = setInterval(() => void this.#beat(), heartbeatMs);
    const recovering = setInterval(() => void this.#recover(), recoverMs);
    try {
      await this.#recover();
      while (!this.#stop.signal.aborted) {
        if (this.#limit.pendingCount >= this.#options.concurrency / 2) await this.#change();
        else if (!(await this.#takeChunk())) await this.#sleep(pollMs);
      }
      while (this.#chunks.size > 0) await this.#change();
    } finally {
      clearInterval(beating);
      clearInterval(recovering);
      for (const run of this.#runs.values()) await run.then((opened) => opened.close()).catch(() => undefined);
      await this.#options.runs.pool.query(queries.leave, [this.#options.name]).catch(() => undefined);
    }
  }

  async #takeChunk(): Promise<boolean> {
    const chunk = await this.#options.queue.take().catch((error: unknown) => this.#missed(error));
    if (!chunk) return false;
    const control = new AbortController();
    if (this.#stop.signal.aborted) control.abort();
    this.#chunks.set(chunk, control);
    void this.#workOn(chunk, control.signal).finally(() => {
      this.#chunks.delete(chunk);
      this.#wake();
    });
    return true;
  }

  /** A chunk to its end, or back to the others. */
  async #workOn(chunk: TakenChunk, stop: AbortSignal): Promise<void> {
    const outcome = await this.#label(chunk, stop).catch((error: unknown) => this.#failed(chunk, error));
    const isWhole = outcome !== undefined && !stop.aborted;
    try {
      if (isWhole) await this.#end(chunk, outcome);
      else await this.#options.queue.giveBack(chunk);
    } catch (error) {
      // Without a sign of life it goes to another worker, which finds what was finished.
      this.#missed(error);
    }
  }

  async #label(chunk: TakenChunk, stop: AbortSignal): Promise<SessionOutcome> {
    const { rows } = await this.#options.runs.pool.query<{
      last: number;
      outcome: SessionOutcome;
      stop_asked: boolean;
    }>(queries.standing, [storable(chunk.run), chunk.session]);
    const [standing] = rows;
    if (!standing || standing.last !== chunk.session) return "interrupted";
    if (standing.stop_asked) return "interrupted";
    if (outcomes.indexOf(standing.outcome) >= outcomes.indexOf("interrupted")) return standing.outcome;
    const run = await this.#runOf(chunk);
    const outcome: RunOutcome = await run.label(chunk, {
      stop,
      inTurn: (work) => this.#limit(() => (this.#mayBegin() ? work() : Promise.reject(new LostChunkError()))),
      onRow: (finished) => {
        this.#rows += finished;
      },
    });
    return outcome.kind;
  }

  /** Whether its chunks are still its own: whoever was suspended for long finds that they are not. */
  #mayBegin(): boolean {
    return performance.now() < this.#ownsUntil;
  }

  /** @returns how the session ends by what no other row could do better; undefined for what another try may mend. */
  async #failed(chunk: TakenChunk, error: unknown): Promise<SessionOutcome | undefined> {
    const isFinal =
      error instanceof UsageError ||
      (BudgetError.isInstance(error) && !LedgerError.isInstance(error)) ||
      (error instanceof Error && error.message.startsWith("The provider cannot be reached"));
    if (!isFinal) {
      this.#missed(error);
      await this.#sleep(pollMs);
      return undefined;
    }
    const { message } = error as Error;
    this.#options.onNote?.(`${chunk.run}: ${message}`);
    const run = await this.#runOf(chunk).catch(() => undefined);
    await run?.tellProblem(message).catch(() => undefined);
    return "failed";
  }

  async #end(chunk: TakenChunk, outcome: SessionOutcome): Promise<void> {
    const { pool } = this.#options.runs;
    const left = await inTransaction(pool, async (client) => {
      if (!(await this.#options.queue.end(client, chunk))) return undefined;
      const { rows } = await client.query<{ chunks_left: number; outcome: SessionOutcome }>(queries.endChunk, [
        storable(chunk.run),
        chunk.session,
        outcome,
        outcomes,
      ]);
      return rows[0];
    });
    if (left?.chunks_left !== 0) return;
    const key = keyOf(chunk);
    const run = await this.#runs.get(key)?.catch(() => undefined);
    this.#runs.delete(key);
    await run?.finish(left.outcome);
    await run?.close();
    this.#options.onNote?.(`${chunk.run}: ${left.outcome}`);
  }

  #runOf(chunk: TakenChunk): Promise<SharedRun> {
    const key = keyOf(chunk);
    const known = this.#runs.get(key);
    if (known) return known;
    const { runs, settings, concurrency } = this.#options;
    const opening = SharedRun.open(runs, chunk.run, { settings, concurrency });
    this.#runs.set(key, opening);
    opening.then(
      (run) => run.share(this.#share()),
      () => this.#runs.delete(key),
    );
    return opening;
  }

  /** What part of limits that all workers share is this one's. */
  #share(): number {
    return this.#options.concurrency / Math.max(this.#workers.concurrency, this.#options.concurrency);
  }

  async #announce(): Promise<void> {
    const { runs, name, concurrency } = this.#options;
    const { rows } = await runs.pool.query<{ concurrency: number; workers: number }>(queries.announce, [
      name,
      concurrency,
      goneMs,
    ]);
    this.#workers = { count: rows[0]?.workers ?? 1, concurrency: rows[0]?.concurrency ?? concurrency };
    this.#heardAt = Date.now();
  }

  async #beat(): Promise<void> {
    const askedAt = performance.now();
    // Others may have its chunks by now: what was not sent is not sent.
    if (!this.#mayBegin()) for (const control of this.#chunks.values()) control.abort();
    try {
      await this.#options.queue.touch([...this.#chunks.keys()]);
      this.#ownsUntil = askedAt + chunkLeaseMs - heartbeatMs;
      await this.#announce();
      const share = this.#share();
      for (const [key, opening] of this.#runs) {
        const run = await opening;
        run.share(share);
        if (await run.isStopAsked())
          for (const [chunk, control] of this.#chunks) if (keyOf(chunk) === key) control.abort();
      }
    } catch (error) {
      this.#missed(error);
    }
  }

  /** What workers that are gone had sent becomes unresolved, and what they had not is free again. */
  async #recover(): Promise<void> {
    try {
      await this.#ledger.recover();
      await this.#options.runs.pool.query(queries.forgetWorkers, [10 * goneMs]);
    } catch (error) {
      this.#missed(error);
    }
  }

  /** The database, or the network to it, is away for a moment. */
  #missed(error: unknown): undefined {
    if (error instanceof LostChunkError) return undefined;
    this.#options.onNote?.(error instanceof Error ? error.message : String(error));
    return undefined;
  }

  async #sleep(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }

  /** Waits until a chunk ends, or a little while. */
  async #change(): Promise<void> {
    await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), sleep(20)]);
  }
}

class LostChunkError extends Error {
  constructor() {
    super("Another worker has these rows by now");
  }
}

function keyOf({ run, session }: TakenChunk): string {
  return `${run}/${session}`;
}
