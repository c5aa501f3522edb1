import { ReservationStateError } from "../errors/reservation-state-error.ts";
import type { Balance, Ledger } from "../ledger/ledger.ts";
import { type Money, usd } from "../money.ts";
import type { Quote, Receipt } from "../receipt.ts";
import { waitingLineOf } from "./waiting.ts";

/** Longer timers fire at once. */
const maxTimerMs = 2_147_483_647;

type SettledListener = (receipt: Receipt, balances: readonly Balance[]) => Promise<void>;

/** Evidence for a hold that may be marked as dispatched already. */
export const neverSent = "never sent";

/** Whether a hold is marked as dispatched in the step that makes it. */
export function marksAtOnce(
  ledger: Ledger,
  { dispatch }: { dispatch?: boolean },
): ledger is Ledger & Required<Pick<Ledger, "reserveDispatched">> {
  return dispatch === true && ledger.reserveDispatched !== undefined;
}

/** Money held for one attempt of one call. It ends by {@link settle} or {@link release}, exactly once. */
export class Reservation {
  /** Identity in the ledger; unique per attempt. */
  readonly id: string;
  /** What was reserved for; with a clamped call its output cap is lower than the one asked for. */
  readonly quote: Quote;
  readonly #ledger: Ledger;
  readonly #onSettled: SettledListener;
  readonly #onReleased: (evidence: string | undefined) => void;
  readonly #leaseMs: number;
  #isDispatched: boolean;
  #settlement: Promise<void> | undefined;
  #heartbeat: ReturnType<typeof setInterval> | undefined;

  constructor(options: {
    id: string;
    quote: Quote;
    ledger: Ledger;
    leaseMs: number;
    isDispatched: boolean;
    onSettled: SettledListener;
    onReleased: (evidence: string | undefined) => void;
  }) {
    this.id = options.id;
    this.quote = options.quote;
    this.#ledger = options.ledger;
    this.#leaseMs = options.leaseMs;
    this.#isDispatched = options.isDispatched;
    this.#onSettled = options.onSettled;
    this.#onReleased = options.onReleased;
  }

  /** How much is held. */
  get amount(): Money {
    return usd.pico(this.quote.boundPicoUsd);
  }

  /** To be awaited before the request leaves: from here on the call counts until its cost is known. */
  async markDispatched(): Promise<void> {
    if (!this.#isDispatched) await this.#ledger.markDispatched(this.id);
    this.#isDispatched = true;
    clearInterval(this.#heartbeat);
    this.#heartbeat = keepAlive(this, this.#leaseMs);
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
    const balances = await this.#ledger.settle(this.id, posted);
    this.abandon();
    await this.#onSettled(posted, balances);
  }

  /**
   * Frees the hold without cost. After dispatch only with `evidence` that nothing was charged, such as
   * `"HTTP 429"`; a timeout, an exception or an abort is none.
   *
   * @throws ReservationStateError without it.
   */
  async release(evidence?: string): Promise<void> {
    try {
      await this.#free(evidence);
      this.abandon();
      this.#onReleased(evidence);
    } finally {
      // A store whose answer was lost may have freed it all the same.
      waitingLineOf(this.#ledger).wake();
    }
  }

  /** A refusal that comes after the lease ran out is evidence all the same. */
  async #free(evidence: string | undefined): Promise<void> {
    try {
      await this.#ledger.release(this.id, evidence);
    } catch (error) {
      if (!evidence || !ReservationStateError.isInstance(error) || error.state !== "unresolved") throw error;
      await this.#ledger.resolve(this.id, { writeOff: evidence });
    }
  }

  /**
   * Stops keeping the lease alive: nobody will end this hold. It then counts as unresolved, and holds up nobody who waits
   * for calls in flight.
   */
  abandon(): void {
    clearInterval(this.#heartbeat);
  }

  /**
   * Leaves a dispatched hold to whoever has evidence later: the provider goes on with the call when this process does not.
   * It counts as unresolved, at its bound, until {@link CostTracker.resolve}.
   */
  async leave(): Promise<void> {
    this.abandon();
    await this.#ledger.extend(this.id, 0);
    await this.#ledger.recover();
    waitingLineOf(this.#ledger).wake();
  }

  /** Moves the end of the lease to `leaseMs` from now. */
  extend(leaseMs: number): Promise<void> {
    return this.#ledger.extend(this.id, leaseMs);
  }
}

/** Nobody must take a call that is still in flight for one whose owner has died, however long it lasts. */
function keepAlive(hold: Reservation, leaseMs: number): ReturnType<typeof setInterval> {
  let owner: Reservation | undefined = hold;
  let weak: WeakRef<Reservation> | undefined;
  const beat = () => {
    // Weak from the first beat on, which most calls do not reach: a hold that its owner forgot must run out, or who waits
    // for it would wait for ever.
    weak ??= new WeakRef(owner as Reservation);
    owner = undefined;
    const held = weak.deref();
    // A lease that cannot be moved runs out, which loses nothing: the call then counts as unresolved until it ends.
    if (held) held.extend(leaseMs).catch(() => undefined);
    else clearInterval(heartbeat);
  };
  const heartbeat = setInterval(beat, Math.min(leaseMs / 3, maxTimerMs));
  (heartbeat as { unref?: () => void }).unref?.();
  return heartbeat;
}
