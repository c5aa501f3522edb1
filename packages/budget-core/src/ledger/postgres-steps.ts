import { LedgerError } from "../errors/ledger-error.ts";
import { isRefusedForItsValues, type PostgresCall } from "./postgres-connection.ts";

/** A step as the server's function `take_steps` reads it. */
export interface PostgresStep {
  do: "reserve" | "markDispatched" | "split" | "settle" | "release" | "extend" | "post" | "reset" | "writeOff";
  /** Of the reservation; of the step itself where there is none. */
  id: string;
  /** What is split off. */
  part?: { id: string };
  [detail: string]: unknown;
}

interface Pending {
  step: PostgresStep;
  beside: PostgresCall | undefined;
  askedAt: number;
  resolve: (outcome: unknown) => void;
  reject: (error: unknown) => void;
}

/** Sends steps, and what is to be done in their transaction. */
type TakeAll = (request: { steps: PostgresStep[] }, beside: readonly PostgresCall[]) => Promise<unknown[]>;

/** More would hold the accounts for long. */
const maxStepsPerCall = 64;
/** One at work, one on its way. */
const maxCallsInFlight = 2;

/**
 * Gathers the steps that are asked for in one turn, or while others are under way, into one call, so that many concurrent
 * LLM calls share a round trip, a turn at the locks of their accounts, and a flush to disk.
 */
export class PostgresSteps {
  readonly #takeAll: TakeAll;
  readonly #timeoutMs: number;
  readonly #calls = new Set<Promise<void>>();
  #pending: Pending[] = [];

  constructor(takeAll: TakeAll, timeoutMs: number) {
    this.#takeAll = takeAll;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Takes one step.
   *
   * @param beside done in the same transaction.
   * @throws LedgerError when it was not taken, or it is not known whether it was.
   */
  take(step: PostgresStep, beside?: PostgresCall): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const isFirst = this.#pending.push({ step, beside, askedAt: performance.now(), resolve, reject }) === 1;
      if (isFirst) setImmediate(() => this.#sendPending());
    });
  }

  /** Waits for all that was asked for. */
  async drain(): Promise<void> {
    while (this.#pending.length > 0 || this.#calls.size > 0) {
      this.#sendPending();
      await Promise.race(this.#calls);
    }
  }

  #sendPending(): void {
    while (this.#pending.length > 0 && this.#calls.size < maxCallsInFlight) {
      const batch = this.#pending.splice(0, this.#batchSize()).filter((pending) => !this.#isLate(pending));
      const call = this.#send(batch).finally(() => {
        this.#calls.delete(call);
        this.#sendPending();
      });
      this.#calls.add(call);
    }
  }

  /** Two calls may overtake each other: what is asked for one reservation in one turn goes in one, in order. */
  #batchSize(): number {
    let size = maxStepsPerCall;
    while (isNextOf(this.#pending[size - 1]?.step, this.#pending[size]?.step)) size++;
    return size;
  }

  /** A server that hangs must not keep those behind for longer than those whom it keeps waiting. */
  #isLate({ askedAt, reject }: Pending): boolean {
    if (performance.now() - askedAt <= this.#timeoutMs) return false;
    reject(new LedgerError({ message: `The PostgreSQL ledger is too slow: not asked within ${this.#timeoutMs} ms` }));
    return true;
  }

  async #send(batch: readonly Pending[]): Promise<void> {
    if (batch.length === 0) return;
    try {
      const beside = batch.flatMap((pending) => pending.beside ?? []);
      const outcomes = await this.#takeAll({ steps: batch.map(({ step }) => step) }, beside);
      for (const [index, { resolve }] of batch.entries()) resolve(outcomes[index]);
    } catch (error) {
      if (batch.length > 1 && isRefusedForItsValues(error)) {
        // Nothing of it happened. Only the step that the server cannot store may fail.
        for (const pending of batch) await this.#send([pending]);
      } else for (const { reject } of batch) reject(error);
    }
  }
}

function isNextOf(before: PostgresStep | undefined, step: PostgresStep | undefined): boolean {
  return step !== undefined && (step.id === before?.id || step.id === before?.part?.id);
}
