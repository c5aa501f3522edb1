import { BudgetExceededError } from "../errors/budget-exceeded-error.ts";
import { usd } from "../money.ts";
import { mayFitLater, type Refusal } from "./waiting.ts";

type Lacking = Refusal["lacking"][number];

/** The account to name in a refusal: one that cannot fit even when calls in flight end, else the first that lacks room. */
export function tightestOf({ lacking }: Refusal, amountPicoUsd: bigint): Lacking {
  const final = lacking.find((account) => !mayFitLater({ admitted: false, lacking: [account] }, amountPicoUsd));
  return final ?? (lacking[0] as Lacking);
}

/** The refusal as an error. @param endsAtMs end of the account's window; infinite when it never ends. */
export function refusalError(account: Lacking, amountPicoUsd: bigint, endsAtMs: number): BudgetExceededError {
  return new BudgetExceededError({
    totalCost: usd.pico(account.spentPicoUsd + account.unresolvedPicoUsd),
    budget: usd.pico(account.limitPicoUsd ?? 0n),
    held: usd.pico(account.heldPicoUsd),
    required: usd.pico(amountPicoUsd),
    scope: account.scope,
    window: account.window,
    ...(Number.isFinite(endsAtMs) ? { resetsAt: new Date(endsAtMs) } : {}),
  });
}
