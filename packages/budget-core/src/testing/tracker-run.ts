import { BudgetExceededError } from "../errors/budget-exceeded-error.ts";
import { LedgerError } from "../errors/ledger-error.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { CostTracker } from "../tracker/cost-tracker.ts";
import type { Reservation } from "../tracker/reservation.ts";
import { Interleaving } from "./interleaving.ts";
import { Random } from "./random.ts";
import { UnreliableLedger } from "./unreliable-ledger.ts";
import { Broken, type Violation, violationOf } from "./violation.ts";

/** How a run is set up. */
export interface TrackerRunOptions {
  seed: number;
  /** The ledger under the trackers; it must go by `clock`. */
  makeLedger: (clock: () => number) => Ledger | Promise<Ledger>;
  /** How many calls are made at once. */
  calls: number;
  /** Told what happens, in order. */
  note: (line: string) => void;
}

interface Budget {
  tracker: CostTracker;
  limit: bigint;
  chain: Budget[];
  /** What the provider bills: an oracle that knows nothing of the books. */
  billed: bigint;
  /** What callers settled. */
  settled: bigint;
  alerts: Map<number, number>;
}

const leaseMs = 60_000;
const thresholds = [0.5, 0.9];

/** Plays concurrent calls against nested trackers, and watches the provider's bill, refusals, leaks and stuck calls. */
export async function runTrackerSchedule(options: TrackerRunOptions): Promise<Violation | undefined> {
  const clock = { now: 0 };
  const ledger = await options.makeLedger(() => clock.now);
  try {
    await new TrackerRun(options, ledger, clock).run();
    return undefined;
  } catch (error) {
    return violationOf(error);
  } finally {
    await ledger.close();
  }
}

class TrackerRun {
  readonly #options: TrackerRunOptions;
  readonly #random: Random;
  readonly #order: Interleaving;
  readonly #inner: Ledger;
  readonly #wire: UnreliableLedger;
  readonly #clock: { now: number };
  readonly #isFaulty: boolean;
  readonly #budgets: Budget[] = [];
  /** Calls that are in `reserve()` right now, by their bound. */
  readonly #reserving = new Map<number, { budget: Budget; boundPicoUsd: bigint }>();
  #running = 0;
  /** Holds that a crash or a fault may have left behind, and how many of them were there at the last recovery. */
  #left = 0;
  #leftBefore = 0;
  #failure: unknown;

  constructor(options: TrackerRunOptions, inner: Ledger, clock: { now: number }) {
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#order = new Interleaving(this.#random);
    this.#inner = inner;
    this.#clock = clock;
    this.#isFaulty = this.#random.chance(30);
    const faultPercent = this.#isFaulty ? 4 : 0;
    this.#wire = new UnreliableLedger({ inner, order: this.#order, random: this.#random, faultPercent });
    const root = this.#addBudget(undefined);
    const child = this.#addBudget(root);
    this.#addBudget(root);
    this.#addBudget(child);
  }

  async run(): Promise<void> {
    for (let call = 0; call < this.#options.calls; call++) this.#start(() => this.#call(call));
    if (this.#random.chance(30)) this.#start(() => this.#raise());
    await this.#play();
    this.#start(() => this.#endEverything());
    await this.#play();
    await this.#checkBooks();
  }

  #addBudget(parent: Budget | undefined): Budget {
    const limit = BigInt(this.#random.below(100));
    const options = {
      name: `b${this.#budgets.length}`,
      alerts: thresholds,
      leaseMs,
      now: () => this.#clock.now,
      onInsufficient: this.#random.pick(["wait", "wait", "clamp", "deny"] as const),
    };
    const tracker = parent ? parent.tracker.child(options) : new CostTracker({ ...options, ledger: this.#wire });
    void tracker.setBudget(`${limit}e-12`);
    const budget: Budget = { tracker, limit, chain: [], billed: 0n, settled: 0n, alerts: new Map() };
    budget.chain = [budget, ...(parent?.chain ?? [])];
    tracker.on("alert", ({ threshold, scope }) => {
      if (scope === tracker.scope) budget.alerts.set(threshold, (budget.alerts.get(threshold) ?? 0) + 1);
    });
    this.#budgets.push(budget);
    return budget;
  }

  #start(actor: () => Promise<void>): void {
    this.#running++;
    const ended = actor().catch((error: unknown) => {
      this.#failure ??= error;
    });
    void ended.then(() => this.#running--);
  }

  async #play(): Promise<void> {
    await this.#order.run(
      () => this.#running === 0 || this.#failure !== undefined,
      () => this.#unstick(),
    );
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #call(call: number): Promise<void> {
    const random = this.#random;
    await this.#order.gate();
    const budget = random.pick(this.#budgets as [Budget, ...Budget[]]);
    const boundPicoUsd = BigInt(random.below(50));
    const hold = await this.#reserve(call, budget, boundPicoUsd);
    if (!hold) return;
    const bound = hold.quote.boundPicoUsd;
    if (bound > boundPicoUsd) throw new Broken("I4", `call ${call} asked for ${boundPicoUsd} and holds ${bound}`);
    await this.#order.gate();
    if (random.chance(8)) return this.#retry(() => hold.release());
    try {
      await hold.markDispatched();
    } catch (error) {
      // Fail closed: without the mark nothing is sent. If only the answer was lost, the hold stays until recovery.
      if (!LedgerError.isInstance(error)) throw error;
      return void (await hold.release().catch(() => this.#left++));
    }
    const cost = (bound * BigInt(random.pick([0, 1, 2, 3, 4, 4] as const))) / 4n;
    this.#bill(call, budget, cost);
    await this.#order.gate();
    if (random.chance(5)) {
      this.#options.note(`call ${call} is lost in a crash`);
      this.#left++;
      return;
    }
    if (cost === 0n && random.chance(40)) return this.#retry(() => hold.release("HTTP 429"));
    await this.#settle(call, budget, { hold, cost });
  }

  async #reserve(call: number, budget: Budget, boundPicoUsd: bigint): Promise<Reservation | undefined> {
    const abort = new AbortController();
    const gone = new Error("gone");
    if (this.#random.chance(20)) this.#start(() => this.#abort(abort, gone));
    this.#reserving.set(call, { budget, boundPicoUsd });
    const clamp = (free: bigint) => (free > 0n && free < boundPicoUsd ? { boundPicoUsd: free } : undefined);
    try {
      const options = { signal: abort.signal, modelId: `call ${call}`, clamp };
      const hold = await budget.tracker.reserve({ boundPicoUsd }, options);
      this.#options.note(`call ${call} holds ${hold.quote.boundPicoUsd} in ${budget.tracker.scope}`);
      return hold;
    } catch (error) {
      this.#options.note(`call ${call} of ${boundPicoUsd} in ${budget.tracker.scope}: ${String(error)}`);
      if (BudgetExceededError.isInstance(error)) this.#checkDenial(call, budget, boundPicoUsd);
      else if (error === gone || LedgerError.isInstance(error)) this.#left += this.#isFaulty ? 1 : 0;
      else throw error;
      return undefined;
    } finally {
      this.#reserving.delete(call);
    }
  }

  async #abort(abort: AbortController, reason: Error): Promise<void> {
    for (let turns = this.#random.below(12); turns > 0; turns--) await this.#order.gate();
    abort.abort(reason);
  }

  /** The provider bills as soon as it has the request. */
  #bill(call: number, { chain }: Budget, cost: bigint): void {
    for (const budget of chain) {
      budget.billed += cost;
      if (budget.billed <= budget.limit) continue;
      const { scope } = budget.tracker;
      throw new Broken("I3", `true overspend: ${budget.billed} billed on ${budget.limit} in ${scope}, by call ${call}`);
    }
  }

  async #settle(call: number, { chain }: Budget, { hold, cost }: { hold: Reservation; cost: bigint }): Promise<void> {
    const settle = () => this.#retry(() => hold.settle({ costPicoUsd: cost }));
    for (const budget of chain) budget.settled += cost;
    await Promise.all(this.#random.chance(10) ? [settle(), settle()] : [settle()]);
    this.#options.note(`call ${call} settled ${cost}`);
  }

  /** A caller who knows what it costs does not give up on a fault of the store. */
  async #retry(step: () => Promise<void>): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        return await step();
      } catch (error) {
        if (!LedgerError.isInstance(error) || tries > 50) throw error;
        await this.#order.gate();
      }
    }
  }

  /** A refusal must stand on one of the ledger's; who waits is refused only when it cannot fit any more. */
  #checkDenial(call: number, { tracker }: Budget, boundPicoUsd: bigint): void {
    const refusal = this.#wire.refusals.get(`call ${call}`);
    if (!refusal) throw new Broken("I16", `phantom denial: the ledger never refused call ${call}`);
    const isHopeless = refusal.lacking.some(({ limitPicoUsd, spentPicoUsd, unresolvedPicoUsd }) => {
      return limitPicoUsd !== null && spentPicoUsd + unresolvedPicoUsd + boundPicoUsd > limitPicoUsd;
    });
    if (tracker.onInsufficient === "wait" && !isHopeless) {
      throw new Broken("I16", `phantom denial: call ${call} of ${boundPicoUsd} could still fit`);
    }
  }

  async #raise(): Promise<void> {
    for (let turns = this.#random.below(20); turns > 0; turns--) await this.#order.gate();
    const budget = this.#random.pick(this.#budgets as [Budget, ...Budget[]]);
    budget.limit += 20n;
    await budget.tracker.setBudget(`${budget.limit}e-12`);
    this.#options.note(`${budget.tracker.scope} is raised to ${budget.limit}`);
  }

  /** Nothing moves: fine only when money is in holds that a crash or a fault left behind. */
  async #unstick(): Promise<boolean> {
    for (const [call, { budget, boundPicoUsd }] of this.#reserving) {
      const balances = await this.#inner.read(
        budget.chain.map(({ tracker }) => ({ scope: tracker.scope, window: "all" })),
      );
      const isRoom = balances.every(({ spentPicoUsd, heldPicoUsd, unresolvedPicoUsd }, index) => {
        return spentPicoUsd + heldPicoUsd + unresolvedPicoUsd + boundPicoUsd <= (budget.chain[index]?.limit ?? 0n);
      });
      if (isRoom) throw new Broken("I16", `call ${call} of ${boundPicoUsd} fits and is never served`);
    }
    if (this.#left === this.#leftBefore) {
      const waiting = [...this.#reserving.keys()].join() || "none";
      throw new Broken("I10", `${this.#running} never end; calls that wait: ${waiting}`);
    }
    this.#leftBefore = this.#left;
    this.#start(() => this.#recover());
    return true;
  }

  async #recover(): Promise<void> {
    this.#clock.now += leaseMs;
    this.#options.note("leases run out");
    await this.#retry(async () => void (await this.#budgets[0]?.tracker.recover()));
  }

  async #endEverything(): Promise<void> {
    const held = await this.#heldInAll();
    if (held > 0n && this.#left === 0 && !this.#isFaulty) throw new Broken("I10", `${held} is held by nobody`);
    await this.#recover();
    for (const { id } of await this.#inner.recover()) {
      await this.#retry(async () => this.#budgets[0]?.tracker.resolve(id, { writeOff: "nobody knows" }));
    }
    if ((await this.#heldInAll()) > 0n) throw new Broken("I10", "holds are left after recovery");
  }

  async #heldInAll(): Promise<bigint> {
    const balances = await this.#inner.read(
      this.#budgets.map(({ tracker }) => ({ scope: tracker.scope, window: "all" })),
    );
    return balances.reduce((sum, { heldPicoUsd, unresolvedPicoUsd }) => sum + heldPicoUsd + unresolvedPicoUsd, 0n);
  }

  /** All quiet: the books must show what was settled, and alerts must have been told once. */
  async #checkBooks(): Promise<void> {
    for (const { tracker, settled, limit, alerts } of this.#budgets) {
      const [balance] = await this.#inner.read([{ scope: tracker.scope, window: "all" }]);
      if (balance?.spentPicoUsd !== settled) {
        throw new Broken("I5", `${tracker.scope}: ${settled} was settled, ${balance?.spentPicoUsd} is in the books`);
      }
      for (const threshold of thresholds) {
        const told = alerts.get(threshold) ?? 0;
        const isDue = limit > 0n && settled * 10n >= limit * BigInt(threshold * 10);
        const isMissing = isDue && told === 0 && !this.#isFaulty;
        if (told > 1 || isMissing)
          throw new Broken("I17", `${tracker.scope}: alert ${threshold} was told ${told} times`);
      }
    }
  }
}
