import { LedgerError } from "../errors/ledger-error.ts";
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
} from "../ledger/ledger.ts";
import type { Receipt } from "../receipt.ts";
import type { Interleaving } from "./interleaving.ts";
import type { Random } from "./random.ts";

/** A ledger behind a slow wire: every step takes its time, and a part of them fails before or after it was done. */
export class UnreliableLedger implements Ledger {
  readonly shared = false;
  /** Last refusal of each call, by its model id. */
  readonly refusals = new Map<string, Extract<ReserveOutcome, { admitted: false }>>();
  readonly #inner: Ledger;
  readonly #order: Interleaving;
  readonly #random: Random;
  readonly #faultPercent: number;

  constructor(options: { inner: Ledger; order: Interleaving; random: Random; faultPercent: number }) {
    this.#inner = options.inner;
    this.#order = options.order;
    this.#random = options.random;
    this.#faultPercent = options.faultPercent;
  }

  async reserve(request: ReserveRequest): Promise<ReserveOutcome> {
    return await this.#step(async () => {
      const outcome = await this.#inner.reserve(request);
      if (!outcome.admitted) this.refusals.set(request.modelId ?? "", outcome);
      return outcome;
    });
  }

  markDispatched(reservationId: string): Promise<void> {
    return this.#step(() => this.#inner.markDispatched(reservationId));
  }

  settle(reservationId: string, receipt: Receipt): Promise<Balance[]> {
    return this.#step(() => this.#inner.settle(reservationId, receipt));
  }

  release(reservationId: string, evidence?: string): Promise<void> {
    return this.#step(() => this.#inner.release(reservationId, evidence));
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

  now(): Promise<number> {
    return this.#step(() => this.#inner.now());
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #step<T>(step: () => Promise<T>): Promise<T> {
    const fault = this.#random.chance(this.#faultPercent) ? this.#random.pick(["before", "after"] as const) : "none";
    if (this.#random.chance(70)) await this.#order.gate();
    if (fault === "before") throw new LedgerError({ message: "the request was lost" });
    const value = await step();
    if (this.#random.chance(70)) await this.#order.gate();
    if (fault === "after") throw new LedgerError({ message: "the answer was lost" });
    return value;
  }
}
