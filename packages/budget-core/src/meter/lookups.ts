import type { Outcome } from "../costs.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Receipt } from "../receipt.ts";
import type { CostTracker } from "../tracker/cost-tracker.ts";
import { checkedReceipt } from "./checked-receipt.ts";
import type { Metering } from "./meter-call.ts";

/** The receipt that the provider is asked for, or `bound` if it knows none; undefined where there is nothing to ask. */
export function startLookup(
  { costs, onReceipt }: Metering,
  outcome: Outcome,
  bound: Receipt,
): Promise<Receipt> | undefined {
  // An answer that is stored with its receipt must be stored before the caller has it.
  if (onReceipt && outcome.result?.content !== undefined) return undefined;
  try {
    const asked = costs.lookup?.(outcome);
    return asked?.then(
      (found) => checkedReceipt(() => found ?? bound, outcome),
      () => bound,
    );
  } catch {
    return undefined;
  }
}

const lookups = new WeakMap<Ledger, Set<Promise<void>>>();

/** Work that nobody waits for but {@link settled}. */
export function inBackground(ledger: Ledger, work: Promise<void>): void {
  const pending = lookups.get(ledger) ?? new Set();
  lookups.set(ledger, pending.add(work));
  void work.then(() => pending.delete(work));
}

/**
 * Resolves when every ended call of this budget, and of those that share its ledger, has its cost in the books: none is
 * being written or looked up at its provider any more, and no stream is still coming in, read or not. To be awaited before
 * a process ends or its ledger is closed; a call that is left behind counts at its bound.
 */
export async function settled({ ledger }: Pick<CostTracker, "ledger">): Promise<void> {
  // A look-up between two tries does not keep a process alive by itself: whoever waits for it does.
  const alive = setInterval(() => undefined, 60_000);
  try {
    for (let pending = lookups.get(ledger); pending?.size; ) await Promise.all(pending);
  } finally {
    clearInterval(alive);
  }
}
