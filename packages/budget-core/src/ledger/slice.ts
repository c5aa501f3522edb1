import { ReservationStateError } from "../errors/reservation-state-error.ts";
import type { Receipt } from "../receipt.ts";
import type { Account, Balance, Ledger, ReservationPart, ReserveOutcome, ReserveRequest } from "./ledger.ts";

/** What the ledger keeps of money that went back. */
const neverSent = "never sent: returned by its worker";

/** A call that holds a part of a slice. */
export interface SlicedCall {
  readonly request: ReserveRequest;
  readonly slice: Slice;
  state: "held" | "dispatched";
  /** By the {@link ElapsedClock}. */
  leaseEndsAt: number;
  /** Its settlement, under way. */
  ending: Promise<Balance[]> | undefined;
}

/**
 * Time that has passed, in ms. A process that is stopped still counts by the monotonic clock, a machine that sleeps only by
 * the wall clock: the faster of the two tells that a lease may be over.
 */
export class ElapsedClock {
  #elapsed = 0;
  #monotonic = performance.now();
  #wall = Date.now();

  readonly now = (): number => {
    const monotonic = performance.now();
    const wall = Date.now();
    this.#elapsed += Math.max(monotonic - this.#monotonic, wall - this.#wall, 0);
    this.#monotonic = monotonic;
    this.#wall = wall;
    return this.#elapsed;
  };
}

/** Where a slice is drawn from. */
export interface SliceSource {
  ledger: Ledger;
  accounts: readonly Account[];
  leaseMs: number;
  /** Time that has passed, in ms. */
  now: () => number;
  /** Told of money that went back. */
  onReturned: () => void;
}

/**
 * Money of a worker's own: one reservation of the shared ledger, dispatched from its first moment, whose parts calls hold.
 * So each of them has a durable, dispatched hold before it is sent (I6): should this process die, what was not settled of
 * the slice counts as unresolved, in full, as its calls would.
 */
export class Slice {
  readonly id = crypto.randomUUID();
  readonly calls = new Set<SlicedCall>();
  /** What no call holds. */
  freePicoUsd: bigint;
  usedAt: number;
  /** Takes no more calls, and gives back what is free. */
  isRetired = false;
  /** Nothing of it is left in the ledger. */
  isOver = false;
  readonly #source: SliceSource;
  #renewedAt: number;
  /** What is on its way back. */
  readonly #returning = new Set<ReservationPart>();
  #flushing: Promise<void> | undefined;
  #isAskedToFlush = false;

  constructor(source: SliceSource, amountPicoUsd: bigint) {
    this.#source = source;
    this.freePicoUsd = amountPicoUsd;
    this.usedAt = source.now();
    this.#renewedAt = this.usedAt;
  }

  /** Whether the ledger surely still holds it: its lease began when it was asked for, or later. */
  get isAlive(): boolean {
    return this.#source.now() - this.#renewedAt < this.#source.leaseMs;
  }

  get isDue(): boolean {
    return this.#source.now() - this.#renewedAt >= this.#source.leaseMs / 3;
  }

  /** Whether it has money to give back, now or soon. */
  get isIdle(): boolean {
    return this.freePicoUsd > 0n || this.calls.size === 0 || this.#returning.size > 0;
  }

  /** Reserves and dispatches it, in one turn. @throws LedgerError; then it is retired, and to be flushed until it is over. */
  async draw(): Promise<ReserveOutcome> {
    const { ledger, accounts, leaseMs } = this.#source;
    const request = { id: this.id, accounts, amountPicoUsd: this.freePicoUsd, leaseMs };
    const [reserved, marked] = await Promise.allSettled([ledger.reserve(request), ledger.markDispatched(this.id)]);
    try {
      if (reserved.status === "rejected") throw reserved.reason;
      if (reserved.value.admitted && marked.status === "rejected") {
        if (!ReservationStateError.isInstance(marked.reason)) throw marked.reason;
        // The mark was faster.
        await ledger.markDispatched(this.id);
      }
      return reserved.value;
    } catch (error) {
      this.isRetired = true;
      throw error;
    }
  }

  admits(amountPicoUsd: bigint): boolean {
    return !this.isRetired && amountPicoUsd <= this.freePicoUsd && this.isAlive;
  }

  take(request: ReserveRequest): SlicedCall {
    const now = this.#source.now();
    const leaseEndsAt = now + request.leaseMs;
    const call: SlicedCall = { request, slice: this, state: "held", leaseEndsAt, ending: undefined };
    this.freePicoUsd -= request.amountPicoUsd;
    this.usedAt = now;
    this.calls.add(call);
    return call;
  }

  /** A call that was not sent, or not charged: its money is the slice's again. */
  async drop(call: SlicedCall): Promise<void> {
    if (!this.calls.delete(call)) return;
    this.freePicoUsd += call.request.amountPicoUsd;
    // Who waits for it asks again after this.
    if (this.isRetired) await this.retire().catch(() => undefined);
  }

  /** Makes the call a reservation of its own, and ends it, in one turn. */
  async settle(call: SlicedCall, receipt: Receipt): Promise<Balance[]> {
    const { ledger } = this.#source;
    const { id } = call.request;
    const balances = await this.#split(call, () => ledger.settle(id, receipt));
    this.#leave(call);
    return balances;
  }

  /** Makes the call a reservation of its own, with a lease that ends `leaseMs` from now. */
  async detach(call: SlicedCall, leaseMs: number): Promise<void> {
    await this.#split(call, () => this.#source.ledger.extend(call.request.id, leaseMs));
    this.#leave(call);
  }

  /** Moves the end of its lease. A slice that was recovered meanwhile, as its process stood still, is retired. */
  async renew(): Promise<void> {
    const { ledger, leaseMs, now } = this.#source;
    const askedAt = now();
    try {
      await ledger.extend(this.id, leaseMs);
      this.#renewedAt = askedAt;
    } catch (error) {
      if (!ReservationStateError.isInstance(error)) throw error;
      await this.retire();
    }
  }

  /** Gives back what no call holds, and the rest as its calls end. What fails is kept for {@link Slice.flush}. */
  retire(): Promise<void> {
    this.isRetired = true;
    if (this.freePicoUsd > 0n && this.calls.size > 0) {
      this.#returning.add({ id: crypto.randomUUID(), amountPicoUsd: this.freePicoUsd });
      this.freePicoUsd = 0n;
    }
    return this.flush();
  }

  /** @throws LedgerError when something could not be given back; it is kept. */
  flush(): Promise<void> {
    this.#isAskedToFlush = true;
    this.#flushing ??= this.#flush();
    return this.#flushing;
  }

  async #flush(): Promise<void> {
    try {
      while (this.#isAskedToFlush) {
        this.#isAskedToFlush = false;
        await this.#flushOnce();
      }
    } finally {
      this.#flushing = undefined;
    }
  }

  async #flushOnce(): Promise<void> {
    await Promise.all([...this.#returning].map((part) => this.#return(part)));
    if (!this.isRetired || this.calls.size > 0 || this.isOver) return;
    await giveBack(this.#source.ledger, this.id);
    if (this.freePicoUsd > 0n) this.#source.onReturned();
    this.freePicoUsd = 0n;
    this.isOver = true;
  }

  async #return(part: ReservationPart): Promise<void> {
    const { ledger } = this.#source;
    const [moved, returned] = await Promise.allSettled([ledger.split(this.id, part), giveBack(ledger, part.id)]);
    if (moved.status === "rejected" && !ReservationStateError.isInstance(moved.reason)) throw moved.reason;
    if (moved.status === "fulfilled" && (returned.status === "rejected" || !returned.value)) {
      await giveBack(ledger, part.id);
    }
    this.#returning.delete(part);
    this.#source.onReturned();
  }

  async #split<T>(call: SlicedCall, step: () => Promise<T>): Promise<T> {
    const { id, amountPicoUsd, modelId, priceBook } = call.request;
    const part: ReservationPart = { id, amountPicoUsd };
    if (modelId !== undefined) part.modelId = modelId;
    if (priceBook !== undefined) part.priceBook = priceBook;
    const [moved, done] = await Promise.allSettled([this.#source.ledger.split(this.id, part), step()]);
    if (done.status === "fulfilled") return done.value;
    if (moved.status === "rejected") {
      if (!ReservationStateError.isInstance(moved.reason)) throw moved.reason;
      // Somebody has ended the whole slice: a person who took its worker for dead.
      this.#leave(call);
      throw new ReservationStateError({ reservationId: id, state: moved.reason.state, step: "settled" });
    }
    // The step was faster than the split.
    if (isUnknown(done.reason)) return step();
    throw done.reason;
  }

  /** The call is no part of it any more. */
  #leave(call: SlicedCall): void {
    this.calls.delete(call);
    if (this.isRetired) this.flush().catch(() => undefined);
  }
}

/** Frees a reservation whose money no call was sent for. @returns false when the ledger knows none. */
async function giveBack(ledger: Ledger, id: string): Promise<boolean> {
  try {
    await ledger.release(id, neverSent);
  } catch (error) {
    if (!ReservationStateError.isInstance(error)) throw error;
    if (error.state === "unresolved") await ledger.resolve(id, { writeOff: neverSent });
    // Otherwise somebody else has ended it.
    return error.state !== "unknown";
  }
  return true;
}

function isUnknown(error: unknown): boolean {
  return ReservationStateError.isInstance(error) && error.state === "unknown";
}
