import { BudgetExceededError } from "../errors/budget-exceeded-error.ts";
import type { Account, Balance, Ledger, UnresolvedReservation } from "../ledger/ledger.ts";
import { MemoryLedger } from "../ledger/memory.ts";
import { type Money, parsePicoUsd, toNumber, type Usd, usd } from "../money.ts";
import type { Quote, Receipt } from "../receipt.ts";
import { assertPicoUsd } from "../receipt.ts";
import { Reservation } from "./reservation.ts";
import { mayFitLater, type Refusal, waitingLineOf } from "./waiting.ts";

/** Options of a {@link CostTracker}. */
export interface CostTrackerOptions {
  /**
   * The limit in USD. Absent or `"unlimited"`: spend is counted, never refused. 0 refuses every call that can cost
   * anything; a provably free call still passes.
   */
  budget?: Usd | "unlimited";
  /** Names the account in the ledger and in errors. Default `"default"`; a child's is prefixed by its parent's. */
  name?: string;
  /** An outer budget. A call must fit in both, in one atomic step; the ledger is the parent's. */
  parent?: CostTracker;
  /**
   * What happens to a call that does not fit while others are in flight: `"wait"` (default) queues it until their true
   * cost is known and refuses it only when it cannot fit at all; `"deny"` refuses it at once.
   */
  onInsufficient?: "wait" | "deny";
  /** Where balances live. Default: in memory, gone with the process. */
  ledger?: Ledger;
  /** How long a hold may stand without a sign of life, in ms. Default 10 minutes. */
  leaseMs?: number;
}

/** Spend of a tracker. Amounts are USD as the nearest double, for display; `exact` has them to the pico-USD. */
export interface CostStats {
  /** Spent by finished calls. */
  totalCost: number;
  /** Finished calls. */
  callCount: number;
  /** The limit; null when unlimited. */
  budget: number | null;
  /** What new calls can still use, never below 0; null when unlimited. */
  remainingBudget: number | null;
  budgetExceeded: boolean;
  /** Reserved by calls in flight. */
  held: number;
  /** Reserved by calls whose outcome a crash made unknown. */
  unresolved: number;
  /** Spent above the limit. */
  overrun: number;
  /** Calls whose cost the provider did not tell; they count at their bound. */
  boundCallCount: number;
  byModel: Record<string, { callCount: number; totalCost: number }>;
  exact: {
    spent: Money;
    held: Money;
    unresolved: Money;
    overrun: Money;
    budget: Money | null;
    available: Money | null;
  };
}

/** Events of a tracker, by name. */
export interface CostTrackerEvents {
  /** A call was settled or a cost added. */
  spend: { receipt: Receipt; modelId: string | undefined };
  /** A call was refused. */
  denied: { error: BudgetExceededError };
  /** A paid call could not be recorded; its hold stays, so nothing is under-counted. */
  fault: { error: unknown; reservationId: string };
}

const defaultLeaseMs = 600_000;

/** A budget: holds money for calls before they are sent, and counts what they cost. */
export class CostTracker {
  /** Name of the account in the ledger. */
  readonly scope: string;
  readonly parent: CostTracker | undefined;
  readonly #ledger: Ledger;
  readonly #onInsufficient: "wait" | "deny";
  readonly #leaseMs: number;
  readonly #listeners: { [Name in keyof CostTrackerEvents]: Set<(event: CostTrackerEvents[Name]) => void> } = {
    spend: new Set(),
    denied: new Set(),
    fault: new Set(),
  };
  #limitPicoUsd: bigint | null;

  /** @throws InvalidAmountError for a budget that is not a finite amount >= 0. */
  constructor(options: CostTrackerOptions = {}) {
    const { parent, name = "default" } = options;
    this.parent = parent;
    this.scope = parent ? `${parent.scope}/${name}` : name;
    this.#limitPicoUsd = readLimit(options.budget);
    this.#ledger = options.ledger ?? parent?.ledger ?? new MemoryLedger();
    if (parent && this.#ledger !== parent.ledger) {
      throw new TypeError(`Tracker "${this.scope}" must use its parent's ledger: leave out the option "ledger"`);
    }
    this.#onInsufficient = options.onInsufficient ?? parent?.onInsufficient ?? "wait";
    this.#leaseMs = options.leaseMs ?? defaultLeaseMs;
  }

  /** The ledger that holds the balances; shared with parents and children. */
  get ledger(): Ledger {
    return this.#ledger;
  }

  /** See {@link CostTrackerOptions.onInsufficient}. */
  get onInsufficient(): "wait" | "deny" {
    return this.#onInsufficient;
  }

  /** An inner budget under this one. */
  child(options: Omit<CostTrackerOptions, "parent" | "ledger"> = {}): CostTracker {
    return new CostTracker({ ...options, parent: this });
  }

  /**
   * Holds the bound of a call in this budget and all outer ones.
   *
   * @throws BudgetExceededError when it does not fit, now or after the calls in flight; nothing was spent.
   */
  async reserve(quote: Quote, options: { signal?: AbortSignal; modelId?: string } = {}): Promise<Reservation> {
    assertPicoUsd("boundPicoUsd of a quote", quote.boundPicoUsd);
    options.signal?.throwIfAborted();
    const id = crypto.randomUUID();
    const amountPicoUsd = quote.boundPicoUsd;
    const attempt = () =>
      this.#ledger.reserve({
        id,
        accounts: this.#accounts(),
        amountPicoUsd,
        leaseMs: this.#leaseMs,
        ...(options.modelId === undefined ? {} : { modelId: options.modelId }),
        ...(quote.priceBook === undefined ? {} : { priceBook: quote.priceBook }),
      });

    const line = waitingLineOf(this.#ledger);
    const waits = this.#onInsufficient === "wait";
    const overtakes = waits && line.isAhead(this.scope, amountPicoUsd);
    let outcome = overtakes ? undefined : await attempt();
    if (!outcome || (waits && !outcome.admitted && mayFitLater(outcome, amountPicoUsd))) {
      const undo = () => this.#ledger.release(id);
      outcome = await line.wait(this.scope, { amountPicoUsd, attempt, undo }, options.signal);
    }
    if (!outcome.admitted) throw this.#deny(outcome, amountPicoUsd);
    const onSettled = (receipt: Receipt) => this.#settled(receipt, options.modelId);
    const reservation = new Reservation({ id, quote, ledger: this.#ledger, onSettled });
    if (options.signal?.aborted) {
      await reservation.release();
      throw options.signal.reason;
    }
    return reservation;
  }

  /**
   * Counts a cost that was not reserved. It is always recorded in full.
   *
   * @returns true while the budget is not used up.
   * @throws InvalidAmountError for an amount that is not finite and >= 0; nothing is recorded.
   */
  async addCost(cost: Usd): Promise<boolean> {
    const receipt: Receipt = { costPicoUsd: usd(cost).picoUsd };
    const balances = await this.#ledger.post(this.#accounts(), receipt);
    this.#settled(receipt, undefined);
    return balances[0] !== undefined && !this.#isUsedUp(balances[0]);
  }

  /** Whether spend, unresolved calls included, has reached the limit. */
  async isBudgetExceeded(): Promise<boolean> {
    return this.#isUsedUp(await this.#balance());
  }

  /** Spend, calls and what is left. */
  async getStats(): Promise<CostStats> {
    return statsOf(await this.#balance(), this.#limitPicoUsd);
  }

  /**
   * Changes the limit; spend stays. Calls that wait are looked at again.
   *
   * @throws InvalidAmountError for an amount that is not finite and >= 0.
   */
  async setBudget(budget: Usd | "unlimited"): Promise<void> {
    this.#limitPicoUsd = readLimit(budget);
    waitingLineOf(this.#ledger).wake();
  }

  /** Zeroes spend and call count; the limit stays, and so do calls in flight. */
  async reset(): Promise<void> {
    await this.#ledger.reset([this.#account()]);
    waitingLineOf(this.#ledger).wake();
  }

  /**
   * Sorts out what a crash left behind; see {@link Ledger.recover}.
   *
   * @param options.abandoned true when no other process works on this budget: then nothing waits for leases to run out.
   * @returns this budget's calls whose outcome is unknown. They count at their bound until {@link CostTracker.resolve}.
   */
  async recover(options: { abandoned?: boolean } = {}): Promise<UnresolvedReservation[]> {
    const all = await this.#ledger.recover(options.abandoned ? { abandonedScope: this.scope } : {});
    waitingLineOf(this.#ledger).wake();
    return all.filter(({ accounts }) => accounts.some(({ scope }) => scope === this.scope));
  }

  /** Ends an unresolved call by evidence of what it did cost, or by writing it off as uncharged. */
  async resolve(reservationId: string, evidence: Receipt | { writeOff: string }): Promise<void> {
    await this.#ledger.resolve(reservationId, evidence);
    waitingLineOf(this.#ledger).wake();
  }

  /** Listens to an event. @returns a function that stops listening. */
  on<Name extends keyof CostTrackerEvents>(name: Name, listener: (event: CostTrackerEvents[Name]) => void): () => void {
    this.#listeners[name].add(listener);
    return () => this.#listeners[name].delete(listener);
  }

  /** Tells the listeners of this budget and of all outer ones. */
  emit<Name extends keyof CostTrackerEvents>(name: Name, event: CostTrackerEvents[Name]): void {
    for (const listener of this.#listeners[name]) listener(event);
    this.parent?.emit(name, event);
  }

  #account(): Account {
    return { scope: this.scope, window: "all", limitPicoUsd: this.#limitPicoUsd };
  }

  #accounts(): Account[] {
    return [this.#account(), ...(this.parent ? this.parent.#accounts() : [])];
  }

  async #balance(): Promise<Balance> {
    const [balance] = await this.#ledger.read([this.#account()]);
    return balance as Balance;
  }

  #isUsedUp({ spentPicoUsd, unresolvedPicoUsd }: Balance): boolean {
    return this.#limitPicoUsd !== null && spentPicoUsd + unresolvedPicoUsd >= this.#limitPicoUsd;
  }

  #settled(receipt: Receipt, modelId: string | undefined): void {
    waitingLineOf(this.#ledger).wake();
    this.emit("spend", { receipt, modelId: receipt.modelId ?? modelId });
  }

  #deny(refusal: Refusal, amountPicoUsd: bigint): BudgetExceededError {
    const tightest = refusal.lacking[0] as Refusal["lacking"][number];
    const error = new BudgetExceededError({
      totalCost: usd.pico(tightest.spentPicoUsd + tightest.unresolvedPicoUsd),
      budget: usd.pico(tightest.limitPicoUsd ?? 0n),
      held: usd.pico(tightest.heldPicoUsd),
      required: usd.pico(amountPicoUsd),
      scope: tightest.scope,
      window: tightest.window,
    });
    this.emit("denied", { error });
    return error;
  }
}

function readLimit(budget: Usd | "unlimited" | undefined): bigint | null {
  if (budget === undefined || budget === "unlimited") return null;
  return typeof budget === "object" ? usd(budget).picoUsd : parsePicoUsd(budget, "budget");
}

function statsOf(balance: Balance, limitPicoUsd: bigint | null): CostStats {
  const { spentPicoUsd: spent, heldPicoUsd: held, unresolvedPicoUsd: unresolved } = balance;
  const above = (amount: bigint) => (amount > 0n ? amount : 0n);
  const overrun = limitPicoUsd === null ? 0n : above(spent - limitPicoUsd);
  const available = limitPicoUsd === null ? null : above(limitPicoUsd - spent - held - unresolved);
  const byModel = Object.entries(balance.byModel).map(([modelId, model]) => [
    modelId,
    { callCount: model.callCount, totalCost: toNumber(model.spentPicoUsd) },
  ]);
  const money = (amount: bigint | null) => (amount === null ? null : usd.pico(amount));
  return {
    totalCost: toNumber(spent),
    callCount: balance.callCount,
    budget: limitPicoUsd === null ? null : toNumber(limitPicoUsd),
    remainingBudget: available === null ? null : toNumber(available),
    budgetExceeded: limitPicoUsd !== null && spent + unresolved >= limitPicoUsd,
    held: toNumber(held),
    unresolved: toNumber(unresolved),
    overrun: toNumber(overrun),
    boundCallCount: balance.boundCallCount,
    byModel: Object.fromEntries(byModel),
    exact: {
      spent: usd.pico(spent),
      held: usd.pico(held),
      unresolved: usd.pico(unresolved),
      overrun: usd.pico(overrun),
      budget: money(limitPicoUsd),
      available: money(available),
    },
  };
}
