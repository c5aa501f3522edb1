import { BudgetExceededError } from "./budget-exceeded-error.ts";

/**
 * Whether a budget refusal is behind `error`, however deep a library wrapped it: looks through `cause` and through the
 * AI SDK's `RetryError.lastError`.
 */
export function isBudgetExceeded(error: unknown): error is Error {
  return findBudgetExceeded(error) !== undefined;
}

/** The {@link BudgetExceededError} behind `error`, or undefined. */
export function findBudgetExceeded(error: unknown): BudgetExceededError | undefined {
  const seen = new Set<unknown>();
  const pending: unknown[] = [error];
  while (pending.length > 0) {
    const next = pending.pop();
    if (typeof next !== "object" || next === null || seen.has(next)) continue;
    if (BudgetExceededError.isInstance(next)) return next;
    seen.add(next);
    const { cause, lastError } = next as { cause?: unknown; lastError?: unknown };
    pending.push(cause, lastError);
  }
  return undefined;
}
