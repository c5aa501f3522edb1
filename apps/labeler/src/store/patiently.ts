import { setTimeout as sleep } from "node:timers/promises";
import { BudgetError, LedgerError } from "@autolabel/budget-core";

/** How long an answer that was paid for waits for a database that is away, in ms. */
const patienceMs = 120_000;
const longestPauseMs = 1000;

/**
 * Does something that must not be lost because the database is away for a while: what it is told twice, it does once.
 *
 * @throws what `work` throws for another reason, or for too long.
 */
export async function patiently<T>(work: () => Promise<T>): Promise<T> {
  const givesUpAt = performance.now() + patienceMs;
  for (let pauseMs = 50; ; pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
    try {
      return await work();
    } catch (error) {
      if (!isAway(error) || performance.now() > givesUpAt) throw error;
      await sleep(pauseMs);
    }
  }
}

/** A connection that was refused, lost or not to be had, a server that starts or stops, or one that is slow. */
function isAway(error: unknown): boolean {
  if (BudgetError.isInstance(error) && !LedgerError.isInstance(error)) return false;
  const { code, message } = ((error as { cause?: unknown }).cause ?? error) as { code?: unknown; message?: unknown };
  // SQLSTATE: connection exceptions, shutdowns and starts, deadlocks, too many connections, locks that were waited for.
  if (typeof code === "string") return /^(08...|57P0.|40...|53300|55P03|E[A-Z]+)$/.test(code);
  return /connection|terminated|timeout|no answer within|too slow/i.test(String(message));
}
