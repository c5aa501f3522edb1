import { BudgetError, hasCode } from "./budget-error.ts";

/** The provider refused for money: out of credit, key limit reached, gateway budget spent. */
export class UpstreamBudgetError extends BudgetError {
  readonly provider: string;
  readonly statusCode: number | undefined;

  constructor(options: { provider: string; statusCode?: number; message: string; cause?: unknown }) {
    super({ code: "upstream_budget", message: options.message, cause: options.cause });
    this.name = "UpstreamBudgetError";
    this.provider = options.provider;
    this.statusCode = options.statusCode;
  }

  static override isInstance(error: unknown): error is UpstreamBudgetError {
    return hasCode(error, "upstream_budget");
  }
}
