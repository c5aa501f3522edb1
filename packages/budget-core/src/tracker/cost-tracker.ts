import { BudgetExceededError } from "../errors/budget-exceeded-error.ts";
import type {
  Account,
  Balance,
  BalanceReport,
  Ledger,
  ReserveOutcome,
  UnresolvedReservation,
} from "../ledger/ledger.ts";
import { MemoryLedger } from "../ledger/memory.ts";
import { parsePicoUsd, type Usd, usd } from "../money.ts";
import { assertPicoUsd, type Quote, type Receipt } from "../receipt.ts";
import { AlertWatch } from "./alerts.ts";
import { type CostStats, statsOf } from "./cost-stats.ts";
import type { CostTrackerEvents, CostTrackerOptions, OnInsufficient, ReserveOptions } from "./cost-tracker-options.ts";
import { Reservation } from "./reservation.ts";
import { mayFitLater, type Refusal, waitingLineOf } from "./waiting.ts";
import { noWindows, type WindowClock, windowClock } from "./windows.ts";

const defaultLeaseMs = 600_000;
const defaultAlerts = [0.5, 0.75, 0.9];

/** A budget: holds money for calls before they are sent, and counts what they cost. */
export class CostTracker {
  /** Name of the account in the ledger. */
  readonly scope: string;
  readonly parent: CostTracker | undefined;
  /** Where the balances live; shared with parents and children. */
  readonly ledger: Ledger;
  /** See {@link CostTrackerOptions.onInsufficient}. */
  readonly onInsufficient: OnInsufficient;
  readonly #mode: "reserve" | "check";
  readonly #maxWaitMs: number | undefined;
  readonly #leaseMs: number;
  readonly #now: () => number;
  readonly #windowAt: WindowClock;
  readonly #alerts: AlertWatch;
  readonly #listeners: { [Name in keyof CostTrackerEvents]: Set<(event: CostTrackerEvents[Name]) => void> } = {
    spend: new Set(),
    alert: new Set(),
    denied: new Set(),
    fault: new Set(),
  };
  #limitPicoUsd: bigint | null;

  /** @throws InvalidAmountError for a budget or threshold that is not finite and >= 0, RangeError for an unknown zone. */
  constructor(options: CostTrackerOptions = {}) {
    const { parent, name = "default", per, timeZone } = options;
    this.parent = parent;
    this.scope = parent ? `${parent.scope}/${name}` : name;
    this.ledger = options.ledger ?? parent?.ledger ?? new MemoryLedger();
    if (parent && this.ledger !== parent.ledger) {
      throw new TypeError(`Tracker "${this.scope}" must use its parent's ledger: leave out the option "ledger"`);
    }
    this.onInsufficient = options.onInsufficient ?? parent?.onInsufficient ?? "wait";
    this.#mode = options.mode ?? (parent ? parent.#mode : "reserve");
    this.#maxWaitMs = options.maxWaitMs ?? (parent ? parent.#maxWaitMs : undefined);
    this.#leaseMs = options.leaseMs ?? defaultLeaseMs;
    this.#now = options.now ?? (parent ? parent.#now : Date.now);
    this.#windowAt = per === undefined ? noWindows : windowClock(per, timeZone);
    this.#alerts = new AlertWatch(this.ledger, options.alerts ?? defaultAlerts);
    this.#limitPicoUsd = readLimit(options.budget);
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
  async reserve(quote: Quote, options: ReserveOptions = {}): Promise<Reservation> {
    assertPicoUsd("boundPicoUsd of a quote", quote.boundPicoUsd);
    options.signal?.throwIfAborted();
    const trackers = this.#trackers(options.scopes);
    for (const tracker of trackers) await tracker.#check(quote);

    const id = crypto.randomUUID();
    let admitted = quote;
    let outcome = await this.#tryReserve(id, quote, trackers, options);
    for (let tries = 0; !outcome.admitted && this.onInsufficient === "clamp" && tries < 3; tries++) {
      const clamped = options.clamp?.(freeIn(outcome));
      if (!clamped) break;
      admitted = clamped;
      outcome = await this.#tryReserve(id, clamped, trackers, options);
    }
    if (!outcome.admitted) throw this.#deny(outcome, admitted.boundPicoUsd, trackers);

    const onSettled = (receipt: Receipt, balances: readonly Balance[]) =>
      this.#settled(trackers, { receipt, modelId: receipt.modelId ?? options.modelId }, balances);
    const reservation = new Reservation({ id, quote: admitted, ledger: this.ledger, onSettled });
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
    const trackers = this.#trackers();
    const balances = await this.ledger.post(
      trackers.map((tracker) => tracker.#account()),
      receipt,
    );
    await this.#settled(trackers, { receipt, modelId: undefined }, balances);
    return balances[0] !== undefined && !this.#isUsedUp(balances[0]);
  }

  /** Whether spend of this window, unresolved calls included, has reached the limit. */
  async isBudgetExceeded(): Promise<boolean> {
    return this.#isUsedUp(await this.#read());
  }

  /** Spend, calls and what is left in this window. */
  async getStats(): Promise<CostStats> {
    return statsOf(await this.#read(), this.#limitPicoUsd);
  }

  /**
   * Changes the limit; spend stays. Calls that wait are looked at again.
   *
   * @throws InvalidAmountError for an amount that is not finite and >= 0.
   */
  async setBudget(budget: Usd | "unlimited"): Promise<void> {
    this.#limitPicoUsd = readLimit(budget);
    waitingLineOf(this.ledger).wake();
  }

  /** Zeroes spend and call count of this window; the limit stays, and so do calls in flight. */
  async reset(): Promise<void> {
    await this.ledger.reset([this.#account()]);
    waitingLineOf(this.ledger).wake();
  }

  /**
   * Sorts out what a crash left behind; see {@link Ledger.recover}.
   *
   * @param options.abandoned true when no other process works on this budget: then nothing waits for leases to run out.
   * @returns this budget's calls whose outcome is unknown. They count at their bound until {@link CostTracker.resolve}.
   */
  async recover(options: { abandoned?: boolean } = {}): Promise<UnresolvedReservation[]> {
    const all = await this.ledger.recover(options.abandoned ? { abandonedScope: this.scope } : {});
    waitingLineOf(this.ledger).wake();
    return all.filter(({ accounts }) => accounts.some(({ scope }) => scope === this.scope));
  }

  /** This budget's calls whose outcome is unknown. */
  unresolved(): Promise<UnresolvedReservation[]> {
    return this.recover();
  }

  /** Ends an unresolved call by evidence of what it did cost, or by writing it off as uncharged. */
  async resolve(reservationId: string, evidence: Receipt | { writeOff: string }): Promise<void> {
    await this.ledger.resolve(reservationId, evidence);
    waitingLineOf(this.ledger).wake();
  }

  /** Listens to an event of this budget and of all inner ones. @returns a function that stops listening. */
  on<Name extends keyof CostTrackerEvents>(name: Name, listener: (event: CostTrackerEvents[Name]) => void): () => void {
    this.#listeners[name].add(listener);
    return () => this.#listeners[name].delete(listener);
  }

  /** Tells the listeners of this budget and of all outer ones. */
  emit<Name extends keyof CostTrackerEvents>(name: Name, event: CostTrackerEvents[Name]): void {
    this.#tell(name, event);
    this.parent?.emit(name, event);
  }

  /** Wakes who waits and tells listeners and alerts of every budget that the call drew on. */
  async #settled(
    trackers: readonly CostTracker[],
    event: CostTrackerEvents["spend"],
    balances: readonly Balance[],
  ): Promise<void> {
    waitingLineOf(this.ledger).wake();
    for (const tracker of trackers) tracker.#tell("spend", event);
    for (const tracker of trackers) {
      const balance = balances.find(({ scope }) => scope === tracker.scope);
      const due = balance ? await tracker.#alerts.due(balance, tracker.#limitPicoUsd) : [];
      for (const alert of due) tracker.emit("alert", alert);
    }
  }

  #tell<Name extends keyof CostTrackerEvents>(name: Name, event: CostTrackerEvents[Name]): void {
    for (const listener of this.#listeners[name]) listener(event);
  }

  /** The budgets that a call must fit: this one, its parents, and further ones with theirs; each once. */
  #trackers(scopes: readonly CostTracker[] = []): CostTracker[] {
    const trackers = new Map<string, CostTracker>();
    for (const start of [this, ...scopes]) {
      for (let tracker: CostTracker | undefined = start; tracker; tracker = tracker.parent) {
        if (tracker.ledger !== this.ledger) {
          throw new TypeError(
            `Budgets "${this.scope}" and "${tracker.scope}" must share one ledger to be held in one step`,
          );
        }
        trackers.set(tracker.scope, tracker);
      }
    }
    return [...trackers.values()];
  }

  #account(): Account {
    return { scope: this.scope, window: this.#windowAt(this.#now()).id, limitPicoUsd: this.#limitPicoUsd };
  }

  async #read(): Promise<BalanceReport> {
    const [balance] = await this.ledger.read([this.#account()]);
    return balance as BalanceReport;
  }

  #isUsedUp({ spentPicoUsd, unresolvedPicoUsd }: Balance): boolean {
    return this.#limitPicoUsd !== null && spentPicoUsd + unresolvedPicoUsd >= this.#limitPicoUsd;
  }

  /** The seed's flow: only whether the limit is reached already. */
  async #check(quote: Quote): Promise<void> {
    if (this.#mode !== "check" || quote.boundPicoUsd === 0n) return;
    const balance = await this.#read();
    if (!this.#isUsedUp(balance)) return;
    const lacking = [{ ...balance, limitPicoUsd: this.#limitPicoUsd }];
    throw this.#deny({ admitted: false, lacking }, 0n, [this]);
  }

  async #tryReserve(
    id: string,
    quote: Quote,
    trackers: readonly CostTracker[],
    options: ReserveOptions,
  ): Promise<ReserveOutcome> {
    const amountPicoUsd = quote.boundPicoUsd;
    const attempt = () =>
      this.ledger.reserve({
        id,
        accounts: trackers.map((tracker) => {
          const account = tracker.#account();
          return tracker.#mode === "check" ? { ...account, limitPicoUsd: null } : account;
        }),
        amountPicoUsd,
        leaseMs: this.#leaseMs,
        ...(options.modelId === undefined ? {} : { modelId: options.modelId }),
        ...(quote.priceBook === undefined ? {} : { priceBook: quote.priceBook }),
      });
    if (this.onInsufficient === "deny") return await attempt();

    const line = waitingLineOf(this.ledger);
    const lane = trackers.map(({ scope }) => scope).join("\n");
    if (!line.isAhead(lane, amountPicoUsd)) {
      const outcome = await attempt();
      if (outcome.admitted || !mayFitLater(outcome, amountPicoUsd)) return outcome;
    }
    const undo = () => this.ledger.release(id);
    return await line.wait(lane, { amountPicoUsd, attempt, undo, maxWaitMs: this.#maxWaitMs }, options.signal);
  }

  #deny(refusal: Refusal, amountPicoUsd: bigint, trackers: readonly CostTracker[]): BudgetExceededError {
    const final = refusal.lacking.find(
      (account) => !mayFitLater({ admitted: false, lacking: [account] }, amountPicoUsd),
    );
    const tightest = final ?? (refusal.lacking[0] as Refusal["lacking"][number]);
    const owner = trackers.find(({ scope }) => scope === tightest.scope);
    const { endsAtMs } = owner ? owner.#windowAt(owner.#now()) : { endsAtMs: Number.POSITIVE_INFINITY };
    const error = new BudgetExceededError({
      totalCost: usd.pico(tightest.spentPicoUsd + tightest.unresolvedPicoUsd),
      budget: usd.pico(tightest.limitPicoUsd ?? 0n),
      held: usd.pico(tightest.heldPicoUsd),
      required: usd.pico(amountPicoUsd),
      scope: tightest.scope,
      window: tightest.window,
      ...(Number.isFinite(endsAtMs) ? { resetsAt: new Date(endsAtMs) } : {}),
    });
    this.emit("denied", { error });
    return error;
  }
}

/** What the tightest account that refused still has, calls in flight not counted as free. */
function freeIn(refusal: Refusal): bigint {
  const free = refusal.lacking.map(
    (account) => (account.limitPicoUsd ?? 0n) - account.spentPicoUsd - account.heldPicoUsd - account.unresolvedPicoUsd,
  );
  return free.reduce((least, amount) => (amount < least ? amount : least));
}

function readLimit(budget: Usd | "unlimited" | undefined): bigint | null {
  if (budget === undefined || budget === "unlimited") return null;
  return typeof budget === "object" ? usd(budget).picoUsd : parsePicoUsd(budget, "budget");
}
