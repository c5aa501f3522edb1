import type { Call, CostExtractor } from "../costs.ts";
import type { CostTracker } from "../tracker/cost-tracker.ts";
import { ambientBudgets } from "./scope-context.ts";

/** A call that was let through. */
export interface LastCall {
  tracker: CostTracker;
  costs: CostExtractor;
  call: Call;
}

/** The last call under each budget that a loop looks ahead for; other budgets keep nothing of their calls. */
export const lastCalls = new WeakMap<CostTracker, LastCall | undefined>();

/** Keeps a call for those who look ahead from it. */
export function rememberCall(last: LastCall): void {
  for (const tracker of chainsOf([last.tracker, ...ambientBudgets()])) {
    if (lastCalls.has(tracker)) lastCalls.set(tracker, last);
  }
}

/** Budgets with all their outer ones, each once. */
export function chainsOf(trackers: readonly CostTracker[]): Set<CostTracker> {
  const chains = new Set<CostTracker>();
  for (const tracker of trackers) {
    for (let next: CostTracker | undefined = tracker; next; next = next.parent) chains.add(next);
  }
  return chains;
}
