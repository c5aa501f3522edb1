import { formatUsd, picoToDecimal, usd } from "@autolabel/budget-core";
import { formatCount } from "../progress/bar.ts";
import type { Proportion } from "../quality/proportion.ts";
import type { AttemptCost } from "../store/run-store.ts";
import type { RunReport } from "./run-report.ts";
import type { Selection } from "./selection.ts";
import type { Purpose } from "./spend.ts";

/** `81.4 %`; a dash where there is nothing to tell. */
export function percent(share: number | null): string {
  return share === null ? "–" : `${(100 * share).toFixed(1)} %`;
}

/** `80.0–82.7 %`: the 95 % interval. */
export function interval({ low, high }: Pick<Proportion, "low" | "high">): string {
  return low === null || high === null ? "–" : `${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)} %`;
}

/** `0.814`; a dash where there is nothing to tell. */
export function score(value: number | null): string {
  return value === null ? "–" : value.toFixed(3);
}

/** An amount with four significant digits at least: `$0.1234`, `$0.00004321`. */
export function dollars(picoUsd: bigint | null): string {
  if (picoUsd === null) return "–";
  const size = (picoUsd < 0n ? -picoUsd : picoUsd).toString().length;
  const digits = picoUsd === 0n ? 2 : Math.max(4, Math.min(12, 16 - size));
  return picoUsd < 0n ? `-${formatUsd(usd.pico(-picoUsd), { digits })}` : formatUsd(usd.pico(picoUsd), { digits });
}

/** An amount to the last pico-USD: `$0.123456789012`. */
export function exactDollars(picoUsd: bigint): string {
  const [whole, decimals = ""] = picoToDecimal(picoUsd < 0n ? -picoUsd : picoUsd).split(".");
  return `${picoUsd < 0n ? "-" : ""}$${whole}.${decimals.padEnd(12, "0")}`;
}

/** What calls were for. */
export const purposeNames: Readonly<Record<Purpose, string>> = {
  answers: "first answers",
  repairs: "repairs (asked once more)",
  failed: "failed, nothing came",
  boughtAgain: "answers bought again later",
};

/** How a cost is known. */
export const evidenceNames: Readonly<Record<AttemptCost["kind"], string>> = {
  reported: "reported by the provider",
  computed: "computed from usage and price",
  bound: "at the upper bound, nothing told",
};

/** How rows were chosen, and what that means for what is said of all of them. */
export function selectionText(selection: Selection): string[] {
  const { kind, order, reached, rows, share, estimate } = selection;
  const by =
    order.kind === "file"
      ? "in file order"
      : order.kind === "random"
        ? `in random order (seed ${order.seed})`
        : `in random order (seed ${order.seed}), the same share of every value of ${order.column}`;
  if (kind === "all") return [`Every row was asked for, ${by}: nothing was selected.`];
  const some = `${formatCount(reached)} of ${formatCount(rows)} rows (${percent(share)}) were asked for, ${by}.`;
  if (kind === "prefix") {
    return [
      some,
      "They are the first rows of the file, and the others may be unlike them: the accuracy on labeled rows is no estimate for all rows. A run in random or stratified order gives one.",
    ];
  }
  if (kind === "mixed") {
    return [
      `${formatCount(reached)} of ${formatCount(rows)} rows (${percent(share)}) were asked for, in several orders one after the other.`,
      "Together they are no random sample: the accuracy on labeled rows is no estimate for all rows.",
    ];
  }
  const estimated = estimate
    ? [`With all rows labeled, about ${percent(estimate.share)} would be right (95 %: ${interval(estimate)}).`]
    : [];
  return [some, "Each row had the same chance, so what is said of them is an estimate for all rows.", ...estimated];
}

/** One line of the reconciliation. */
export interface BookLine {
  name: string;
  calls: number | null;
  picoUsd: bigint;
  /** Ends a sum. */
  isSum?: boolean;
}

/** The two books as a sum: what the run recorded, what explains a gap, what the ledger says. Lines of nothing are left out. */
export function bookLines(books: NonNullable<RunReport["books"]>): BookLine[] {
  const { calls, matched, resolved, posted, notPosted } = books;
  const evidence = (["reported", "computed", "bound"] as const).map((kind) => ({
    name: `in both books, ${evidenceNames[kind]}`,
    calls: matched[kind].calls,
    picoUsd: matched[kind].costPicoUsd,
  }));
  const gaps: BookLine[] = [
    { name: "cut off by a crash, ended by evidence", calls: resolved.calls, picoUsd: resolved.costPicoUsd },
    { name: "posted by hand", calls: posted.calls, picoUsd: posted.costPicoUsd },
    { name: "spent before the journal began", calls: null, picoUsd: books.openingPicoUsd },
    { name: "taken back by resets", calls: null, picoUsd: books.resetsPicoUsd },
    { name: "not explained", calls: null, picoUsd: books.unexplainedPicoUsd },
  ];
  const aside: BookLine[] = [
    { name: "of them mended in the ledger later", calls: null, picoUsd: books.correctionsPicoUsd },
    { name: "recorded, not in the ledger yet", calls: notPosted.calls, picoUsd: notPosted.costPicoUsd },
  ];
  const isTold = ({ calls: count, picoUsd }: BookLine) => picoUsd !== 0n || (count ?? 0) > 0;
  return [
    ...evidence.filter(isTold),
    ...gaps.filter(isTold),
    { name: "spent by the ledger", calls: null, picoUsd: books.ledgerPicoUsd, isSum: true },
    { name: "recorded by the run", calls: calls.calls, picoUsd: calls.costPicoUsd },
    ...aside.filter(isTold),
  ];
}

/** Whether ledger and run agree, in one sentence. */
export function booksVerdict(books: NonNullable<RunReport["books"]>): { isSound: boolean; text: string } {
  if (books.unexplainedPicoUsd !== 0n) {
    return {
      isSound: false,
      text: `The books differ by ${exactDollars(books.unexplainedPicoUsd)} that nothing explains: see autolabel ledger verify`,
    };
  }
  const differencePicoUsd = books.ledgerPicoUsd - books.calls.costPicoUsd;
  return {
    isSound: true,
    text:
      differencePicoUsd === 0n
        ? "Ledger and run agree to the last pico-USD."
        : `Ledger less run is ${exactDollars(differencePicoUsd)}, explained to the last pico-USD.`,
  };
}
