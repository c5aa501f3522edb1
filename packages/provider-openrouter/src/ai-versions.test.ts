import {
  BudgetExceededError,
  budgetEmbeddingMiddleware,
  budgetImageMiddleware,
  budgetMiddleware,
  type CostExtractor,
  CostTracker,
  isBudgetExceeded,
  withBudget,
} from "@autolabel/budget-core";
import { budgetIsSpent } from "@autolabel/budget-core/loops";
import { type Simulator, type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import { createOpenRouter } from "@openrouter/ai-sdk-provider";
import * as ai7 from "ai";
import * as ai6 from "ai6";
import { createOpenRouter as createOpenRouter2 } from "openrouter2";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { openRouterCosts } from "./openrouter-costs.ts";

/*
 * The middleware of budget-core in the versions of the AI SDK that it is kept working with, each with the
 * OpenRouter provider of its time. `tsc` checks that its type is each version's own.
 */
let simulator: Simulator;
afterEach(() => simulator.close());

const modelId = "openai/gpt-4o-mini";
const embeddingId = "openai/text-embedding-3-small";
/** An embedding needs its price stated. */
const costs = openRouterCosts({ prices: { [embeddingId]: { input: "0.02", output: "0" } } });
const asked = { prompt: "Hello", maxOutputTokens: 30, maxRetries: 0 };
const silent = { onError: () => {} };
const tools7 = { look: ai7.tool({ inputSchema: z.object({ q: z.string() }), execute: async () => "found" }) };
const tools6 = { look: ai6.tool({ inputSchema: z.object({ q: z.string() }), execute: async () => "found" }) };

/** Installed beside ai 7, the older provider finds its types in its packages. */
type Model6 = Parameters<typeof ai6.wrapLanguageModel>[0]["model"];
type Embedding6 = Parameters<typeof ai6.wrapEmbeddingModel>[0]["model"];
type Image6 = Parameters<typeof ai6.wrapImageModel>[0]["model"];
type Image7 = Parameters<typeof ai7.wrapImageModel>[0]["model"];

/** No provider here has images with a bound: a model that draws, and what it costs. */
const pictures = {
  specificationVersion: "v4",
  provider: "test",
  modelId: "pictures",
  maxImagesPerCall: 1,
  doGenerate: async () => ({
    images: ["AAAA"],
    warnings: [],
    response: { timestamp: new Date(), modelId: "pictures", headers: {} },
  }),
};
const imageCosts: CostExtractor = {
  provider: "test",
  quote: () => ({ boundPicoUsd: 9n }),
  receipt: () => ({ costPicoUsd: 7n }),
};

interface Asking {
  tracker: CostTracker;
  abortSignal?: AbortSignal;
}

/** What an app does in each version: ask, stream, loop over tools. */
const versions = {
  "ai 7.0.173 with OpenRouter 3.1.0": ({ tracker, ...call }: Asking) => {
    const middleware: ai7.LanguageModelMiddleware = budgetMiddleware({ tracker, costs: openRouterCosts() });
    const provider = createOpenRouter({ apiKey: "test", baseURL: simulator.openRouterUrl });
    const model = ai7.wrapLanguageModel({ model: provider.chat(modelId), middleware });
    const stopWhen = [ai7.stepCountIs(9), budgetIsSpent(tracker)];
    const loop = {
      model,
      prompt: "Look",
      tools: tools7,
      toolChoice: "required" as const,
      maxOutputTokens: 30,
      stopWhen,
    };
    return {
      generate: async () => (await ai7.generateText({ model, ...asked, ...call })).text,
      stream: () => ai7.streamText({ model, ...asked, ...call, ...silent }),
      loop: async () => (await ai7.generateText(loop)).steps.length,
    };
  },
  "ai 6.0.326 with OpenRouter 2.10.0": ({ tracker, ...call }: Asking) => {
    const middleware: ai6.LanguageModelMiddleware = budgetMiddleware({ tracker, costs: openRouterCosts() });
    const provider = createOpenRouter2({ apiKey: "test", baseURL: simulator.openRouterUrl });
    const model = ai6.wrapLanguageModel({ model: provider.chat(modelId) as unknown as Model6, middleware });
    const stopWhen = [ai6.stepCountIs(9), budgetIsSpent(tracker)];
    const loop = {
      model,
      prompt: "Look",
      tools: tools6,
      toolChoice: "required" as const,
      maxOutputTokens: 30,
      stopWhen,
    };
    return {
      generate: async () => (await ai6.generateText({ model, ...asked, ...call })).text,
      stream: () => ai6.streamText({ model, ...asked, ...call, ...silent }),
      loop: async () => (await ai6.generateText(loop)).steps.length,
    };
  },
};

async function setUp(budget: number | string, options: SimulatorOptions = {}) {
  simulator = await startSimulator(options);
  return new CostTracker({ budget });
}

/** The oracle: what the simulated provider billed, against what we recorded. */
async function expectBilledAsRecorded(tracker: CostTracker, count: number) {
  const { exact, boundCallCount } = await tracker.getStats();
  expect([exact.spent.picoUsd, exact.held.picoUsd, boundCallCount]).toEqual([simulator.invoice.totalPicoUsd, 0n, 0]);
  expect(simulator.invoice.count).toBe(count);
}

/** The other doors of each version: embeddings and images by middleware, and all of a provider by `withBudget`. */
const others = {
  "ai 7.0.173 with OpenRouter 3.1.0": (tracker: CostTracker) => {
    const bare = createOpenRouter({ apiKey: "test", baseURL: simulator.openRouterUrl });
    const provider = withBudget(bare, { tracker, costs });
    const middleware: ai7.EmbeddingModelMiddleware = budgetEmbeddingMiddleware({ tracker, costs });
    const imageMiddleware: ai7.ImageModelMiddleware = budgetImageMiddleware({ tracker, costs: imageCosts });
    const embedding = ai7.wrapEmbeddingModel({ model: bare.textEmbeddingModel(embeddingId), middleware });
    const image = ai7.wrapImageModel({ model: pictures as unknown as Image7, middleware: imageMiddleware });
    return {
      embed: () => ai7.embedMany({ model: embedding, values: ["a", "b"], maxRetries: 0 }),
      draw: () => ai7.generateImage({ model: image, prompt: "A cat", maxRetries: 0 }),
      generate: () => ai7.generateText({ model: provider(modelId), ...asked }),
      stream: () => ai7.streamText({ model: provider.chat(modelId), ...asked, ...silent }).text,
      embedByProvider: () => ai7.embed({ model: provider.textEmbeddingModel(embeddingId), value: "a", maxRetries: 0 }),
    };
  },
  "ai 6.0.326 with OpenRouter 2.10.0": (tracker: CostTracker) => {
    const bare = createOpenRouter2({ apiKey: "test", baseURL: simulator.openRouterUrl });
    const provider = withBudget(bare, { tracker, costs });
    const middleware: ai6.EmbeddingModelMiddleware = budgetEmbeddingMiddleware({ tracker, costs });
    const imageMiddleware: ai6.ImageModelMiddleware = budgetImageMiddleware({ tracker, costs: imageCosts });
    const model = bare.textEmbeddingModel(embeddingId) as unknown as Embedding6;
    const embedding = ai6.wrapEmbeddingModel({ model, middleware });
    const image = ai6.wrapImageModel({
      model: { ...pictures, specificationVersion: "v3" } as unknown as Image6,
      middleware: imageMiddleware,
    });
    const chat = (id: string) => provider.chat(id) as unknown as Model6;
    const wrapped = provider.textEmbeddingModel(embeddingId) as unknown as Embedding6;
    return {
      embed: () => ai6.embedMany({ model: embedding, values: ["a", "b"], maxRetries: 0 }),
      draw: () => ai6.generateImage({ model: image, prompt: "A cat", maxRetries: 0 }),
      generate: () => ai6.generateText({ model: chat(modelId), ...asked }),
      stream: async () => await ai6.streamText({ model: chat(modelId), ...asked, ...silent }).text,
      embedByProvider: () => ai6.embed({ model: wrapped, value: "a", maxRetries: 0 }),
    };
  },
};

describe.each(Object.entries(others))("the other doors in %s", (_version, use) => {
  it("record what is billed, through middleware and through withBudget", async () => {
    const tracker = await setUp(1);
    const { embed, generate, stream, embedByProvider } = use(tracker);
    for (const call of [embed, generate, stream, embedByProvider]) await call();
    await expectBilledAsRecorded(tracker, 4);
  });

  it("count an image", async () => {
    const tracker = await setUp(1);
    await use(tracker).draw();
    expect((await tracker.getStats()).exact.spent.picoUsd).toBe(7n);
  });

  it("tell their callers the refusal, and send nothing", async () => {
    const tracker = await setUp(0);
    for (const call of Object.values(use(tracker))) {
      expect(await Promise.resolve(call()).catch((error: unknown) => error)).toSatisfy(isBudgetExceeded);
    }
    expect(simulator.requests).toBe(0);
  });
});

describe.each(Object.entries(versions))("the budget middleware in %s", (_version, use) => {
  it.each([{ costField: "reported" }, { costField: "omitted" }, { byok: true }] as SimulatorOptions[])(
    "records what is billed, asked and streamed: %o",
    async (options) => {
      const tracker = await setUp(1, options);
      const { generate, stream } = use({ tracker });
      expect(await generate()).not.toBe("");
      expect(await stream().text).not.toBe("");
      await expectBilledAsRecorded(tracker, 2);
    },
  );

  it("records a stream that nobody reads to its end", async () => {
    const tracker = await setUp(1, { chunkDelayMs: 1 });
    for await (const _ of use({ tracker }).stream().textStream) break;
    await expect.poll(async () => (await tracker.getStats()).callCount).toBe(1);
    await expectBilledAsRecorded(tracker, 1);
  });

  it("counts an aborted call at its bound at most, and never below the bill", async () => {
    const tracker = await setUp(1, { latencyMs: 60_000 });
    for (const api of ["generate", "stream"] as const) {
      const abort = new AbortController();
      const before = simulator.requests;
      const call = use({ tracker, abortSignal: abort.signal });
      const done = api === "generate" ? call.generate().catch(() => undefined) : call.stream().consumeStream();
      await expect.poll(() => simulator.requests).toBe(before + 1);
      abort.abort();
      await done;
    }
    await expect.poll(() => simulator.invoice.count).toBe(2);
    await expect.poll(async () => (await tracker.getStats()).boundCallCount).toBe(2);
    const { exact } = await tracker.getStats();
    expect(exact.spent.picoUsd).toBeGreaterThanOrEqual(simulator.invoice.totalPicoUsd);
    expect(exact.held.picoUsd).toBe(0n);
  });

  it("tells its caller the refusal itself, and sends nothing", async () => {
    const tracker = await setUp(0);
    const denied: unknown[] = [];
    tracker.on("denied", ({ error }) => denied.push(error));
    const { generate, stream } = use({ tracker });
    const refused = await generate().catch((error: unknown) => error);
    expect([refused]).toEqual(denied);
    const streamed = await Promise.resolve(stream().text).catch((error: unknown) => error);
    expect(streamed).toBe(denied[1]);
    expect([refused, streamed].every((error) => BudgetExceededError.isInstance(error))).toBe(true);
    expect([isBudgetExceeded(refused), simulator.requests]).toEqual([true, 0]);
  });

  it("ends a loop over tools with all its steps when the next one cannot be paid", async () => {
    const tracker = await setUp("0.0004");
    const steps = await use({ tracker }).loop();
    expect(steps).toBeGreaterThan(1);
    expect(steps).toBeLessThan(9);
    await expectBilledAsRecorded(tracker, steps);
  });
});
