import type {
  Account,
  AccountKey,
  Balance,
  BalanceReport,
  LedgerReport,
  OpenReservation,
  ReserveOutcome,
  UnresolvedReservation,
} from "./ledger.ts";

/** A balance as the server tells it: amounts as decimal text, because JSON has no exact number for them. */
interface BalanceText extends AccountKey {
  spentPicoUsd: string;
  heldPicoUsd: string;
  unresolvedPicoUsd: string;
  callCount: number;
  boundCallCount: number;
}

export interface ReportText extends BalanceText {
  byModel: Record<string, { callCount: number; spentPicoUsd: string }>;
}

export interface ReserveAnswer {
  admitted: boolean;
  atMs: number;
  lacking?: (BalanceText & { limitPicoUsd: string })[];
}

export interface PostAnswer {
  balances: BalanceText[];
}

export interface OpenText {
  id: string;
  state: OpenReservation["state"];
  accounts: AccountKey[];
  amountPicoUsd: string;
  modelId: string | null;
  reservedAtMs: number;
}

/** An unresolved one, and its place in the order in which they were made. */
export interface UnresolvedText extends OpenText {
  ordinal: number;
}

/** Where a page of recovery ended, or what is unresolved after the last one. */
export type RecoveredPage = { after: number } | { unresolved: UnresolvedText[] };

export interface BooksText {
  atMs: number;
  accounts: (ReportText & { journal: { spentPicoUsd: string; callCount: number; boundCallCount: number } })[];
  open: OpenText[];
}

export function isRefusal(answer: unknown): answer is { state: string | null } {
  return typeof answer === "object" && answer !== null && "state" in answer;
}

export function keyOf({ scope, window }: AccountKey): AccountKey {
  return { scope, window };
}

function lackingOf({ limitPicoUsd, ...balance }: BalanceText & { limitPicoUsd: string }): Balance & Account {
  return { ...balanceOf(balance), limitPicoUsd: BigInt(limitPicoUsd) };
}

export function balanceOf(balance: BalanceText): Balance {
  return {
    scope: balance.scope,
    window: balance.window,
    spentPicoUsd: BigInt(balance.spentPicoUsd),
    heldPicoUsd: BigInt(balance.heldPicoUsd),
    unresolvedPicoUsd: BigInt(balance.unresolvedPicoUsd),
    callCount: balance.callCount,
    boundCallCount: balance.boundCallCount,
  };
}

const unused = { spentPicoUsd: "0", heldPicoUsd: "0", unresolvedPicoUsd: "0", callCount: 0, boundCallCount: 0 };

export function reportOf(
  account: AccountKey,
  report: ReportText = { ...keyOf(account), ...unused, byModel: {} },
): BalanceReport {
  const models = Object.entries(report.byModel).map(([modelId, { callCount, spentPicoUsd }]) => {
    return [modelId, { callCount, spentPicoUsd: BigInt(spentPicoUsd) }] as const;
  });
  return { ...balanceOf(report), byModel: Object.fromEntries(models) };
}

export function unresolvedOf({ id, accounts, amountPicoUsd, modelId }: OpenText): UnresolvedReservation {
  const model = modelId === null ? {} : { modelId };
  return { id, accounts: accounts.map(keyOf), amountPicoUsd: BigInt(amountPicoUsd), ...model };
}

export function booksOf({ atMs, accounts, open }: BooksText): Omit<LedgerReport, "schemaVersion"> {
  return {
    atMs,
    accounts: accounts.map(({ journal, ...report }) => {
      return { ...reportOf(report, report), journal: { ...journal, spentPicoUsd: BigInt(journal.spentPicoUsd) } };
    }),
    open: open.map((hold) => ({ ...unresolvedOf(hold), state: hold.state, ageMs: atMs - hold.reservedAtMs })),
  };
}

export function outcomeOf({ admitted, atMs, lacking = [] }: ReserveAnswer): ReserveOutcome {
  return admitted ? { admitted, atMs } : { admitted, atMs, lacking: lacking.map(lackingOf) };
}
