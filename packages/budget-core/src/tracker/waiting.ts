import type { Ledger, ReserveOutcome } from "../ledger/ledger.ts";

/** Refused with no prospect: the caller is told so. */
export type Refusal = Omit<Extract<ReserveOutcome, { admitted: false }>, "atMs">;

/** What a waiting call does when its turn comes. */
export interface WaitingCall {
  amountPicoUsd: bigint;
  attempt: () => Promise<ReserveOutcome>;
  /** How long to wait at most. */
  maxWaitMs: number | undefined;
  /** Gives a hold back that came too late: the caller has gone. */
  undo: () => Promise<void>;
}

interface Waiter extends WaitingCall {
  /** Does not fit now; final for a call that has waited long enough. */
  refuse: (outcome: ReserveOutcome) => void;
  finish: (outcome: ReserveOutcome) => void;
  fail: (error: unknown) => void;
}

/** How often a wait on a ledger that other processes share looks again by itself. */
const sharedPollMs = 100;
/** How often a wait sorts out holds whose lease ran out: their owner may have gone without a word. */
const recoverMs = 1000;

/**
 * Calls that wait for holds in flight to end, per ledger and set of accounts: first come first served, but a call that
 * fits is not blocked by a larger one ahead of it.
 */
export class WaitingLine {
  readonly #ledger: Ledger;
  readonly #lanes = new Map<string, Set<Waiter>>();
  #serving = false;
  #again = false;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #sinceRecoveryMs = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Whether somebody who needs no more than `amountPicoUsd` waits in this lane already. */
  isAhead(lane: string, amountPicoUsd: bigint): boolean {
    for (const waiter of this.#lanes.get(lane) ?? []) if (waiter.amountPicoUsd <= amountPicoUsd) return true;
    return false;
  }

  /**
   * Waits until the call is admitted, or refused for good.
   *
   * @throws the reason of `signal` when it aborts first.
   */
  wait(lane: string, call: WaitingCall, signal?: AbortSignal): Promise<ReserveOutcome> {
    return new Promise<ReserveOutcome>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const waiters = this.#lanes.get(lane) ?? new Set();
      this.#lanes.set(lane, waiters);
      let refusal: ReserveOutcome | undefined;
      let isLate = false;
      let timer: ReturnType<typeof setTimeout> | undefined;
      const leave = () => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
        // Once only: by the second time the lane may be that of others.
        if (waiters.delete(waiter) && waiters.size === 0) this.#lanes.delete(lane);
      };
      const onAbort = () => {
        leave();
        reject(signal?.reason);
      };
      const waiter: Waiter = {
        ...call,
        refuse: (outcome) => {
          refusal = outcome;
          if (isLate) waiter.finish(outcome);
        },
        finish: (outcome) => {
          leave();
          resolve(outcome);
        },
        fail: (error) => {
          leave();
          reject(error);
        },
      };
      const onLate = () => {
        isLate = true;
        if (refusal) waiter.finish(refusal);
      };
      waiters.add(waiter);
      if (call.maxWaitMs !== undefined) timer = setTimeout(onLate, call.maxWaitMs);
      signal?.addEventListener("abort", onAbort, { once: true });
      this.wake();
    });
  }

  /** Looks at who fits now. To be called whenever money may have come free. */
  wake(): void {
    this.#again = true;
    if (this.#serving || this.#lanes.size === 0) return;
    this.#serving = true;
    void this.#serve();
  }

  async #serve(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      for (const waiters of this.#lanes.values()) await this.#serveLane(waiters);
    }
    // In the same turn as the last look at #again: a wake in between would be lost.
    this.#serving = false;
    this.#lookAgain();
  }

  async #serveLane(waiters: Set<Waiter>): Promise<void> {
    let smallest: { amountPicoUsd: bigint; outcome: ReserveOutcome } | undefined;
    for (const waiter of waiters) {
      const { amountPicoUsd } = waiter;
      if (smallest && amountPicoUsd >= smallest.amountPicoUsd) {
        waiter.refuse(smallest.outcome);
        continue;
      }
      try {
        const outcome = await waiter.attempt();
        if (!waiters.has(waiter)) {
          if (outcome.admitted) {
            // Who was refused meanwhile, because of this hold, may fit after it.
            this.#again = true;
            await waiter.undo();
          }
        } else if (outcome.admitted || !mayFitLater(outcome, amountPicoUsd)) waiter.finish(outcome);
        else {
          smallest = { amountPicoUsd, outcome };
          waiter.refuse(outcome);
        }
      } catch (error) {
        waiter.fail(error);
      }
    }
  }

  /** Nobody wakes the line for what other processes do, or for holds that were forgotten. */
  #lookAgain(): void {
    if (this.#lanes.size === 0 || this.#pause) return;
    const afterMs = this.#ledger.shared ? sharedPollMs : recoverMs;
    this.#pause = setTimeout(() => void this.#afterPause(afterMs), afterMs);
  }

  async #afterPause(afterMs: number): Promise<void> {
    this.#pause = undefined;
    this.#sinceRecoveryMs += afterMs;
    if (this.#sinceRecoveryMs >= recoverMs && this.#lanes.size > 0) {
      this.#sinceRecoveryMs = 0;
      // A store that fails now fails the waiting calls when they try again.
      await this.#ledger.recover().catch(() => []);
    }
    this.wake();
  }
}

/** Whether a refused hold would fit if every hold in flight ended without cost. */
export function mayFitLater(refusal: Refusal, amountPicoUsd: bigint): boolean {
  return refusal.lacking.every(({ limitPicoUsd, spentPicoUsd, unresolvedPicoUsd, heldPicoUsd }) => {
    if (limitPicoUsd === null) return true;
    return heldPicoUsd > 0n && limitPicoUsd - spentPicoUsd - unresolvedPicoUsd >= amountPicoUsd;
  });
}

const lines = new WeakMap<Ledger, WaitingLine>();

/** The line of a ledger: one, however many trackers share it. */
export function waitingLineOf(ledger: Ledger): WaitingLine {
  const line = lines.get(ledger) ?? new WaitingLine(ledger);
  lines.set(ledger, line);
  return line;
}
