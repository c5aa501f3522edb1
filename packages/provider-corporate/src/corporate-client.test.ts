import {
  BudgetExceededError,
  CostTracker,
  isBudgetExceeded,
  type Receipt,
  UnpricedModelError,
  usd,
} from "@autolabel/budget-core";
import { type Simulator, type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import {
  createProviderRegistry,
  customProvider,
  embed,
  embedMany,
  generateText,
  isStepCount,
  Output,
  streamText,
  tool,
} from "ai";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { type CorporateOptions, createCorporate } from "./corporate-client.ts";

let simulator: Simulator;
afterEach(() => simulator.close());

const prices = { "house-model": { input: "0.30", output: "0.90", maxOutputTokens: 4096 } };
const models = { "house-model": { promptUsdPerMillion: "0.30", completionUsdPerMillion: "0.90" } };
const prompt = "Hello, a or b?";

async function setUp(
  budget: string,
  options: SimulatorOptions = {},
  settings: Partial<CorporateOptions> = {},
): Promise<{ tracker: CostTracker; corporate: ReturnType<typeof createCorporate>; receipts: Receipt[] }> {
  simulator = await startSimulator(options);
  const tracker = new CostTracker({ budget });
  const receipts: Receipt[] = [];
  tracker.on("spend", ({ receipt }) => receipts.push(receipt));
  const corporate = createCorporate({ tracker, baseURL: simulator.gatewayUrl, apiKey: "test", ...settings });
  return { tracker, corporate, receipts };
}

/** The oracle: what the simulated gateway billed, against what we recorded. */
async function expectBilledAsRecorded(tracker: CostTracker) {
  const { exact, boundCallCount } = await tracker.getStats();
  expect([exact.spent.picoUsd, boundCallCount]).toEqual([simulator.invoice.totalPicoUsd, 0]);
  expect(exact.held.picoUsd).toBe(0n);
}

async function expectNeverBelow(tracker: CostTracker) {
  await expect.poll(async () => (await tracker.getStats()).held).toBe(0);
  const { exact, boundCallCount } = await tracker.getStats();
  expect(exact.spent.picoUsd).toBeGreaterThanOrEqual(simulator.invoice.totalPicoUsd);
  if (exact.spent.picoUsd > simulator.invoice.totalPicoUsd) expect(boundCallCount).toBeGreaterThan(0);
}

describe("a gateway without prices", () => {
  it("costs nothing, also under a budget of 0, and counts calls and tokens", async () => {
    const { corporate, tracker, receipts } = await setUp("0");
    await generateText({ model: corporate("any-model"), prompt });
    await streamText({ model: corporate("another"), prompt }).consumeStream();
    const { callCount, totalCost, boundCallCount, byModel } = await tracker.getStats();
    expect({ callCount, totalCost, boundCallCount }).toEqual({ callCount: 2, totalCost: 0, boundCallCount: 0 });
    expect(Object.keys(byModel)).toEqual(["any-model", "another"]);
    const tokens = simulator.invoice.lines.map(({ promptTokens, completionTokens }) => [
      promptTokens,
      completionTokens,
    ]);
    expect(receipts.map(({ usage }) => [usage?.inputTokens, usage?.outputTokens])).toEqual(tokens);
    await expectBilledAsRecorded(tracker);
  });

  it("sends no output cap that its caller did not set, and asks for usage on streams", async () => {
    const sent: unknown[] = [];
    const { corporate } = await setUp(
      "0",
      {},
      {
        fetch: (url, init) => {
          sent.push(JSON.parse(init?.body as string));
          return fetch(url, init);
        },
      },
    );
    await streamText({ model: corporate("any-model"), prompt }).consumeStream();
    expect(sent).toMatchObject([{ stream_options: { include_usage: true } }]);
    expect(sent[0]).not.toHaveProperty("max_tokens");
  });

  it.each(["500", "cut", "bad-json", "empty-choices", "error-chunk"] as const)(
    "costs nothing when it goes wrong: %s",
    async (kind) => {
      const { corporate, tracker } = await setUp("0", { faults: [{ kind }] });
      await generateText({ model: corporate("any-model"), prompt, maxRetries: 0 }).catch(() => undefined);
      await streamText({ model: corporate("any-model"), prompt, maxRetries: 0, onError: () => {} }).consumeStream({
        onError: () => {},
      });
      await expect.poll(async () => (await tracker.getStats()).callCount).toBe(2);
      await expectBilledAsRecorded(tracker);
    },
  );
});

describe("a gateway with a contract's prices", () => {
  const setUpPriced = (budget: string, options: SimulatorOptions = {}, settings: Partial<CorporateOptions> = {}) =>
    setUp(budget, { models, ...options }, { prices, ...settings });

  it("records tokens x price, and sends the cap of its bound", async () => {
    const { corporate, tracker } = await setUpPriced("1", { gatewayCost: "body" });
    const model = corporate("house-model");
    await generateText({ model, prompt });
    await streamText({ model, prompt, maxOutputTokens: 30 }).consumeStream();
    const output = Output.choice({ options: ["a", "b"] });
    await generateText({ model, prompt, output, maxOutputTokens: 30 });
    expect(simulator.invoice.count).toBe(3);
    await expectBilledAsRecorded(tracker);
  });

  it("refuses models that the contract does not list, and nothing is sent", async () => {
    const { corporate } = await setUpPriced("1");
    const refused = generateText({ model: corporate("other-model"), prompt });
    await expect(refused).rejects.toSatisfy((error) => UnpricedModelError.isInstance(error));
    expect(simulator.requests).toBe(0);
  });

  it("refuses with the same error when the budget is spent, and nothing is sent", async () => {
    const { corporate } = await setUpPriced("0");
    const model = corporate("house-model");
    const error = await generateText({ model, prompt }).catch((caught: unknown) => caught);
    expect(BudgetExceededError.isInstance(error)).toBe(true);
    await expect(streamText({ model, prompt, onError: () => {} }).text).rejects.toMatchObject({
      code: "budget_exceeded",
    });
    expect(simulator.requests).toBe(0);
  });

  it("is refused in the middle of a tool loop, with the steps before it billed", async () => {
    const { corporate, tracker } = await setUpPriced("1");
    const tools = { look: tool({ inputSchema: z.object({ q: z.string() }), execute: async () => "found" }) };
    const run = () =>
      generateText({ model: corporate("house-model"), prompt, tools, maxOutputTokens: 20, stopWhen: isStepCount(5) });
    await run();
    await tracker.setBudget(usd.pico(simulator.invoice.totalPicoUsd + 1n));
    await expect(run()).rejects.toSatisfy(isBudgetExceeded);
    await expectBilledAsRecorded(tracker);
  });

  it.each(["body", "header"] as const)("takes the cost that the gateway tells in the %s", async (gatewayCost) => {
    const costFrom = gatewayCost === "body" ? gatewayCost : { header: "X-LiteLLM-Response-Cost" };
    // The contract on file is dearer than what is charged, so only a told cost can match the invoice.
    const dear = { "house-model": { input: "3", output: "9", maxOutputTokens: 4096 } };
    const { corporate, tracker, receipts } = await setUp("1", { models, gatewayCost }, { prices: dear, costFrom });
    const model = corporate("house-model");
    await generateText({ model, prompt, maxOutputTokens: 30 });
    await expectBilledAsRecorded(tracker);
    await streamText({ model, prompt, maxOutputTokens: 30 }).consumeStream();
    expect(receipts.map(({ kind }) => kind)).toEqual(["reported", gatewayCost === "body" ? "reported" : "computed"]);
    if (gatewayCost === "body") await expectBilledAsRecorded(tracker);
    else expect((await tracker.getStats()).exact.spent.picoUsd).toBeGreaterThan(simulator.invoice.totalPicoUsd);
  });

  it("settles every retry by itself", async () => {
    const faults = [
      { kind: "429", at: 1, retryAfter: 0 },
      { kind: "429", at: 2, retryAfter: 0 },
    ] as const;
    const { corporate, tracker } = await setUpPriced("1", { faults });
    await generateText({ model: corporate("house-model"), prompt, maxOutputTokens: 20 });
    expect(simulator.requests).toBe(3);
    await expectBilledAsRecorded(tracker);
  });

  it.each(["500", "503", "cut", "error-chunk", "bad-json", "empty-choices"] as const)(
    "never records less than was billed when it goes wrong: %s",
    async (kind) => {
      const { corporate, tracker } = await setUpPriced("1", { faults: [{ kind }] });
      const limits = { model: corporate("house-model"), prompt, maxOutputTokens: 20, maxRetries: 0 };
      await generateText(limits).catch(() => undefined);
      await expectNeverBelow(tracker);
      await streamText({ ...limits, onError: () => {} }).consumeStream({ onError: () => {} });
      await expectNeverBelow(tracker);
    },
  );

  it("records what an answer without choices cost, which only the error tells", async () => {
    const { corporate, tracker } = await setUpPriced("1", { faults: [{ kind: "empty-choices" }] });
    const call = generateText({ model: corporate("house-model"), prompt, maxOutputTokens: 20, maxRetries: 0 });
    await expect(call).rejects.toThrow();
    expect(simulator.invoice.count).toBe(1);
    await expectBilledAsRecorded(tracker);
  });

  it("counts the bound where the gateway tells no usage", async () => {
    const { corporate, tracker } = await setUpPriced("1", { usageField: "omitted" });
    await generateText({ model: corporate("house-model"), prompt, maxOutputTokens: 20 });
    await streamText({ model: corporate("house-model"), prompt, maxOutputTokens: 20 }).consumeStream();
    expect((await tracker.getStats()).boundCallCount).toBe(2);
    await expectNeverBelow(tracker);
  });

  it("settles when it is aborted, left early or never read", async () => {
    const { corporate, tracker } = await setUpPriced("1", { chunkDelayMs: 2, latencyMs: 10 });
    const model = corporate("house-model");
    const abort = new AbortController();
    const aborted = streamText({ model, prompt, maxOutputTokens: 60, abortSignal: abort.signal, onError: () => {} });
    await expect.poll(() => simulator.requests, { interval: 1 }).toBe(1);
    abort.abort();
    await aborted.consumeStream({ onError: () => {} });
    for await (const _ of streamText({ model, prompt, maxOutputTokens: 60 }).textStream) break;
    void streamText({ model, prompt: "Nobody reads this", maxOutputTokens: 60 });
    await expect.poll(async () => (await tracker.getStats()).callCount).toBe(3);
    await expect.poll(() => simulator.invoice.count).toBe(3);
    await expectNeverBelow(tracker);
  });

  it("pays at most 50 of 200 concurrent calls on a budget for 50", async () => {
    const { corporate, tracker } = await setUpPriced("1", { latencyMs: 2 });
    const ask = () => generateText({ model: corporate("house-model"), prompt, maxOutputTokens: 40, maxRetries: 0 });
    await ask();
    const perCall = simulator.invoice.totalPicoUsd;
    simulator.reset();
    await tracker.reset();
    await tracker.setBudget(usd.pico(perCall * 50n));
    const outcomes = await Promise.allSettled(Array.from({ length: 200 }, ask));
    const paid = outcomes.filter(({ status }) => status === "fulfilled").length;
    expect([paid <= 50, paid > 35]).toEqual([true, true]);
    expect(simulator.requests).toBe(paid);
    expect(simulator.invoice.totalPicoUsd).toBeLessThanOrEqual(perCall * 50n);
    await expectBilledAsRecorded(tracker);
  });

  const liteLlm = {
    error: { message: "Budget has been exceeded! Current cost: 1.2", type: "budget_exceeded", code: "400" },
  };
  const portkey = { error: { message: "Portkey Error: Usage limit exceeded for this key", type: null } };
  it.each([
    ["LiteLLM", "400", liteLlm],
    ["LiteLLM", "429", liteLlm],
    ["Portkey", "412", portkey],
    ["Kong", "429", { message: "AI token quota exceeded for provider" }],
    ["any", "402", { detail: "Payment required" }],
  ] as const)("costs nothing when %s refuses for money with %s, and says so", async (_name, kind, body) => {
    const { corporate, tracker } = await setUpPriced("1", { faults: [{ kind, body }] });
    const ask = generateText({ model: corporate("house-model"), prompt, maxRetries: 0 });
    const error = await ask.catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "upstream_budget", provider: "corporate", statusCode: Number(kind) });
    const stream = streamText({ model: corporate("house-model"), prompt, maxRetries: 0, onError: () => {} });
    await expect(stream.text).rejects.toMatchObject({ code: "upstream_budget", statusCode: Number(kind) });
    await expectBilledAsRecorded(tracker);
  });

  it.each(["body", "header"] as const)("takes what embeddings cost from the %s, too", async (gatewayCost) => {
    const costFrom = gatewayCost === "body" ? gatewayCost : { header: "x-litellm-response-cost" };
    const dear = { "house-model": { input: "3", output: "9" } };
    const { corporate, tracker } = await setUp("1", { models, gatewayCost }, { prices: dear, costFrom });
    await embedMany({ model: corporate.embedding("house-model"), values: ["one", "two"] });
    expect(simulator.invoice.totalPicoUsd).toBeGreaterThan(0n);
    await expectBilledAsRecorded(tracker);
  });

  it("is a provider for registries and custom providers", async () => {
    const { corporate, tracker } = await setUpPriced("1");
    const registry = createProviderRegistry({ corporate });
    const fallback = customProvider({ fallbackProvider: corporate });
    for (const model of [registry.languageModel("corporate:house-model"), fallback.languageModel("house-model")]) {
      const { usage } = await generateText({ model, prompt, maxOutputTokens: 20 });
      expect(usage.inputTokens).toBe(simulator.invoice.lines.at(-1)?.promptTokens);
    }
    await embed({ model: registry.embeddingModel("corporate:house-model"), value: "one" });
    expect(simulator.invoice.count).toBe(3);
    await expectBilledAsRecorded(tracker);
    await tracker.setBudget("0");
    const refused = embed({ model: registry.embeddingModel("corporate:house-model"), value: "one" });
    await expect(refused).rejects.toSatisfy(isBudgetExceeded);
    expect(() => corporate.imageModel("house-model")).toThrow(/not metered/);
    expect(simulator.requests).toBe(3);
  });

  it("counts a running usage at the bound when the stream ends before the answer", async () => {
    const told = { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 };
    const chunk = { id: "c", model: "house-model", choices: [{ index: 0, delta: { content: "w " } }], usage: told };
    const body = `data: ${JSON.stringify(chunk)}\n\n`.repeat(2);
    const headers = { "content-type": "text/event-stream" };
    const { corporate, tracker } = await setUpPriced("1", {}, { fetch: async () => new Response(body, { headers }) });
    const stream = streamText({ model: corporate("house-model"), prompt, maxOutputTokens: 100, onError: () => {} });
    await stream.consumeStream({ onError: () => {} });
    expect(await tracker.getStats()).toMatchObject({ callCount: 1, boundCallCount: 1, held: 0 });
  });
});

describe("the way to a gateway", () => {
  it("uses the key that a function gives anew for each call, headers and query parameters", async () => {
    let keys = 0;
    const seen: { url: string; headers: Headers }[] = [];
    const { corporate } = await setUp(
      "0",
      {},
      {
        apiKey: async () => `key-${++keys}`,
        headers: { "x-team": "data" },
        queryParams: { "api-version": "1" },
        fetch: (url, init) => {
          seen.push({ url: url instanceof Request ? url.url : String(url), headers: new Headers(init?.headers) });
          return fetch(url, init);
        },
      },
    );
    await generateText({ model: corporate("m"), prompt });
    await generateText({ model: corporate("m"), prompt });
    expect(simulator.invoice.lines.map(({ apiKey }) => apiKey)).toEqual(["key-1", "key-2"]);
    expect(seen[1]?.headers.get("x-team")).toBe("data");
    expect(seen[1]?.url).toBe(`${simulator.gatewayUrl}/chat/completions?api-version=1`);
  });
});
