import { BudgetError, hasCode } from "./budget-error.ts";

/** The most that a request could cost cannot be told before it is sent. Nothing was sent. */
export class UnboundedRequestError extends BudgetError {
  constructor(options: { reason: string; fix: string }) {
    super({
      code: "unbounded_request",
      message: `This request has no upper cost bound: ${options.reason}. ${options.fix}`,
    });
    this.name = "UnboundedRequestError";
  }

  static override isInstance(error: unknown): error is UnboundedRequestError {
    return hasCode(error, "unbounded_request");
  }
}
