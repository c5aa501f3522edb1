import { boundReceipt, type Call, type CallResult, type CostExtractor, type Outcome } from "../costs.ts";
import type { Ledger } from "../ledger/ledger.ts";
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
  quote: Quote;
  /** The call ended with a result. */
  succeed(result: CallResult): Promise<void>;
  /** The provider answered with an error: released only with evidence that nothing was charged. */
  fail(error: unknown, result?: CallResult): Promise<void>;
  /** The caller cut the call off. Its reason says nothing about the provider's bill, so it is never evidence. */
  cut(result?: CallResult): Promise<void>;
  /** The call never left: its hold is released. */
  cancel(): Promise<void>;
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
    quote,
    succeed: (result) => close({ call, quote, result }),
    fail: (error, result) => close({ call, quote, error, ...(result ? { result } : {}) }),
    cut: (result) => close({ call, quote, ...(result ? { result } : {}) }),
    cancel: () => close("never sent"),
  };
}

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
  const run = async (outcome: Outcome | "never sent") => {
    if (outcome === "never sent") return await hold.release(outcome);
    const refusal = "error" in outcome ? (refusalEvidence(outcome.error) ?? costs.refusal?.(outcome.error)) : undefined;
    if (refusal) return await hold.release(refusal);
    const receipt = checked(() => costs.receipt(outcome), outcome);
    const lookup = receipt.kind === "bound" ? startLookup(metering, outcome, receipt) : undefined;
    if (lookup) inBackground(tracker.ledger, guarded(lookup.then((found) => post(metering, hold, found, outcome))));
    else await post(metering, hold, receipt, outcome);
  };
  return (outcome: Outcome | "never sent") => {
    closing ??= guarded(run(outcome));
    return closing;
  };
}

async function post({ onReceipt }: Metering, hold: Reservation, receipt: Receipt, outcome: Outcome): Promise<void> {
  await onReceipt?.({ reservationId: hold.id, receipt, outcome });
  await hold.settle(receipt);
}

function checked(read: () => Receipt, outcome: Outcome): Receipt {
  try {
    const receipt = read();
    assertReceipt(receipt);
    return receipt;
  } catch {
    // An extractor that fails, or gives NaN or a negative cost, leaves the cost unknown: unknown is never free.
    return boundReceipt(outcome);
  }
}

/** The receipt that the provider is asked for, or `bound` if it knows none; undefined where there is nothing to ask. */
function startLookup({ costs, onReceipt }: Metering, outcome: Outcome, bound: Receipt): Promise<Receipt> | undefined {
  // An answer that is stored with its receipt must be stored before the caller has it.
  if (onReceipt && outcome.result?.content !== undefined) return undefined;
  try {
    const asked = costs.lookup?.(outcome);
    return asked?.then(
      (found) => checked(() => found ?? bound, outcome),
      () => bound,
    );
  } catch {
    return undefined;
  }
}

const lookups = new WeakMap<Ledger, Set<Promise<void>>>();

function inBackground(ledger: Ledger, work: Promise<void>): void {
  const pending = lookups.get(ledger) ?? new Set();
  lookups.set(ledger, pending.add(work));
  void work.then(() => pending.delete(work));
}

/**
 * Resolves when every ended call of this budget, and of those that share its ledger, has its cost in the books: none is
 * being looked up at its provider any more. To be awaited before a process ends or its ledger is closed; a call that is
 * left behind counts at its bound.
 */
export async function settled({ ledger }: Pick<CostTracker, "ledger">): Promise<void> {
  // A look-up between two tries does not keep a process alive by itself: whoever waits for it does.
  const alive = setInterval(() => undefined, 60_000);
  try {
    for (let pending = lookups.get(ledger); pending?.size; ) await Promise.all(pending);
  } finally {
    clearInterval(alive);
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
