import type { BudgetExceededError } from "@autolabel/budget-core";

/**
 * A second question about a row does not fit the budget. It holds more money than a first one, so nothing follows for
 * other rows; the answer that was paid for is kept, and the row waits for more money.
 */
export class RepairRefusedError extends Error {
  override readonly name = "RepairRefusedError";
  readonly refusal: BudgetExceededError;

  constructor(refusal: BudgetExceededError) {
    super(refusal.message, { cause: refusal });
    this.refusal = refusal;
  }
}
