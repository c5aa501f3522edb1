const marker = Symbol.for("autolabel.budget-error");

/**
 * Base of every error this project throws. Recognised by a marker symbol, never by `instanceof`, so two copies of the
 * package in one process still know each other's errors.
 */
export class BudgetError extends Error {
  /** Machine-readable kind, such as `"budget_exceeded"`. */
  readonly code: string;
  /** Always false: repeating the same call cannot succeed. Read by retry helpers. */
  readonly isRetryable: boolean = false;

  constructor(options: { code: string; message: string; cause?: unknown }) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "BudgetError";
    this.code = options.code;
    Object.defineProperty(this, marker, { value: true, enumerable: false });
    // streamText replaces unknown errors by a causeless NoOutputGeneratedError; with this marker of the AI SDK it passes ours on.
    Object.defineProperty(this, Symbol.for("vercel.ai.error.AI_NoOutputGeneratedError"), { value: true });
  }

  /** True for any error of this family, whichever copy of the package made it. */
  static isInstance(error: unknown): error is BudgetError {
    return typeof error === "object" && error !== null && marker in error;
  }

  /** The fields as plain data, for logs. */
  toJSON(): Record<string, unknown> {
    const { cause: _cause, stack: _stack, ...fields } = this;
    return { ...fields, name: this.name, message: this.message };
  }
}

/** True when `error` is of this family and carries `code`; the shared body of every `isInstance`. */
export function hasCode(error: unknown, code: string): boolean {
  return BudgetError.isInstance(error) && error.code === code;
}
