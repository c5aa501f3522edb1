import { type BatchObservableResult, type Counter, type Histogram, metrics } from "@opentelemetry/api";
import type { CostTracker } from "../tracker/cost-tracker.ts";

/** Name of our tracer and meter. */
export const instrumentationName = "@autolabel/budget-core";

/** What is counted of calls. Amounts are USD as the nearest double, which is exact for a call below $9,000. */
export interface Instruments {
  /** USD by scope, model and kind of evidence. */
  spend: Counter;
  /** USD per call, by the same. */
  callCost: Histogram;
  /** Calls that ended, by scope, model and outcome: `settled`, `released` or `unrecorded`. */
  calls: Counter;
  /** Calls that were refused, by the scope that lacks room, and model. */
  denials: Counter;
}

/** A call costs anything between a hundred-thousandth of a dollar and some dollars; the default buckets start at 5. */
const callCostBuckets = [0.00001, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

/** The instruments of the meter provider that is registered now. */
export function makeInstruments(): Instruments {
  const meter = metrics.getMeter(instrumentationName);
  return {
    spend: meter.createCounter("autolabel.spend", { unit: "{USD}", description: "Cost of finished calls" }),
    callCost: meter.createHistogram("autolabel.call.cost", {
      unit: "{USD}",
      description: "Cost of one call",
      advice: { explicitBucketBoundaries: callCostBuckets },
    }),
    calls: meter.createCounter("autolabel.calls", { unit: "{call}", description: "Calls that ended" }),
    denials: meter.createCounter("autolabel.denials", { unit: "{call}", description: "Calls that the budget refused" }),
  };
}

/**
 * Gauges of a budget's balance, read from its ledger when metrics are collected: one read each time, none in between.
 *
 * @returns a function that stops it.
 */
export function watchBalance(tracker: CostTracker): () => void {
  const meter = metrics.getMeter(instrumentationName);
  const gauge = (name: string, description: string) =>
    meter.createObservableGauge(`autolabel.budget.${name}`, { unit: "{USD}", description });
  const limit = gauge("limit", "The limit; absent when unlimited");
  const spent = gauge("spent", "Spent in this window");
  const held = gauge("held", "Held for calls in flight");
  const unresolved = gauge("unresolved", "Held for calls whose outcome a crash made unknown");
  const overrun = gauge("overrun", "Spent above the limit");
  const gauges = [limit, spent, held, unresolved, overrun];
  const read = async (result: BatchObservableResult) => {
    const stats = await tracker.getStats();
    const labels = { "autolabel.scope": tracker.scope };
    if (stats.budget !== null) result.observe(limit, stats.budget, labels);
    result.observe(spent, stats.totalCost, labels);
    result.observe(held, stats.held, labels);
    result.observe(unresolved, stats.unresolved, labels);
    result.observe(overrun, stats.overrun, labels);
  };
  meter.addBatchObservableCallback(read, gauges);
  return () => meter.removeBatchObservableCallback(read, gauges);
}
