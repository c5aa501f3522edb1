import type { Call, CallResult, Surface } from "@autolabel/budget-core";
import { describe, expect, it } from "vitest";
import { openAiCosts } from "../openai-costs.ts";

const costs = openAiCosts({
  prices: { drawer: { input: "5", output: "10", imageInput: "8", imageOutput: "32", maxOutputTokens: 9_000 } },
});
const requests: Partial<Record<Surface, object>> = {
  image: { prompt: "x", model: "m" },
  speech: { input: "Hello", voice: "ash", model: "m" },
  transcription: { model: "m", file: { head: new Uint8Array(), size: 1 } },
};

function receiptOf(surface: Surface, modelId: string, result: CallResult) {
  const call: Call = { surface, modelId, request: { ...requests[surface] } };
  return costs.receipt({ call, quote: { boundPicoUsd: 77n }, result });
}

/** Million tokens at a dollar is a micro-USD per token. */
const micro = (amount: number) => BigInt(amount) * 1_000_000n;
const usage = { input_tokens: 10, output_tokens: 100, total_tokens: 110 };
const split = { image_tokens: 4, text_tokens: 6 };

describe("the receipt of media", () => {
  it.each<[string, Surface, string, CallResult, bigint | undefined, "computed" | "bound"]>([
    [
      "pictures by their parts",
      "image",
      "drawer",
      { body: { usage: { ...usage, input_tokens_details: split, output_tokens_details: { image_tokens: 90 } } } },
      micro(6 * 5 + 4 * 8 + 10 * 10 + 90 * 32),
      "computed",
    ],
    [
      "an output that is not split counts as pictures",
      "image",
      "drawer",
      { body: { usage: { ...usage, input_tokens_details: split } } },
      micro(6 * 5 + 4 * 8 + 100 * 32),
      "bound",
    ],
    [
      "an input that is not split counts as pictures",
      "image",
      "gpt-image-1",
      { body: { usage } },
      micro(10 * 10 + 100 * 40),
      "bound",
    ],
    [
      "the AI SDK's totals alone",
      "image",
      "drawer",
      { usage: { inputTokens: 10, outputTokens: 100 } },
      micro(10 * 8 + 100 * 32),
      "bound",
    ],
    [
      "the AI SDK's parts",
      "image",
      "gpt-image-1",
      {
        usage: { inputTokens: 10, outputTokens: 100 },
        providerMetadata: { openai: { images: [{ imageTokens: 1 }, { imageTokens: 3 }] } },
      },
      micro(6 * 5 + 4 * 10 + 100 * 40),
      "computed",
    ],
    ["no usage", "image", "drawer", { body: {} }, undefined, "bound"],
    ["a broken usage", "image", "drawer", { body: { usage: { ...usage, output_tokens: -1 } } }, undefined, "bound"],
    [
      "sound that is not split",
      "transcription",
      "gpt-4o-transcribe",
      { body: { usage: { type: "tokens", ...usage } } },
      micro(10 * 6 + 100 * 10),
      "bound",
    ],
    [
      "whole seconds",
      "transcription",
      "whisper-1",
      { body: { usage: { type: "duration", seconds: 61 } } },
      micro(6_100),
      "computed",
    ],
    [
      "parts of a second",
      "transcription",
      "whisper-1",
      { body: { usage: { type: "duration", seconds: 60.2 } } },
      micro(6_100),
      "bound",
    ],
    [
      "seconds below zero",
      "transcription",
      "whisper-1",
      { body: { usage: { type: "duration", seconds: -1 } } },
      undefined,
      "bound",
    ],
    [
      "seconds that are none",
      "transcription",
      "whisper-1",
      { body: { usage: { type: "duration" } } },
      undefined,
      "bound",
    ],
    ["tokens of what is sold by the second", "transcription", "whisper-1", { body: { usage } }, undefined, "bound"],
    ["characters", "speech", "tts-1", {}, micro(75), "computed"],
    ["speech in tokens", "speech", "gpt-4o-mini-tts", { body: { usage } }, 6_000_000n + micro(1_200), "computed"],
    ["speech without usage", "speech", "gpt-4o-mini-tts", {}, undefined, "bound"],
  ])("never counts less than what it tells: %s", (_name, surface, modelId, result, cost, kind) => {
    expect(receiptOf(surface, modelId, result)).toMatchObject({ costPicoUsd: cost ?? 77n, kind });
  });
});
