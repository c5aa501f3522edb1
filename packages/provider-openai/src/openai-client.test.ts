import { BudgetExceededError, CostTracker, isBudgetExceeded, usd } from "@autolabel/budget-core";
import { type Simulator, type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import {
  createProviderRegistry,
  customProvider,
  embedMany,
  generateImage,
  generateSpeech,
  generateText,
  isStepCount,
  Output,
  streamText,
  tool,
  transcribe,
} from "ai";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { createBudgetedOpenAI } from "./openai-client.ts";
import { openAiBudgetError } from "./openai-errors.ts";
import type { OpenAiPrices } from "./openai-prices.ts";

let simulator: Simulator;
afterEach(() => simulator.close());

/** The oracle: what the simulated provider billed, against what we recorded. */
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

describe.each(["responses", "chat"] as const)("a budgeted model of %s", (api) => {
  async function setUp(budget: string, options: SimulatorOptions = {}) {
    simulator = await startSimulator(options);
    const tracker = new CostTracker({ budget });
    const sent: Record<string, unknown>[] = [];
    const openai = createBudgetedOpenAI({
      tracker,
      apiKey: "test",
      baseURL: simulator.openAiUrl,
      fetch: (url, init) => {
        sent.push(JSON.parse(init?.body as string) as Record<string, unknown>);
        return fetch(url, init);
      },
    });
    return { tracker, sent, model: openai[api]("gpt-4o-mini"), openai };
  }
  const prompt = "Hello, a or b?";

  it("records what is billed, and sends the cap of its bound", async () => {
    const { model, tracker, sent } = await setUp("1");
    await generateText({ model, prompt });
    await streamText({ model, prompt }).consumeStream();
    const output = Output.choice({ options: ["a", "b"] });
    await generateText({ model, prompt, output, maxOutputTokens: 30 });
    const cap = api === "chat" ? "max_tokens" : "max_output_tokens";
    expect(sent.map((body) => body[cap])).toEqual([16_384, 16_384, 30]);
    expect(simulator.invoice.count).toBe(3);
    await expectBilledAsRecorded(tracker);
  });

  it("is refused with the same error, and nothing is sent", async () => {
    const { model } = await setUp("0");
    const error = await generateText({ model, prompt }).catch((caught: unknown) => caught);
    expect(BudgetExceededError.isInstance(error)).toBe(true);
    const stream = streamText({ model, prompt, onError: () => {} });
    await expect(stream.text).rejects.toMatchObject({ code: "budget_exceeded" });
    expect(simulator.requests).toBe(0);
  });

  it("is refused in the middle of a tool loop, with the steps before it billed", async () => {
    const { model, tracker } = await setUp("1");
    const tools = { look: tool({ inputSchema: z.object({ q: z.string() }), execute: async () => "found" }) };
    const run = () => generateText({ model, prompt, tools, maxOutputTokens: 20, stopWhen: isStepCount(5) });
    await run();
    expect(simulator.invoice.count).toBe(2);
    await tracker.setBudget(usd.pico(simulator.invoice.totalPicoUsd + 1n));
    await expect(run()).rejects.toSatisfy(isBudgetExceeded);
    await expectBilledAsRecorded(tracker);
  });

  it("settles every retry by itself", async () => {
    const faults = [
      { kind: "429", at: 1, retryAfter: 0 },
      { kind: "503", at: 2, retryAfter: 0 },
    ] as const;
    const { model, tracker } = await setUp("1", { faults });
    await generateText({ model, prompt, maxOutputTokens: 20 });
    expect(simulator.requests).toBe(3);
    await expectBilledAsRecorded(tracker);
  });

  it.each(["500", "cut", "error-chunk", "bad-json", "empty-choices", "invalid-label"] as const)(
    "never records less than was billed when it goes wrong: %s",
    async (kind) => {
      const { model, tracker } = await setUp("1", { faults: [{ kind }] });
      const output = Output.choice({ options: ["a", "b"] });
      const limits = { maxOutputTokens: 20, maxRetries: 0 };
      await generateText({ model, prompt, output, ...limits }).catch(() => undefined);
      await expectNeverBelow(tracker);
      await streamText({ model, prompt, ...limits, onError: () => {} }).consumeStream({ onError: () => {} });
      expect(simulator.requests).toBe(2);
      await expectNeverBelow(tracker);
    },
  );

  it("records what an answer without choices cost, which only the error tells", async () => {
    const { model, tracker } = await setUp("1", { faults: [{ kind: "empty-choices" }] });
    await generateText({ model, prompt, maxOutputTokens: 20, maxRetries: 0 }).catch(() => undefined);
    expect(simulator.invoice.count).toBe(1);
    await expectBilledAsRecorded(tracker);
  });

  it("settles when it is aborted, left early or never read", async () => {
    const { model, tracker } = await setUp("1", { chunkDelayMs: 2, latencyMs: 10 });
    const abort = new AbortController();
    const limits = { maxOutputTokens: 60, abortSignal: abort.signal, onError: () => {} };
    const aborted = streamText({ model, prompt, ...limits });
    await expect.poll(() => simulator.requests, { interval: 1 }).toBe(1);
    abort.abort();
    await aborted.consumeStream({ onError: () => {} });
    for await (const _ of streamText({ model, prompt, maxOutputTokens: 60 }).textStream) break;
    void streamText({ model, prompt: "Nobody reads this", maxOutputTokens: 60 });
    await expect.poll(() => simulator.invoice.count).toBe(3);
    await expect.poll(async () => (await tracker.getStats()).callCount).toBe(3);
    await expectNeverBelow(tracker);
    expect((await tracker.getStats()).boundCallCount).toBe(1);
  });

  it("costs nothing when OpenAI refuses for money, and says so", async () => {
    const { model, tracker } = await setUp("1", { creditPicoUsd: 0n });
    const error = await generateText({ model, prompt }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "upstream_budget", provider: "openai", statusCode: 429 });
    expect(openAiBudgetError(error)).toBe(error);
    const stream = streamText({ model, prompt, onError: () => {} });
    await expect(stream.text).rejects.toMatchObject({ code: "upstream_budget", statusCode: 429 });
    // It is no rate limit, so nothing was tried again.
    expect(simulator.requests).toBe(2);
    await expectBilledAsRecorded(tracker);
  });

  it("pays at most 50 of 200 concurrent calls on a budget for 50", async () => {
    const { model, tracker } = await setUp("1", { latencyMs: 2 });
    const ask = () => generateText({ model, prompt, maxOutputTokens: 40, maxRetries: 0 });
    await ask();
    const perCall = simulator.invoice.totalPicoUsd;
    simulator.reset();
    await tracker.reset();
    await tracker.setBudget(usd.pico(perCall * 50n));
    const outcomes = await Promise.allSettled(Array.from({ length: 200 }, ask));
    const paid = outcomes.filter(({ status }) => status === "fulfilled").length;
    expect(paid).toBeLessThanOrEqual(50);
    expect(paid).toBeGreaterThan(35);
    expect(simulator.requests).toBe(paid);
    expect(simulator.invoice.totalPicoUsd).toBeLessThanOrEqual(perCall * 50n);
    await expectBilledAsRecorded(tracker);
  });

  it("keeps input in the request: nothing is stored unless a call says so", async () => {
    const { model, openai, sent } = await setUp("1");
    await generateText({ model, prompt });
    await generateText({ model, prompt, providerOptions: { openai: { store: true } } });
    expect(sent.map(({ store }) => store)).toEqual(api === "chat" ? [undefined, true] : [false, true]);
    expect(openai("gpt-4o-mini").provider).toBe("openai.responses");
  });
});

describe("a stream that ends before its answer does", () => {
  it("counts at the bound, though every chunk told a running usage", async () => {
    simulator = await startSimulator();
    const told = { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 };
    const chunk = { id: "c", model: "gpt-4o-mini", choices: [{ index: 0, delta: { content: "w " } }], usage: told };
    const body = `data: ${JSON.stringify(chunk)}\n\n`.repeat(2);
    const tracker = new CostTracker({ budget: "1" });
    const headers = { "content-type": "text/event-stream" };
    const openai = createBudgetedOpenAI({
      tracker,
      apiKey: "test",
      fetch: async () => new Response(body, { headers }),
    });
    await streamText({ model: openai.chat("gpt-4o-mini"), prompt: "Hello", maxOutputTokens: 100 }).consumeStream();
    expect(await tracker.getStats()).toMatchObject({ callCount: 1, boundCallCount: 1, held: 0 });
  });
});

describe("the service tier", () => {
  async function sentTiers(baseURL: string | undefined) {
    simulator = await startSimulator();
    const sent: unknown[] = [];
    const openai = createBudgetedOpenAI({
      tracker: new CostTracker({ budget: "1" }),
      apiKey: "test",
      ...(baseURL === undefined ? {} : { baseURL }),
      fetch: async (url, init) => {
        sent.push((JSON.parse(init?.body as string) as { service_tier?: unknown }).service_tier);
        return await fetch(simulator.openAiUrl + new URL(new Request(url).url).pathname.slice("/v1".length), init);
      },
    });
    for (const model of [openai("gpt-5-mini"), openai.chat("gpt-5-mini")]) {
      for (const openai of [{}, { serviceTier: undefined }, { serviceTier: "flex" }]) {
        await generateText({ model, prompt: "Hello", maxOutputTokens: 20, providerOptions: { openai } });
      }
    }
    return sent;
  }

  it.each([undefined, "https://eu.api.openai.com/v1"])(
    "is named to OpenAI itself, where a project's own may be a dearer one: %s",
    async (baseURL) => {
      const tiers = ["default", "default", "flex"];
      expect(await sentTiers(baseURL)).toEqual([...tiers, ...tiers]);
    },
  );

  it("is left to other servers", async () => {
    const tiers = [undefined, undefined, "flex"];
    expect(await sentTiers("https://gateway.example.com/v1")).toEqual([...tiers, ...tiers]);
  });
});

it("is a provider for registries and custom providers", async () => {
  simulator = await startSimulator();
  const tracker = new CostTracker({ budget: "5" });
  const openai = createBudgetedOpenAI({ tracker, apiKey: "test", baseURL: simulator.openAiUrl });
  const registry = createProviderRegistry({ openai });
  const fallback = customProvider({ fallbackProvider: openai });
  for (const model of [registry.languageModel("openai:gpt-4o-mini"), fallback.languageModel("gpt-4o-mini")]) {
    const { usage } = await generateText({ model, prompt: "Hello", maxOutputTokens: 20 });
    expect(usage.inputTokens).toBe(simulator.invoice.lines.at(-1)?.promptTokens);
  }
  await embedMany({ model: registry.embeddingModel("openai:text-embedding-3-small"), values: ["one"] });
  await generateImage({ model: registry.imageModel("openai:gpt-image-1"), prompt: "A cat", size: "1024x1024" });
  await generateSpeech({ model: registry.speechModel("openai:tts-1"), text: "Hello" });
  await transcribe({ model: registry.transcriptionModel("openai:whisper-1"), audio: wav(2) });
  expect(simulator.invoice.count).toBe(6);
  await expectBilledAsRecorded(tracker);
});

it("a budgeted embedding model records what is billed, and is refused with the same error", async () => {
  simulator = await startSimulator();
  const tracker = new CostTracker({ budget: "1" });
  const openai = createBudgetedOpenAI({ tracker, apiKey: "test", baseURL: simulator.openAiUrl });
  const model = openai.embedding("text-embedding-3-small");
  await embedMany({ model, values: ["one", "two"] });
  expect(simulator.invoice.totalPicoUsd).toBeGreaterThan(0n);
  await expectBilledAsRecorded(tracker);
  await tracker.setBudget("0");
  await expect(embedMany({ model, values: ["one"] })).rejects.toMatchObject({ code: "budget_exceeded" });
  expect(simulator.requests).toBe(1);
});

/** Plain sound: 8 bits, mono, 8 kHz, with its format behind another chunk. */
function wav(seconds: number): Uint8Array {
  const bytes = Buffer.alloc(56 + seconds * 8_000);
  bytes.write("RIFF", 0, "latin1");
  bytes.write("WAVELIST", 8, "latin1");
  bytes.writeUInt32LE(3, 16);
  bytes.write("fmt ", 24, "latin1");
  bytes.writeUInt32LE(16, 28);
  bytes.writeUInt16LE(1, 32);
  bytes.writeUInt16LE(1, 34);
  bytes.writeUInt32LE(8_000, 36);
  bytes.writeUInt32LE(8_000, 40);
  bytes.writeUInt16LE(1, 44);
  bytes.writeUInt16LE(8, 46);
  bytes.write("data", 48, "latin1");
  bytes.writeUInt32LE(seconds * 8_000, 52);
  return bytes;
}

const prices: OpenAiPrices = {
  "gpt-image-2": { input: "5", output: "30", imageInput: "8", maxOutputTokens: 8_000, maxInputTokens: 20_000 },
};
const mp3 = Buffer.from("SUQzBAAAAAAAI1RTU0UAAAAPAAADTGF2ZjU4", "base64");
type Budgeted = ReturnType<typeof createBudgetedOpenAI>;
const picture = Buffer.from("iVBORw0KGgo=", "base64");

const media: Record<string, (openai: Budgeted) => Promise<unknown>> = {
  image: (openai) => generateImage({ model: openai.image("gpt-image-1"), prompt: "A cat", n: 2, size: "1024x1024" }),
  "image at a stated limit": (openai) =>
    generateImage({
      model: openai.image("gpt-image-2"),
      prompt: "A cat",
      providerOptions: { openai: { quality: "high", outputFormat: "png" } },
    }),
  "image of images": (openai) =>
    generateImage({
      model: openai.image("gpt-image-1"),
      prompt: { text: "A cat", images: [picture, picture] },
      providerOptions: { openai: { inputFidelity: "high" } },
    }),
  speech: (openai) => generateSpeech({ model: openai.speech("tts-1"), text: "Hello" }),
  "transcription by the token": (openai) =>
    transcribe({ model: openai.transcription("gpt-4o-mini-transcribe"), audio: mp3 }),
  "transcription by the second": (openai) => transcribe({ model: openai.transcription("whisper-1"), audio: wav(7) }),
  "transcription of base64": (openai) =>
    transcribe({ model: openai.transcription("whisper-1"), audio: Buffer.from(wav(7)).toString("base64") }),
};

describe.each(Object.entries(media))("a budgeted model of %s", (_name, call) => {
  it("records what is billed, and is refused before it is sent", async () => {
    simulator = await startSimulator();
    const tracker = new CostTracker({ budget: "5" });
    const openai = createBudgetedOpenAI({ tracker, prices, apiKey: "test", baseURL: simulator.openAiUrl });
    await call(openai);
    expect(simulator.invoice.totalPicoUsd).toBeGreaterThan(0n);
    await expectBilledAsRecorded(tracker);
    await tracker.setBudget("0");
    await expect(call(openai)).rejects.toSatisfy(isBudgetExceeded);
    expect(simulator.requests).toBe(1);
  });
});

describe("a budgeted media model", () => {
  it.each<[string, (openai: Budgeted) => Promise<unknown>, string]>([
    [
      "of no published limit",
      (ai) => generateImage({ model: ai.image("gpt-image-1.5"), prompt: "x" }),
      "maxOutputTokens",
    ],
    [
      "that is asked for frames",
      (ai) =>
        generateImage({ model: ai.image("gpt-image-2"), prompt: "x", providerOptions: { openai: { frameCount: 4 } } }),
      "frameCount",
    ],
    [
      "of speech without a limit",
      (ai) => generateSpeech({ model: ai.speech("gpt-4o-mini-tts"), text: "x" }),
      "maxOutputTokens",
    ],
    ["of sound of unknown length", (ai) => transcribe({ model: ai.transcription("whisper-1"), audio: mp3 }), "WAV"],
    [
      "of sound in pieces",
      (ai) => transcribe({ model: ai.transcription("gpt-4o-transcribe-diarize"), audio: mp3 }),
      "in pieces",
    ],
    [
      "of sound in pieces that are asked for",
      (ai) =>
        transcribe({
          model: ai.transcription("gpt-4o-transcribe"),
          audio: mp3,
          providerOptions: { openai: { chunkingStrategy: "auto" } },
        }),
      "chunkingStrategy",
    ],
  ])("is refused with its fix and not sent: %s", async (_name, call, names) => {
    simulator = await startSimulator();
    const tracker = new CostTracker({ budget: "5" });
    const openai = createBudgetedOpenAI({ tracker, prices, apiKey: "test", baseURL: simulator.openAiUrl });
    await expect(call(openai)).rejects.toThrow(names);
    expect(simulator.requests).toBe(0);
  });
});
