import { formatUsd, type Money, toNumber, type Usd, usd } from "../money.ts";
import { BudgetError, hasCode } from "./budget-error.ts";

/** What a {@link BudgetExceededError} says. Amounts are USD. */
export interface BudgetExceededOptions {
  /** Spent so far, unresolved calls included. */
  totalCost: Usd;
  /** The limit. */
  budget: Usd;
  /** Reserved by calls in flight. Default 0. */
  held?: Usd;
  /** The most that the refused call could cost. Default 0. */
  required?: Usd;
  /** Name of the budget that refused. */
  scope?: string;
  /** Window of that budget, such as `"2026-11-23"`; `"all"` when it never resets. */
  window?: string;
  /** When the window ends, if it does. */
  resetsAt?: Date;
}

/**
 * A call was refused before it was sent, because its upper bound does not fit the budget. Nothing was spent on it.
 *
 * Retrying is pointless (`isRetryable` is false): raise the budget or wait for `resetsAt`. Advised HTTP status: 402.
 */
export class BudgetExceededError extends BudgetError {
  readonly totalCost: number;
  readonly budget: number;
  readonly remainingBudget: number;
  readonly held: number;
  readonly required: number;
  readonly scope: string | undefined;
  readonly window: string | undefined;
  readonly resetsAt: Date | undefined;

  constructor(options: BudgetExceededOptions) {
    const amounts = {
      spent: usd(options.totalCost),
      budget: usd(options.budget),
      held: usd(options.held ?? 0),
      required: usd(options.required ?? 0),
    };
    super({ code: "budget_exceeded", message: describe(amounts, options) });
    this.name = "BudgetExceededError";
    this.totalCost = toNumber(amounts.spent.picoUsd);
    this.budget = toNumber(amounts.budget.picoUsd);
    const free = amounts.budget.picoUsd - amounts.spent.picoUsd - amounts.held.picoUsd;
    this.remainingBudget = toNumber(free > 0n ? free : 0n);
    this.held = toNumber(amounts.held.picoUsd);
    this.required = toNumber(amounts.required.picoUsd);
    this.scope = options.scope;
    this.window = options.window;
    this.resetsAt = options.resetsAt;
  }

  static override isInstance(error: unknown): error is BudgetExceededError {
    return hasCode(error, "budget_exceeded");
  }
}

function describe(amounts: Record<"spent" | "budget" | "held" | "required", Money>, options: BudgetExceededOptions) {
  const { spent, budget, held, required } = amounts;
  const reached = usd.pico(spent.picoUsd + held.picoUsd + required.picoUsd);
  const details = [
    `spent ${formatUsd(spent)}`,
    ...(held.picoUsd > 0n ? [`held ${formatUsd(held)}`] : []),
    ...(required.picoUsd > 0n ? [`this call needs up to ${formatUsd(required)}`] : []),
    ...(options.scope ? [`budget "${options.scope}"`] : []),
    ...(options.resetsAt ? [`resets ${options.resetsAt.toISOString()}`] : []),
  ];
  return `Budget exceeded: ${formatUsd(reached)} >= ${formatUsd(budget)} (${details.join(", ")})`;
}
