import { LedgerError } from "../errors/ledger-error.ts";
import { ReservationStateError } from "../errors/reservation-state-error.ts";
import type { Receipt } from "../receipt.ts";
import type { Ledger, ReserveRequest } from "./ledger.ts";
import { ledgerStep } from "./ledger-step.ts";

/** A receipt that a failing ledger did not take. */
export interface Unposted {
  reservationId: string;
  receipt: Receipt;
  /** The hold, where the ledger may know nothing of it; it is then made of the cost itself, under no limit. */
  request: ReserveRequest | undefined;
}

/** What an {@link Outbox} needs. */
interface OutboxOptions {
  ledger: Ledger;
  /** How long a step of the ledger may take, in ms. */
  timeoutMs: number;
  onPosted: (unposted: Unposted) => void;
  /** The ledger refused it for good, such as one that a person wrote off meanwhile. */
  onRefused: (unposted: Unposted, error: unknown) => void;
}

const firstPauseMs = 250;
const longestPauseMs = 30_000;

/**
 * Receipts that wait for a failing ledger, in this process's memory. They are tried again in the order they came, after
 * pauses that double from a quarter of a second to half a minute, until they are posted or the process ends; the timer
 * keeps no process alive.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #waiting = new Map<string, Unposted>();
  #pauseMs = firstPauseMs;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #flushing: Promise<number> | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.size;
  }

  add(unposted: Unposted): void {
    // The first receipt of a reservation counts, as in the ledger.
    if (!this.#waiting.has(unposted.reservationId)) this.#waiting.set(unposted.reservationId, unposted);
    this.#schedule();
  }

  /** Tries all of them now. @returns how many still wait. */
  flush(): Promise<number> {
    this.stop();
    this.#flushing ??= this.#post().finally(() => {
      this.#flushing = undefined;
      this.#schedule();
    });
    return this.#flushing;
  }

  /** Tries no more by itself, until something is added. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(): void {
    if (this.#timer || this.#flushing || this.#waiting.size === 0) return;
    this.#timer = setTimeout(() => void this.flush(), this.#pauseMs);
    (this.#timer as { unref?: () => void }).unref?.();
  }

  async #post(): Promise<number> {
    const { ledger, timeoutMs, onPosted, onRefused } = this.#options;
    for (const unposted of this.#waiting.values()) {
      const error: unknown = await post(ledger, unposted, timeoutMs).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (LedgerError.isInstance(error)) {
        this.#pauseMs = Math.min(2 * this.#pauseMs, longestPauseMs);
        break;
      }
      this.#pauseMs = firstPauseMs;
      this.#waiting.delete(unposted.reservationId);
      if (error === undefined) onPosted(unposted);
      else onRefused(unposted, error);
    }
    return this.#waiting.size;
  }
}

/**
 * Leads a reservation from whatever state the ledger knows it in to `settled`. Each step can be repeated, so an answer
 * that was lost posts nothing twice.
 */
async function post(ledger: Ledger, { reservationId, receipt, request }: Unposted, timeoutMs: number): Promise<void> {
  let id = reservationId;
  if (request) {
    const accounts = request.accounts.map((account) => ({ ...account, limitPicoUsd: null }));
    let state = await dispatch(ledger, id, timeoutMs);
    while (state === "unknown" || state === "expired") {
      // The id of a hold that has expired is used up.
      if (state === "expired") id += "+";
      const hold = { ...request, id, accounts, amountPicoUsd: receipt.costPicoUsd };
      await ledgerStep(() => ledger.reserve(hold), timeoutMs);
      state = await dispatch(ledger, id, timeoutMs);
    }
  }
  await ledgerStep(() => ledger.settle(id, receipt), timeoutMs);
}

/** Marks a reservation as dispatched. @returns the state that it has after it, or for which it was refused. */
async function dispatch(ledger: Ledger, id: string, timeoutMs: number): Promise<string> {
  try {
    await ledgerStep(() => ledger.markDispatched(id), timeoutMs);
    return "dispatched";
  } catch (error) {
    if (ReservationStateError.isInstance(error)) return error.state;
    throw error;
  }
}
