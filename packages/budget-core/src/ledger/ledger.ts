import type { Receipt } from "../receipt.ts";

/**
 * Where balances live. Each method is one atomic step over all the accounts of a call: it happens whole or not at all.
 *
 * A reservation is
 *
 *     held -> dispatched -> settled
 *     held -> released                       (nothing was sent)
 *     held -> expired                        (its lease ran out before anything was sent)
 *     dispatched -> released                 (with evidence that nothing was charged)
 *     dispatched -> unresolved -> settled | writtenOff
 *     dispatched | unresolved -> the same, holding less, beside the part that was split off
 *
 * and anything else is a ReservationStateError. A step repeated with the same reservation id returns what it returned
 * the first time.
 */
export interface Ledger {
  /** Holds `amountPicoUsd` in every account if it fits in each of them; otherwise changes nothing and says which lack room. */
  reserve(request: ReserveRequest): Promise<ReserveOutcome>;
  /** Durable mark that the request is about to leave. Only after it may the request be sent. */
  markDispatched(reservationId: string): Promise<void>;
  /**
   * Both in one step, where no answer can be lost on the way: a hold that nobody knows of must not count as sent. A ledger
   * without it is asked for the two steps.
   */
  reserveDispatched?(request: ReserveRequest): Promise<ReserveOutcome>;
  /**
   * Ends a dispatched (or unresolved) reservation: frees the hold and posts the cost in full, even above hold or limit.
   * Returns the balances after it; a repeat returns none.
   */
  settle(reservationId: string, receipt: Receipt): Promise<Balance[]>;
  /** Frees a hold that was not dispatched, or one that was if `evidence` says why nothing was charged. */
  release(reservationId: string, evidence?: string): Promise<void>;
  /**
   * Moves a part of a dispatched (or unresolved) reservation into a reservation of its own, over the same accounts, in the
   * same state, with the same lease. No balance changes. A repeat with the same id and amount changes nothing.
   *
   * @throws ReservationStateError when the whole was not dispatched, has ended or holds less than the part, or when the
   *   part's id stands for another amount.
   */
  split(reservationId: string, part: ReservationPart): Promise<void>;
  /** Moves the end of the lease to `leaseMs` from now. */
  extend(reservationId: string, leaseMs: number): Promise<void>;
  /** Balances of accounts, in the order asked for; all zero for an account never used. */
  read(accounts: readonly AccountKey[]): Promise<BalanceReport[]>;
  /** Posts a cost that no reservation stands for. It is recorded in full whatever the limit. */
  post(accounts: readonly AccountKey[], receipt: Receipt): Promise<Balance[]>;
  /** Zeroes spend and call counts of accounts by an explicit adjustment; holds, unresolved calls and claims stay. */
  reset(accounts: readonly AccountKey[]): Promise<void>;
  /**
   * Sorts out reservations whose owner is gone: a lease that ran out frees a hold never dispatched and turns a
   * dispatched one into `unresolved`. `abandonedScope` names a scope that nobody works on any more: all its open
   * reservations count as run out. Returns all unresolved reservations. It may take several
   * steps: who is killed between two of them leaves sound books, and the rest to the next recovery.
   */
  recover(options?: { abandonedScope?: string }): Promise<UnresolvedReservation[]>;
  /** Ends an unresolved reservation by evidence: its true receipt, or a reason to write it off as uncharged. */
  resolve(reservationId: string, evidence: Receipt | { writeOff: string }): Promise<void>;
  /** True for the first caller that claims `name` in an account, for ever false for all others: why an alert is told at most once. */
  claim(account: AccountKey, name: string): Promise<boolean>;
  /**
   * The books as they stand, all of them or those of `scopes`: what `autolabel ledger inspect` shows and `verifyLedger`
   * (`@autolabel/budget-core/audit`) checks. Balances, the journal's sums and which reservations are open are all of one
   * instant, `atMs`, whatever goes on meanwhile. It reads the whole journal: not for the way of a call.
   */
  inspect(options?: { scopes?: readonly string[] }): Promise<LedgerReport>;
  /** The store's clock in ms since 1970: the one clock that processes agree on. It picks windows and ends leases. */
  now(): Promise<number>;
  /** Frees the store's resources. Balances stay where the ledger is durable. */
  close(): Promise<void>;
  /** True when other processes may hold money in the same accounts, so that waiting must look again by itself. */
  readonly shared: boolean;
}

/** One account: a scope (run, user, project, …) in one window of time (`"all"` when it never resets). */
export interface AccountKey {
  scope: string;
  window: string;
}

/** An account with the limit that the caller puts on it; null is unlimited. */
export interface Account extends AccountKey {
  limitPicoUsd: bigint | null;
}

/** What {@link Ledger.reserve} takes. */
export interface ReserveRequest {
  /** Unique per attempt; never derived from the prompt. With another amount it is refused: a repeat holds nothing more. */
  id: string;
  accounts: readonly Account[];
  amountPicoUsd: bigint;
  /** How long the hold may stand without a sign of life of its owner. */
  leaseMs: number;
  modelId?: string;
  priceBook?: string;
}

/** What {@link Ledger.split} takes. */
export interface ReservationPart {
  /** Unique, as that of a reservation. */
  id: string;
  amountPicoUsd: bigint;
  modelId?: string;
  priceBook?: string;
}

/**
 * Admitted, or refused with the balances of the accounts that lack room. `atMs` is the store's clock at this step, in ms
 * since 1970, told at no extra cost: a tracker whose own clock is off finds out by it that it named the wrong window.
 */
export type ReserveOutcome =
  | { admitted: true; atMs: number }
  | { admitted: false; atMs: number; lacking: readonly (Balance & Account)[] };

/** Amounts of one account, in pico-USD. What is free is `limit - spent - held - unresolved`. */
export interface Balance extends AccountKey {
  spentPicoUsd: bigint;
  heldPicoUsd: bigint;
  unresolvedPicoUsd: bigint;
  /** Settled and posted calls. */
  callCount: number;
  /** Calls that were settled at their bound because the provider told no cost. */
  boundCallCount: number;
}

/** A balance, and which models it was spent on. */
export interface BalanceReport extends Balance {
  byModel: Readonly<Record<string, { callCount: number; spentPicoUsd: bigint }>>;
}

/** A call that was sent and whose outcome is not known; counted at its bound until evidence resolves it. */
export interface UnresolvedReservation {
  id: string;
  accounts: readonly AccountKey[];
  amountPicoUsd: bigint;
  modelId?: string;
}

/** The books of a ledger at one instant. */
export interface LedgerReport {
  /** Version of the store's tables or keys; 0 where nothing is stored. */
  schemaVersion: number;
  /** The store's clock, in ms since 1970. */
  atMs: number;
  /** Every account that has a balance, an entry in the journal or an open reservation. */
  accounts: AuditedAccount[];
  /** Reservations that have not ended, the oldest first. */
  open: OpenReservation[];
}

/** An account's balance beside what its journal adds up to. */
export interface AuditedAccount extends BalanceReport {
  /**
   * Sums over the entries that were written beside every posting, one an account, and never changed. What is held or
   * unresolved has no entries: it is the sum of the open reservations.
   */
  journal: JournalSums;
}

/** What the entries of an account add up to. A reset is an entry below zero. */
export interface JournalSums {
  spentPicoUsd: bigint;
  callCount: number;
  boundCallCount: number;
}

/** A reservation that has not ended. */
export interface OpenReservation extends UnresolvedReservation {
  state: "held" | "dispatched" | "unresolved";
  /** How long ago it was reserved, in ms, by the store's clock. */
  ageMs: number;
}

/** Name under which the cost of a call without a known model is kept in `byModel`. */
export const unknownModel = "unknown";

/** Whether a hold of `amountPicoUsd` fits. A provably free call fits every budget, even an exhausted one. */
export function fits(
  balance: Pick<Balance, "spentPicoUsd" | "heldPicoUsd" | "unresolvedPicoUsd">,
  limitPicoUsd: bigint | null,
  amountPicoUsd: bigint,
): boolean {
  if (limitPicoUsd === null || amountPicoUsd === 0n) return true;
  const used = balance.spentPicoUsd + balance.heldPicoUsd + balance.unresolvedPicoUsd;
  return limitPicoUsd - used >= amountPicoUsd;
}
