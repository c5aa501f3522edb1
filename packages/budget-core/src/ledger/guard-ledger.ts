import { LedgerError } from "../errors/ledger-error.ts";
import type { Receipt } from "../receipt.ts";
import { StoreClock } from "../tracker/store-clock.ts";
import type {
  AccountKey,
  Balance,
  BalanceReport,
  Ledger,
  LedgerReport,
  ReservationPart,
  ReserveOutcome,
  ReserveRequest,
  UnresolvedReservation,
} from "./ledger.ts";
import { ledgerStep } from "./ledger-step.ts";
import { Outbox, type Unposted } from "./outbox.ts";

/** Options of {@link guardLedger}. */
export interface GuardOptions {
  /**
   * What happens to calls while the store fails: `"deny"` (default) sends nothing; `"allow-and-record"` lets calls go on
   * without a hold, so that no limit holds meanwhile, and keeps what they cost **in this process's memory** until the
   * store takes it. What is not posted when the process ends is lost: {@link GuardedLedger.flush} before it does.
   */
  onLedgerFailure?: "deny" | "allow-and-record";
  /** How long one step may take before the store counts as failing, in ms. Default 15,000. */
  timeoutMs?: number;
  /** Told what the guard does. What it throws is thrown away. */
  onEvent?: (event: GuardEvent) => void;
}

/** What a guard tells. */
export type GuardEvent =
  /** A call goes on without a hold; `count` is how many have so far. */
  | {
      kind: "unguarded";
      reservationId: string;
      modelId: string | undefined;
      boundPicoUsd: bigint;
      count: number;
      error: LedgerError;
    }
  /** A receipt could not be posted and is tried again in the background; `waiting` is how many are. */
  | { kind: "waiting"; reservationId: string; receipt: Receipt; waiting: number }
  /** A receipt that waited was posted. */
  | { kind: "posted"; reservationId: string; receipt: Receipt; waiting: number }
  /** A receipt that waited was refused for good: a person has resolved its call meanwhile. */
  | { kind: "refused"; reservationId: string; receipt: Receipt; error: unknown };

/**
 * A ledger that copes with a store that fails: no step takes for ever, every fault is a LedgerError, and a receipt that
 * could not be posted is tried again in the background until it is, instead of leaving its call at its bound for good.
 * Whether calls go on meanwhile is `onLedgerFailure`. Give it to all trackers in place of `ledger`.
 *
 * @example
 * const ledger = guardLedger(new SqliteLedger("budget.sqlite"), { onEvent: (event) => console.warn(event) });
 * const tracker = new CostTracker({ budget: 5, ledger });
 */
export function guardLedger(ledger: Ledger, options: GuardOptions = {}): GuardedLedger {
  return new GuardedLedger(ledger, options);
}

/** See {@link guardLedger}. */
class GuardedLedger implements Ledger {
  readonly shared: boolean;
  readonly #inner: Ledger;
  readonly #isAllowed: boolean;
  readonly #timeoutMs: number;
  readonly #onEvent: (event: GuardEvent) => void;
  readonly #outbox: Outbox;
  readonly #clock = new StoreClock();
  /** Calls under way, where they may go on without a hold. */
  readonly #requests = new Map<string, ReserveRequest>();
  readonly #unguarded = new Set<string>();
  #unguardedCount = 0;

  constructor(ledger: Ledger, { onLedgerFailure, timeoutMs = 15_000, onEvent = () => {} }: GuardOptions) {
    this.shared = ledger.shared;
    this.#inner = ledger;
    this.#isAllowed = onLedgerFailure === "allow-and-record";
    this.#timeoutMs = timeoutMs;
    this.#onEvent = onEvent;
    this.#outbox = new Outbox({
      ledger,
      timeoutMs,
      onPosted: ({ reservationId, receipt }) => {
        this.#tell({ kind: "posted", reservationId, receipt, waiting: this.waiting });
      },
      onRefused: ({ reservationId, receipt }, error) => this.#tell({ kind: "refused", reservationId, receipt, error }),
    });
  }

  /** How many receipts wait for the store. */
  get waiting(): number {
    return this.#outbox.size;
  }

  /** Tries at once to post the receipts that wait. To be called before a process ends. @returns how many still wait. */
  flush(): Promise<number> {
    return this.#outbox.flush();
  }

  async reserve(request: ReserveRequest): Promise<ReserveOutcome> {
    const onLate = ({ admitted }: ReserveOutcome) => {
      // Nobody will use a hold that came too late; should this fail too, its lease runs out.
      if (admitted && !this.#unguarded.has(request.id)) this.#inner.release(request.id).catch(() => undefined);
    };
    try {
      const outcome = await ledgerStep(() => this.#inner.reserve(request), this.#timeoutMs, onLate);
      this.#clock.learn(outcome.atMs);
      if (this.#isAllowed && outcome.admitted) this.#requests.set(request.id, request);
      return outcome;
    } catch (error) {
      if (!this.#goUnguarded(request, error)) throw error;
      return { admitted: true, atMs: this.#clock.now() };
    }
  }

  async markDispatched(reservationId: string): Promise<void> {
    if (this.#unguarded.has(reservationId)) return;
    try {
      await this.#step(() => this.#inner.markDispatched(reservationId));
    } catch (error) {
      if (!this.#goUnguarded(this.#requests.get(reservationId), error)) throw error;
    }
  }

  async settle(reservationId: string, receipt: Receipt): Promise<Balance[]> {
    const request = this.#requests.get(reservationId);
    this.#requests.delete(reservationId);
    if (this.#unguarded.delete(reservationId)) {
      this.#keep({ reservationId, receipt, request });
      return [];
    }
    try {
      return await this.#step(() => this.#inner.settle(reservationId, receipt));
    } catch (error) {
      if (LedgerError.isInstance(error)) this.#keep({ reservationId, receipt, request: undefined });
      throw error;
    }
  }

  async release(reservationId: string, evidence?: string): Promise<void> {
    const released = this.#step(() => this.#inner.release(reservationId, evidence));
    this.#requests.delete(reservationId);
    // What the store knows of a call without a hold is not known; if it holds anything, the lease runs out.
    if (this.#unguarded.delete(reservationId)) await released.catch(() => undefined);
    else await released;
  }

  split(reservationId: string, part: ReservationPart): Promise<void> {
    return this.#step(() => this.#inner.split(reservationId, part));
  }

  extend(reservationId: string, leaseMs: number): Promise<void> {
    return this.#step(() => this.#inner.extend(reservationId, leaseMs));
  }

  read(accounts: readonly AccountKey[]): Promise<BalanceReport[]> {
    return this.#step(() => this.#inner.read(accounts));
  }

  post(accounts: readonly AccountKey[], receipt: Receipt): Promise<Balance[]> {
    return this.#step(() => this.#inner.post(accounts, receipt));
  }

  reset(accounts: readonly AccountKey[]): Promise<void> {
    return this.#step(() => this.#inner.reset(accounts));
  }

  recover(options?: { abandonedScope?: string }): Promise<UnresolvedReservation[]> {
    return this.#step(() => this.#inner.recover(options));
  }

  resolve(reservationId: string, evidence: Receipt | { writeOff: string }): Promise<void> {
    return this.#step(() => this.#inner.resolve(reservationId, evidence));
  }

  claim(account: AccountKey, name: string): Promise<boolean> {
    return this.#step(() => this.#inner.claim(account, name));
  }

  inspect(options?: { scopes?: readonly string[] }): Promise<LedgerReport> {
    return this.#inner.inspect(options);
  }

  /** Where calls go on without the store, the time goes on too: as it was last known. */
  async now(): Promise<number> {
    try {
      return await this.#step(() => this.#inner.now());
    } catch (error) {
      if (!this.#isAllowed) throw error;
      return this.#clock.now();
    }
  }

  /** Tries once more to post what waits, and closes the ledger. */
  async close(): Promise<void> {
    await this.flush();
    this.#outbox.stop();
    await this.#inner.close();
  }

  #step<T>(step: () => Promise<T>): Promise<T> {
    return ledgerStep(step, this.#timeoutMs);
  }

  #goUnguarded(request: ReserveRequest | undefined, error: unknown): boolean {
    if (!this.#isAllowed || !request || !LedgerError.isInstance(error)) return false;
    const { id: reservationId, modelId, amountPicoUsd: boundPicoUsd } = request;
    this.#requests.set(reservationId, request);
    this.#unguarded.add(reservationId);
    const count = ++this.#unguardedCount;
    this.#tell({ kind: "unguarded", reservationId, modelId, boundPicoUsd, count, error });
    return true;
  }

  #keep(unposted: Unposted): void {
    const { reservationId, receipt } = unposted;
    this.#outbox.add(unposted);
    this.#tell({ kind: "waiting", reservationId, receipt, waiting: this.waiting });
  }

  #tell(event: GuardEvent): void {
    try {
      this.#onEvent(event);
    } catch {
      // A listener's mistake must not change what is recorded.
    }
  }
}

export type { GuardedLedger };
