import { BudgetError, hasCode } from "./budget-error.ts";

/** An amount of money, a token count or a cost that is not a finite number >= 0. Nothing was changed or spent. */
export class InvalidAmountError extends BudgetError {
  /** The value as it was given, as text. */
  readonly given: string;

  constructor(options: { what: string; given: unknown; hint?: string }) {
    const given = typeof options.given === "string" ? JSON.stringify(options.given) : String(options.given);
    super({
      code: "invalid_amount",
      message: `${options.what} must be a finite amount >= 0, not ${given}${options.hint ? `; ${options.hint}` : ""}`,
    });
    this.name = "InvalidAmountError";
    this.given = given;
  }

  static override isInstance(error: unknown): error is InvalidAmountError {
    return hasCode(error, "invalid_amount");
  }
}
