import { LedgerError } from "../errors/ledger-error.ts";
import type { AccountKey, Balance, ReserveOutcome, ReserveRequest } from "./ledger.ts";
import { Slice, type SlicedCall, type SliceSource } from "./slice.ts";

/** A slice takes no more than this part of what is free, so that the last money goes to whoever needs it. */
const partOfFree = 8n;
/** Idle money stays where it is this part of what is free at most, by news of the last moment: nobody lacks it. */
const plentyOfFree = 64n;
/** How often a call asks again for money that went back meanwhile; who waits asks later anyway. */
const maxTries = 4;

interface Asked {
  request: ReserveRequest;
  resolve: (outcome: ReserveOutcome) => void;
  reject: (error: unknown) => void;
}

/** What a lane needs of its ledger. */
export interface LaneHost {
  /** How many calls a slice is for at most. */
  calls: number;
  idleMs: number;
  /** The store's time now. */
  atMs: () => number;
  learn: (atMs: number) => void;
  onTaken: (call: SlicedCall) => void;
  /** A request that the ledger itself is asked, under its own id. */
  onDirect: (request: ReserveRequest) => void;
  /** The ledger has refused it and knows nothing of it: it may ask again. */
  onRefused: (request: ReserveRequest) => void;
  /** Gives back money that idles in accounts which lack room. */
  giveBackIdle: (lacking: readonly AccountKey[]) => Promise<void>;
  /** How often money went back so far. */
  returns: () => number;
}

/**
 * The slices for one set of accounts, and who waits for them. The first call asks the ledger itself, so that accounts made
 * for one call each cost nothing more. Slices grow with the calls that come: a draw is for all who wait, and for twice as
 * many calls as the last one where that was used up, and a quarter as many where it went back.
 */
export class SliceLane {
  readonly slices = new Set<Slice>();
  readonly #source: SliceSource;
  readonly #host: LaneHost;
  readonly #queue: Asked[] = [];
  #current: Slice | undefined;
  #isServing = false;
  #calls = 1;
  #askedAt = Number.NEGATIVE_INFINITY;
  /** What was free in its accounts when last heard of; null is unlimited. */
  #freePicoUsd: bigint | null = 0n;
  #learntAt = Number.NEGATIVE_INFINITY;

  constructor(source: SliceSource, host: LaneHost) {
    this.#source = source;
    this.#host = host;
    if (source.accounts.every(({ limitPicoUsd }) => limitPicoUsd === null)) this.#freePicoUsd = null;
  }

  get accounts(): readonly AccountKey[] {
    return this.#source.accounts;
  }

  /** Whether nothing of it is needed any more. */
  get isOver(): boolean {
    const isIdle = this.#source.now() - this.#askedAt >= this.#host.idleMs;
    return this.slices.size === 0 && this.#queue.length === 0 && isIdle;
  }

  reserve(request: ReserveRequest): Promise<ReserveOutcome> {
    const now = this.#source.now();
    if (now - this.#askedAt >= this.#host.idleMs) this.#calls = 1;
    this.#askedAt = now;
    if (this.#current?.admits(request.amountPicoUsd)) return Promise.resolve(this.#take(this.#current, request));
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, resolve, reject });
      if (!this.#isServing) void this.#serve();
    });
  }

  /** Balances after a settlement: what is free now. */
  learn(balances: readonly Balance[]): void {
    if (this.#freePicoUsd === null) {
      this.#learntAt = this.#source.now();
      return;
    }
    const free = this.#source.accounts.flatMap(({ scope, window, limitPicoUsd }) => {
      const balance = balances.find((each) => each.scope === scope && each.window === window);
      return balance && limitPicoUsd !== null ? [freeOf(balance, limitPicoUsd)] : [];
    });
    if (free.length === 0) return;
    this.#freePicoUsd = smallest(free);
    this.#learntAt = this.#source.now();
  }

  /** Gives back what idles for `forMs`, and waits for what is on its way. What fails is tried again by the next. */
  async giveBackIdle(forMs: number): Promise<void> {
    const current = this.#current;
    if (current && this.#source.now() - current.usedAt >= forMs && !(forMs > 0 && this.#isPlenty(current))) {
      this.#current = undefined;
      this.#calls = Math.max(1, Math.floor(this.#calls / 4));
      current.retire().catch(() => undefined);
    }
    await Promise.allSettled([...this.slices].map((slice) => slice.flush()));
    for (const slice of this.slices) if (slice.isOver) this.slices.delete(slice);
  }

  #isPlenty({ freePicoUsd }: Slice): boolean {
    if (this.#source.now() - this.#learntAt >= this.#host.idleMs) return false;
    return this.#freePicoUsd === null || freePicoUsd * plentyOfFree <= this.#freePicoUsd;
  }

  async #serve(): Promise<void> {
    this.#isServing = true;
    while (this.#queue.length > 0) {
      try {
        await this.#draw();
      } catch (error) {
        for (const { reject } of this.#queue.splice(0)) reject(error);
      }
      this.#admit();
    }
    this.#isServing = false;
  }

  async #draw(): Promise<void> {
    const [first] = this.#queue as [Asked];
    const amounts = this.#queue.map(({ request }) => request.amountPicoUsd);
    const needed = sum(amounts);
    const wanted = this.#size(needed, first.request.amountPicoUsd);
    for (const amount of new Set([wanted, needed])) {
      if (amount > first.request.amountPicoUsd && (await this.#drawSlice(amount))) return;
    }
    // What fits, first come first served.
    let fitting = 0n;
    for (const amount of amounts)
      if (this.#freePicoUsd !== null && fitting + amount <= this.#freePicoUsd) fitting += amount;
    const isWorthIt = fitting > first.request.amountPicoUsd && fitting < needed;
    if (!(isWorthIt && (await this.#drawSlice(fitting)))) await this.#askFor(first);
  }

  #size(neededPicoUsd: bigint, amountPicoUsd: bigint): bigint {
    const wanted = amountPicoUsd * BigInt(this.#calls);
    this.#calls = Math.min(this.#calls * 2, this.#host.calls);
    const free = this.#freePicoUsd === null ? wanted : this.#freePicoUsd / partOfFree;
    const most = wanted < free ? wanted : free;
    return most > neededPicoUsd ? most : neededPicoUsd;
  }

  /** @returns whether there is one. @throws LedgerError */
  async #drawSlice(amountPicoUsd: bigint): Promise<boolean> {
    // Asked for before the new one, which may be made of it. What fails is kept for the next beat.
    this.#current?.retire().catch(() => undefined);
    this.#current = undefined;
    const slice = new Slice(this.#source, amountPicoUsd);
    this.slices.add(slice);
    try {
      const outcome = await slice.draw();
      this.#host.learn(outcome.atMs);
      if (outcome.admitted) {
        this.#current = slice;
        if (this.#freePicoUsd !== null) this.#freePicoUsd -= amountPicoUsd;
        return true;
      }
      this.slices.delete(slice);
      this.#learnRefusal(outcome);
    } catch (error) {
      // Otherwise it is more than the store can hold.
      if (LedgerError.isInstance(error)) throw error;
    }
    return false;
  }

  /** Asks the ledger for this one alone: its refusal is that of all who need no less. */
  async #askFor(asked: Asked): Promise<void> {
    const { request } = asked;
    this.#host.onDirect(request);
    const { ledger } = this.#source;
    try {
      let outcome: ReserveOutcome;
      let tries = 0;
      let before: number;
      do {
        before = this.#host.returns();
        outcome = await ledger.reserve(request);
        if (!outcome.admitted) await this.#host.giveBackIdle(outcome.lacking);
        // What went back meanwhile, the refusal may not know of.
      } while (!outcome.admitted && this.#host.returns() > before && ++tries < maxTries);
      this.#host.learn(outcome.atMs);
      if (!outcome.admitted) this.#host.onRefused(request);
      this.#end((each) => each === asked)[0]?.resolve(outcome);
      if (outcome.admitted) return;
      this.#learnRefusal(outcome);
      const others = this.#end((each) => each.request.amountPicoUsd >= request.amountPicoUsd);
      for (const { resolve } of others) resolve(outcome);
    } catch (error) {
      if (LedgerError.isInstance(error)) throw error;
      this.#end((each) => each === asked)[0]?.reject(error);
    }
  }

  /** Takes out of the queue whoever is meant. */
  #end(isMeant: (asked: Asked) => boolean): Asked[] {
    const meant = this.#queue.filter(isMeant);
    this.#queue.splice(0, Number.POSITIVE_INFINITY, ...this.#queue.filter((asked) => !meant.includes(asked)));
    return meant;
  }

  #admit(): void {
    for (const asked of this.#queue.splice(0)) {
      const slice = this.#current;
      if (slice?.admits(asked.request.amountPicoUsd)) asked.resolve(this.#take(slice, asked.request));
      else this.#queue.push(asked);
    }
  }

  #take(slice: Slice, request: ReserveRequest): ReserveOutcome {
    this.#host.onTaken(slice.take(request));
    return { admitted: true, atMs: this.#host.atMs() };
  }

  #learnRefusal({ lacking }: Extract<ReserveOutcome, { admitted: false }>): void {
    const free = lacking.map((balance) => freeOf(balance, balance.limitPicoUsd ?? 0n));
    if (this.#freePicoUsd !== null && free.length > 0) this.#freePicoUsd = smallest(free);
  }
}

function freeOf({ spentPicoUsd, heldPicoUsd, unresolvedPicoUsd }: Balance, limitPicoUsd: bigint): bigint {
  return limitPicoUsd - spentPicoUsd - heldPicoUsd - unresolvedPicoUsd;
}

function smallest(amounts: readonly bigint[]): bigint {
  const least = amounts.reduce((one, other) => (one < other ? one : other));
  return least > 0n ? least : 0n;
}

function sum(amounts: readonly bigint[]): bigint {
  return amounts.reduce((total, amount) => total + amount, 0n);
}
