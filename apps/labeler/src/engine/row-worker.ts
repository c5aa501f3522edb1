import { setTimeout as sleep } from "node:timers/promises";
import { BudgetError, LedgerError } from "@autolabel/budget-core";
import { PostgresLedger } from "@autolabel/budget-core/ledgers/postgres";
import pLimit, { type LimitFunction } from "p-limit";
import type { Settings } from "../config/settings.ts";
import { NoAccessError } from "../no-access-error.ts";
import { patiently } from "../store/patiently.ts";
import { NewerStoreError } from "../store/postgres-run-schema.ts";
import { storable } from "../store/postgres-texts.ts";
import { chunkLeaseMs, type RowQueue, sessionOf, type TakenChunk } from "../store/row-queue.ts";
import { type RunDatabase, setFacts } from "../store/run-database.ts";
import { problemFact } from "../store/run-store.ts";
import { sessionQueries as queries } from "../store/session-queries.ts";
import { UsageError } from "../usage-error.ts";
import { OpenSharedRuns } from "./open-shared-runs.ts";
import { type EndedChunk, endChunk, endsSession, type SessionOutcome } from "./session-end.ts";

/** How often a worker says that it lives, in ms. */
const heartbeatMs = 2000;
/** How often a worker that has nothing to do looks for rows, in ms. */
const pollMs = 500;
/** And how often one whose rows wait for their provider. */
const busyPollMs = 100;
/** A worker that was not heard of for so long is not counted any more, in ms. */
const goneMs = 10_000;
/** So many chunks at most wait for their run to be opened: others may begin them. */
const mostUnbegun = 2;
/** How often the same trouble is told, in ms. */
const tellMs = 30_000;
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
  readonly #runs: OpenSharedRuns;
  readonly #oneEnd = pLimit(1);
  #unbegun = 0;
  #rows = 0;
  #workers = { count: 1, concurrency: 0 };
  #heardAt = Date.now();
  /** By the clock that does not go back; another worker may have the chunks when it is over. */
  #ownsUntil = performance.now() + chunkLeaseMs;
  /** By session. */
  readonly #leftUntil = new Map<string, number>();
  /** By what was told. */
  readonly #toldUntil = new Map<string, number>();
  #wake = () => {};
  #outdated: NewerStoreError | undefined;

  constructor(options: RowWorkerOptions) {
    this.#options = options;
    this.#limit = pLimit(options.concurrency);
    this.#runs = new OpenSharedRuns(options.runs, options);
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

  /** Works until it is stopped. @throws NewerStoreError when a newer version of autolabel changed the database meanwhile. */
  async work(): Promise<void> {
    await patiently(() => this.#announce());
    // Those who share a limit with it get to know of it first.
    if (this.#workers.count > 1) await this.#sleep(heartbeatMs);
    const beating = setInterval(() => void this.#beat(), heartbeatMs);
    const recovering = setInterval(() => void this.#recover(), recoverMs);
    try {
      await this.#recover();
      while (!this.#stop.signal.aborted) {
        if (this.#isFull) await this.#change();
        else if (!(await this.#takeChunk())) await this.#sleep(this.#chunks.size > 0 ? busyPollMs : pollMs);
      }
      while (this.#chunks.size > 0) await this.#change();
    } finally {
      clearInterval(beating);
      clearInterval(recovering);
      await this.#runs.close();
      await this.#options.runs.pool.query(queries.leave, [this.#options.name]).catch(() => undefined);
    }
    if (this.#outdated) throw this.#outdated;
  }

  /** Whether it has rows enough to have the next one at hand when a call ends. */
  get #isFull(): boolean {
    if (this.#unbegun >= mostUnbegun) return true;
    return this.#isBusy && this.#limit.pendingCount + this.#runs.waiting >= this.#options.concurrency / 2;
  }

  get #isBusy(): boolean {
    return this.#limit.activeCount >= this.#options.concurrency;
  }

  /** Sessions of which more rows are of no use: calls could be made, and theirs wait for the limits of their provider. */
  get #heldBack(): string[] {
    return this.#isBusy ? [] : this.#runs.heldBack(this.#options.concurrency / 2);
  }

  /** Sessions that are other workers', until it tries them again: somebody may have asked that they stop. */
  get #left(): string[] {
    const now = performance.now();
    return [...this.#leftUntil].filter(([, until]) => now < until).map(([session]) => session);
  }

  async #takeChunk(): Promise<boolean> {
    const chunk = await this.#options.queue
      .take([...this.#left, ...this.#heldBack])
      .catch((error: unknown) => this.#missed(error));
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
    const ended = await this.#label(chunk, stop).catch((error: unknown) => this.#failed(chunk, error));
    try {
      if (ended && !stop.aborted) await this.#end(ended);
      else await this.#options.queue.giveBack(chunk);
    } catch (error) {
      // Without a sign of life it goes to another worker, which finds what was finished.
      this.#missed(error);
    }
  }

  async #label(chunk: TakenChunk, stop: AbortSignal): Promise<EndedChunk> {
    const { rows } = await this.#options.runs.pool.query<{
      last: number;
      outcome: SessionOutcome;
      stop_asked: boolean;
    }>(queries.standing, [storable(chunk.run), chunk.session]);
    const [standing] = rows;
    if (!standing || standing.last !== chunk.session || standing.stop_asked) return { chunk, outcome: "interrupted" };
    if (endsSession(standing.outcome)) return { chunk, outcome: standing.outcome };
    this.#unbegun++;
    let begin = () => {
      this.#unbegun--;
      begin = () => {};
    };
    try {
      return await this.#runs.using(chunk, async (run) => {
        begin();
        const { kind } = await run.label(chunk, {
          stop,
          inTurn: (work) =>
            this.#limit(() => {
              if (!this.#mayBegin()) this.#chunks.get(chunk)?.abort();
              return work();
            }),
          onRow: (finished) => {
            this.#rows += finished;
          },
        });
        return { chunk, outcome: kind };
      });
    } finally {
      begin();
    }
  }

  /** Whether its chunks are still its own: whoever was suspended for long finds that they are not. */
  #mayBegin(): boolean {
    return performance.now() < this.#ownsUntil;
  }

  /** @returns how the session ends by what no other row could do better; undefined for what another try may mend. */
  async #failed(chunk: TakenChunk, error: unknown): Promise<EndedChunk | undefined> {
    if (error instanceof NewerStoreError) {
      // Others are newer, and go on.
      this.#outdated = error;
      this.stop();
      return undefined;
    }
    if (error instanceof NoAccessError) return await this.#leaveToOthers(chunk, error);
    const isFinal =
      error instanceof UsageError ||
      (BudgetError.isInstance(error) && !LedgerError.isInstance(error)) ||
      (error instanceof Error && error.message.startsWith("The provider cannot be reached"));
    if (isFinal) {
      const { message } = error as Error;
      this.#options.onNote?.(`${chunk.run}: ${message}`);
      return { chunk, outcome: "failed", problem: message };
    }
    this.#missed(error);
    await this.#sleep(pollMs);
    return undefined;
  }

  /** A worker that the provider does not let in ends no run that others can label; who looks at the run is told. */
  async #leaveToOthers(chunk: TakenChunk, { message }: NoAccessError): Promise<undefined> {
    this.#leftUntil.set(sessionOf(chunk), performance.now() + tellMs);
    this.#options.onNote?.(`${chunk.run}: ${message}`);
    const told = setFacts(this.#options.runs.pool, chunk.run, { [problemFact]: message });
    await told.catch((error: unknown) => this.#missed(error));
  }

  async #end(ended: EndedChunk): Promise<void> {
    const { runs, queue, onNote } = this.#options;
    const outcome = await this.#oneEnd(() => endChunk(runs, queue, ended));
    if (outcome === undefined) return;
    onNote?.(`${ended.chunk.run}: ${outcome}`);
    await this.#runs.closeIdle(ended.chunk);
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
      await this.#runs.share(this.#share());
      const stopped = await this.#runs.stopped();
      for (const [chunk, control] of this.#chunks) if (stopped.has(sessionOf(chunk))) control.abort();
      await this.#runs.closeIdle();
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

  /** The database, or the network to it, is away for a moment; of what lasts longer a person is told now and then. */
  #missed(error: unknown): undefined {
    const text = error instanceof Error ? error.message : String(error);
    const now = performance.now();
    if (now < (this.#toldUntil.get(text) ?? 0)) return undefined;
    this.#toldUntil.set(text, now + tellMs);
    this.#options.onNote?.(text);
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
