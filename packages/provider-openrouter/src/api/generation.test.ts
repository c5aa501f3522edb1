import { CostTracker, type Metering, type Posting, settled, usd } from "@autolabel/budget-core";
import { type Simulator, type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import { generateText, streamText } from "ai";
import { afterEach, describe, expect, it } from "vitest";
import { createBudgetedOpenRouter } from "../openrouter-client.ts";
import { openRouterGeneration, openRouterGenerationId } from "./generation.ts";

let simulator: Simulator;
afterEach(() => simulator.close());

/** A record is there as soon as the simulator has noticed that its client left. */
const patient = Array.from({ length: 400 }, () => 5);

interface Setting extends SimulatorOptions {
  budget?: string;
  delaysMs?: readonly number[];
  onReceipt?: Metering["onReceipt"];
}

async function setUp({ budget = "1", delaysMs = patient, onReceipt, ...options }: Setting = {}) {
  simulator = await startSimulator(options);
  const tracker = new CostTracker({ budget });
  const api = { apiKey: "test", baseURL: simulator.openRouterUrl };
  const openrouter = createBudgetedOpenRouter({
    tracker,
    ...api,
    lookup: { delaysMs },
    ...(onReceipt ? { onReceipt } : {}),
  });
  return { tracker, api, model: openrouter("openai/gpt-4o-mini") };
}

const asked = { prompt: "Hello", maxOutputTokens: 60, maxRetries: 0, onError: () => {} };
const words = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen".split(/(?= )/);

/** Reads a stream and aborts it after so many chunks of text. */
async function abortAfter(model: Awaited<ReturnType<typeof setUp>>["model"], chunks: number) {
  const abort = new AbortController();
  const { fullStream } = streamText({ ...asked, model, abortSignal: abort.signal });
  let seen = 0;
  try {
    for await (const part of fullStream) {
      if (part.type === "start-step" && chunks === 0) abort.abort();
      if (part.type === "text-delta" && ++seen >= chunks) abort.abort();
    }
  } catch {
    // The abort itself.
  }
}

async function expectBilledAsRecorded(tracker: CostTracker) {
  const { exact } = await tracker.getStats();
  expect(exact.spent.picoUsd).toBe(simulator.invoice.totalPicoUsd);
  expect(exact.held.picoUsd).toBe(0n);
}

describe("a call that was cut off", () => {
  const chunks = words.map((_, index) => index + 1);
  it.each(chunks.flatMap((count) => [[count, true] as const, [count, false] as const]))(
    "after %i chunks counts what was billed, the whole answer or what was sent (whole: %s)",
    async (count, billsAfterAbort) => {
      const { tracker, model } = await setUp({ answer: () => words.join(""), chunkDelayMs: 10, billsAfterAbort });
      await abortAfter(model, count);
      await settled(tracker);
      await expectBilledAsRecorded(tracker);
      // Near the end the last word may be on its way before the abort is: then the stream told the cost itself.
      if (count <= 6) expect(simulator.invoice.lines.map(({ outcome }) => outcome)).toEqual(["aborted"]);
      expect(await tracker.getStats()).toMatchObject({ callCount: 1, boundCallCount: 0 });
    },
  );

  it("before its first chunk counts what was billed, too", async () => {
    const { tracker, model } = await setUp({ latencyMs: 100 });
    await abortAfter(model, 0);
    await expect.poll(() => simulator.invoice.count).toBe(1);
    await settled(tracker);
    await expectBilledAsRecorded(tracker);
  });

  it("holds its bound until its record is there, and lets others wait for it", async () => {
    const { tracker, model } = await setUp({ chunkDelayMs: 20, lookupMisses: 3 });
    await tracker.setBudget("0.0001");
    await abortAfter(model, 1);
    const { exact, callCount } = await tracker.getStats();
    expect(callCount).toBe(0);
    expect(exact.held.picoUsd * 2n).toBeGreaterThan(usd("0.0001").picoUsd);
    // Two bounds do not fit: the second call waits for the look-up of the first and is then let in.
    await generateText({ ...asked, model });
    expect(simulator.invoice.count).toBe(2);
    await settled(tracker);
    await expectBilledAsRecorded(tracker);
  });

  it("counts at its bound when there is never a record", async () => {
    const { tracker, model } = await setUp({ chunkDelayMs: 20, lookupMisses: 99, delaysMs: [0, 0] });
    await abortAfter(model, 1);
    await settled(tracker);
    const { exact, boundCallCount } = await tracker.getStats();
    expect(boundCallCount).toBe(1);
    expect(exact.held.picoUsd).toBe(0n);
    await expect.poll(() => simulator.invoice.count).toBe(1);
    expect(exact.spent.picoUsd).toBeGreaterThan(simulator.invoice.totalPicoUsd);
  });

  it("adds what an own provider key was charged", async () => {
    const { tracker, model } = await setUp({ chunkDelayMs: 20, byok: true });
    await abortAfter(model, 2);
    await settled(tracker);
    await expectBilledAsRecorded(tracker);
    expect(simulator.invoice.totalPicoUsd).toBeGreaterThan(0n);
  });

  it("tells its receipt once, when it is known", async () => {
    const postings: Posting[] = [];
    const onReceipt = (posting: Posting) => void postings.push(posting);
    const { tracker, model } = await setUp({ chunkDelayMs: 20, onReceipt });
    await abortAfter(model, 2);
    await settled(tracker);
    const [line] = simulator.invoice.lines;
    expect(postings.map(({ receipt }) => receipt)).toEqual([
      {
        costPicoUsd: line?.costPicoUsd,
        kind: "reported",
        modelId: "openai/gpt-4o-mini",
        usage: expect.objectContaining({ inputTokens: line?.promptTokens, outputTokens: line?.completionTokens }),
      },
    ]);
    expect(postings.map(({ outcome }) => openRouterGenerationId(outcome))).toEqual([line?.id]);
  });
});

describe("an answer without usage", () => {
  it("is not held up by the look-up where it is stored with its receipt", async () => {
    const kinds: unknown[] = [];
    const onReceipt = ({ receipt }: Posting) => void kinds.push(receipt.kind);
    const { tracker, model } = await setUp({ usageField: "omitted", onReceipt });
    await generateText({ ...asked, model });
    expect(kinds).toEqual(["bound"]);
    expect(await tracker.getStats()).toMatchObject({ callCount: 1, boundCallCount: 1 });
  });
});

describe("openRouterGeneration", () => {
  it("is evidence for a call that a crash left without outcome", async () => {
    const { api } = await setUp();
    await fetch(`${api.baseURL}/chat/completions`, {
      method: "POST",
      body: JSON.stringify({ model: "openai/gpt-4o-mini", messages: [{ role: "user", content: "Hello" }] }),
    });
    const tracker = new CostTracker({ budget: "1" });
    const hold = await tracker.reserve({ boundPicoUsd: usd("0.5").picoUsd });
    await hold.markDispatched();
    const [left] = await tracker.recover({ abandoned: true });
    const receipt = await openRouterGeneration(simulator.invoice.lines[0]?.id ?? "", api);
    if (left && receipt) await tracker.resolve(left.id, receipt);
    expect(await tracker.unresolved()).toEqual([]);
    await expectBilledAsRecorded(tracker);
  });

  it("knows nothing of an unknown id, and tells a refused key", async () => {
    const { api } = await setUp({ apiKeys: ["test"] });
    expect(await openRouterGeneration("gen-unknown", api)).toBeUndefined();
    const refused = openRouterGeneration("gen-unknown", { ...api, apiKey: "wrong" });
    await expect(refused).rejects.toMatchObject({ name: "OpenRouterApiError", statusCode: 401 });
  });

  it.each([
    ["no cost", { data: { total_cost: null } }],
    ["an own key whose charge is not told", { data: { total_cost: 0, is_byok: true } }],
    ["no record", {}],
  ])("takes %s for unknown, not for nothing", async (_name, body) => {
    await setUp();
    const fetch = async () => Response.json(body);
    expect(await openRouterGeneration("gen-1", { fetch, apiKey: "test" })).toBeUndefined();
  });

  it("reads an amount from its text, not from the double that it is nearest to", async () => {
    await setUp();
    const text = '{"data":{"id":"gen-1","total_cost":12345.123456789012,"is_byok":false}}';
    const receipt = await openRouterGeneration("gen-1", { fetch: async () => new Response(text), apiKey: "test" });
    expect(receipt?.costPicoUsd).toBe(12_345_123_456_789_012n);
  });

  it("asks a refused key no second time", async () => {
    let asks = 0;
    const { tracker, api } = await setUp({ chunkDelayMs: 20 });
    const openrouter = createBudgetedOpenRouter({
      tracker,
      ...api,
      lookup: { delaysMs: [0, 0, 0] },
      fetch: (url, init) => {
        if (!new Request(url).url.includes("/generation")) return fetch(url, init);
        asks += 1;
        return Promise.resolve(new Response("no", { status: 401 }));
      },
    });
    await abortAfter(openrouter("openai/gpt-4o-mini"), 1);
    await settled(tracker);
    expect(asks).toBe(1);
    expect((await tracker.getStats()).boundCallCount).toBe(1);
  });
});
