import { type Money, usd } from "@autolabel/budget-core";
import type { RowCounts } from "../store/row.ts";

/** Where a run stands, as far as its end can be told from it. */
export interface Standing {
  counts: Readonly<RowCounts>;
  spent: Money;
  unresolved: Money;
  budget: Money | null;
}

/** Rows that need no more money. */
export function doneRows(counts: Readonly<RowCounts>): number {
  return counts.rows - counts.unpaid - counts.errors;
}

/** What the rows that are left will probably cost, by the mean of those paid for. Undefined before the first. */
export function forecastRest({ counts, spent }: Standing): Money | undefined {
  const done = doneRows(counts);
  return done === 0 ? undefined : usd.pico((spent.picoUsd * BigInt(counts.rows - done)) / BigInt(done));
}

/** How many rows the budget will probably reach, at most all of them. Undefined where nothing tells. */
export function reachedRows({ counts, spent, unresolved, budget }: Standing): number | undefined {
  const done = doneRows(counts);
  if (!budget || done === 0 || spent.picoUsd === 0n) return undefined;
  const usable = budget.picoUsd - unresolved.picoUsd;
  const reached = Number((usable > 0n ? usable * BigInt(done) : 0n) / spent.picoUsd);
  return Math.min(Math.max(reached, done), counts.rows);
}
