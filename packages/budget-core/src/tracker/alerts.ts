import type { Balance, Ledger } from "../ledger/ledger.ts";
import { ceilDiv, parsePicoUsd } from "../money.ts";

/** A part of the budget was reached. */
export interface BudgetAlert {
  /** The part, such as 0.75. */
  threshold: number;
  scope: string;
  window: string;
}

/** One whole in the unit in which {@link parsePicoUsd} reads decimals. */
const whole = 10n ** 12n;

/**
 * Says which parts of a limit were reached, each at most once per threshold, window and scope: the first who claims it
 * in the ledger tells it, across processes and restarts. Who is killed between the two takes it along.
 */
export class AlertWatch {
  readonly #ledger: Ledger;
  readonly #thresholds: readonly { threshold: number; exact: bigint }[];
  readonly #settled = new Set<string>();
  /** The lowest amount at which a threshold of this window and limit is not told yet; saves arithmetic on most calls. */
  #next: { window: string; limitPicoUsd: bigint; atPicoUsd: bigint } | undefined;

  /** @throws InvalidAmountError for a threshold that is not a finite number >= 0. */
  constructor(ledger: Ledger, thresholds: readonly number[]) {
    this.#ledger = ledger;
    this.#thresholds = thresholds
      .map((threshold) => ({ threshold, exact: parsePicoUsd(threshold, "An alert threshold") }))
      .sort((a, b) => a.threshold - b.threshold);
  }

  /** Alerts that are due by this balance and were not told before; undefined, at once, when there is none to look at. */
  due(balance: Balance, limitPicoUsd: bigint | null): Promise<BudgetAlert[]> | undefined {
    if (limitPicoUsd === null || limitPicoUsd === 0n) return undefined;
    const isDue = balance.spentPicoUsd + balance.unresolvedPicoUsd >= this.#nextAt(balance.window, limitPicoUsd);
    return isDue ? this.#claim(balance, limitPicoUsd) : undefined;
  }

  #nextAt(window: string, limitPicoUsd: bigint): bigint {
    if (this.#next?.window !== window || this.#next.limitPicoUsd !== limitPicoUsd) {
      const open = this.#thresholds.find(({ threshold }) => !this.#settled.has(keyOf(window, threshold)));
      // With none left, no amount of money reaches the next one.
      const atPicoUsd = open ? ceilDiv(open.exact * limitPicoUsd, whole) : 2n ** 256n;
      this.#next = { window, limitPicoUsd, atPicoUsd };
    }
    return this.#next.atPicoUsd;
  }

  async #claim(balance: Balance, limitPicoUsd: bigint): Promise<BudgetAlert[]> {
    this.#next = undefined;
    const { scope, window } = balance;
    const used = balance.spentPicoUsd + balance.unresolvedPicoUsd;
    const due: BudgetAlert[] = [];
    for (const { threshold, exact } of this.#thresholds) {
      const name = `alert ${threshold}`;
      const key = keyOf(window, threshold);
      if (used * whole < exact * limitPicoUsd || this.#settled.has(key)) continue;
      this.#settled.add(key);
      try {
        if (await this.#ledger.claim({ scope, window }, name)) due.push({ threshold, scope, window });
      } catch {
        // The cost is posted; a store that fails now must not make that look undone. The next cost tries again.
        this.#settled.delete(key);
      }
    }
    return due;
  }
}

function keyOf(window: string, threshold: number): string {
  return `${window} ${threshold}`;
}
