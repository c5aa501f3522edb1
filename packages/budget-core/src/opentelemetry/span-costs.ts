import { type Attributes, ROOT_CONTEXT, type Span, trace } from "@opentelemetry/api";
import type { BudgetExceededError } from "../errors/budget-exceeded-error.ts";
import { toNumber } from "../money.ts";
import type { Receipt } from "../receipt.ts";
import type { HoldEvent, SpendEvent } from "../tracker/cost-tracker-options.ts";
import { instrumentationName } from "./instruments.ts";

/** A hold, and the span that was active when its call was opened. */
export interface TracedHold extends HoldEvent {
  span: Span | undefined;
}

/** What a span shows: the sum over its calls, because one of your own spans may be around many. */
interface SpanSums {
  calls: number;
  costPicoUsd: bigint;
  heldPicoUsd: bigint;
  overrunPicoUsd: bigint;
  kind: Kind;
}

type Kind = NonNullable<Receipt["kind"]>;

/** From sure to unsure: a sum is as sure as its least sure part. */
const kinds: readonly Kind[] = ["reported", "computed", "bound"];

const sumsOfSpans = new WeakMap<Span, SpanSums>();

const nothing = (): SpanSums => {
  return { calls: 0, costPicoUsd: 0n, heldPicoUsd: 0n, overrunPicoUsd: 0n, kind: "reported" };
};

function sumsOf(span: Span): SpanSums {
  const sums = sumsOfSpans.get(span) ?? nothing();
  sumsOfSpans.set(span, sums);
  return sums;
}

/** The span that a call belongs to, asked in its own context; undefined where none records. */
export function activeSpan(): Span | undefined {
  const span = trace.getActiveSpan();
  return span?.isRecording() ? span : undefined;
}

/** Writes what is held for a call, at once: it stays to be seen when the outcome never comes. */
export function writeHold({ span, quote, scope, scopes }: TracedHold): void {
  if (!span) return;
  const sums = sumsOf(span);
  sums.heldPicoUsd += quote.boundPicoUsd;
  span.setAttributes({ "autolabel.held_usd": toNumber(sums.heldPicoUsd), "autolabel.scope": scope });
  if (scopes.length > 1) span.setAttribute("autolabel.scopes", [...scopes]);
}

/** Writes that a hold was given back without cost. */
export function writeRelease({ span, quote }: TracedHold, evidence: string | undefined): void {
  if (!span?.isRecording()) return;
  const sums = sumsOf(span);
  sums.heldPicoUsd -= quote.boundPicoUsd;
  span.setAttribute("autolabel.held_usd", toNumber(sums.heldPicoUsd));
  span.addEvent("autolabel.released", evidence === undefined ? {} : { "autolabel.evidence": evidence });
}

/** Writes what a call cost; where its span has ended meanwhile, into a span of its own below it. */
export function writeCost(span: Span, event: SpendEvent, hold: TracedHold | undefined): void {
  if (span.isRecording()) {
    span.setAttributes(costAttributes(sumsOf(span), event, hold));
    return;
  }
  const attributes = costAttributes(nothing(), event, hold);
  const below = trace.setSpan(ROOT_CONTEXT, span);
  trace.getTracer(instrumentationName).startSpan("autolabel.settle", { attributes }, below).end();
}

/** Adds a cost to the sums, and says them. */
function costAttributes(sums: SpanSums, { receipt, scope }: SpendEvent, hold: TracedHold | undefined): Attributes {
  const { costPicoUsd, kind = "reported" } = receipt;
  sums.calls += 1;
  sums.costPicoUsd += costPicoUsd;
  if (hold && costPicoUsd > hold.quote.boundPicoUsd) sums.overrunPicoUsd += costPicoUsd - hold.quote.boundPicoUsd;
  if (kinds.indexOf(kind) > kinds.indexOf(sums.kind)) sums.kind = kind;
  return {
    "autolabel.calls": sums.calls,
    "autolabel.cost_usd": toNumber(sums.costPicoUsd),
    "autolabel.receipt.kind": sums.kind,
    "autolabel.scope": scope,
    ...(sums.overrunPicoUsd > 0n ? { "autolabel.overrun_usd": toNumber(sums.overrunPicoUsd) } : {}),
  };
}

/** Writes that the budget refused a call. */
export function writeDenial(span: Span, error: BudgetExceededError): void {
  const { scope, window, budget, totalCost, held, required } = error;
  span.setAttribute("autolabel.denied", true);
  span.addEvent("autolabel.denied", {
    "autolabel.budget_usd": budget,
    "autolabel.spent_usd": totalCost,
    "autolabel.held_usd": held,
    "autolabel.required_usd": required,
    ...(scope === undefined ? {} : { "autolabel.scope": scope }),
    ...(window === undefined ? {} : { "autolabel.window": window }),
  });
}
