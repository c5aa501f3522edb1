import { existsSync } from "node:fs";
import { type Money, usd } from "@autolabel/budget-core";
import { LabelingConfig, type LabelingConfigInput } from "../config/labeling-config.ts";
import type { Settings } from "../config/settings.ts";
import { readAccount } from "../store/read-run.ts";
import { isUrl, NoLedgerYetError, openServer } from "./ledger-servers.ts";
import { addressOf } from "./shared-ledger.ts";

/** A limit that a run to come would have to fit. */
export interface LimitLeft {
  kind: "budget" | "pool" | "shared";
  /** What a person calls it: `the budget`, `the pool "team"`, `LLM_BUDGET`. */
  name: string;
  limit: Money;
  /** The limit less what was spent, is held or is unresolved. */
  left: Money;
}

/**
 * What the limits of a run to come leave it, the one that leaves the least first; empty where nothing limits it. Nothing is
 * written, and no ledger is begun.
 */
export async function limitsLeft(input: LabelingConfigInput, settings: Settings): Promise<LimitLeft[]> {
  const { budget, pool } = new LabelingConfig(input);
  const { llmBudget } = settings;
  const limits: LimitLeft[] = [];
  if (budget === undefined && llmBudget !== undefined) {
    limits.push(
      await sharedLimit({ kind: "shared", name: "LLM_BUDGET", scope: "llm-budget", limit: llmBudget }, settings),
    );
  }
  if (budget !== undefined && budget !== "unlimited") {
    limits.push({ kind: "budget", name: "the budget", limit: budget, left: budget });
  }
  if (pool) {
    const named = {
      kind: "pool",
      name: `the pool "${pool.name}"`,
      scope: `pool/${pool.name}`,
      limit: pool.budget,
    } as const;
    limits.push(await sharedLimit(named, settings));
  }
  return limits.toSorted((a, b) => (a.left.picoUsd < b.left.picoUsd ? -1 : 1));
}

async function sharedLimit(
  { scope, ...named }: Omit<LimitLeft, "left"> & { scope: string },
  settings: Settings,
): Promise<LimitLeft> {
  const used = await usedOf(addressOf(undefined, settings), scope);
  return { ...named, left: usd.pico(named.limit.picoUsd > used ? named.limit.picoUsd - used : 0n) };
}

/** What was spent, is held or is unresolved of an account of the ledger that runs share. */
async function usedOf(address: string, scope: string): Promise<bigint> {
  const account = isUrl(address) ? await readFar(address, scope) : existsSync(address) && readAccount(address, scope);
  return account ? account.spentPicoUsd + account.heldPicoUsd + account.unresolvedPicoUsd : 0n;
}

async function readFar(address: string, scope: string) {
  try {
    const { ledger, close } = await openServer(address, { create: false });
    try {
      return (await ledger.read([{ scope, window: "all" }]))[0];
    } finally {
      await close();
    }
  } catch (error) {
    if (error instanceof NoLedgerYetError) return undefined;
    throw error;
  }
}
