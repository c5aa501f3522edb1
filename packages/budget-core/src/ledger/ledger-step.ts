import { BudgetError } from "../errors/budget-error.ts";
import { LedgerError } from "../errors/ledger-error.ts";

/**
 * Takes a step of a ledger, and makes every way in which its store can fail a LedgerError: an error of its driver, or no
 * answer in time. Refusals of the ledger stay what they are.
 *
 * @param onLate told of an answer that came after it was given up.
 * @throws LedgerError when the store failed; whether the step was done is then unknown.
 */
export async function ledgerStep<T>(
  step: () => Promise<T>,
  timeoutMs: number,
  onLate?: (value: T) => void,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isLate = false;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      isLate = true;
      reject(new LedgerError({ message: `The ledger did not answer within ${timeoutMs} ms: is its store reachable?` }));
    }, timeoutMs);
  });
  try {
    const answer = step();
    answer.then(
      (value) => isLate && onLate?.(value),
      () => undefined,
    );
    return await Promise.race([answer, late]);
  } catch (cause) {
    throw asLedgerError(cause);
  } finally {
    clearTimeout(timer);
  }
}

/** An error of a store's driver as a LedgerError; a BudgetError stays what it is. */
export function asLedgerError(cause: unknown): BudgetError {
  if (BudgetError.isInstance(cause)) return cause;
  const said = cause instanceof Error ? cause.message : String(cause);
  return new LedgerError({ message: `The ledger's store failed: ${said}`, cause });
}
