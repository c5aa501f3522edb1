import { boundReceipt, type Call, type CallResult, type CostExtractor, type Outcome } from "../costs.ts";
import { assertReceipt, type Quote, type Receipt } from "../receipt.ts";
import type { CostTracker } from "../tracker/cost-tracker.ts";
import type { Reservation } from "../tracker/reservation.ts";
import { clampQuote } from "./clamp-quote.ts";
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
  /** The provider answered with an error: released only with evidence that nothing was charged. */
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
}

/**
 * Steps 1 to 3 of the way of a call: quote, reserve, mark dispatched. After it the request may be sent.
 *
 * @throws BudgetExceededError, UnpricedModelError, UnboundedRequestError or LedgerError: nothing may be sent.
 */
export async function openCall(metering: Metering, asking: Call, signal?: AbortSignal): Promise<OpenCall> {
  const { tracker, costs } = metering;
  const call = { at: new Date(), ...asking };
  const asked = costs.quote(call);
  const hold = await tracker.reserve(asked, {
    modelId: call.modelId,
    scopes: ambientBudgets(),
    clamp: (availablePicoUsd) => clampQuote(costs, call, asked, availablePicoUsd),
    ...(signal ? { signal } : {}),
  });
  const { quote } = hold;
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
  };
}

/** How a call ends for the process that made it. */
type Ending = Outcome | "never sent" | { left: unknown };

/**
 * Steps 5 and 6: receipt, settle. A failure here must not take a paid answer from its caller: the hold stays, counted at
 * its bound, and the fault is told by an event.
 */
function closeOnce({ tracker, costs, onReceipt }: Metering, hold: Reservation) {
  let closing: Promise<void> | undefined;
  const run = async (outcome: Ending) => {
    try {
      if (outcome === "never sent") return await hold.release(outcome);
      if ("left" in outcome) {
        const unsent = refusalEvidence(outcome.left) ?? costs.refusal?.(outcome.left);
        return await (unsent ? hold.release(unsent) : hold.leave());
      }
      const refusal =
        "error" in outcome ? (refusalEvidence(outcome.error) ?? costs.refusal?.(outcome.error)) : undefined;
      if (refusal) return await hold.release(refusal);
      const receipt = receiptOf(costs, outcome);
      await onReceipt?.({ reservationId: hold.id, receipt, outcome });
      await hold.settle(receipt);
    } catch (error) {
      hold.abandon();
      tracker.emit("fault", { error, reservationId: hold.id });
    }
  };
  return (outcome: Ending) => {
    closing ??= run(outcome);
    return closing;
  };
}

function receiptOf(costs: CostExtractor, outcome: Outcome): Receipt {
  try {
    const receipt = costs.receipt(outcome);
    assertReceipt(receipt);
    return receipt;
  } catch {
    // An extractor that fails, or gives NaN or a negative cost, leaves the cost unknown: unknown is never free.
    return boundReceipt(outcome);
  }
}

/** Statuses that come only before generation, so that nothing was charged. 408 and 499 are no such evidence. */
const refusedBeforeGeneration = new Set([400, 401, 402, 403, 404, 405, 409, 410, 413, 415, 422, 429]);
/** Network errors that come before the request was received. */
const neverConnected = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"]);

/** Errors of the AI SDK that come before it sends anything: a missing key, a setting or prompt that cannot be sent. */
const neverSent =
  /^AI_(LoadAPIKey|LoadSetting|UnsupportedFunctionality|InvalidPrompt|InvalidArgument|NoSuchModel|MissingToolResults)Error$/;

/** Why an error proves that the provider charged nothing; undefined when it does not. */
function refusalEvidence(error: unknown): string | undefined {
  for (let next = error, depth = 0; typeof next === "object" && next !== null && depth < 8; depth++) {
    const { statusCode, code, cause, responseBody, name } = next as Record<string, unknown>;
    if (typeof name === "string" && neverSent.test(name)) return `never sent: ${name}`;
    if (typeof statusCode === "number") {
      // A body that counts tokens was billed for them, whatever its status.
      const isCounted = typeof responseBody === "string" && /"usage"\s*:\s*\{/.test(responseBody);
      return refusedBeforeGeneration.has(statusCode) && !isCounted ? `HTTP ${statusCode}` : undefined;
    }
    if (typeof code === "string" && neverConnected.has(code)) return code;
    next = cause;
  }
  return undefined;
}
