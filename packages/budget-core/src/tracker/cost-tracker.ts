import type { BudgetExceededError } from "../errors/budget-exceeded-error.ts";
import type {
  Account,
  Balance,
  BalanceReport,
  Ledger,
  ReserveOutcome,
  ReserveRequest,
  UnresolvedReservation,
} from "../ledger/ledger.ts";
import { MemoryLedger } from "../ledger/memory.ts";
import { type Usd, usd } from "../money.ts";
import { assertPicoUsd, type Quote, type Receipt } from "../receipt.ts";
import { AlertWatch } from "./alerts.ts";
import { type CostStats, statsOf } from "./cost-stats.ts";
import type {
  CostTrackerEvents,
  CostTrackerOptions,
  OnInsufficient,
  ReserveOptions,
  SpendEvent,
} from "./cost-tracker-options.ts";
import { freeIn, laneOf, readLimit, tightest } from "./limits.ts";
import { refusalError, tightestOf } from "./refusal-error.ts";
import { marksAtOnce, neverSent, Reservation } from "./reservation.ts";
import { type StoreClock, storeClockOf } from "./store-clock.ts";
import { mayFitLater, type Refusal, type WaitingLine, waitingLineOf } from "./waiting.ts";
import { noWindows, type WindowClock, windowClock } from "./windows.ts";

/** Short where another process may wait for what a dead one held; a call in flight keeps its lease alive. */
const defaultLeaseMs = ({ shared }: Ledger) => (shared ? 60_000 : 600_000);
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
  readonly #ownNow: (() => number) | undefined;
  readonly #clock: StoreClock;
  /** Whether the store's clock decides which window a call counts in. */
  readonly #isTimed: boolean;
  readonly #windowAt: WindowClock;
  readonly #alerts: AlertWatch;
  readonly #line: WaitingLine;
  /** This budget and its outer ones: what most calls must fit. */
  readonly #chain: readonly CostTracker[];
  /** Names the chain in the waiting line. */
  readonly #lane: string;
  readonly #listeners: { [Name in keyof CostTrackerEvents]: Set<(event: CostTrackerEvents[Name]) => void> } = {
    reserved: new Set(),
    spend: new Set(),
    released: new Set(),
    alert: new Set(),
    denied: new Set(),
    fault: new Set(),
  };
  /** Models whose calls were quoted as free and billed all the same: they are not let past a spent budget again. */
  readonly #chargedThough0 = new Set<string | undefined>();
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
    this.#leaseMs = options.leaseMs ?? (parent ? parent.#leaseMs : defaultLeaseMs(this.ledger));
    this.#ownNow = options.now ?? (parent ? parent.#ownNow : undefined);
    this.#clock = storeClockOf(this.ledger);
    this.#isTimed = per !== undefined && this.#ownNow === undefined;
    this.#windowAt = per === undefined ? noWindows : windowClock(per, timeZone);
    this.#alerts = new AlertWatch(this.ledger, options.alerts ?? defaultAlerts);
    this.#limitPicoUsd = readLimit(options.budget);
    this.#line = waitingLineOf(this.ledger);
    this.#chain = parent ? [this, ...parent.#chain] : [this];
    this.#lane = laneOf(this.#chain);
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
    for (const tracker of trackers) if (tracker.#mode === "check") await tracker.#check(quote, options.modelId);

    const isFree = quote.boundPicoUsd === 0n && !this.#chargedThough0.has(options.modelId);
    const asked = isFree || quote.boundPicoUsd > 0n ? quote : { ...quote, boundPicoUsd: 1n };
    let attempt = await this.#tryReserve(asked, trackers, options);
    for (let tries = 0; !attempt.outcome.admitted && this.onInsufficient === "clamp" && tries < 3; tries++) {
      const clamped = options.clamp?.(freeIn(attempt.outcome));
      if (!clamped) break;
      attempt = await this.#tryReserve(clamped, trackers, options);
    }
    const { id, quote: held, accounts, outcome } = attempt;
    const { modelId } = options;
    if (!outcome.admitted) throw this.#deny(outcome, { amountPicoUsd: held.boundPicoUsd, modelId }, trackers);

    const { ledger, scope } = this;
    const onSettled = (receipt: Receipt, balances: readonly Balance[]) => {
      if (isFree && receipt.boundBreached) this.#chargedThough0.add(modelId);
      const spend = { receipt, modelId: receipt.modelId ?? modelId, scope, reservationId: id };
      return this.#settled({ trackers, accounts, balances }, spend);
    };
    const onReleased = (evidence?: string) => this.#tellAll(trackers, "released", { reservationId: id, evidence });
    const isDispatched = marksAtOnce(ledger, options);
    const told = { onSettled, onReleased };
    const reservation = new Reservation({ id, quote: held, ledger, leaseMs: this.#leaseMs, isDispatched, ...told });
    const scopes = trackers.map((tracker) => tracker.scope);
    this.#tellAll(trackers, "reserved", { reservationId: id, scope, scopes, quote: held, modelId });
    if (options.signal?.aborted) {
      await reservation.release(neverSent);
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
    const trackers = this.#chain;
    await this.#syncClock(trackers);
    const accounts = trackers.map((tracker) => tracker.#account());
    const balances = await this.ledger.post(accounts, receipt);
    await this.#settled(
      { trackers, accounts, balances },
      { receipt, modelId: undefined, scope: this.scope, reservationId: undefined },
    );
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
    this.#line.wake();
  }

  /** Zeroes spend and call count of this window; the limit stays, and so do calls in flight. */
  async reset(): Promise<void> {
    await this.#syncClock([this]);
    await this.ledger.reset([this.#account()]);
    this.#line.wake();
  }

  /**
   * Sorts out what a crash left behind; see {@link Ledger.recover}.
   *
   * @param options.abandoned true when no other process works on this budget: then nothing waits for leases to run out.
   * @returns this budget's calls whose outcome is unknown. They count at their bound until {@link CostTracker.resolve}.
   */
  async recover(options: { abandoned?: boolean } = {}): Promise<UnresolvedReservation[]> {
    const all = await this.ledger.recover(options.abandoned ? { abandonedScope: this.scope } : {});
    this.#line.wake();
    return all.filter(({ accounts }) => accounts.some(({ scope }) => scope === this.scope));
  }

  /** This budget's calls whose outcome is unknown. */
  unresolved(): Promise<UnresolvedReservation[]> {
    return this.recover();
  }

  /** Ends an unresolved call by evidence of what it did cost, or by writing it off as uncharged. */
  async resolve(reservationId: string, evidence: Receipt | { writeOff: string }): Promise<void> {
    await this.ledger.resolve(reservationId, evidence);
    this.#line.wake();
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
  async #settled({ trackers, accounts, balances }: Settled, event: SpendEvent): Promise<void> {
    this.#line.wake();
    this.#tellAll(trackers, "spend", event);
    for (const [index, tracker] of trackers.entries()) {
      const account = accounts[index];
      const balance = balances.find(({ scope, window }) => scope === account?.scope && window === account.window);
      const due = balance && tracker.#alerts.due(balance, tracker.#limitPicoUsd);
      if (due) for (const alert of await due) tracker.emit("alert", alert);
    }
  }

  #tellAll<Name extends keyof CostTrackerEvents>(
    trackers: readonly CostTracker[],
    name: Name,
    event: CostTrackerEvents[Name],
  ): void {
    for (const tracker of trackers) tracker.#tell(name, event);
  }

  #tell<Name extends keyof CostTrackerEvents>(name: Name, event: CostTrackerEvents[Name]): void {
    for (const listener of this.#listeners[name]) {
      try {
        listener(event);
      } catch (error) {
        // A listener's mistake must neither take a paid answer from its caller nor change what is recorded.
        console.error(`A "${name}" listener of budget "${this.scope}" failed:`, error);
      }
    }
  }

  /** The budgets that a call must fit: this one, its parents, and further ones with theirs; each once. */
  #trackers(scopes: readonly CostTracker[] = []): readonly CostTracker[] {
    if (scopes.length === 0) return this.#chain;
    const trackers = new Set<CostTracker>([this, ...scopes].flatMap((tracker) => tracker.#chain));
    for (const { ledger, scope } of trackers) {
      if (ledger === this.ledger) continue;
      throw new TypeError(`Budgets "${this.scope}" and "${scope}" must share one ledger to be held in one step`);
    }
    return [...trackers];
  }

  /** Where this budget's calls are held now. What is only checked is held under no limit. */
  #account(): Account {
    const limitPicoUsd = this.#mode === "check" ? null : this.#limitPicoUsd;
    return { scope: this.scope, window: this.#windowAt(this.#nowMs()).id, limitPicoUsd };
  }

  #nowMs(): number {
    return this.#ownNow ? this.#ownNow() : this.#clock.now();
  }

  async #syncClock(trackers: readonly CostTracker[]): Promise<void> {
    if (trackers.some((tracker) => tracker.#isTimed)) await this.#clock.sync(this.ledger);
  }

  /** Whether a window of these accounts was over, or not begun, when the store answered. */
  #isOutOfTime(trackers: readonly CostTracker[], accounts: readonly Account[], atMs: number): boolean {
    if (!trackers.some((tracker) => tracker.#isTimed)) return false;
    this.#clock.learn(atMs);
    return trackers.some((tracker, index) => {
      return tracker.#isTimed && tracker.#windowAt(atMs).id !== accounts[index]?.window;
    });
  }

  async #read(): Promise<BalanceReport> {
    await this.#syncClock([this]);
    const [balance] = await this.ledger.read([this.#account()]);
    return balance as BalanceReport;
  }

  #isUsedUp({ spentPicoUsd, unresolvedPicoUsd }: Balance): boolean {
    return this.#limitPicoUsd !== null && spentPicoUsd + unresolvedPicoUsd >= this.#limitPicoUsd;
  }

  /** The seed's flow: only whether the limit is reached already. */
  async #check(quote: Quote, modelId: string | undefined): Promise<void> {
    if (this.#mode !== "check" || quote.boundPicoUsd === 0n) return;
    const balance = await this.#read();
    if (!this.#isUsedUp(balance)) return;
    const lacking = [{ ...balance, limitPicoUsd: this.#limitPicoUsd }];
    throw this.#deny({ admitted: false, lacking }, { amountPicoUsd: 0n, modelId }, this.#chain);
  }

  async #tryReserve(quote: Quote, trackers: readonly CostTracker[], options: ReserveOptions): Promise<Attempt> {
    const { boundPicoUsd: amountPicoUsd, priceBook } = quote;
    // An id of its own for every try: a late answer to one that was given up must not touch the next.
    let id = crypto.randomUUID();
    const isChain = trackers === this.#chain;
    let accounts: readonly Account[] = [];
    await this.#syncClock(trackers);
    const reserve = async (): Promise<ReserveOutcome> => {
      accounts = trackers.map((tracker) => tracker.#account());
      const request: ReserveRequest = {
        id,
        accounts: isChain ? accounts : tightest(accounts),
        amountPicoUsd,
        leaseMs: this.#leaseMs,
      };
      if (options.modelId !== undefined) request.modelId = options.modelId;
      if (priceBook !== undefined) request.priceBook = priceBook;
      const { ledger } = this;
      const outcome = await (marksAtOnce(ledger, options)
        ? ledger.reserveDispatched(request)
        : ledger.reserve(request));
      if (!this.#isOutOfTime(trackers, accounts, outcome.atMs)) return outcome;
      // The windows changed on the way, or this process's clock jumped: once more, in those that the store is in.
      if (outcome.admitted) await this.ledger.release(id, neverSent);
      id = crypto.randomUUID();
      return await reserve();
    };
    const done = (outcome: ReserveOutcome): Attempt => ({ id, quote, accounts, outcome });
    // The budgets that were named for this call decide how it waits; their parents only limit it.
    const named = [this, ...(options.scopes ?? [])];
    if (named.some(({ onInsufficient }) => onInsufficient === "deny")) return done(await reserve());

    const lane = isChain ? this.#lane : laneOf(trackers);
    if (!this.#line.isAhead(lane, amountPicoUsd)) {
      const outcome = await reserve();
      if (outcome.admitted || !mayFitLater(outcome, amountPicoUsd)) return done(outcome);
    }
    const undo = () => this.ledger.release(id, neverSent);
    const waits = named.map((tracker) => tracker.#maxWaitMs ?? Number.POSITIVE_INFINITY);
    const longest = Math.min(...waits);
    const maxWaitMs = Number.isFinite(longest) ? longest : undefined;
    const call = { amountPicoUsd, attempt: reserve, undo, maxWaitMs };
    return done(await this.#line.wait(lane, call, options.signal));
  }

  #deny(
    refusal: Refusal,
    asked: { amountPicoUsd: bigint; modelId: string | undefined },
    trackers: readonly CostTracker[],
  ): BudgetExceededError {
    const { amountPicoUsd, modelId } = asked;
    const lacking = tightestOf(refusal, amountPicoUsd);
    const owner = trackers.find((tracker) => {
      return tracker.scope === lacking.scope && tracker.#account().window === lacking.window;
    });
    const { endsAtMs } = owner ? owner.#windowAt(owner.#nowMs()) : { endsAtMs: Number.POSITIVE_INFINITY };
    const error = refusalError(lacking, amountPicoUsd, endsAtMs);
    this.#tellAll(trackers, "denied", { error, modelId });
    return error;
  }
}

/** A hold that was asked for, and in which accounts: one for each tracker. */
interface Attempt {
  id: string;
  quote: Quote;
  accounts: readonly Account[];
  outcome: ReserveOutcome;
}

/** Where a cost was posted: an account for each tracker, and the balances after it. */
interface Settled {
  trackers: readonly CostTracker[];
  accounts: readonly Account[];
  balances: readonly Balance[];
}
