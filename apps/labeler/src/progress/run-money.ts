import { type CostStats, type Money, usd } from "@autolabel/budget-core";
import type { LabelingRun } from "../engine/labeling-run.ts";

/** A limit that a run shares with others, as it stands. */
export interface SharedLimit {
  /** `pool` where it is one. */
  kind: "pool" | "shared";
  /** What a person calls it: `the pool "team"`, `LLM_BUDGET`. */
  name: string;
  spent: Money;
  held: Money;
  unresolved: Money;
  budget: Money;
}

/** The money of a run at one moment. */
export interface RunMoney extends Pick<CostStats["exact"], "spent" | "held" | "unresolved" | "budget"> {
  /** Limits besides the run's own. */
  shared: readonly SharedLimit[];
  /** What new calls can use: the least that any of the limits leaves; null where there is none. */
  free: Money | null;
  /** What rows can still cost: {@link RunMoney.free} and what the run holds, most of which is spent or free soon. */
  usable: Money | null;
  /** What a person calls the limit that leaves the least; undefined where there is none. */
  tightest: string | undefined;
}

/** Reads all budgets that a run's calls must fit. */
export async function moneyOf({ limits }: Pick<LabelingRun, "limits">): Promise<RunMoney> {
  const [own, ...others] = await Promise.all(
    limits.map(async (limit) => ({ ...nameOf(limit.scope), ...(await limit.getStats()).exact })),
  );
  if (!own) throw new Error("A run has a budget of its own, if an unlimited one");
  const { spent, held, unresolved, budget } = own;
  const shared = others.flatMap((limit) => (limit.budget === null ? [] : [{ ...limit, budget: limit.budget }]));
  let [free, tightest] = [own.available, own.available ? "the budget" : undefined];
  for (const { available, name } of others) {
    if (available === null || (free !== null && free.picoUsd <= available.picoUsd)) continue;
    [free, tightest] = [available, name];
  }
  const usable = free && usd.pico(free.picoUsd + held.picoUsd);
  return { spent, held, unresolved, budget, shared, free, usable, tightest };
}

function nameOf(scope: string): Pick<SharedLimit, "kind" | "name"> {
  const pool = /^pool\/(.*)$/s.exec(scope)?.[1];
  if (pool !== undefined) return { kind: "pool", name: `the pool "${pool}"` };
  return { kind: "shared", name: scope === "llm-budget" ? "LLM_BUDGET" : `the budget "${scope}"` };
}
