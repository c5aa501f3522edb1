import type { JournalEntry } from "@autolabel/budget-core/ledgers/sqlite";
import type { AttemptCost } from "../store/run-store.ts";
import type { CallSpend } from "./spend.ts";

/**
 * The run's calls beside the ledger's entries, to the pico-USD:
 *
 *     calls of the run + resolved + posted + opening + resets + corrections - not posted yet = spent by the ledger
 */
export interface Reconciliation {
  /** Calls that the run recorded. */
  calls: CallSpend;
  /** Entries of calls that are in both books, by how the cost is known. */
  matched: Record<AttemptCost["kind"], CallSpend>;
  /** What the ledger booked for matched calls beyond what the run recorded; 0 unless a cost was mended. */
  correctionsPicoUsd: bigint;
  /** Calls that a crash cut off, ended later by evidence of their cost: in the ledger only. */
  resolved: CallSpend;
  /** Costs without a reservation, added by hand. */
  posted: CallSpend;
  /** What was spent before the ledger had a journal. */
  openingPicoUsd: bigint;
  /** What resets took from the balance: at most 0. */
  resetsPicoUsd: bigint;
  /** Calls that the run recorded and the ledger has no entry for: their charge is on its way. */
  notPosted: CallSpend;
  /** Spent by the ledger's balance. */
  ledgerPicoUsd: bigint;
  /** What no line above explains. Anything but 0 is a fault of the books. */
  unexplainedPicoUsd: bigint;
}

/** What {@link reconcileBooks} compares. */
export interface TwoBooks {
  /** All calls of the run together. */
  calls: CallSpend;
  /** The run's record of a call. */
  attemptOf: (reservationId: string) => Promise<Pick<AttemptCost, "costPicoUsd" | "kind"> | undefined>;
  /** The journal of the run's account. */
  entries: AsyncIterable<JournalEntry> | Iterable<JournalEntry>;
  /** What the account's balance says was spent. */
  ledgerPicoUsd: bigint;
}

/** Explains every pico-USD between the run's own record and the ledger. */
export async function reconcileBooks(books: TwoBooks): Promise<Reconciliation> {
  const { calls, attemptOf, entries, ledgerPicoUsd } = books;
  const none = (): CallSpend => ({ calls: 0, costPicoUsd: 0n });
  const matched = { reported: none(), computed: none(), bound: none() };
  const [resolved, posted] = [none(), none()];
  const inBoth = none();
  const sums = { corrections: 0n, opening: 0n, resets: 0n };
  for await (const { kind, reservationId, amountPicoUsd } of entries) {
    if (kind === "opening") sums.opening += amountPicoUsd;
    else if (kind === "reset") sums.resets += amountPicoUsd;
    else if (reservationId === null) add(posted, amountPicoUsd);
    else {
      const attempt = await attemptOf(reservationId);
      add(attempt ? matched[attempt.kind] : resolved, amountPicoUsd);
      if (!attempt) continue;
      add(inBoth, attempt.costPicoUsd);
      sums.corrections += amountPicoUsd - attempt.costPicoUsd;
    }
  }
  const notPosted = { calls: calls.calls - inBoth.calls, costPicoUsd: calls.costPicoUsd - inBoth.costPicoUsd };
  const explained =
    inBoth.costPicoUsd + sums.corrections + resolved.costPicoUsd + posted.costPicoUsd + sums.opening + sums.resets;
  return {
    calls,
    matched,
    correctionsPicoUsd: sums.corrections,
    resolved,
    posted,
    openingPicoUsd: sums.opening,
    resetsPicoUsd: sums.resets,
    notPosted,
    ledgerPicoUsd,
    unexplainedPicoUsd: ledgerPicoUsd - explained,
  };
}

function add(spend: CallSpend, costPicoUsd: bigint): void {
  spend.calls++;
  spend.costPicoUsd += costPicoUsd;
}
