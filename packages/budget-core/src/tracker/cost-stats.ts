import type { BalanceReport } from "../ledger/ledger.ts";
import { type Money, toNumber, usd } from "../money.ts";

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

/** The statistics of an account under a limit; null is unlimited. */
export function statsOf(balance: BalanceReport, limitPicoUsd: bigint | null): CostStats {
  const { spentPicoUsd: spent, heldPicoUsd: held, unresolvedPicoUsd: unresolved } = balance;
  const above = (amount: bigint) => (amount > 0n ? amount : 0n);
  const overrun = limitPicoUsd === null ? 0n : above(spent - limitPicoUsd);
  const available = limitPicoUsd === null ? null : above(limitPicoUsd - spent - held - unresolved);
  const byModel = Object.entries(balance.byModel).map(([modelId, model]) => [
    modelId,
    { callCount: model.callCount, totalCost: toNumber(model.spentPicoUsd) },
  ]);
  const number = (amount: bigint | null) => (amount === null ? null : toNumber(amount));
  const money = (amount: bigint | null) => (amount === null ? null : usd.pico(amount));
  return {
    totalCost: toNumber(spent),
    callCount: balance.callCount,
    budget: number(limitPicoUsd),
    remainingBudget: number(available),
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
