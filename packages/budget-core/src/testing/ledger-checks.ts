import { ReservationStateError } from "../errors/reservation-state-error.ts";
import type { Account, AccountKey, Ledger } from "../ledger/ledger.ts";
import type { LedgerDifference } from "../ledger/verify-ledger.ts";

/** An account of the tests. */
export const account = (scope: string, limitPicoUsd: bigint | null = 100n): Account => ({
  scope,
  window: "all",
  limitPicoUsd,
});
/** Longer than a test takes. */
export const leaseMs = 60_000;

export function inWords(differences: readonly LedgerDifference[]): string {
  const one = ({ scope, window, field, shown, expected, source }: LedgerDifference) =>
    `${scope} ${window}: ${field} ${shown} instead of ${expected} by its ${source}`;
  return differences.map(one).join("; ");
}

export async function admit(ledger: Ledger, id: string, accounts: Account[], amountPicoUsd: bigint): Promise<void> {
  const outcome = await ledger.reserve({ id, accounts, amountPicoUsd, leaseMs });
  equal(outcome.admitted, true, `admission of ${id}`);
}

export async function expectBalance(
  ledger: Ledger,
  key: AccountKey,
  expected: { spent?: bigint; held?: bigint; unresolved?: bigint; calls?: number },
) {
  const [balance] = await ledger.read([key]);
  if (!balance) throw new Error("read() returned no balance");
  equal(balance.spentPicoUsd, expected.spent ?? balance.spentPicoUsd, "spent");
  equal(balance.heldPicoUsd, expected.held ?? balance.heldPicoUsd, "held");
  equal(balance.unresolvedPicoUsd, expected.unresolved ?? balance.unresolvedPicoUsd, "unresolved");
  equal(balance.callCount, expected.calls ?? balance.callCount, "calls");
  return balance;
}

export function equal(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) throw new Error(`${what}: ${String(actual)} instead of ${String(expected)}`);
}

export async function refuses(step: Promise<unknown>): Promise<void> {
  const error = await throws(step);
  if (!ReservationStateError.isInstance(error)) throw new Error("not a ReservationStateError", { cause: error });
}

export async function throws(step: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await step;
  } catch (error) {
    return error;
  }
  throw new Error(`a step went through that must not: ${JSON.stringify(value)}`);
}
