import type { Balance, Ledger } from "../ledger/ledger.ts";
import { type Money, usd } from "../money.ts";
import type { Quote, Receipt } from "../receipt.ts";
import { waitingLineOf } from "./waiting.ts";

type SettledListener = (receipt: Receipt, balances: readonly Balance[]) => Promise<void>;

/** Money held for one attempt of one call. It ends by {@link settle} or {@link release}, exactly once. */
export class Reservation {
  /** Identity in the ledger; unique per attempt. */
  readonly id: string;
  /** How much is held. */
  readonly amount: Money;
  /** What was reserved for; with a clamped call its output cap is lower than the one asked for. */
  readonly quote: Quote;
  readonly #ledger: Ledger;
  readonly #onSettled: SettledListener;
  #settlement: Promise<void> | undefined;

  constructor(options: { id: string; quote: Quote; ledger: Ledger; onSettled: SettledListener }) {
    this.id = options.id;
    this.quote = options.quote;
    this.amount = usd.pico(options.quote.boundPicoUsd);
    this.#ledger = options.ledger;
    this.#onSettled = options.onSettled;
  }

  /** To be awaited before the request leaves: from here on the call counts until its cost is known. */
  async markDispatched(): Promise<void> {
    await this.#ledger.markDispatched(this.id);
  }

  /** Posts the cost in full, even above the hold, and frees the rest. A repeat changes nothing. */
  settle(receipt: Receipt): Promise<void> {
    this.#settlement ??= this.#settleOnce(receipt);
    return this.#settlement;
  }

  async #settleOnce(receipt: Receipt): Promise<void> {
    const { priceBook } = this.quote;
    const posted = {
      ...receipt,
      ...(priceBook === undefined ? {} : { priceBook }),
      ...(receipt.costPicoUsd > this.amount.picoUsd ? { boundBreached: true } : {}),
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
    await this.#ledger.release(this.id, evidence);
    waitingLineOf(this.#ledger).wake();
  }

  /** Moves the end of the lease to `leaseMs` from now. */
  async extend(leaseMs: number): Promise<void> {
    await this.#ledger.extend(this.id, leaseMs);
  }
}
