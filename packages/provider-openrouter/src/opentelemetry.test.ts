import { OpenTelemetry } from "@ai-sdk/otel";
import { CostTracker, usd } from "@autolabel/budget-core";
import { traceBudget } from "@autolabel/budget-core/opentelemetry";
import { type Simulator, type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import { context, trace } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  type Span,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { generateText, streamText } from "ai";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createBudgetedOpenRouter } from "./openrouter-client.ts";

let simulator: Simulator;
let exporter: InMemorySpanExporter;
/** Every span that was begun, also those that never end. */
let started: ReadableSpan[];
let stop: () => void;

beforeEach(() => {
  exporter = new InMemorySpanExporter();
  started = [];
  const watch: SpanProcessor = {
    onStart: (span) => void started.push(span as Span),
    onEnd: () => {},
    forceFlush: async () => {},
    shutdown: async () => {},
  };
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter), watch] }),
  );
});
afterEach(async () => {
  stop();
  await simulator.close();
  context.disable();
  trace.disable();
});

async function setUp(budget: string, options: SimulatorOptions = {}) {
  simulator = await startSimulator(options);
  const tracker = new CostTracker({ budget });
  stop = traceBudget(tracker);
  const openrouter = createBudgetedOpenRouter({ tracker, apiKey: "test", baseURL: simulator.openRouterUrl });
  const asked = {
    model: openrouter("openai/gpt-4o-mini"),
    maxOutputTokens: 40,
    maxRetries: 0,
    telemetry: { integrations: [new OpenTelemetry()] },
  };
  return { tracker, asked };
}

const chats = () => exporter.getFinishedSpans().filter(({ name }) => name.startsWith("chat"));
const costsOf = (spans: readonly ReadableSpan[]) =>
  spans.map(({ attributes }) => Number(attributes["autolabel.cost_usd"]));
const paid = () => exporter.getFinishedSpans().filter(({ attributes }) => "autolabel.cost_usd" in attributes);
const inPico = (costUsd: number) => usd(costUsd).picoUsd;
const billed = () => simulator.invoice.lines.map(({ costPicoUsd }) => costPicoUsd);

describe("spans of @ai-sdk/otel", () => {
  it("show the cost of generateText that the provider billed, and nothing on the spans around it", async () => {
    const { asked } = await setUp("1");
    await generateText({ ...asked, prompt: "Hello" });
    const [chat] = chats();
    expect(chat?.attributes).toMatchObject({
      "gen_ai.request.model": "openai/gpt-4o-mini",
      "autolabel.calls": 1,
      "autolabel.receipt.kind": "reported",
      "autolabel.scope": "default",
    });
    expect(costsOf(chats()).map(inPico)).toEqual(billed());
    expect(Number(chat?.attributes["autolabel.held_usd"])).toBeGreaterThan(costsOf(chats())[0] ?? 0);
    expect(paid()).toHaveLength(1);
  });

  it("show the cost of streamText before they end", async () => {
    const { asked } = await setUp("1");
    await streamText({ ...asked, prompt: "Hello" }).text;
    await expect.poll(chats).toHaveLength(1);
    expect(costsOf(chats()).map(inPico)).toEqual(billed());
  });

  it("each show their own cost when calls of both kinds run at once", async () => {
    const { asked } = await setUp("1", { latencyMs: { median: 4, p99: 20 } });
    const prompts = Array.from({ length: 12 }, (_, index) => `Call number ${index}: ${"word ".repeat(index * 5)}`);
    await Promise.all(
      prompts.map((prompt, index) =>
        index % 2 === 0 ? generateText({ ...asked, prompt }) : streamText({ ...asked, prompt }).text,
      ),
    );
    await expect.poll(chats).toHaveLength(12);
    // The input's tokens differ from call to call, and say on both sides whose cost it is.
    const seen = chats().map(({ attributes }) => [
      attributes["gen_ai.usage.input_tokens"],
      inPico(Number(attributes["autolabel.cost_usd"])),
    ]);
    const expected = simulator.invoice.lines.map((line) => [line.promptTokens, line.costPicoUsd]);
    expect(new Set(expected.map(([tokens]) => tokens)).size).toBe(12);
    expect(new Map(seen as [number, bigint][])).toEqual(new Map(expected as [number, bigint][]));
  });

  it("show a refusal by the budget, and no cost", async () => {
    const { asked } = await setUp("0.000001");
    await expect(generateText({ ...asked, prompt: "Hello" })).rejects.toMatchObject({ code: "budget_exceeded" });
    const stream = streamText({ ...asked, prompt: "Hello", onError: () => {} });
    await expect(stream.text).rejects.toMatchObject({ code: "budget_exceeded" });
    await expect.poll(chats).toHaveLength(2);
    for (const { attributes, events } of chats()) {
      expect(attributes).toMatchObject({ "autolabel.denied": true });
      expect(attributes).not.toHaveProperty(["autolabel.cost_usd"]);
      expect(events.map(({ name }) => name)).toContain("autolabel.denied");
    }
    expect(simulator.requests).toBe(0);
  });

  it("show a call that the provider refused as released", async () => {
    const { asked } = await setUp("1", { faults: [{ kind: "429" }] });
    await generateText({ ...asked, prompt: "Hello" }).catch(() => undefined);
    const [chat] = chats();
    expect(chat?.attributes).toMatchObject({ "autolabel.held_usd": 0 });
    expect(chat?.events.find(({ name }) => name === "autolabel.released")?.attributes).toEqual({
      "autolabel.evidence": "HTTP 429",
    });
  });

  it("have the cost in a span below them when the caller aborts, because that ends them at once", async () => {
    const { tracker, asked } = await setUp("1", { chunkDelayMs: 2 });
    const abort = new AbortController();
    const result = streamText({ ...asked, prompt: "Hello", abortSignal: abort.signal, onError: () => {} });
    for await (const _ of result.textStream) abort.abort();
    await expect.poll(paid).toHaveLength(1);
    const [late] = paid();
    const { exact } = await tracker.getStats();
    expect(exact.spent.picoUsd).toBe(simulator.invoice.totalPicoUsd);
    expect(costsOf(paid()).map(inPico)).toEqual([exact.spent.picoUsd]);
    expect(late).toMatchObject({ name: "autolabel.settle", attributes: { "autolabel.receipt.kind": "reported" } });
    expect(late?.parentSpanContext?.spanId).toBe(chats()[0]?.spanContext().spanId);
    expect(chats()[0]?.attributes).toHaveProperty(["autolabel.held_usd"]);
  });

  it("have the true cost when the reader leaves early, though the AI SDK never ends them", async () => {
    const { tracker, asked } = await setUp("1", { chunkDelayMs: 2 });
    for await (const _ of streamText({ ...asked, prompt: "Hello" }).textStream) break;
    await expect.poll(async () => (await tracker.getStats()).callCount).toBe(1);
    const chat = started.find(({ name }) => name.startsWith("chat"));
    expect(chat?.ended).toBe(false);
    expect(costsOf(chat ? [chat] : []).map(inPico)).toEqual(billed());
  });
});
