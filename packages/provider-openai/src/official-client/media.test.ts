import { BudgetError, BudgetExceededError, CostTracker, usd } from "@autolabel/budget-core";
import { type Simulator, type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import { AzureOpenAI, OpenAI, toStreamingFile } from "openai";
import { afterEach, describe, expect, it } from "vitest";
import { openAiCosts } from "../openai-costs.ts";
import type { OpenAiPrices } from "../openai-prices.ts";
import { meterOpenAI } from "./meter-openai.ts";

let simulator: Simulator;
afterEach(() => simulator.close());

const prices: OpenAiPrices = {
  "gpt-image-2": { input: "5", output: "30", imageInput: "8", maxOutputTokens: 8_000, maxInputTokens: 20_000 },
  "gpt-image-1.5": { input: "5", output: "10", imageInput: "8", imageOutput: "32", maxOutputTokens: 8_000 },
  "gpt-4o-mini-tts": { input: "0.6", output: "12", maxOutputTokens: 4_000 },
};

async function setUp(options: SimulatorOptions = {}, budget: string | ReturnType<typeof usd> = "5", maxRetries = 0) {
  simulator = await startSimulator(options);
  const tracker = new CostTracker({ budget });
  const breaches: unknown[] = [];
  tracker.on("spend", ({ receipt }) => {
    if (receipt.boundBreached) breaches.push(receipt);
  });
  const client = new OpenAI({ apiKey: "test", baseURL: simulator.openAiUrl, maxRetries, logLevel: "off" });
  return { tracker, breaches, openai: meterOpenAI(client, { tracker, costs: openAiCosts({ prices }) }) };
}

/** Plain sound: 16 bits, mono, 8 kHz. */
function wav(seconds: number): File {
  const bytes = Buffer.alloc(44 + Math.round(seconds * 16_000));
  bytes.write("RIFF", 0, "latin1");
  bytes.writeUInt32LE(bytes.length - 8, 4);
  bytes.write("WAVEfmt ", 8, "latin1");
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(1, 22);
  bytes.writeUInt32LE(8_000, 24);
  bytes.writeUInt32LE(16_000, 28);
  bytes.writeUInt16LE(2, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write("data", 36, "latin1");
  bytes.writeUInt32LE(bytes.length - 44, 40);
  return new File([bytes], "sound.wav", { type: "audio/wav" });
}
const mp3 = new File([Buffer.alloc(40_000, 7)], "sound.mp3", { type: "audio/mpeg" });
const picture = () => new File([Buffer.alloc(5_000, 1)], "a.png", { type: "image/png" });
const prompt = "A cat that counts money";

interface Settings {
  signal?: AbortSignal;
  timeout?: number;
}
type CallDoor = (openai: OpenAI, settings?: Settings) => Promise<unknown>;

async function readAll(stream: AsyncIterable<unknown>) {
  const parts: unknown[] = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

/** Doors whose answer tells what is billed, so that the books agree with the bill to the last pico-USD. */
const exact: Record<string, CallDoor> = {
  "images.generate": (openai, settings) =>
    openai.images.generate({ model: "gpt-image-1", prompt, quality: "medium", size: "1024x1024", n: 2 }, settings),
  "images.generate auto": (openai, settings) => openai.images.generate({ model: "gpt-image-1", prompt }, settings),
  "images.generate at a stated limit": (openai, settings) =>
    openai.images.generate({ model: "gpt-image-2", prompt, size: "1536x1024", quality: "high" }, settings),
  "images.generate with thoughts": (openai, settings) =>
    openai.images.generate({ model: "gpt-image-1.5", prompt, quality: "high" }, settings),
  "images.generate stream": async (openai, settings) =>
    await readAll(
      await openai.images.generate(
        { model: "gpt-image-1", prompt, stream: true, partial_images: 3, quality: "low", size: "1024x1024" },
        settings,
      ),
    ),
  "images.edit": (openai, settings) =>
    openai.images.edit(
      {
        model: "gpt-image-1",
        prompt,
        image: [picture(), picture()],
        mask: picture(),
        input_fidelity: "high",
        quality: "low",
        size: "1024x1024",
      },
      settings,
    ),
  "images.edit one": (openai, settings) =>
    openai.images.edit({ model: "gpt-image-2", prompt, image: picture() }, settings),
  "images.edit stream": async (openai, settings) =>
    await readAll(await openai.images.edit({ model: "gpt-image-1", prompt, image: picture(), stream: true }, settings)),
  "audio.speech.create": async (openai, settings) =>
    await (await openai.audio.speech.create({ model: "tts-1", voice: "ash", input: prompt }, settings)).arrayBuffer(),
  "audio.speech.create events": async (openai, settings) =>
    await (
      await openai.audio.speech.create(
        { model: "gpt-4o-mini-tts", voice: "ash", input: prompt, instructions: "Softly", stream_format: "sse" },
        settings,
      )
    ).text(),
  "audio.transcriptions.create": (openai, settings) =>
    openai.audio.transcriptions.create({ model: "gpt-4o-mini-transcribe", file: mp3, prompt: "money" }, settings),
  "audio.transcriptions.create stream": async (openai, settings) =>
    await readAll(
      await openai.audio.transcriptions.create({ model: "gpt-4o-transcribe", file: mp3, stream: true }, settings),
    ),
  "audio.transcriptions.create by the second": (openai, settings) =>
    openai.audio.transcriptions.create(
      { model: "whisper-1", file: wav(12.2), response_format: "verbose_json" },
      settings,
    ),
  "audio.translations.create": (openai, settings) =>
    openai.audio.translations.create({ model: "whisper-1", file: wav(3) }, settings),
};

/** Doors whose answer hides it: they count at their bound, and are marked. */
const bounded: Record<string, CallDoor> = {
  "audio.speech.create in other letters": async (openai) =>
    await (await openai.audio.speech.create({ model: "tts-1-hd", voice: "ash", input: "Grüße 👋🏽" })).arrayBuffer(),
  "audio.speech.create as sound": async (openai) =>
    await (await openai.audio.speech.create({ model: "gpt-4o-mini-tts", voice: "ash", input: prompt })).arrayBuffer(),
  "audio.transcriptions.create as subtitles": (openai) =>
    openai.audio.transcriptions.create({ model: "whisper-1", file: wav(12.2), response_format: "srt" }),
  "images.generate stream with thoughts": async (openai) =>
    await readAll(await openai.images.generate({ model: "gpt-image-1.5", prompt, stream: true })),
};

const doors = Object.entries(exact);

describe.each(doors)("%s", (_name, call) => {
  it("is billed as recorded", async () => {
    const { tracker, openai, breaches } = await setUp();
    await call(openai);
    await call(openai.withOptions({ timeout: 60_000 }));
    expect(breaches).toEqual([]);
    const { exact: books, boundCallCount } = await tracker.getStats();
    expect(simulator.invoice.count).toBe(2);
    expect([books.spent.picoUsd, books.held.picoUsd, boundCallCount]).toEqual([simulator.invoice.totalPicoUsd, 0n, 0]);
  });

  it("is not sent when its bound does not fit", async () => {
    const { tracker, openai } = await setUp({}, usd.pico(100_000n));
    await expect(call(openai)).rejects.toSatisfy((error) => BudgetExceededError.isInstance(error));
    await expect(call(openai.withOptions({ timeout: 60_000 }))).rejects.toBeDefined();
    expect([simulator.requests, (await tracker.getStats()).held]).toEqual([0, 0]);
  });

  it("is billed by its own retries, and never for a refusal", async () => {
    const { tracker, openai } = await setUp({ faults: [{ kind: "429", at: 1, retryAfter: 0 }] }, "5", 1);
    await call(openai);
    const { exact: books, boundCallCount } = await tracker.getStats();
    expect([simulator.requests, simulator.invoice.count]).toEqual([2, 1]);
    expect([books.spent.picoUsd, boundCallCount]).toEqual([simulator.invoice.totalPicoUsd, 0]);
  });

  it.each(["cut", "disconnect", "500"] as const)("is never below the bill after a %s", async (kind) => {
    const { tracker, openai } = await setUp({ faults: [{ kind }] });
    await Promise.resolve(call(openai)).catch(() => undefined);
    await expect.poll(async () => (await tracker.getStats()).held).toBe(0);
    const { exact: books, boundCallCount } = await tracker.getStats();
    expect(books.spent.picoUsd).toBeGreaterThanOrEqual(simulator.invoice.totalPicoUsd);
    expect(boundCallCount).toBe(1);
  });

  it("is never below the bill when its caller goes", async () => {
    const { tracker, openai } = await setUp({ latencyMs: 2_000 });
    const abort = new AbortController();
    const ended = Promise.resolve(call(openai, { signal: abort.signal })).catch(() => undefined);
    await expect.poll(() => simulator.inFlight).toBe(1);
    abort.abort();
    await ended;
    await expect.poll(async () => (await tracker.getStats()).held).toBe(0);
    await expect.poll(() => simulator.inFlight).toBe(0);
    const { exact: books } = await tracker.getStats();
    expect(simulator.invoice.count).toBe(1);
    expect(books.spent.picoUsd).toBeGreaterThanOrEqual(simulator.invoice.totalPicoUsd);
  });
});

describe.each(Object.entries(bounded))("%s", (_name, call) => {
  it("counts at least what is billed, and is marked", async () => {
    const { tracker, openai } = await setUp();
    await call(openai);
    const { exact: books, boundCallCount } = await tracker.getStats();
    expect([simulator.invoice.count, boundCallCount, books.held.picoUsd]).toEqual([1, 1, 0n]);
    expect(books.spent.picoUsd).toBeGreaterThanOrEqual(simulator.invoice.totalPicoUsd);
  });
});

describe("what is hidden from the client", () => {
  it("counts at its bound where the answer tells no usage", async () => {
    const { tracker, openai } = await setUp({ usageField: "omitted" });
    await openai.images.generate({ model: "gpt-image-1", prompt });
    const { exact: books, boundCallCount } = await tracker.getStats();
    expect(boundCallCount).toBe(1);
    expect(books.spent.picoUsd).toBeGreaterThan(simulator.invoice.totalPicoUsd);
  });
});

/** What has no bound, and what its refusal must name. */
const refused: [string, CallDoor, string][] = [
  ["no published limit", (ai) => ai.images.generate({ model: "gpt-image-1-mini", prompt }), "maxOutputTokens"],
  ["no model", (ai) => ai.images.generate({ prompt }), "model"],
  ["an unlisted model", (ai) => ai.images.generate({ model: "gpt-image-9", prompt }), "gpt-image-9"],
  ["a retired model", (ai) => ai.images.generate({ model: "dall-e-3", prompt }), "dall-e-3"],
  ["a text model", (ai) => ai.images.generate({ model: "gpt-4o-mini", prompt }), "maxOutputTokens"],
  ["an odd size", (ai) => ai.images.generate({ model: "gpt-image-1", prompt, size: "1792x1024" }), "1792x1024"],
  ["an odd quality", (ai) => ai.images.generate({ model: "gpt-image-1", prompt, quality: "max" }), "max"],
  ["svg", (ai) => ai.images.generate({ model: "gpt-image-2", prompt, output_format: "svg" }), "svg"],
  ["frames", (ai) => ai.images.generate({ model: "gpt-image-2", prompt, frame_count: 4 }), "frame_count"],
  ["no count", (ai) => ai.images.generate({ model: "gpt-image-1", prompt, n: 0 }), '"n"'],
  ["several in a stream", (ai) => ai.images.generate({ model: "gpt-image-1", prompt, n: 2, stream: true }), "n: 1"],
  [
    "half a partial image",
    (ai) => ai.images.generate({ model: "gpt-image-1", prompt, stream: true, partial_images: 0.5 }),
    "partial_images",
  ],
  [
    "pictures of an unknown count",
    (ai) => ai.images.edit({ model: "gpt-image-1.5", prompt, image: picture() }),
    "maxInputTokens",
  ],
  ["variations", (ai) => ai.images.createVariation({ image: picture() }), "/images/variations"],
  ["speech without a limit", (ai) => ai.audio.speech.create({ model: "tts-2", voice: "ash", input: "x" }), "tts-2"],
  [
    "sound of unknown length",
    (ai) => ai.audio.transcriptions.create({ model: "whisper-1", file: mp3 }),
    "Send it as WAV",
  ],
  [
    "sound that is heard in pieces",
    (ai) => ai.audio.transcriptions.create({ model: "gpt-4o-transcribe", file: mp3, chunking_strategy: "auto" }),
    "chunking_strategy",
  ],
  [
    "sound for a model without a price for it",
    (ai) => ai.audio.transcriptions.create({ model: "gpt-4o-mini", file: mp3 }),
    "sound",
  ],
  [
    "a file that is read while it is sent",
    (ai) =>
      ai.audio.transcriptions.create({
        model: "gpt-4o-transcribe",
        file: toStreamingFile(
          (async function* () {
            yield new Uint8Array(10);
          })(),
          "a.mp3",
        ),
      }),
    "toStreamingFile",
  ],
  [
    "a chat with a model that is sold by the second",
    (ai) =>
      ai.chat.completions.create({ model: "whisper-1", messages: [{ role: "user", content: "x" }], max_tokens: 5 }),
    "second",
  ],
  ["videos", (ai) => ai.videos.create({ prompt }), "/videos"],
];

describe("a call without a bound", () => {
  it.each(refused)("is refused with its fix and not sent: %s", async (_name, call, names) => {
    const { tracker, openai } = await setUp();
    const error: unknown = await Promise.resolve()
      .then(() => call(openai))
      .catch((thrown: unknown) => thrown);
    expect(BudgetError.isInstance(error), String(error)).toBe(true);
    expect(String(error)).toContain(names);
    expect([simulator.requests, (await tracker.getStats()).held]).toEqual([0, 0]);
  });
});

describe("AzureOpenAI", () => {
  it("is metered by the deployment in the path", async () => {
    simulator = await startSimulator();
    const tracker = new CostTracker({ budget: "5" });
    const client = new AzureOpenAI({
      apiKey: "test",
      endpoint: simulator.url,
      apiVersion: "2025-04-01-preview",
      maxRetries: 0,
    });
    const azure = meterOpenAI(client, { tracker });
    await azure.images.generate({ model: "gpt-image-1", prompt, quality: "low", size: "1024x1024" });
    await (await azure.audio.speech.create({ model: "tts-1", voice: "ash", input: prompt })).arrayBuffer();
    await azure.audio.transcriptions.create({ model: "whisper-1", file: wav(5) });
    const { exact: books, boundCallCount } = await tracker.getStats();
    expect([simulator.invoice.count, boundCallCount]).toEqual([3, 0]);
    expect(books.spent.picoUsd).toBe(simulator.invoice.totalPicoUsd);
  });
});
