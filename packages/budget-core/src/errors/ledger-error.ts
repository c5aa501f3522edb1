import { BudgetError, hasCode } from "./budget-error.ts";

/** The store of balances failed (locked, full, read-only, gone). No call is sent while it fails. */
export class LedgerError extends BudgetError {
  constructor(options: { message: string; cause?: unknown }) {
    super({ code: "ledger", message: options.message, cause: options.cause });
    this.name = "LedgerError";
  }

  static override isInstance(error: unknown): error is LedgerError {
    return hasCode(error, "ledger");
  }
}
