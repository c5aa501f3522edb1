import { ReservationStateError } from "../errors/reservation-state-error.ts";
import { parsePicoUsd, picoToDecimal } from "../money.ts";
import { assertPicoUsd, assertReceipt, type Receipt } from "../receipt.ts";
import {
  type Account,
  type AccountKey,
  type Balance,
  type BalanceReport,
  fits,
  type Ledger,
  type LedgerReport,
  type ReservationPart,
  type ReserveOutcome,
  type ReserveRequest,
  type UnresolvedReservation,
  unknownModel,
} from "./ledger.ts";
import { Remembered } from "./remembered.ts";

type OpenState = "held" | "dispatched" | "unresolved";
type ClosedState = "settled" | "released" | "expired" | "writtenOff";

interface Hold {
  state: OpenState;
  accounts: MutableAccount[];
  amountPicoUsd: bigint;
  leaseEndsAt: number;
  reservedAt: number;
  modelId: string | undefined;
}

interface MutableAccount extends Balance {
  byModel: Map<string, { callCount: number; spentPicoUsd: bigint }>;
  claims: Set<string>;
}

/** The balances of a {@link MemoryLedger}, as JSON data; amounts are decimal text in USD. */
export interface MemoryLedgerSnapshot {
  accounts: {
    scope: string;
    window: string;
    spent: string;
    callCount: number;
    boundCallCount: number;
    /** Model id, calls, spend. */
    byModel: (readonly [modelId: string, callCount: number, spent: string])[];
    claims: string[];
  }[];
  open: { id: string; accounts: readonly AccountKey[]; amount: string; modelId?: string }[];
}

const sendable: readonly OpenState[] = ["held", "dispatched"];
const settleable: readonly OpenState[] = ["dispatched", "unresolved"];

/**
 * Balances in this process's memory: exact and fast, gone with the process. Give the tracker a SQLite, PostgreSQL or
 * Redis ledger where a crash must not forget spend.
 */
export class MemoryLedger implements Ledger {
  readonly shared = false;
  readonly #now: () => number;
  /** By scope, then by window. */
  readonly #accounts = new Map<string, Map<string, MutableAccount>>();
  readonly #open = new Map<string, Hold>();
  /** Ended reservations, so that a repeated step finds its first answer. */
  readonly #closed = new Remembered<{ state: ClosedState; amountPicoUsd: bigint }>();

  /**
   * @param options.now clock in milliseconds; default `Date.now`.
   * @param options.snapshot balances to begin with, from {@link MemoryLedger.snapshot}.
   * @throws InvalidAmountError for a snapshot with amounts that are none.
   */
  constructor(options: { now?: () => number; snapshot?: MemoryLedgerSnapshot } = {}) {
    this.#now = options.now ?? Date.now;
    if (options.snapshot) this.#restore(options.snapshot);
  }

  async reserve(request: ReserveRequest): Promise<ReserveOutcome> {
    assertPicoUsd("amountPicoUsd of a reservation", request.amountPicoUsd);
    const known = this.#open.get(request.id);
    const atMs = this.#now();
    if (known?.amountPicoUsd === request.amountPicoUsd) return { admitted: true, atMs };
    const state = known?.state ?? this.#endedState(request.id);
    if (state) throw new ReservationStateError({ reservationId: request.id, state, step: "reserved again" });

    const accounts = request.accounts.map((account) => this.#account(account));
    const doesFit = request.accounts.every((account, index) => {
      return fits(accounts[index] as MutableAccount, account.limitPicoUsd, request.amountPicoUsd);
    });
    if (!doesFit) return { admitted: false, atMs, lacking: lackingIn(accounts, request) };

    for (const account of accounts) account.heldPicoUsd += request.amountPicoUsd;
    this.#open.set(request.id, {
      state: "held",
      accounts,
      amountPicoUsd: request.amountPicoUsd,
      leaseEndsAt: atMs + request.leaseMs,
      reservedAt: atMs,
      modelId: request.modelId,
    });
    return { admitted: true, atMs };
  }

  async markDispatched(reservationId: string): Promise<void> {
    const hold = this.#find(reservationId, sendable, "dispatched");
    hold.state = "dispatched";
  }

  async settle(reservationId: string, receipt: Receipt): Promise<Balance[]> {
    assertReceipt(receipt);
    if (!this.#open.has(reservationId) && this.#endedState(reservationId) === "settled") return [];
    const hold = this.#find(reservationId, settleable, "settled");
    this.#end(reservationId, hold, "settled");
    for (const account of hold.accounts) postTo(account, receipt, hold.modelId);
    return hold.accounts.map(balanceOf);
  }

  async release(reservationId: string, evidence?: string): Promise<void> {
    if (this.#endedState(reservationId) === "released") return;
    const hold = this.#find(reservationId, evidence ? ["held", "dispatched"] : ["held"], "released without evidence");
    this.#end(reservationId, hold, "released");
  }

  async split(reservationId: string, part: ReservationPart): Promise<void> {
    assertPicoUsd("amountPicoUsd of a part", part.amountPicoUsd);
    const known = this.#open.get(part.id) ?? this.#closed.get(part.id);
    if (known?.amountPicoUsd === part.amountPicoUsd) return;
    const hold = this.#find(reservationId, settleable, "split");
    if (known || part.amountPicoUsd > hold.amountPicoUsd) {
      throw new ReservationStateError({ reservationId, state: hold.state, step: "split so" });
    }
    hold.amountPicoUsd -= part.amountPicoUsd;
    this.#open.set(part.id, { ...hold, amountPicoUsd: part.amountPicoUsd, modelId: part.modelId });
  }

  async extend(reservationId: string, leaseMs: number): Promise<void> {
    const hold = this.#find(reservationId, sendable, "extended");
    hold.leaseEndsAt = this.#now() + leaseMs;
  }

  async read(accounts: readonly AccountKey[]): Promise<BalanceReport[]> {
    return accounts.map((key) => {
      const account = this.#account(key);
      const byModel = Object.fromEntries([...account.byModel].map(([modelId, model]) => [modelId, { ...model }]));
      return { ...balanceOf(account), byModel };
    });
  }

  async post(accounts: readonly AccountKey[], receipt: Receipt): Promise<Balance[]> {
    assertReceipt(receipt);
    return accounts.map((key) => {
      const account = this.#account(key);
      postTo(account, receipt, undefined);
      return balanceOf(account);
    });
  }

  async reset(accounts: readonly AccountKey[]): Promise<void> {
    for (const key of accounts) {
      Object.assign(this.#account(key), { spentPicoUsd: 0n, callCount: 0, boundCallCount: 0, byModel: new Map() });
    }
  }

  async recover(options: { abandonedScope?: string } = {}): Promise<UnresolvedReservation[]> {
    const now = this.#now();
    for (const [id, hold] of this.#open) {
      const isAbandoned = hold.accounts.some(({ scope }) => scope === options.abandonedScope);
      if (hold.leaseEndsAt > now && !isAbandoned) continue;
      if (hold.state === "held") this.#end(id, hold, "expired");
      else if (hold.state === "dispatched") markUnresolved(hold);
    }
    return [...this.#open].filter(([, { state }]) => state === "unresolved").map(listed);
  }

  async resolve(reservationId: string, evidence: Receipt | { writeOff: string }): Promise<void> {
    if ("costPicoUsd" in evidence) return void (await this.settle(reservationId, evidence));
    if (this.#endedState(reservationId) === "writtenOff") return;
    const hold = this.#find(reservationId, ["unresolved"], "written off");
    this.#end(reservationId, hold, "writtenOff");
  }

  async claim(account: AccountKey, name: string): Promise<boolean> {
    const { claims } = this.#account(account);
    return claims.size < claims.add(name).size;
  }

  /** It keeps no entries, which would grow without end, but sums by model: they stand in for the journal. */
  async inspect({ scopes }: { scopes?: readonly string[] } = {}): Promise<LedgerReport> {
    const atMs = this.#now();
    const isAsked = ({ scope }: AccountKey) => !scopes || scopes.includes(scope);
    const keys = this.#all().filter(isAsked);
    const accounts = (await this.read(keys)).map((balance) => {
      const journal = { spentPicoUsd: 0n, callCount: 0, boundCallCount: balance.boundCallCount };
      for (const { callCount, spentPicoUsd } of Object.values(balance.byModel)) {
        journal.spentPicoUsd += spentPicoUsd;
        journal.callCount += callCount;
      }
      return { ...balance, journal };
    });
    const open = [...this.#open].filter(([, hold]) => hold.accounts.some(isAsked));
    const age = ({ state, reservedAt }: Hold) => ({ state, ageMs: atMs - reservedAt });
    return { schemaVersion: 0, atMs, accounts, open: open.map((one) => ({ ...listed(one), ...age(one[1]) })) };
  }

  async now(): Promise<number> {
    return this.#now();
  }

  async close(): Promise<void> {}

  /** All balances as JSON data, to keep them where the caller likes. Spend after this moment is not in it. */
  snapshot(): MemoryLedgerSnapshot {
    return {
      accounts: this.#all().map(({ scope, window, spentPicoUsd, callCount, boundCallCount, byModel, claims }) => ({
        scope,
        window,
        spent: picoToDecimal(spentPicoUsd),
        callCount,
        boundCallCount,
        claims: [...claims],
        byModel: [...byModel].map(
          ([modelId, model]) => [modelId, model.callCount, picoToDecimal(model.spentPicoUsd)] as const,
        ),
      })),
      open: [...this.#open].map(listed).map(({ amountPicoUsd, ...kept }) => {
        return { ...kept, amount: picoToDecimal(amountPicoUsd) };
      }),
    };
  }

  /** What was open may have been sent after the snapshot was taken, so all of it counts as unresolved. */
  #restore({ accounts, open }: MemoryLedgerSnapshot): void {
    for (const { spent, byModel, claims, ...kept } of accounts) {
      const models = byModel.map(
        ([modelId, callCount, cost]) => [modelId, { callCount, spentPicoUsd: parsePicoUsd(cost) }] as const,
      );
      const restored = {
        ...kept,
        spentPicoUsd: parsePicoUsd(spent),
        byModel: new Map(models),
        claims: new Set(claims),
      };
      Object.assign(this.#account(kept), restored);
    }
    for (const { id, amount, accounts: keys, modelId } of open) {
      const held = keys.map((key) => this.#account(key));
      const amountPicoUsd = parsePicoUsd(amount);
      for (const account of held) account.unresolvedPicoUsd += amountPicoUsd;
      this.#open.set(id, {
        state: "unresolved",
        accounts: held,
        amountPicoUsd,
        leaseEndsAt: 0,
        reservedAt: this.#now(),
        modelId,
      });
    }
  }

  #all(): MutableAccount[] {
    return [...this.#accounts.values()].flatMap((windows) => [...windows.values()]);
  }

  #account({ scope, window }: AccountKey): MutableAccount {
    const windows = this.#accounts.get(scope) ?? new Map<string, MutableAccount>();
    this.#accounts.set(scope, windows);
    let account = windows.get(window);
    if (!account) {
      const zero = { spentPicoUsd: 0n, heldPicoUsd: 0n, unresolvedPicoUsd: 0n, callCount: 0, boundCallCount: 0 };
      account = { scope, window, ...zero, byModel: new Map(), claims: new Set() };
      windows.set(window, account);
    }
    return account;
  }

  #find(reservationId: string, states: readonly OpenState[], step: string): Hold {
    const hold = this.#open.get(reservationId);
    if (hold && states.includes(hold.state)) return hold;
    const state = hold?.state ?? this.#endedState(reservationId) ?? "unknown";
    throw new ReservationStateError({ reservationId, state, step });
  }

  #end(reservationId: string, hold: Hold, state: ClosedState): void {
    const bucket = hold.state === "unresolved" ? "unresolvedPicoUsd" : "heldPicoUsd";
    for (const account of hold.accounts) account[bucket] -= hold.amountPicoUsd;
    this.#open.delete(reservationId);
    this.#closed.set(reservationId, { state, amountPicoUsd: hold.amountPicoUsd });
  }

  #endedState(reservationId: string): ClosedState | undefined {
    return this.#closed.get(reservationId)?.state;
  }
}

function listed([id, { accounts, amountPicoUsd, modelId }]: [string, Hold]): UnresolvedReservation {
  const model = modelId === undefined ? {} : { modelId };
  return { id, accounts: accounts.map(({ scope, window }) => ({ scope, window })), amountPicoUsd, ...model };
}

function markUnresolved(hold: Hold): void {
  hold.state = "unresolved";
  for (const account of hold.accounts) {
    account.heldPicoUsd -= hold.amountPicoUsd;
    account.unresolvedPicoUsd += hold.amountPicoUsd;
  }
}

function postTo(account: MutableAccount, receipt: Receipt, askedModelId: string | undefined): void {
  account.spentPicoUsd += receipt.costPicoUsd;
  account.callCount += 1;
  if (receipt.kind === "bound") account.boundCallCount += 1;
  const modelId = receipt.modelId ?? askedModelId ?? unknownModel;
  const model = account.byModel.get(modelId);
  if (model) {
    model.callCount += 1;
    model.spentPicoUsd += receipt.costPicoUsd;
  } else account.byModel.set(modelId, { callCount: 1, spentPicoUsd: receipt.costPicoUsd });
}

function lackingIn(accounts: readonly MutableAccount[], request: ReserveRequest): (Balance & Account)[] {
  return request.accounts.flatMap(({ limitPicoUsd }, index) => {
    const balance = accounts[index] as MutableAccount;
    return fits(balance, limitPicoUsd, request.amountPicoUsd) ? [] : [{ ...balanceOf(balance), limitPicoUsd }];
  });
}

/** Field by field: it is copied for every account of every call. */
function balanceOf(account: MutableAccount): Balance {
  return {
    scope: account.scope,
    window: account.window,
    spentPicoUsd: account.spentPicoUsd,
    heldPicoUsd: account.heldPicoUsd,
    unresolvedPicoUsd: account.unresolvedPicoUsd,
    callCount: account.callCount,
    boundCallCount: account.boundCallCount,
  };
}
