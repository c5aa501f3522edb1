import { context, metrics, type Span, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CostExtractor } from "../costs.ts";
import { MemoryLedger } from "../ledger/memory.ts";
import { openCall } from "../meter/meter-call.ts";
import { runWithBudget } from "../meter/scope-context.ts";
import { CostTracker } from "../tracker/cost-tracker.ts";
import { traceBudget } from "./index.ts";

const micro = 1_000_000n;
const call = { surface: "generate", modelId: "asked", request: {} } as const;

/** Holds a micro-dollar per output token; costs what the result's `usage` says, in micro-dollars. */
const costs: CostExtractor = {
  provider: "test",
  quote: ({ maxOutputTokens = 100 }) => ({ boundPicoUsd: BigInt(maxOutputTokens) * micro }),
  receipt: ({ result }) => ({
    costPicoUsd: BigInt(Number(result?.usage)) * micro,
    kind: "computed",
    modelId: "served",
  }),
};

let spans: InMemorySpanExporter;
let exporter: InMemoryMetricExporter;
let provider: MeterProvider;
let stops: (() => void)[];

beforeEach(() => {
  spans = new InMemorySpanExporter();
  exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  provider = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 })],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }));
  metrics.setGlobalMeterProvider(provider);
  stops = [];
});
afterEach(async () => {
  for (const stop of stops) stop();
  await provider.shutdown();
  context.disable();
  trace.disable();
  metrics.disable();
});

function traced(tracker: CostTracker): CostTracker {
  stops.push(traceBudget(tracker));
  return tracker;
}

/** Runs `fn` inside a span that ends with it. */
function inSpan<R>(name: string, fn: (span: Span) => Promise<R>): Promise<R> {
  return trace.getTracer("test").startActiveSpan(name, async (span) => {
    try {
      return await fn(span);
    } finally {
      span.end();
    }
  });
}

const attributes = (name: string) => spans.getFinishedSpans().find((span) => span.name === name)?.attributes;
const events = (name: string) => spans.getFinishedSpans().find((span) => span.name === name)?.events;

/** What a metrics back end would have been sent: `name{labels}` and value, or count and sum of a histogram. */
async function collect(): Promise<Record<string, unknown>> {
  exporter.reset();
  await provider.forceFlush();
  const found: Record<string, unknown> = {};
  for (const { scopeMetrics } of exporter.getMetrics()) {
    for (const { descriptor, dataPoints } of scopeMetrics.flatMap((scope) => scope.metrics)) {
      for (const { attributes: labels, value } of dataPoints) {
        const values = Object.values(labels).map(String).sort().join(" ");
        const told = typeof value === "object" ? `${value.count} of ${value.sum}` : value;
        found[`${descriptor.name}{${values}}`] = told;
      }
    }
  }
  return found;
}

describe("the span around a call", () => {
  it("shows what was held, what it cost, how that is known and in which budgets it counts", async () => {
    const tracker = traced(new CostTracker({ name: "team", budget: 1 }));
    const user = tracker.child({ name: "user" });
    await inSpan("call", async () => {
      await (await runWithBudget(user, () => openCall({ tracker, costs }, call))).succeed({ usage: 40 });
    });
    expect(attributes("call")).toEqual({
      "autolabel.calls": 1,
      "autolabel.cost_usd": 0.00004,
      "autolabel.held_usd": 0.0001,
      "autolabel.receipt.kind": "computed",
      "autolabel.scope": "team",
      "autolabel.scopes": ["team", "team/user"],
    });
  });

  it("is the one of its own call, whatever runs at the same time and wherever the outcome is told", async () => {
    const tracker = traced(new CostTracker({ budget: "0.0003" }));
    const costOf = (index: number) => (index * 7) % 50;
    const endings: (() => Promise<void>)[] = [];
    const run = (index: number) =>
      inSpan(`call ${index}`, async () => {
        const open = await openCall({ tracker, costs }, call);
        // Ended from outside every span, and out of order, as by a handler of an abort.
        const ended = new Promise<void>((resolve) => {
          endings.push(async () => resolve(await open.succeed({ usage: costOf(index) })));
        });
        await ended;
      });
    const running = Array.from({ length: 8 }, (_, index) => run(index));
    const all = Promise.all(running);
    let open = true;
    void all.finally(() => {
      open = false;
    });
    while (open) {
      await inSpan("elsewhere", async () => {
        await endings.pop()?.();
      });
      await new Promise((resolve) => setImmediate(resolve));
    }
    for (let index = 0; index < 8; index++) {
      expect(attributes(`call ${index}`)).toMatchObject({
        "autolabel.calls": 1,
        "autolabel.cost_usd": costOf(index) / 1e6,
        "autolabel.held_usd": 0.0001,
      });
    }
    expect(attributes("elsewhere")).toEqual({});
  });

  it("sums up the calls that it is around, exactly, and is only as sure as the least sure of them", async () => {
    const tracker = traced(new CostTracker({ budget: 1 }));
    await inSpan("request", async () => {
      for (const usage of [10, 20]) await (await openCall({ tracker, costs }, call)).succeed({ usage });
      await (await openCall({ tracker, costs }, call)).succeed({ usage: "none told" });
      await tracker.addCost("0.5");
    });
    expect(attributes("request")).toMatchObject({
      "autolabel.calls": 4,
      "autolabel.cost_usd": 0.50013,
      "autolabel.held_usd": 0.0003,
      "autolabel.receipt.kind": "bound",
    });
  });

  it("names what a call cost above its hold", async () => {
    const tracker = traced(new CostTracker({ budget: 1 }));
    await inSpan("call", async () => (await openCall({ tracker, costs }, call)).succeed({ usage: 130 }));
    expect(attributes("call")).toMatchObject({ "autolabel.cost_usd": 0.00013, "autolabel.overrun_usd": 0.00003 });
  });

  it("shows a refusal, and what there was", async () => {
    const tracker = traced(new CostTracker({ name: "small", budget: "0.00005" }));
    await inSpan("call", async () => {
      await expect(openCall({ tracker, costs }, call)).rejects.toMatchObject({ code: "budget_exceeded" });
    });
    expect(attributes("call")).toEqual({ "autolabel.denied": true });
    expect(events("call")).toMatchObject([
      {
        name: "autolabel.denied",
        attributes: {
          "autolabel.budget_usd": 0.00005,
          "autolabel.spent_usd": 0,
          "autolabel.held_usd": 0,
          "autolabel.required_usd": 0.0001,
          "autolabel.scope": "small",
          "autolabel.window": "all",
        },
      },
    ]);
  });

  it("shows a hold that was given back, and why", async () => {
    const tracker = traced(new CostTracker({ budget: 1 }));
    await inSpan("call", async () => {
      await (await openCall({ tracker, costs }, call)).fail({ statusCode: 429 });
      await (await tracker.reserve({ boundPicoUsd: micro })).release();
    });
    expect(attributes("call")).toEqual({ "autolabel.held_usd": 0, "autolabel.scope": "default" });
    expect(events("call")).toMatchObject([
      { name: "autolabel.released", attributes: { "autolabel.evidence": "HTTP 429" } },
      { name: "autolabel.released", attributes: {} },
    ]);
  });

  it("keeps the hold of a call that could not be recorded, and says so", async () => {
    const ledger = new MemoryLedger();
    const tracker = traced(new CostTracker({ budget: 1, ledger }));
    vi.spyOn(ledger, "settle").mockRejectedValueOnce(new Error("the store is away"));
    await inSpan("call", async () => (await openCall({ tracker, costs }, call)).succeed({ usage: 1 }));
    expect(attributes("call")).toMatchObject({ "autolabel.held_usd": 0.0001 });
    expect(attributes("call")).not.toHaveProperty("autolabel.cost_usd");
    expect(events("call")).toMatchObject([{ name: "autolabel.unrecorded" }]);
  });

  it("has a span below it for a cost that comes after its end", async () => {
    const tracker = traced(new CostTracker({ budget: 1 }));
    const [late, freed] = await inSpan("call", async (span) => {
      await (await openCall({ tracker, costs }, call)).succeed({ usage: 5 });
      expect(span.isRecording()).toBe(true);
      return [await openCall({ tracker, costs }, call), await openCall({ tracker, costs }, call)];
    });
    await late.succeed({ usage: 7 });
    await freed.fail({ statusCode: 429 });
    const [parent, child] = spans.getFinishedSpans();
    expect(parent?.attributes).toMatchObject({ "autolabel.calls": 1, "autolabel.cost_usd": 0.000005 });
    expect(child?.name).toBe("autolabel.settle");
    expect(child?.parentSpanContext?.spanId).toBe(parent?.spanContext().spanId);
    expect(child?.attributes).toEqual({
      "autolabel.calls": 1,
      "autolabel.cost_usd": 0.000007,
      "autolabel.receipt.kind": "computed",
      "autolabel.scope": "default",
    });
  });

  it("gets nothing where none records, and after tracing was stopped", async () => {
    const tracker = new CostTracker({ budget: "0.0002" });
    const stop = traceBudget(tracker);
    await (await openCall({ tracker, costs }, call)).succeed({ usage: 150 });
    await expect(openCall({ tracker, costs }, call)).rejects.toThrow();
    stop();
    await inSpan("call", async () => {
      await tracker.addCost("0.00001");
    });
    expect(attributes("call")).toEqual({});
    expect(spans.getFinishedSpans()).toHaveLength(1);
  });
});

describe("metrics", () => {
  it("count spend, calls and refusals by scope and model", async () => {
    const tracker = traced(new CostTracker({ name: "m", budget: "0.0003" }));
    for (const usage of [40, 60]) await (await openCall({ tracker, costs }, call)).succeed({ usage });
    await (await openCall({ tracker, costs }, call)).fail({ statusCode: 429 });
    await expect(openCall({ tracker, costs }, { ...call, maxOutputTokens: 500 })).rejects.toThrow();
    await tracker.addCost("0.00001");
    expect(await collect()).toMatchObject({
      "autolabel.spend{asked computed m served}": 0.0001,
      "autolabel.spend{m reported}": 0.00001,
      "autolabel.call.cost{asked computed m served}": "2 of 0.0001",
      "autolabel.calls{asked m settled}": 2,
      "autolabel.calls{asked m released}": 1,
      "autolabel.denials{asked m}": 1,
    });
  });

  it("show the balance, also of what is held by calls in flight and by calls that were lost", async () => {
    let now = 0;
    const ledger = new MemoryLedger({ now: () => now });
    const tracker = traced(new CostTracker({ name: "b", budget: "0.0005", ledger, leaseMs: 10 }));
    const lost = await openCall({ tracker, costs }, call);
    now = 11;
    await tracker.recover();
    await openCall({ tracker, costs }, call);
    await tracker.addCost("0.0006");
    expect(await collect()).toMatchObject({
      "autolabel.budget.limit{b}": 0.0005,
      "autolabel.budget.spent{b}": 0.0006,
      "autolabel.budget.held{b}": 0.0001,
      "autolabel.budget.unresolved{b}": 0.0001,
      "autolabel.budget.overrun{b}": 0.0001,
    });
    await lost.succeed({ usage: 1 });
    expect(await collect()).toMatchObject({
      "autolabel.budget.unresolved{b}": 0,
      "autolabel.budget.spent{b}": 0.000601,
      "autolabel.budget.overrun{b}": 0.000101,
    });
  });

  it("have no label for a model that is not known, and no limit of a budget that has none", async () => {
    const ledger = new MemoryLedger();
    const tracker = traced(new CostTracker({ name: "u", ledger }));
    const [paid, freed] = [await tracker.reserve({ boundPicoUsd: micro }), await tracker.reserve({ boundPicoUsd: 1n })];
    await freed.release();
    await paid.markDispatched();
    await paid.settle({ costPicoUsd: micro });
    vi.spyOn(ledger, "settle").mockRejectedValueOnce(new Error("the store is away"));
    await (await openCall({ tracker, costs }, call)).succeed({ usage: 1 });
    await tracker.setBudget("0.0001");
    await expect(tracker.reserve({ boundPicoUsd: 10n ** 12n })).rejects.toThrow();
    await tracker.setBudget("unlimited");
    const found = await collect();
    expect(found).toMatchObject({
      "autolabel.spend{reported u}": 0.000001,
      "autolabel.calls{settled u}": 1,
      "autolabel.calls{released u}": 1,
      "autolabel.calls{asked u unrecorded}": 1,
      "autolabel.denials{u}": 1,
      "autolabel.budget.held{u}": 0.0001,
    });
    expect(found).not.toHaveProperty(["autolabel.budget.limit{u}"]);
  });

  it("read the ledger once when they are collected, and not in between", async () => {
    const ledger = new MemoryLedger();
    const read = vi.spyOn(ledger, "read");
    const tracker = new CostTracker({ budget: 1, ledger });
    const stop = traceBudget(tracker);
    await (await openCall({ tracker, costs }, call)).succeed({ usage: 1 });
    expect(read).not.toHaveBeenCalled();
    await collect();
    expect(read).toHaveBeenCalledTimes(1);
    stop();
    await collect();
    expect(read).toHaveBeenCalledTimes(1);
  });

  it("of a store that is away are absent, and disturb no other", async () => {
    const ledger = new MemoryLedger();
    const tracker = traced(new CostTracker({ name: "away", ledger }));
    await tracker.addCost(1);
    vi.spyOn(ledger, "read").mockRejectedValue(new Error("the store is away"));
    const found = await collect();
    expect(found).toMatchObject({ "autolabel.spend{away reported}": 1 });
    expect(found).not.toHaveProperty(["autolabel.budget.spent{away}"]);
  });

  it("count a call once, however many of the budgets around it are traced", async () => {
    const outer = traced(new CostTracker({ name: "outer", budget: 1 }));
    const inner = traced(outer.child({ name: "inner", budget: "0.0002" }));
    await inSpan("call", async () => {
      await (await openCall({ tracker: inner, costs }, call)).succeed({ usage: 40 });
      await expect(openCall({ tracker: inner, costs }, { ...call, maxOutputTokens: 900 })).rejects.toThrow();
    });
    const found = await collect();
    expect(attributes("call")).toMatchObject({ "autolabel.calls": 1, "autolabel.cost_usd": 0.00004 });
    expect(events("call")).toHaveLength(1);
    expect(found).toMatchObject({
      "autolabel.spend{asked computed outer/inner served}": 0.00004,
      "autolabel.denials{asked outer/inner}": 1,
      "autolabel.budget.spent{outer}": 0.00004,
      "autolabel.budget.spent{outer/inner}": 0.00004,
    });
    expect(Object.keys(found).filter((name) => name.startsWith("autolabel.calls"))).toHaveLength(1);
  });
});
