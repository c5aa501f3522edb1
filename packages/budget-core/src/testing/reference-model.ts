import type { AccountKey } from "../ledger/ledger.ts";
import type { Receipt } from "../receipt.ts";

/** State of an attempt, by the contract. */
export type AttemptState = "held" | "dispatched" | "unresolved" | "settled" | "released" | "expired" | "writtenOff";

/** An attempt that was admitted once. */
export interface Attempt {
  id: string;
  state: AttemptState;
  accounts: readonly string[];
  amount: bigint;
  leaseEndsAt: number;
  modelId: string | undefined;
}

/** Spend as it was written down. */
type Entry = { account: string; reset: true } | { account: string; reset: false; receipt: Receipt; modelId: string };

/** What must come of asking for a hold. */
export type Verdict = "free" | "repeated" | "forbidden";

/** What an account must show. */
export interface Totals {
  spent: bigint;
  held: bigint;
  unresolved: bigint;
  calls: number;
  boundCalls: number;
  byModel: Map<string, { calls: number; spent: bigint }>;
}

/** Name of an account in the model. */
export function nameOf({ scope, window }: AccountKey): string {
  return `${scope} @ ${window}`;
}

/**
 * What a ledger must do, written as plainly as possible and sharing no code with the ledgers: it keeps a list of
 * attempts and a journal, and adds both up anew whenever it is asked.
 */
export class ReferenceModel {
  now = 0;
  readonly attempts = new Map<string, Attempt>();
  readonly #journal: Entry[] = [];
  readonly #claims = new Set<string>();

  totals(account: string): Totals {
    const totals: Totals = { spent: 0n, held: 0n, unresolved: 0n, calls: 0, boundCalls: 0, byModel: new Map() };
    for (const { state, accounts, amount } of this.attempts.values()) {
      if (!accounts.includes(account)) continue;
      if (state === "held" || state === "dispatched") totals.held += amount;
      if (state === "unresolved") totals.unresolved += amount;
    }
    for (const entry of this.#journal) {
      if (entry.account !== account) continue;
      if (entry.reset) Object.assign(totals, { spent: 0n, calls: 0, boundCalls: 0, byModel: new Map() });
      else addTo(totals, entry.receipt, entry.modelId);
    }
    return totals;
  }

  /** Whether `amount` is free under the limit; null is no limit. What costs nothing is always free. */
  hasRoom(account: string, limit: bigint | null, amount: bigint): boolean {
    if (limit === null || amount === 0n) return true;
    const { spent, held, unresolved } = this.totals(account);
    return spent + held + unresolved + amount <= limit;
  }

  /** Whether an id may be reserved: `free` is new, `repeated` was admitted just so, `forbidden` means something else. */
  verdict(id: string, amount: bigint): Verdict {
    const attempt = this.attempts.get(id);
    if (!attempt) return "free";
    const isOpen = ["held", "dispatched", "unresolved"].includes(attempt.state);
    return isOpen && attempt.amount === amount ? "repeated" : "forbidden";
  }

  admit(attempt: Omit<Attempt, "state" | "leaseEndsAt">, leaseMs: number): void {
    this.attempts.set(attempt.id, { ...attempt, state: "held", leaseEndsAt: this.now + leaseMs });
  }

  /** Each step says whether it is allowed; what is not changes nothing. */
  markDispatched(id: string): boolean {
    return this.#move(id, ["held", "dispatched"], "dispatched");
  }

  settle(id: string, receipt: Receipt): boolean {
    const attempt = this.attempts.get(id);
    if (attempt?.state === "settled") return true;
    if (!attempt || !this.#move(id, ["dispatched", "unresolved"], "settled")) return false;
    this.post(attempt.accounts, receipt, attempt.modelId);
    return true;
  }

  release(id: string, evidence: string | undefined): boolean {
    return this.#move(id, evidence ? ["held", "dispatched", "released"] : ["held", "released"], "released");
  }

  split(id: string, part: { id: string; amount: bigint; modelId: string | undefined }): boolean {
    const whole = this.attempts.get(id);
    const known = this.attempts.get(part.id);
    if (known) return known.amount === part.amount;
    if (!whole || !["dispatched", "unresolved"].includes(whole.state) || whole.amount < part.amount) return false;
    whole.amount -= part.amount;
    this.attempts.set(part.id, { ...whole, ...part });
    return true;
  }

  extend(id: string, leaseMs: number): boolean {
    const attempt = this.attempts.get(id);
    if (!attempt || !["held", "dispatched"].includes(attempt.state)) return false;
    attempt.leaseEndsAt = this.now + leaseMs;
    return true;
  }

  writeOff(id: string): boolean {
    return this.#move(id, ["unresolved", "writtenOff"], "writtenOff");
  }

  post(accounts: readonly string[], receipt: Receipt, askedModelId?: string): void {
    const modelId = receipt.modelId ?? askedModelId ?? "unknown";
    for (const account of accounts) this.#journal.push({ account, reset: false, receipt, modelId });
  }

  reset(accounts: readonly string[]): void {
    for (const account of accounts) this.#journal.push({ account, reset: true });
  }

  /** Ids of all that is unresolved after it, in the order of their reservation. */
  recover(abandonedScope: string | undefined): string[] {
    for (const attempt of this.attempts.values()) {
      const isAbandoned = attempt.accounts.some((account) => account.startsWith(`${abandonedScope} @ `));
      if (!isAbandoned && attempt.leaseEndsAt > this.now) continue;
      if (attempt.state === "held") attempt.state = "expired";
      if (attempt.state === "dispatched") attempt.state = "unresolved";
    }
    return [...this.attempts.values()].filter(({ state }) => state === "unresolved").map(({ id }) => id);
  }

  claim(account: string, name: string): boolean {
    const isFirst = !this.#claims.has(`${account} ${name}`);
    this.#claims.add(`${account} ${name}`);
    return isFirst;
  }

  #move(id: string, from: readonly AttemptState[], to: AttemptState): boolean {
    const attempt = this.attempts.get(id);
    if (!attempt || !from.includes(attempt.state)) return false;
    attempt.state = to;
    return true;
  }
}

function addTo(totals: Totals, receipt: Receipt, modelId: string): void {
  totals.spent += receipt.costPicoUsd;
  totals.calls += 1;
  if (receipt.kind === "bound") totals.boundCalls += 1;
  const model = totals.byModel.get(modelId) ?? { calls: 0, spent: 0n };
  totals.byModel.set(modelId, { calls: model.calls + 1, spent: model.spent + receipt.costPicoUsd });
}
