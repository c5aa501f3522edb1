import {
  BudgetExceededError,
  budgetEmbeddingMiddleware,
  budgetMiddleware,
  CostTracker,
  isBudgetExceeded,
  settled,
  usd,
  withBudget,
} from "@autolabel/budget-core";
import { type Simulator, type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import {
  createProviderRegistry,
  customProvider,
  defaultSettingsMiddleware,
  type EmbeddingModel,
  embed,
  embedMany,
  generateText,
  isStepCount,
  type LanguageModel,
  Output,
  streamText,
  tool,
  wrapEmbeddingModel,
  wrapProvider,
} from "ai";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { createBudgetedOpenRouter, createOpenRouter } from "./openrouter-client.ts";
import { openRouterCosts } from "./openrouter-costs.ts";

let simulator: Simulator;
afterEach(() => simulator.close());

async function setUp(budget: string, options: SimulatorOptions = {}) {
  simulator = await startSimulator(options);
  const tracker = new CostTracker({ budget });
  const baseURL = simulator.openRouterUrl;
  const openrouter = createBudgetedOpenRouter({ tracker, apiKey: "test", baseURL, lookup: patient });
  return { tracker, model: openrouter("openai/gpt-4o-mini") };
}

/** A record is there as soon as the simulator has noticed that its client left. */
const patient = { delaysMs: Array.from({ length: 400 }, () => 5) };

/** The oracle: what the simulated provider billed, against what we recorded. */
async function expectBilledAsRecorded(tracker: CostTracker) {
  await settled(tracker);
  const { exact } = await tracker.getStats();
  expect(exact.spent.picoUsd).toBe(simulator.invoice.totalPicoUsd);
  expect(exact.held.picoUsd).toBe(0n);
}

describe("generateText under a budget", () => {
  it("pays at most 50 of 200 concurrent calls on a budget for 50, and never more than the budget", async () => {
    const { tracker, model } = await setUp("1", { latencyMs: 5 });
    const ask = () => generateText({ model, prompt: "Say something nice.", maxOutputTokens: 40, maxRetries: 0 });
    await ask();
    const perCall = simulator.invoice.totalPicoUsd;
    simulator.reset();
    await tracker.reset();
    await tracker.setBudget(usd.pico(perCall * 50n));

    const outcomes = await Promise.allSettled(Array.from({ length: 200 }, ask));
    const paid = outcomes.filter(({ status }) => status === "fulfilled").length;
    const refused = outcomes.filter(
      (outcome) => outcome.status === "rejected" && BudgetExceededError.isInstance(outcome.reason),
    );
    expect(paid + refused.length).toBe(200);
    expect(paid).toBeLessThanOrEqual(50);
    expect(paid).toBeGreaterThan(40);
    expect(simulator.requests).toBe(paid);
    expect(simulator.invoice.totalPicoUsd).toBeLessThanOrEqual(perCall * 50n);
    await expectBilledAsRecorded(tracker);
  });

  it("sends an output cap with a call that has none, because without one there is no bound", async () => {
    const { model, tracker } = await setUp("1");
    let sent: unknown;
    const openrouter = createBudgetedOpenRouter({
      tracker,
      apiKey: "test",
      baseURL: simulator.openRouterUrl,
      fetch: (url, init) => {
        sent = JSON.parse(init?.body as string);
        return fetch(url, init);
      },
    });
    await generateText({ model: openrouter(model.modelId), prompt: "Hello" });
    expect(sent).toMatchObject({ max_tokens: 16_384 });
  });

  it.each([
    ["max_tokens", { max_tokens: 10_000 }],
    ["max_completion_tokens", { max_tokens: null, max_completion_tokens: 10_000 }],
    ["model", { model: "openai/gpt-4o" }],
    ["messages", { messages: [{ role: "user", content: "x".repeat(10_000) }] }],
  ])("lets nothing written over the request body lift its bound: %s", async (_field, over) => {
    const { tracker, model } = await setUp("0.002");
    const baseURL = simulator.openRouterUrl;
    const openrouter = createBudgetedOpenRouter({ tracker, apiKey: "test", baseURL });
    const spoiled = createBudgetedOpenRouter({ tracker, apiKey: "test", baseURL, extraBody: over });
    const asked = { prompt: "Hello", maxOutputTokens: 20 };
    const calls = [
      generateText({ model, ...asked, providerOptions: { openrouter: over } }),
      generateText({ model: openrouter(model.modelId, { extraBody: over }), ...asked }),
      generateText({ model: spoiled(model.modelId), ...asked }),
    ];
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: "unbounded_request" });
    expect(simulator.requests).toBe(0);
  });

  it.each(["generate", "stream"] as const)(
    "has OpenRouter refuse a price above the one that was held: %s",
    async (surface) => {
      const dearer = { "openai/gpt-4o-mini": { promptUsdPerMillion: "0.16", completionUsdPerMillion: "0.60" } };
      const { tracker, model } = await setUp("1", { models: dearer });
      const asked = { model, prompt: "Hello", maxOutputTokens: 20, maxRetries: 0 };
      const call = surface === "generate" ? generateText(asked) : streamText({ ...asked, onError: () => {} }).text;
      await expect(Promise.resolve(call)).rejects.toThrow();
      expect(simulator.invoice.count).toBe(0);
      expect((await tracker.getStats()).exact).toMatchObject({ spent: usd(0), held: usd(0) });
    },
  );

  it("keeps a lower highest price, and the other wishes, of the caller", async () => {
    const { tracker } = await setUp("1");
    let sent: { provider?: unknown } = {};
    const openrouter = createBudgetedOpenRouter({
      tracker,
      apiKey: "test",
      baseURL: simulator.openRouterUrl,
      fetch: (url, init) => {
        sent = JSON.parse(init?.body as string);
        return fetch(url, init);
      },
    });
    const provider = { sort: "price" as const, max_price: { prompt: 0.15, completion: 0.7 } };
    await generateText({ model: openrouter("openai/gpt-4o-mini", { provider }), prompt: "Hello", maxOutputTokens: 20 });
    expect(sent.provider).toEqual({ sort: "price", max_price: { prompt: 0.15, completion: 0.6 } });
  });

  it("bounds every answer that a provider-wide n asks for", async () => {
    const { tracker } = await setUp("0.0001");
    const baseURL = simulator.openRouterUrl;
    const openrouter = createBudgetedOpenRouter({ tracker, apiKey: "test", baseURL, extraBody: { n: 20 } });
    const call = generateText({ model: openrouter("openai/gpt-4o-mini"), prompt: "Hello", maxOutputTokens: 20 });
    await expect(call).rejects.toMatchObject({ code: "budget_exceeded" });
  });

  it("bounds a picture by what its model's maker documents, and refuses what has no bound: a file, sound", async () => {
    const { tracker, model } = await setUp("1");
    const ask = (mediaType: string) => {
      const file = { type: "file" as const, mediaType, data: new TextEncoder().encode("%PDF-1.7"), filename: "a" };
      return generateText({ model, messages: [{ role: "user", content: [file] }], maxOutputTokens: 20 });
    };
    const holds: number[] = [];
    tracker.on("reserved", ({ quote }) => holds.push(Number(quote.boundPicoUsd)));
    await ask("image/png");
    expect(holds.at(-1)).toBeGreaterThan(48_169 * 150_000);
    await expectBilledAsRecorded(tracker);
    for (const mediaType of ["application/pdf", "audio/wav"]) {
      await expect(ask(mediaType)).rejects.toMatchObject({ code: "unbounded_request" });
    }
    expect(simulator.requests).toBe(1);
  });

  it("does not take the caller's reason to abort for the provider's refusal", async () => {
    const { tracker, model } = await setUp("1", { latencyMs: 60_000 });
    const reason = Object.assign(new Error("another call was limited"), { statusCode: 429 });
    const ask = async (start: (signal: AbortSignal) => PromiseLike<unknown>) => {
      const abort = new AbortController();
      const before = simulator.requests;
      const ended = Promise.resolve(start(abort.signal)).catch(() => undefined);
      await expect.poll(() => simulator.requests).toBe(before + 1);
      abort.abort(reason);
      await ended;
    };
    const asked = { model, prompt: "Hello", maxOutputTokens: 20, maxRetries: 0, onError: () => {} };
    await ask((abortSignal) => generateText({ ...asked, abortSignal }));
    await ask((abortSignal) => streamText({ ...asked, abortSignal }).text);
    await expect.poll(() => simulator.invoice.count).toBe(2);
    await settled(tracker);
    const { exact, boundCallCount, callCount } = await tracker.getStats();
    expect(exact.spent.picoUsd).toBeGreaterThan(simulator.invoice.totalPicoUsd);
    // A stream that was named by its first header in time can be looked up; the other call had no name yet.
    expect(callCount).toBe(2);
    expect(boundCallCount).toBeGreaterThanOrEqual(1);
  });

  it("gives the caller the same error instance and sends nothing", async () => {
    const { tracker, model } = await setUp("0");
    const error = await generateText({ model, prompt: "Hello" }).catch((caught: unknown) => caught);
    expect(BudgetExceededError.isInstance(error)).toBe(true);
    expect(simulator.requests).toBe(0);
    expect((await tracker.getStats()).callCount).toBe(0);
  });

  it("is refused in the middle of a tool loop, with the steps before it billed", async () => {
    const { tracker, model } = await setUp("1");
    const tools = { look: tool({ inputSchema: z.object({ q: z.string() }), execute: async () => "found" }) };
    const run = () =>
      generateText({ model, prompt: "Look it up", tools, maxOutputTokens: 20, stopWhen: isStepCount(5) });
    await run();
    expect(simulator.invoice.count).toBe(2);
    await tracker.setBudget(usd.pico(simulator.invoice.totalPicoUsd + 1n));
    await expect(run()).rejects.toSatisfy(isBudgetExceeded);
    await expectBilledAsRecorded(tracker);
  });

  it("settles every retry by itself: refusals cost nothing, answers what they cost", async () => {
    const { tracker, model } = await setUp("1", {
      faults: [
        { kind: "429", at: [1], retryAfter: 0 },
        { kind: "503", at: [2] },
      ],
    });
    await generateText({ model, prompt: "Hello", maxOutputTokens: 20 });
    expect(simulator.requests).toBe(3);
    await expectBilledAsRecorded(tracker);
  });

  it.each(["bad-json", "cut", "invalid-label", "error-chunk"] as const)(
    "records what was billed when the answer is spoiled: %s",
    async (kind) => {
      const { tracker, model } = await setUp("1", { faults: [{ kind }] });
      const output = Output.choice({ options: ["a", "b"] });
      await generateText({ model, prompt: "a or b?", output, maxOutputTokens: 20, maxRetries: 0 }).catch(
        () => undefined,
      );
      await expectBilledAsRecorded(tracker);
      expect(simulator.invoice.count).toBe(1);
    },
  );

  it.each(["empty-choices", "502"] as const)(
    "counts the bound when nothing tells which call it was: %s",
    async (kind) => {
      const { tracker, model } = await setUp("1", { faults: [{ kind }] });
      const output = Output.choice({ options: ["a", "b"] });
      await generateText({ model, prompt: "a or b?", output, maxOutputTokens: 20, maxRetries: 0 }).catch(
        () => undefined,
      );
      const { exact, boundCallCount } = await tracker.getStats();
      expect(exact.spent.picoUsd).toBeGreaterThan(simulator.invoice.totalPicoUsd);
      expect(boundCallCount).toBe(1);
      expect(exact.held.picoUsd).toBe(0n);
    },
  );

  it("counts tokens x price where the response has no cost", async () => {
    const { tracker, model } = await setUp("1", { costField: "omitted" });
    await generateText({ model, prompt: "Hello", maxOutputTokens: 20 });
    await expectBilledAsRecorded(tracker);
  });

  it("looks the cost up where the response has no usage; without a look-up it counts the bound", async () => {
    const { tracker, model } = await setUp("1", { usageField: "omitted" });
    await generateText({ model, prompt: "Hello", maxOutputTokens: 20 });
    await expectBilledAsRecorded(tracker);

    const own = new CostTracker({ budget: "1" });
    const baseURL = simulator.openRouterUrl;
    const incurious = createBudgetedOpenRouter({ tracker: own, apiKey: "test", baseURL, lookup: false });
    await generateText({ model: incurious("openai/gpt-4o-mini"), prompt: "Hello", maxOutputTokens: 20 });
    const { exact, boundCallCount } = await own.getStats();
    expect(boundCallCount).toBe(1);
    expect(exact.spent.picoUsd).toBeGreaterThan(simulator.invoice.totalPicoUsd / 2n);
  });

  it("counts what the own provider key is charged", async () => {
    const { tracker, model } = await setUp("1", { byok: true });
    await generateText({ model, prompt: "Hello", maxOutputTokens: 20 });
    await expectBilledAsRecorded(tracker);
  });
});

describe("streamText under a budget", () => {
  it("settles the exact cost at the end of the stream", async () => {
    const { tracker, model } = await setUp("1");
    const result = streamText({ model, prompt: "Hello", maxOutputTokens: 30 });
    expect((await result.text).length).toBeGreaterThan(0);
    await expectBilledAsRecorded(tracker);
  });

  it("settles the exact cost when the reader leaves early or never reads", async () => {
    const { tracker, model } = await setUp("1", { chunkDelayMs: 1 });
    for await (const _ of streamText({ model, prompt: "Hello", maxOutputTokens: 30 }).textStream) break;
    void streamText({ model, prompt: "Nobody reads this", maxOutputTokens: 30 });
    await expect.poll(() => simulator.invoice.count).toBe(2);
    await expect.poll(async () => (await tracker.getStats()).callCount).toBe(2);
    await expectBilledAsRecorded(tracker);
  });

  it("settles the exact cost when it is aborted, cut or ends in an error", async () => {
    const { tracker, model } = await setUp("1", {
      chunkDelayMs: 2,
      faults: [
        { kind: "cut", at: 2 },
        { kind: "error-chunk", at: 3 },
      ],
    });
    const abort = new AbortController();
    const ask = async (abortSignal?: AbortSignal) => {
      const result = streamText({
        model,
        prompt: "Hello",
        maxOutputTokens: 60,
        onError: () => {},
        ...(abortSignal ? { abortSignal } : {}),
      });
      for await (const _ of result.textStream) abort.abort();
    };
    await ask(abort.signal).catch(() => undefined);
    await ask().catch(() => undefined);
    await ask().catch(() => undefined);
    await expect.poll(() => simulator.invoice.count).toBe(3);
    await expectBilledAsRecorded(tracker);
    expect((await tracker.getStats()).callCount).toBe(3);
  });

  it("rejects every promise with the refusal itself", async () => {
    const { model } = await setUp("0");
    const result = streamText({ model, prompt: "Hello", onError: () => {} });
    await expect(result.text).rejects.toMatchObject({ code: "budget_exceeded" });
    await expect(result.usage).rejects.toMatchObject({ code: "budget_exceeded" });
    expect(simulator.requests).toBe(0);
  });
});

describe("usage in a chunk that tells an error too", () => {
  async function streamWithError(includeRawChunks: boolean, afterChunks: number) {
    simulator = await startSimulator({ faults: [{ kind: "error-chunk", afterChunks }] });
    const tracker = new CostTracker({ budget: "1" });
    const baseURL = simulator.openRouterUrl;
    const openrouter = createBudgetedOpenRouter({ tracker, apiKey: "test", baseURL, lookup: false });
    const model = openrouter("openai/gpt-4o-mini");
    const prompt = [{ role: "user" as const, content: [{ type: "text" as const, text: "Hello" }] }];
    const { stream } = await model.doStream({ prompt, maxOutputTokens: 30, includeRawChunks });
    const types: string[] = [];
    for await (const part of stream) types.push(part.type);
    return { tracker, types };
  }

  it.each([0, 1, 3])("is what the call cost, though the AI SDK drops it: after %i chunks", async (afterChunks) => {
    const { tracker, types } = await streamWithError(false, afterChunks);
    expect(types).toContain("error");
    expect(types).not.toContain("raw");
    await expectBilledAsRecorded(tracker);
    expect(simulator.invoice.totalPicoUsd).toBeGreaterThan(0n);
    expect((await tracker.getStats()).boundCallCount).toBe(0);
  });

  it("leaves raw chunks to a caller that asked for them", async () => {
    const { tracker, types } = await streamWithError(true, 2);
    expect(types.filter((type) => type === "raw").length).toBeGreaterThan(2);
    await expectBilledAsRecorded(tracker);
  });
});

describe("as a provider of the AI SDK", () => {
  const id = "openai/gpt-4o-mini";
  const embeddingId = "openai/text-embedding-3-small";
  const prices = { [embeddingId]: { input: "0.02", output: 0 } };

  async function budgeted(budget = "1") {
    simulator = await startSimulator();
    const tracker = new CostTracker({ budget });
    const api = { apiKey: "test", baseURL: simulator.openRouterUrl };
    return { tracker, api, openrouter: createBudgetedOpenRouter({ tracker, ...api, prices }) };
  }
  type Budgeted = Awaited<ReturnType<typeof budgeted>>;

  const settings = { maxOutputTokens: 20 };
  const languageModelMiddleware = defaultSettingsMiddleware({ settings });
  const ways: Record<string, (given: Budgeted) => LanguageModel> = {
    createProviderRegistry: ({ openrouter }) =>
      createProviderRegistry({ openrouter }).languageModel(`openrouter:${id}`),
    wrapProvider: ({ openrouter }) => wrapProvider({ provider: openrouter, languageModelMiddleware }).languageModel(id),
    customProvider: ({ openrouter }) =>
      customProvider({ languageModels: { cheap: openrouter(id) }, fallbackProvider: openrouter }).languageModel(
        "cheap",
      ),
    "a fallback provider": ({ openrouter }) =>
      customProvider({ languageModels: {}, fallbackProvider: openrouter }).languageModel(id),
    "withBudget in a registry": ({ tracker, api }) => {
      const openrouter = withBudget(createOpenRouter(api), { tracker, costs: openRouterCosts() });
      return createProviderRegistry({ openrouter }).languageModel(`openrouter:${id}`);
    },
    "budgetMiddleware in wrapProvider": ({ tracker, api }) =>
      wrapProvider({
        provider: createOpenRouter(api),
        languageModelMiddleware: [languageModelMiddleware, budgetMiddleware({ tracker, costs: openRouterCosts() })],
      }).languageModel(id),
  };

  it.each(Object.entries(ways))("meters, and hands usage on ungarbled: %s", async (_name, way) => {
    const given = await budgeted();
    const model = way(given);
    const { usage } = await generateText({ model, prompt: "Hello", maxOutputTokens: 20 });
    const streamed = streamText({ model, prompt: "Hello again", maxOutputTokens: 20 });
    expect([usage.inputTokens, (await streamed.usage).inputTokens]).toEqual(
      simulator.invoice.lines.map(({ promptTokens }) => promptTokens),
    );
    await expectBilledAsRecorded(given.tracker);
    expect(simulator.invoice.count).toBe(2);
  });

  it.each(Object.entries(ways))("refuses what does not fit: %s", async (_name, way) => {
    const model = way(await budgeted("0.000001"));
    await expect(generateText({ model, prompt: "Hello", maxOutputTokens: 20 })).rejects.toSatisfy(isBudgetExceeded);
    expect(simulator.requests).toBe(0);
  });

  it("meters embeddings, from the registry too", async () => {
    const { tracker, openrouter } = await budgeted();
    await embed({ model: openrouter.embeddingModel(embeddingId), value: "Hello" });
    const model = createProviderRegistry({ openrouter }).embeddingModel(`openrouter:${embeddingId}`);
    const { embeddings } = await embedMany({ model, values: ["one", "two", "three"] });
    expect(embeddings).toHaveLength(3);
    expect(simulator.invoice.count).toBe(2);
    await expectBilledAsRecorded(tracker);
    await tracker.setBudget("0.0000000001");
    await expect(embed({ model, value: "Hello" })).rejects.toSatisfy(isBudgetExceeded);
    expect(simulator.invoice.count).toBe(2);
  });

  it.each(["reported", "omitted"] as const)(
    "never counts too little for a model that a registry adapted twice, whose usage is garbled: cost %s",
    async (costField) => {
      simulator = await startSimulator({ costField });
      const tracker = new CostTracker({ budget: "1" });
      const api = { apiKey: "test", baseURL: simulator.openRouterUrl };
      const bare = Object.assign(createOpenRouter(api), { specificationVersion: undefined });
      const provider = createProviderRegistry(
        { bare: bare as never },
        { languageModelMiddleware: budgetMiddleware({ tracker, costs: openRouterCosts() }) },
      );
      const model = provider.languageModel(`bare:${id}`);
      await generateText({ model, prompt: "Hello", maxOutputTokens: 20 });
      await streamText({ model, prompt: "Hello", maxOutputTokens: 20 }).text;
      if (costField === "reported") await expectBilledAsRecorded(tracker);
      const { exact, boundCallCount } = await tracker.getStats();
      expect(exact.spent.picoUsd).toBeGreaterThanOrEqual(simulator.invoice.totalPicoUsd);
      expect(boundCallCount > 0).toBe(exact.spent.picoUsd > simulator.invoice.totalPicoUsd);
      expect(simulator.invoice.count).toBe(2);
    },
  );

  const embedders: Record<string, (given: Budgeted) => EmbeddingModel> = {
    createBudgetedOpenRouter: ({ openrouter }) => openrouter.embeddingModel(embeddingId),
    "a provider's own extra body": ({ openrouter }) =>
      openrouter.embeddingModel(embeddingId, { extraBody: { provider: { sort: "price" } } }),
    withBudget: ({ tracker, api }) =>
      withBudget(createOpenRouter(api), { tracker, costs: openRouterCosts({ prices }) }).textEmbeddingModel(
        embeddingId,
      ),
    budgetEmbeddingMiddleware: ({ tracker, api }) =>
      wrapEmbeddingModel({
        model: createOpenRouter(api).embeddingModel(embeddingId),
        middleware: budgetEmbeddingMiddleware({ tracker, costs: openRouterCosts({ prices }) }),
      }),
  };
  it.each(Object.entries(embedders))(
    "has OpenRouter refuse an embedding above the price that was held: %s",
    async (_name, make) => {
      const given = await budgeted();
      const model = make(given);
      await embed({ model, value: "Hello" });
      expect(simulator.invoice.count).toBe(1);
      simulator.setModels({ [embeddingId]: { promptUsdPerMillion: "0.021", completionUsdPerMillion: "0" } });
      await expect(embed({ model, value: "Hello", maxRetries: 0 })).rejects.toMatchObject({ statusCode: 404 });
      expect(simulator.invoice.count).toBe(1);
      await expectBilledAsRecorded(given.tracker);
    },
  );

  it("makes no images", async () => {
    const { openrouter } = await budgeted();
    expect(() => openrouter.imageModel("any/model")).toThrow(/not told before the call/);
  });
});
