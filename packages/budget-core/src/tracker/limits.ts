import type { Account } from "../ledger/ledger.ts";
import { parsePicoUsd, type Usd, usd } from "../money.ts";
import type { Refusal } from "./waiting.ts";

/** Calls that draw on the same budgets wait in one line. */
export function laneOf(trackers: readonly { scope: string }[]): string {
  return trackers.map(({ scope }) => scope).join("\n");
}

/** Each account once: where budgets of one name and window have different limits, the lower one holds. */
export function tightest(accounts: readonly Account[]): Account[] {
  const merged = new Map<string, Account>();
  for (const account of accounts) {
    const key = `${account.scope}\n${account.window}`;
    const limit = merged.get(key)?.limitPicoUsd ?? null;
    const isTighter = limit === null || (account.limitPicoUsd !== null && account.limitPicoUsd < limit);
    if (isTighter) merged.set(key, account);
  }
  return [...merged.values()];
}

/** What the tightest account that refused still has, calls in flight not counted as free. */
export function freeIn(refusal: Refusal): bigint {
  const free = refusal.lacking.map(
    (account) => (account.limitPicoUsd ?? 0n) - account.spentPicoUsd - account.heldPicoUsd - account.unresolvedPicoUsd,
  );
  return free.reduce((least, amount) => (amount < least ? amount : least));
}

/** A limit in pico-USD; null is unlimited. @throws InvalidAmountError for an amount that is not finite and >= 0. */
export function readLimit(budget: Usd | "unlimited" | undefined): bigint | null {
  if (budget === undefined || budget === "unlimited") return null;
  return typeof budget === "object" ? usd(budget).picoUsd : parsePicoUsd(budget, "budget");
}
