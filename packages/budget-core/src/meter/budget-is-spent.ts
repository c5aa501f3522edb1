import { type Usd, usd } from "../money.ts";
import type { CostTracker } from "../tracker/cost-tracker.ts";
import { clampQuote } from "./clamp-quote.ts";
import { chainsOf, type LastCall, lastCalls } from "./last-call.ts";
import { ambientBudgets } from "./scope-context.ts";

/** A condition for `stopWhen` of ai 6 and 7. */
export type BudgetStopCondition = (loop: { steps: readonly { content: unknown }[] }) => Promise<boolean>;

/** Options of {@link budgetIsSpent}. */
export interface BudgetIsSpentOptions {
  /** Stop as soon as less than this is left, in USD. Default: the most that the next step can cost. */
  lessThan?: Usd;
}

/**
 * A condition for `stopWhen`: the loop ends as it ends after its last step, with all its steps, when the next one would be
 * refused. Without it the refusal is thrown, and the steps that were paid are lost to the caller of `generateText`.
 *
 * The next step is taken for the last call under this budget and what was said since. So give loops that run at once a
 * budget each (`tracker.child()`), or say `lessThan`. Calls in flight elsewhere can still take what is left.
 *
 * @example
 * const { steps } = await generateText({ model, tools, prompt, stopWhen: [isStepCount(20), budgetIsSpent(tracker)] });
 * @throws InvalidAmountError for a `lessThan` that is not finite and >= 0.
 */
export function budgetIsSpent(tracker: CostTracker, { lessThan }: BudgetIsSpentOptions = {}): BudgetStopCondition {
  const least = lessThan === undefined ? undefined : usd(lessThan).picoUsd;
  if (!lastCalls.has(tracker)) lastCalls.set(tracker, undefined);
  return async ({ steps }) => {
    const last = lastCalls.get(tracker);
    const left = await leftOf([tracker, ...(last ? [last.tracker] : []), ...ambientBudgets()]);
    if (left === undefined) return false;
    if (least !== undefined) return left < least;
    return last ? !canPay(last, steps.at(-1)?.content, left) : left <= 0n;
  };
}

/** Whether the next step fits what is left. One that has no bound says so itself when it is made. */
function canPay(last: LastCall, said: unknown, left: bigint): boolean {
  try {
    return fitsNextStep(last, said, left);
  } catch {
    return true;
  }
}

function fitsNextStep({ tracker, costs, call }: LastCall, said: unknown, left: bigint): boolean {
  const { prompt } = call.request;
  const text = { type: "text", text: JSON.stringify(said) ?? "" };
  const next = Array.isArray(prompt) ? [...prompt, { role: "assistant", content: [text] }] : [prompt, text];
  const asked = { ...call, at: new Date(), request: { ...call.request, prompt: next } };
  const quote = costs.quote(asked);
  if (quote.boundPicoUsd === 0n || quote.boundPicoUsd <= left) return true;
  return tracker.onInsufficient === "clamp" && clampQuote(costs, asked, quote, left) !== undefined;
}

/** What the tightest of these budgets and their outer ones has left; undefined when none of them has a limit. */
async function leftOf(trackers: readonly CostTracker[]): Promise<bigint | undefined> {
  let least: bigint | undefined;
  for (const tracker of chainsOf(trackers)) {
    const { budget, spent, unresolved, held } = (await tracker.getStats()).exact;
    if (!budget) continue;
    // Who waits may yet get what is held now.
    const taken = tracker.onInsufficient === "deny" ? held.picoUsd : 0n;
    const left = budget.picoUsd - spent.picoUsd - unresolved.picoUsd - taken;
    if (least === undefined || left < least) least = left;
  }
  return least;
}
