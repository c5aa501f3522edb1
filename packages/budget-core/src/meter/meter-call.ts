import { type Call, type CallResult, type CostExtractor, canBound, type Outcome } from "../costs.ts";
import { UnboundedRequestError } from "../errors/unbounded-request-error.ts";
import type { Quote, Receipt } from "../receipt.ts";
import type { CostTracker } from "../tracker/cost-tracker.ts";
import type { Reservation } from "../tracker/reservation.ts";
import { checkedReceipt } from "./checked-receipt.ts";
import { clampQuote } from "./clamp-quote.ts";
import { rememberCall } from "./last-call.ts";
import { inBackground, startLookup } from "./lookups.ts";
import { refusalEvidence } from "./refusal-evidence.ts";
import { ambientBudgets } from "./scope-context.ts";

/** What metering needs: the budget, and what the provider package knows about money. */
export interface Metering {
  tracker: CostTracker;
  costs: CostExtractor;
  /**
   * Called with every receipt right before it is posted. What it writes through the {@link GroupCommit} of a SQLite
   * ledger is committed in one transaction with the charge; a promise that it returns is waited for first.
   */
  onReceipt?: (posting: Posting) => void | Promise<void>;
}

/** A receipt on its way into the ledger. */
export interface Posting {
  reservationId: string;
  receipt: Receipt;
  outcome: Outcome;
}

/** A dispatched call whose cost is not known yet. Exactly one of its endings counts; later ones change nothing. */
export interface OpenCall {
  /** Identity of the hold in the ledger, by which {@link CostTracker.resolve} ends a call that was left. */
  reservationId: string;
  quote: Quote;
  /** The call ended with a result. */
  succeed(result: CallResult): Promise<void>;
  /**
   * The provider answered with an error: released only with evidence that nothing was charged. With a `result` the error
   * came inside an answer that had begun, so its status is no such evidence.
   */
  fail(error: unknown, result?: CallResult): Promise<void>;
  /** The caller cut the call off. Its reason says nothing about the provider's bill, so it is never evidence. */
  cut(result?: CallResult): Promise<void>;
  /** The call never left: its hold is released. */
  cancel(): Promise<void>;
  /**
   * The provider goes on with the call after its answer (a batch), or may do so after this error: the hold counts as
   * unresolved until its cost is known. With an error that proves that nothing was charged it is released.
   */
  leave(error?: unknown): Promise<void>;
  /** It comes in whether or not its caller reads it, so {@link settled} waits for its end. */
  detach(): void;
  /** An error as its caller shall see it: the provider's refusal for money by its own name. */
  named(error: unknown): unknown;
}

/**
 * Steps 1 to 3 of the way of a call: quote, reserve, mark dispatched. After it the request may be sent.
 *
 * @throws BudgetExceededError, UnpricedModelError, UnboundedRequestError or LedgerError: nothing may be sent.
 */
export async function openCall(metering: Metering, asking: Call, signal?: AbortSignal): Promise<OpenCall> {
  const { tracker, costs } = metering;
  if (!canBound(costs, asking.surface)) {
    throw new UnboundedRequestError({
      reason: `the costs of ${costs.provider} bound no call of the kind "${asking.surface}"`,
      fix: "Make it without a budget, or with a CostExtractor that bounds it.",
    });
  }
  const call = { at: new Date(), ...asking };
  const asked = costs.quote(call);
  const hold = await tracker.reserve(asked, {
    modelId: call.modelId,
    dispatch: true,
    scopes: ambientBudgets(),
    clamp: (availablePicoUsd) => clampQuote(costs, call, asked, availablePicoUsd),
    ...(signal ? { signal } : {}),
  });
  const { quote } = hold;
  rememberCall({ tracker, costs, call });
  try {
    await hold.markDispatched();
  } catch (error) {
    await hold.release().catch((fault: unknown) => tracker.emit("fault", { error: fault, reservationId: hold.id }));
    throw error;
  }
  if (signal?.aborted) {
    // Marked, but not sent: the caller gave up in between.
    await hold.release("aborted before it was sent");
    throw signal.reason;
  }
  const close = closeOnce(metering, hold);
  return {
    reservationId: hold.id,
    quote,
    succeed: (result) => close({ call, quote, result }),
    fail: (error, result) => close({ call, quote, error, ...(result ? { result } : {}) }),
    cut: (result) => close({ call, quote, ...(result ? { result } : {}) }),
    cancel: () => close("never sent"),
    leave: (error) => close({ left: error }),
    detach: () => inBackground(tracker.ledger, close.ended),
    named: (error) => costs.budgetError?.(error) ?? error,
  };
}

/** How a call ends for the process that made it. */
type Ending = Outcome | "never sent" | { left: unknown };

/**
 * Steps 5 and 6: receipt, settle. A failure here must not take a paid answer from its caller: the hold stays, counted at
 * its bound, and the fault is told by an event.
 */
function closeOnce(metering: Metering, hold: Reservation) {
  const { tracker, costs } = metering;
  let closing: Promise<void> | undefined;
  const guarded = (work: Promise<void>) =>
    work.catch((error: unknown) => {
      hold.abandon();
      tracker.emit("fault", { error, reservationId: hold.id });
    });
  const run = async (outcome: Ending) => {
    if (outcome === "never sent") return await hold.release(outcome);
    if ("left" in outcome) {
      const unsent = refusalEvidence(costs, outcome.left);
      return await (unsent ? hold.release(unsent) : hold.leave());
    }
    const { error, result } = outcome;
    const refusal = error === undefined ? undefined : refusalEvidence(costs, error, result !== undefined);
    if (refusal) return await hold.release(refusal);
    const receipt = checkedReceipt(() => costs.receipt(outcome), outcome);
    const lookup = receipt.kind === "bound" ? startLookup(metering, outcome, receipt) : undefined;
    if (lookup) inBackground(tracker.ledger, guarded(lookup.then((found) => post(metering, hold, found, outcome))));
    else await post(metering, hold, receipt, outcome);
  };
  let hasEnded = () => {};
  const ended = new Promise<void>((resolve) => {
    hasEnded = resolve;
  });
  const close = (outcome: Ending) => {
    if (!closing) {
      closing = guarded(run(outcome));
      inBackground(tracker.ledger, closing);
      void closing.then(hasEnded);
    }
    return closing;
  };
  return Object.assign(close, { ended });
}

async function post({ onReceipt }: Metering, hold: Reservation, receipt: Receipt, outcome: Outcome): Promise<void> {
  await onReceipt?.({ reservationId: hold.id, receipt, outcome });
  await hold.settle(receipt);
}
