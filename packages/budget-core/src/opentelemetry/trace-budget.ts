import { toNumber } from "../money.ts";
import type { CostTracker } from "../tracker/cost-tracker.ts";
import type { CostTrackerEvents, HoldEvent } from "../tracker/cost-tracker-options.ts";
import { type Instruments, makeInstruments, watchBalance } from "./instruments.ts";
import { activeSpan, type TracedHold, writeCost, writeDenial, writeHold, writeRelease } from "./span-costs.ts";

/** Events that were traced already: budgets inside each other hear the same ones, and each counts once. */
const traced = new WeakSet<object>();

/**
 * Tells OpenTelemetry what the calls of a budget, and of all inner ones, hold and cost: attributes on the span that is
 * active where a call is made (with `@ai-sdk/otel` its `chat` span), and metrics. The names are in
 * `docs/opentelemetry.md`. To be called once the OpenTelemetry SDK has started; without one it does nothing.
 *
 * The balance (spent, held, unresolved, limit) is read from this budget's ledger once each time that metrics are
 * collected. Budgets inside each other may both be traced: a call is counted once.
 *
 * @returns a function that stops it.
 * @example
 * traceBudget(tracker);
 */
export function traceBudget(tracker: CostTracker): () => void {
  const tracing = new BudgetTracing(makeInstruments());
  const listen = <Name extends keyof CostTrackerEvents>(name: Name, trace: (event: CostTrackerEvents[Name]) => void) =>
    tracker.on(name, (event) => {
      if (traced.has(event)) return;
      traced.add(event);
      trace(event);
    });
  const stops = [
    listen("reserved", (event) => tracing.reserved(event)),
    listen("spend", (event) => tracing.spend(event)),
    listen("released", (event) => tracing.released(event)),
    listen("denied", (event) => tracing.denied(event)),
    listen("fault", (event) => tracing.fault(event)),
    watchBalance(tracker),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** What is known of the calls in flight, from hold to outcome. */
class BudgetTracing {
  readonly #holds = new Map<string, TracedHold>();
  readonly #instruments: Instruments;

  constructor(instruments: Instruments) {
    this.#instruments = instruments;
  }

  reserved(event: HoldEvent): void {
    // The outcome may come in any context: of who aborts, or of a stream that nobody reads any more.
    const hold = { ...event, span: activeSpan() };
    this.#holds.set(event.reservationId, hold);
    writeHold(hold);
  }

  spend(event: CostTrackerEvents["spend"]): void {
    const { receipt, modelId, scope, reservationId } = event;
    const hold = reservationId === undefined ? undefined : this.#end(reservationId, "settled");
    const span = hold ? hold.span : activeSpan();
    if (span) writeCost(span, event, hold);
    const labels = {
      "autolabel.scope": scope,
      "autolabel.receipt.kind": receipt.kind ?? "reported",
      ...(hold?.modelId === undefined ? {} : { "gen_ai.request.model": hold.modelId }),
      ...(modelId === undefined ? {} : { "gen_ai.response.model": modelId }),
    };
    const costUsd = toNumber(receipt.costPicoUsd);
    this.#instruments.spend.add(costUsd, labels);
    this.#instruments.callCost.record(costUsd, labels);
  }

  released({ reservationId, evidence }: CostTrackerEvents["released"]): void {
    const hold = this.#end(reservationId, "released");
    if (hold) writeRelease(hold, evidence);
  }

  denied({ error, modelId }: CostTrackerEvents["denied"]): void {
    const span = activeSpan();
    if (span) writeDenial(span, error);
    this.#instruments.denials.add(1, {
      "autolabel.scope": error.scope ?? "unknown",
      ...(modelId === undefined ? {} : { "gen_ai.request.model": modelId }),
    });
  }

  fault({ reservationId }: CostTrackerEvents["fault"]): void {
    this.#end(reservationId, "unrecorded")?.span?.addEvent("autolabel.unrecorded");
  }

  /** A call that was made before tracing began is not known here; its cost is counted all the same. */
  #end(reservationId: string, outcome: "settled" | "released" | "unrecorded"): TracedHold | undefined {
    const hold = this.#holds.get(reservationId);
    this.#holds.delete(reservationId);
    if (!hold) return undefined;
    this.#instruments.calls.add(1, {
      "autolabel.scope": hold.scope,
      "autolabel.outcome": outcome,
      ...(hold.modelId === undefined ? {} : { "gen_ai.request.model": hold.modelId }),
    });
    return hold;
  }
}
