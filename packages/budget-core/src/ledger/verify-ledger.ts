import type { AccountKey, AuditedAccount, LedgerReport } from "./ledger.ts";

/** Two amounts of the books that must be equal and are not. */
export interface LedgerDifference extends AccountKey {
  /** What the account's balance shows: a field of it. */
  field: "spentPicoUsd" | "heldPicoUsd" | "unresolvedPicoUsd" | "callCount" | "boundCallCount";
  shown: bigint | number;
  /** What it must be. */
  expected: bigint | number;
  /** Where `expected` comes from. */
  source: "journal" | "open reservations" | "spend by model";
}

/**
 * Whether the books add up, to the pico-USD: spend and calls of every account are the sums of its journal and of its
 * models, and what is held or unresolved is the sum of its open reservations. Pure: the report is all it looks at.
 *
 * @param report from {@link Ledger.inspect}.
 * @returns the differences; none for sound books.
 */
export function verifyLedger(report: LedgerReport): LedgerDifference[] {
  const open = new Map<string, { held: bigint; unresolved: bigint }>();
  for (const { state, accounts, amountPicoUsd } of report.open) {
    for (const key of accounts) {
      const sums = open.get(nameOf(key)) ?? { held: 0n, unresolved: 0n };
      sums[state === "unresolved" ? "unresolved" : "held"] += amountPicoUsd;
      open.set(nameOf(key), sums);
    }
  }
  return report.accounts.flatMap((account) => {
    const { held, unresolved } = open.get(nameOf(account)) ?? { held: 0n, unresolved: 0n };
    return differences(account, { held, unresolved });
  });
}

function differences(account: AuditedAccount, { held, unresolved }: { held: bigint; unresolved: bigint }) {
  const { scope, window, journal } = account;
  const models = Object.values(account.byModel);
  const spentByModel = models.reduce((sum, { spentPicoUsd }) => sum + spentPicoUsd, 0n);
  const callsByModel = models.reduce((sum, { callCount }) => sum + callCount, 0);
  const expected: Pick<LedgerDifference, "field" | "expected" | "source">[] = [
    { field: "spentPicoUsd", expected: journal.spentPicoUsd, source: "journal" },
    { field: "callCount", expected: journal.callCount, source: "journal" },
    { field: "boundCallCount", expected: journal.boundCallCount, source: "journal" },
    { field: "heldPicoUsd", expected: held, source: "open reservations" },
    { field: "unresolvedPicoUsd", expected: unresolved, source: "open reservations" },
    { field: "spentPicoUsd", expected: spentByModel, source: "spend by model" },
    { field: "callCount", expected: callsByModel, source: "spend by model" },
  ];
  return expected
    .filter((each) => account[each.field] !== each.expected)
    .map((each): LedgerDifference => ({ scope, window, shown: account[each.field], ...each }));
}

function nameOf({ scope, window }: AccountKey): string {
  return JSON.stringify([scope, window]);
}
