import type { Balance, Ledger } from "../ledger/ledger.ts";
import { type Money, usd } from "../money.ts";
import type { Quote, Receipt } from "../receipt.ts";
import { waitingLineOf } from "./waiting.ts";

type SettledListener = (receipt: Receipt, balances: readonly Balance[]) => Promise<void>;

/** Money held for one attempt of one call. It ends by {@link settle} or {@link release}, exactly once. */
export class Reservation {
  /** Identity in the ledger; unique per attempt. */
  readonly id: string;
  /** What was reserved for; with a clamped call its output cap is lower than the one asked for. */
  readonly quote: Quote;
  readonly #ledger: Ledger;
  readonly #onSettled: SettledListener;
  #settlement: Promise<void> | undefined;

  constructor(options: { id: string; quote: Quote; ledger: Ledger; onSettled: SettledListener }) {
    this.id = options.id;
    this.quote = options.quote;
    this.#ledger = options.ledger;
    this.#onSettled = options.onSettled;
  }

  /** How much is held. */
  get amount(): Money {
    return usd.pico(this.quote.boundPicoUsd);
  }

  /** To be awaited before the request leaves: from here on the call counts until its cost is known. */
  markDispatched(): Promise<void> {
    return this.#ledger.markDispatched(this.id);
  }

  /**
   * Posts the cost in full, even above the hold, and frees the rest. A repeat changes nothing; after a failure of the
   * store it tries again.
   */
  settle(receipt: Receipt): Promise<void> {
    this.#settlement ??= this.#settleOnce(receipt).catch((error: unknown) => {
      this.#settlement = undefined;
      waitingLineOf(this.#ledger).wake();
      throw error;
    });
    return this.#settlement;
  }

  async #settleOnce(receipt: Receipt): Promise<void> {
    const { priceBook, boundPicoUsd } = this.quote;
    const posted = {
      ...receipt,
      ...(priceBook === undefined ? {} : { priceBook }),
      ...(receipt.costPicoUsd > boundPicoUsd ? { boundBreached: true } : {}),
    };
    await this.#onSettled(posted, await this.#ledger.settle(this.id, posted));
  }

  /**
   * Frees the hold without cost. After dispatch only with `evidence` that nothing was charged, such as
   * `"HTTP 429"`; a timeout, an exception or an abort is none.
   *
   * @throws ReservationStateError without it.
   */
  async release(evidence?: string): Promise<void> {
    try {
      await this.#ledger.release(this.id, evidence);
    } finally {
      // Also after a failure: the money may be free and only the answer lost.
      waitingLineOf(this.#ledger).wake();
    }
  }

  /** Moves the end of the lease to `leaseMs` from now. */
  extend(leaseMs: number): Promise<void> {
    return this.#ledger.extend(this.id, leaseMs);
  }
}
