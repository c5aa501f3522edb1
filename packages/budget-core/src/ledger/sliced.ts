import { ReservationStateError } from "../errors/reservation-state-error.ts";
import { assertPicoUsd, assertReceipt, type Receipt } from "../receipt.ts";
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
import { Remembered } from "./remembered.ts";
import { ElapsedClock, type Slice, type SlicedCall } from "./slice.ts";
import { type LaneHost, SliceLane } from "./slice-lane.ts";

/** Options of a {@link SlicedLedger}. */
export interface SlicedLedgerOptions {
  /** For how many calls a slice is at most, as large as the one that it is drawn for. Default 32. */
  calls?: number;
  /** After how long money that no call needs goes back, at most, in ms. Default 1000. */
  idleMs?: number;
  /** Clock in ms by which leases and idle time are told. Default: the process's own. */
  now?: () => number;
}

/**
 * A ledger whose worker draws slices of the budget from a shared ledger, and admits calls from them without a round trip
 * each. A slice is a hold like any other, so the total never exceeds a limit; what a call did cost is posted exactly, when
 * it ends. Money that no call needs goes back: a tracker that waits gets it within `idleMs`; one that denies at once may be
 * denied while others have idle money.
 *
 * It is for one process, by an instance of its own. Close it: what a process that vanishes had drawn and not settled counts
 * as unresolved when its lease has run out.
 */
export class SlicedLedger implements Ledger {
  readonly shared = true;
  readonly #inner: Ledger;
  readonly #host: LaneHost;
  /** Time that has passed, in ms. */
  readonly #now: () => number;
  readonly #clock = new StoreClock();
  readonly #lanes = new Map<string, SliceLane>();
  /** Calls that hold a part of a slice. */
  readonly #calls = new Map<string, SlicedCall>();
  readonly #asked = new Map<string, { amountPicoUsd: bigint; outcome: Promise<ReserveOutcome> }>();
  /** Where other calls went: into the ledger itself, by a lane, or to their end without it. */
  readonly #others = new Remembered<SliceLane | "released" | "expired">();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #returns = 0;
  #isClosed = false;

  /** @param ledger what all workers share. Closing this ledger closes it. */
  constructor(ledger: Ledger, { calls = 32, idleMs = 1000, now }: SlicedLedgerOptions = {}) {
    this.#inner = ledger;
    this.#now = now ?? new ElapsedClock().now;
    this.#host = {
      calls: Math.max(1, Math.floor(calls)),
      idleMs,
      atMs: () => this.#clock.now(),
      learn: (atMs) => this.#clock.learn(atMs),
      onTaken: (call) => this.#calls.set(call.request.id, call),
      onDirect: (request) => this.#others.set(request.id, this.#laneOf(request)),
      onRefused: ({ id }) => this.#others.delete(id),
      returns: () => this.#returns,
      giveBackIdle: (lacking) => this.#giveBackIdle(lacking),
    };
  }

  async reserve(request: ReserveRequest): Promise<ReserveOutcome> {
    assertPicoUsd("amountPicoUsd of a reservation", request.amountPicoUsd);
    const { id, amountPicoUsd } = request;
    const asked = this.#asked.get(id);
    const call = this.#calls.get(id);
    const before = asked ?? call?.request;
    if (before && before.amountPicoUsd !== amountPicoUsd) {
      throw new ReservationStateError({ reservationId: id, state: call?.state ?? "held", step: "reserved again" });
    }
    if (call) return { admitted: true, atMs: this.#clock.now() };
    if (asked) return asked.outcome;
    if (this.#others.get(id)) return this.#direct(id, "reserved again").reserve(request);
    const outcome = this.#laneOf(request).reserve(request);
    this.#asked.set(id, { amountPicoUsd, outcome });
    try {
      return await outcome;
    } finally {
      this.#asked.delete(id);
      this.#arm();
    }
  }

  /** No round trip: the slice of a call is durable and dispatched before any call is admitted from it (I6). */
  async markDispatched(reservationId: string): Promise<void> {
    const call = this.#calls.get(reservationId);
    if (!call) return this.#direct(reservationId, "dispatched").markDispatched(reservationId);
    if (!call.slice.isAlive) await call.slice.renew();
    if (!call.slice.isAlive) await this.#drop(call, "expired");
    // It may have ended meanwhile.
    if (!this.#calls.has(reservationId)) return this.#direct(reservationId, "dispatched").markDispatched(reservationId);
    call.state = "dispatched";
  }

  async settle(reservationId: string, receipt: Receipt): Promise<Balance[]> {
    assertReceipt(receipt);
    const call = this.#calls.get(reservationId);
    if (!call) {
      const balances = await this.#direct(reservationId, "settled").settle(reservationId, receipt);
      const lane = this.#others.get(reservationId);
      if (lane instanceof SliceLane) lane.learn(balances);
      return balances;
    }
    if (call.state === "held") throw new ReservationStateError({ reservationId, state: "held", step: "settled" });
    if (call.ending) return call.ending.then(() => []);
    call.ending = call.slice.settle(call, receipt);
    try {
      const balances = await call.ending;
      this.#laneOf(call.request).learn(balances);
      return balances;
    } finally {
      call.ending = undefined;
      this.#forget(call);
    }
  }

  /** Evidence goes no further than this process: the ledger knows only that the slice has the money again. */
  async release(reservationId: string, evidence?: string): Promise<void> {
    const call = this.#calls.get(reservationId);
    if (!call) {
      if (this.#others.get(reservationId) === "released") return;
      return this.#direct(reservationId, "released").release(reservationId, evidence);
    }
    const state = call.ending ? "settled" : call.state;
    if (state === "settled" || (state === "dispatched" && !evidence)) {
      throw new ReservationStateError({ reservationId, state, step: "released without evidence" });
    }
    await this.#drop(call, "released");
  }

  async split(reservationId: string, part: ReservationPart): Promise<void> {
    const call = this.#calls.get(reservationId);
    if (call?.state === "held") throw new ReservationStateError({ reservationId, state: "held", step: "split" });
    if (call) await this.#detach(call, call.request.leaseMs);
    await this.#direct(reservationId, "split").split(reservationId, part);
  }

  /** No round trip: the lease of the slice is kept alive, until that of the call runs out. */
  async extend(reservationId: string, leaseMs: number): Promise<void> {
    const call = this.#calls.get(reservationId);
    if (!call) return this.#direct(reservationId, "extended").extend(reservationId, leaseMs);
    call.leaseEndsAt = this.#now() + leaseMs;
  }

  read(accounts: readonly AccountKey[]): Promise<BalanceReport[]> {
    return this.#inner.read(accounts);
  }

  post(accounts: readonly AccountKey[], receipt: Receipt): Promise<Balance[]> {
    return this.#inner.post(accounts, receipt);
  }

  reset(accounts: readonly AccountKey[]): Promise<void> {
    return this.#inner.reset(accounts);
  }

  async recover(options: { abandonedScope?: string } = {}): Promise<UnresolvedReservation[]> {
    await this.#sweep(options.abandonedScope);
    return this.#inner.recover(options);
  }

  async resolve(reservationId: string, evidence: Receipt | { writeOff: string }): Promise<void> {
    if ("costPicoUsd" in evidence) return void (await this.settle(reservationId, evidence));
    const state = this.#calls.get(reservationId)?.state;
    if (state) throw new ReservationStateError({ reservationId, state, step: "written off" });
    await this.#inner.resolve(reservationId, evidence);
  }

  claim(account: AccountKey, name: string): Promise<boolean> {
    return this.#inner.claim(account, name);
  }

  inspect(options?: { scopes?: readonly string[] }): Promise<LedgerReport> {
    return this.#inner.inspect(options);
  }

  now(): Promise<number> {
    return this.#inner.now();
  }

  /**
   * The reservation that holds the money of a call in flight: a slice, or its own. Who writes it down with the call before
   * it is sent can sort out, after a crash, what was sent and what was not: `split` the calls off, write off the rest.
   */
  holderOf(reservationId: string): string {
    return this.#calls.get(reservationId)?.slice.id ?? reservationId;
  }

  /** Gives back at once all money that no call needs, as of a worker that takes no more calls. What fails is tried again. */
  async drain(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.giveBackIdle(0)));
  }

  /** Drains it. Calls that are still in flight become unresolved when their lease runs out, unless they settle before. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await Promise.allSettled([...this.#asked.values()].map(({ outcome }) => outcome));
    await Promise.allSettled([...this.#calls.values()].flatMap(({ ending }) => ending ?? []));
    const ended = [...this.#calls.values()].map((call) => {
      if (call.state === "dispatched") return this.#detach(call, call.request.leaseMs);
      return this.#drop(call, "released");
    });
    await Promise.allSettled(ended);
    await this.drain();
    await this.#inner.close();
  }

  /** The ledger itself, for a reservation of its own. @throws ReservationStateError for one that ended without it. */
  #direct(reservationId: string, step: string): Ledger {
    const other = this.#others.get(reservationId);
    if (typeof other === "string") throw new ReservationStateError({ reservationId, state: other, step });
    return this.#inner;
  }

  #laneOf({ accounts, leaseMs }: ReserveRequest): SliceLane {
    const name = JSON.stringify([
      leaseMs,
      ...accounts.map((each) => [each.scope, each.window, String(each.limitPicoUsd)]),
    ]);
    const found = this.#lanes.get(name);
    if (found) return found;
    const onReturned = () => void this.#returns++;
    const lane = new SliceLane({ ledger: this.#inner, accounts, leaseMs, now: this.#now, onReturned }, this.#host);
    this.#lanes.set(name, lane);
    return lane;
  }

  #slices(): Slice[] {
    return [...this.#lanes.values()].flatMap(({ slices }) => [...slices]);
  }

  #drop(call: SlicedCall, state: "released" | "expired"): Promise<void> {
    this.#calls.delete(call.request.id);
    this.#others.set(call.request.id, state);
    this.#timer?.ref?.();
    return call.slice.drop(call);
  }

  async #detach(call: SlicedCall, leaseMs: number): Promise<void> {
    try {
      await call.slice.detach(call, leaseMs);
    } finally {
      this.#forget(call);
    }
  }

  /** A call that is no part of its slice any more is the ledger's. */
  #forget(call: SlicedCall): void {
    if (call.slice.calls.has(call)) return;
    this.#calls.delete(call.request.id);
    this.#others.set(call.request.id, this.#laneOf(call.request));
  }

  async #giveBackIdle(lacking: readonly AccountKey[]): Promise<void> {
    const isLacking = (key: AccountKey) =>
      lacking.some((each) => each.scope === key.scope && each.window === key.window);
    const lanes = [...this.#lanes.values()].filter(({ accounts }) => accounts.some(isLacking));
    await Promise.all(lanes.map((lane) => lane.giveBackIdle(0)));
  }

  /** Sorts out calls whose owner has forgotten them, or whose scope is abandoned, and keeps the leases of the others. */
  async #sweep(abandonedScope?: string): Promise<void> {
    const now = this.#now();
    const isAbandoned = ({ scope }: AccountKey) => scope === abandonedScope;
    const due = [...this.#calls.values()].filter(({ leaseEndsAt, request, ending }) => {
      return !ending && (leaseEndsAt <= now || request.accounts.some(isAbandoned));
    });
    const steps = due.map((call) => {
      return call.state === "dispatched" ? this.#detach(call, 0) : this.#drop(call, "expired");
    });
    const renewed = this.#slices().map((slice) => (slice.isDue && !slice.isOver ? slice.renew() : undefined));
    await Promise.allSettled([...steps, ...renewed]);
    const abandoned = [...this.#lanes.values()].filter(({ accounts }) => accounts.some(isAbandoned));
    await Promise.all(abandoned.map((lane) => lane.giveBackIdle(0)));
  }

  /** Beats as long as there is something to look after; it keeps the process only while there is money to give back. */
  #arm(): void {
    if (this.#timer || this.#isClosed || this.#lanes.size === 0) return;
    const leases = [...this.#calls.values()].map(({ request }) => request.leaseMs / 3);
    const afterMs = Math.min(this.#host.idleMs / 2, ...leases);
    this.#timer = setTimeout(() => void this.#beat(), afterMs);
    const isIdle = this.#slices().some((slice) => slice.isIdle);
    if (!isIdle) (this.#timer as { unref?: () => void }).unref?.();
  }

  async #beat(): Promise<void> {
    await this.#sweep();
    const { idleMs } = this.#host;
    await Promise.all([...this.#lanes.values()].map((lane) => lane.giveBackIdle(idleMs / 2)));
    for (const [name, lane] of this.#lanes) if (lane.isOver) this.#lanes.delete(name);
    this.#timer = undefined;
    this.#arm();
  }
}
