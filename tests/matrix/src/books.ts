import type { CostTracker, Receipt } from "@autolabel/budget-core";
import type { Simulator } from "@autolabel/simulator";
import type { Attempt } from "./ending.ts";

/** What must be in the books after a call. */
export interface Expected {
  /** Every request that is sent, in order. */
  attempts: readonly Attempt[];
  /** Lines on the invoice for an answer. */
  bills: number;
  /** Whether calls cost nothing here, so that one that was not billed may still stand in the books, at 0. */
  isFree: boolean;
  /** Whether the bound of a call is just what it costs. */
  isBoundTheCost: boolean;
  /** Whether calls end by evidence that comes later, of which the budget tells its listeners nothing. */
  isResolved: boolean;
}

/** What a budget recorded, to be held against the provider's invoice. */
export class Books {
  readonly #tracker: CostTracker;
  readonly #receipts: Receipt[] = [];

  constructor(tracker: CostTracker) {
    this.#tracker = tracker;
    tracker.on("spend", ({ receipt }) => this.#receipts.push(receipt));
  }

  /** Whether nothing is open any more, and all that must be counted is. */
  async areClosed({ requests, inFlight }: Simulator, { attempts }: Expected): Promise<boolean> {
    const { callCount, held } = await this.#tracker.getStats();
    return inFlight === 0 && requests === attempts.length && held === 0 && callCount === counted(attempts);
  }

  /** What is wrong, in words; nothing when what was recorded is what was billed, or above it and flagged. */
  async problems({ invoice, requests }: Simulator, expected: Expected): Promise<string[]> {
    const { attempts, bills, isFree, isBoundTheCost, isResolved } = expected;
    const { callCount, boundCallCount, exact } = await this.#tracker.getStats();
    const flagged = countOf(attempts, "bound");
    const isOpen = countOf(attempts, "unresolved") > 0;
    const [spent, billed] = [exact.spent.picoUsd, invoice.totalPicoUsd];
    const lines = bills * attempts.filter((attempt) => attempt.billed).length;
    const checks: [boolean, string][] = [
      [requests === attempts.length, `${requests} requests were sent, not ${attempts.length}`],
      [invoice.count === lines, `${invoice.count} lines were billed, not ${lines}`],
      [callCount === counted(attempts), `${callCount} calls were counted, not ${counted(attempts)}`],
      [isResolved || this.#receipts.length === callCount, `${this.#receipts.length} receipts for ${callCount} calls`],
      [boundCallCount === flagged, `${boundCallCount} calls were flagged as counted at their bound, not ${flagged}`],
      [exact.held.picoUsd === 0n, `${exact.held.picoUsd} are still held`],
      [exact.unresolved.picoUsd > 0n === isOpen, `${exact.unresolved.picoUsd} are unresolved`],
      [spent >= billed, `recorded ${spent} is below the ${billed} that were billed`],
      [flagged > 0 || spent === billed, `recorded ${spent} is not the ${billed} that were billed`],
      [
        flagged === 0 || isBoundTheCost || spent > billed,
        `the bound ${spent} is not above the ${billed} that were billed`,
      ],
    ];
    const failed = checks.flatMap(([holds, problem]) => (holds ? [] : [problem]));
    if (isFree || isResolved) return failed;
    return [...failed, ...this.#unpaired(invoice.lines.map(({ costPicoUsd }) => costPicoUsd))];
  }

  /** Every receipt that claims to be exact needs a bill of its own; every other bill a flagged receipt not below it. */
  #unpaired(bills: bigint[]): string[] {
    const problems: string[] = [];
    const bounds = this.#receipts.filter(({ kind }) => kind === "bound").map(({ costPicoUsd }) => costPicoUsd);
    for (const { kind, costPicoUsd } of this.#receipts) {
      if (kind === "bound") continue;
      const at = bills.indexOf(costPicoUsd);
      if (at < 0) problems.push(`nothing was billed for the ${costPicoUsd} of an exact receipt`);
      else bills.splice(at, 1);
    }
    bounds.sort(descending);
    for (const [index, bill] of bills.sort(descending).entries()) {
      if ((bounds[index] ?? 0n) < bill) problems.push(`no receipt covers a bill of ${bill}`);
    }
    return problems;
  }
}

function descending(first: bigint, second: bigint): number {
  return first < second ? 1 : -1;
}

function countOf(attempts: readonly Attempt[], ...kinds: readonly Attempt["recorded"][]): number {
  return attempts.filter(({ recorded }) => kinds.includes(recorded)).length;
}

function counted(attempts: readonly Attempt[]): number {
  return countOf(attempts, "exact", "bound");
}
