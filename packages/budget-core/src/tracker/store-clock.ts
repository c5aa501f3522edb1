import type { Ledger } from "../ledger/ledger.ts";

/**
 * The clock of a ledger's store, as this process knows it: the clock that decides the window of a call, so that processes
 * whose own clocks differ agree. Its distance to the process's clock is asked for once, and then learnt anew from every
 * answer to a reservation, which carries the store's time: no further round trip.
 */
export class StoreClock {
  #aheadMs: number | undefined;

  /** The store's time now, in ms; the process's own as long as nothing was learnt. */
  now(): number {
    return Date.now() + (this.#aheadMs ?? 0);
  }

  /** @param atMs the store's time, just now. */
  learn(atMs: number): void {
    this.#aheadMs = atMs - Date.now();
  }

  /** Asks the store, unless its time is known already. */
  async sync(ledger: Ledger): Promise<void> {
    if (this.#aheadMs === undefined) this.learn(await ledger.now());
  }
}

const clocks = new WeakMap<Ledger, StoreClock>();

/** The clock of a ledger: one, however many trackers share it. */
export function storeClockOf(ledger: Ledger): StoreClock {
  const clock = clocks.get(ledger) ?? new StoreClock();
  clocks.set(ledger, clock);
  return clock;
}
