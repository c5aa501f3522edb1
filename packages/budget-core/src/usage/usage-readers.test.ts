import { describe, expect, it } from "vitest";
import { readAnthropicUsage } from "./read-anthropic-usage.ts";
import { readGeminiUsage } from "./read-gemini-usage.ts";
import { readOpenAiUsage } from "./read-openai-usage.ts";
import { readOpenRouterUsage } from "./read-openrouter-usage.ts";
import { readSdkUsage } from "./read-sdk-usage.ts";

const readers = { readOpenAiUsage, readAnthropicUsage, readGeminiUsage, readOpenRouterUsage, readSdkUsage };

describe.each(Object.entries(readers))("%s", (_name, read) => {
  it.each([undefined, null, {}, [], "12", 12, { usage: null }, { usage: {} }, { usageMetadata: {} }, { usage: [] }])(
    "knows nothing from %o, which is not zero",
    (raw) => {
      expect(read(raw)).toBeUndefined();
    },
  );
});

describe("readOpenAiUsage", () => {
  const usage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 };

  it.each([
    ["negative", { ...usage, prompt_tokens: -1 }],
    ["fractional", { ...usage, prompt_tokens: 1.5, total_tokens: 11.5 }],
    ["textual", { ...usage, completion_tokens: "10" }],
    ["infinite", { ...usage, total_tokens: Number.POSITIVE_INFINITY }],
    ["without output", { prompt_tokens: 100 }],
    ["with more cached than sent", { ...usage, prompt_tokens_details: { cached_tokens: 101 } }],
    ["with more reasoning than output", { ...usage, completion_tokens_details: { reasoning_tokens: 11 } }],
    ["with a total that does not add up", { ...usage, total_tokens: 111 }],
    ["with a total that is all input", { ...usage, total_tokens: 100 }],
    ["with details that are no counts", { ...usage, prompt_tokens_details: { cached_tokens: "7" } }],
    ["served by a tier that nobody prices", { usage, service_tier: "scale" }],
    ["served by a tier that is no text", { usage, service_tier: 7 }],
  ])("does not price counts that are %s", (_what, raw) => {
    expect(readOpenAiUsage(raw)).toBeUndefined();
  });

  it("reads chat, responses, embeddings and images", () => {
    expect(readOpenAiUsage({ usage, service_tier: "default" })).toEqual({
      inputTokens: 100,
      outputTokens: 10,
      serviceTier: "standard",
    });
    expect(readOpenAiUsage({ prompt_tokens: 5, total_tokens: 5 })).toEqual({ inputTokens: 5, outputTokens: 0 });
    expect(readOpenAiUsage({ prompt_tokens: 5, completion_tokens: 2, prompt_cache_hit_tokens: 4 })).toMatchObject({
      cacheReadTokens: 4,
    });
    const image = {
      usage: {
        input_tokens: 50,
        output_tokens: 4160,
        total_tokens: 4210,
        input_tokens_details: { text_tokens: 10, image_tokens: 40 },
        output_tokens_details: { image_tokens: 4160 },
      },
    };
    expect(readOpenAiUsage(image)).toMatchObject({ imageInputTokens: 40, imageOutputTokens: 4160 });
    expect(readOpenAiUsage({ ...usage, prompt_tokens_details: { video_tokens: 30 } })).toMatchObject({
      imageInputTokens: 30,
    });
  });

  it("counts the searches that a response lists", () => {
    const output = [{ type: "web_search_call" }, { type: "message" }, { type: "file_search_call" }, null];
    const body = { output, usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 } };
    expect(readOpenAiUsage(body)).toMatchObject({ webSearchCount: 1, fileSearchCount: 1 });
    expect(readOpenAiUsage({ ...body, output: [] })).toEqual({ inputTokens: 1, outputTokens: 1 });
  });

  it("adds reasoning where the total shows that the output lacks it", () => {
    const xai = { ...usage, total_tokens: 150, completion_tokens_details: { reasoning_tokens: 40 } };
    expect(readOpenAiUsage(xai)).toMatchObject({ outputTokens: 50, reasoningTokens: 40 });
  });

  it("reads cached audio and images of a realtime response", () => {
    const realtime = {
      input_tokens: 100,
      output_tokens: 10,
      input_token_details: {
        cached_tokens: 60,
        audio_tokens: 50,
        image_tokens: 20,
        cached_tokens_details: { audio_tokens: 40, image_tokens: 10 },
      },
      output_token_details: { audio_tokens: 5 },
    };
    expect(readOpenAiUsage(realtime)).toMatchObject({
      audioCacheReadTokens: 40,
      imageCacheReadTokens: 10,
      audioOutputTokens: 5,
    });
  });
});

describe("readAnthropicUsage", () => {
  const usage = { input_tokens: 10, output_tokens: 5 };

  it("adds cached input, which is not inside the input", () => {
    expect(
      readAnthropicUsage({
        ...usage,
        cache_read_input_tokens: 100,
        cache_creation_input_tokens: 30,
        service_tier: "batch",
      }),
    ).toEqual({ inputTokens: 140, outputTokens: 5, cacheReadTokens: 100, cacheWriteTokens: 30, serviceTier: "batch" });
  });

  it("tells cache writes of five minutes from those of an hour", () => {
    const cache_creation = { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 };
    const written = { ...usage, cache_creation_input_tokens: 30, cache_creation };
    expect(readAnthropicUsage(written)).toMatchObject({
      inputTokens: 40,
      cacheWriteTokens: 10,
      cacheWrite1hTokens: 20,
    });
    expect(readAnthropicUsage({ ...usage, cache_creation })).toMatchObject({ inputTokens: 40 });
    expect(readAnthropicUsage({ ...usage, cache_creation: {} })).toEqual({ inputTokens: 10, outputTokens: 5 });
    expect(readAnthropicUsage({ ...written, cache_creation_input_tokens: 31 })).toBeUndefined();
  });

  it("adds compaction, which the totals leave out", () => {
    const iterations = [
      { type: "compaction", input_tokens: 1000, output_tokens: 50, cache_read_input_tokens: 7 },
      { type: "message", input_tokens: 10, output_tokens: 5 },
    ];
    expect(readAnthropicUsage({ ...usage, iterations })).toEqual({
      inputTokens: 1017,
      outputTokens: 55,
      cacheReadTokens: 7,
    });
    expect(readAnthropicUsage({ ...usage, iterations: iterations.slice(1) })).toEqual({
      inputTokens: 10,
      outputTokens: 5,
    });
    expect(readAnthropicUsage({ ...usage, iterations: [{ type: "compaction" }] })).toBeUndefined();
  });

  it.each([
    [
      "an advisor at another model's rate",
      { iterations: [{ type: "advisor_message", input_tokens: 1, output_tokens: 1 }] },
    ],
    ["fast mode", { speed: "fast" }],
    ["inference in one region", { inference_geo: "us" }],
    ["a tier without a price", { service_tier: "gold" }],
    ["searches that are no count", { server_tool_use: { web_search_requests: "3" } }],
  ])("does not price %s", (_what, more) => {
    expect(readAnthropicUsage({ usage: { ...usage, ...more } })).toBeUndefined();
  });
});

describe("readGeminiUsage", () => {
  it("adds thoughts and tool results, and reads modalities", () => {
    const usageMetadata = {
      promptTokenCount: 100,
      toolUsePromptTokenCount: 20,
      cachedContentTokenCount: 50,
      candidatesTokenCount: 10,
      thoughtsTokenCount: 30,
      totalTokenCount: 160,
      promptTokensDetails: [
        { modality: "TEXT", tokenCount: 10 },
        { modality: "IMAGE", tokenCount: 30 },
        { modality: "VIDEO", tokenCount: 20 },
        { modality: "AUDIO", tokenCount: 40 },
      ],
      cacheTokensDetails: [
        { modality: "AUDIO", tokenCount: 30 },
        { modality: "VIDEO", tokenCount: 20 },
      ],
      candidatesTokensDetails: [{ modality: "IMAGE", tokenCount: 5 }],
      serviceTier: "flex",
    };
    expect(readGeminiUsage({ usageMetadata })).toEqual({
      inputTokens: 120,
      outputTokens: 40,
      cacheReadTokens: 50,
      reasoningTokens: 30,
      audioInputTokens: 40,
      audioCacheReadTokens: 30,
      imageInputTokens: 50,
      imageCacheReadTokens: 20,
      imageOutputTokens: 5,
      serviceTier: "flex",
    });
  });

  it("takes no candidates for none only where the total says so", () => {
    expect(readGeminiUsage({ promptTokenCount: 10, totalTokenCount: 10 })).toEqual({
      inputTokens: 10,
      outputTokens: 0,
    });
    expect(readGeminiUsage({ promptTokenCount: 10 })).toBeUndefined();
    expect(readGeminiUsage({ promptTokenCount: 10, totalTokenCount: 15 })).toBeUndefined();
    expect(readGeminiUsage({ promptTokenCount: 10, totalTokenCount: 10, serviceTier: "gold" })).toBeUndefined();
  });
});

describe("readOpenRouterUsage", () => {
  const usage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110, cost: 0.01 };

  it("reads cache writes and searches", () => {
    const more = { prompt_tokens_details: { cached_tokens: 20, cache_write_tokens: 30 } };
    expect(readOpenRouterUsage({ usage: { ...usage, ...more, server_tool_use: { web_search_requests: 2 } } })).toEqual({
      inputTokens: 100,
      outputTokens: 10,
      cacheReadTokens: 20,
      cacheWriteTokens: 30,
      webSearchCount: 2,
    });
    expect(readOpenRouterUsage(usage)).toEqual({ inputTokens: 100, outputTokens: 10 });
    expect(readOpenRouterUsage({ ...usage, server_tool_use: { web_search_requests: -2 } })).toBeUndefined();
  });
});

describe("readSdkUsage", () => {
  const nested = { inputTokens: { total: 140, cacheRead: 100, cacheWrite: 30 }, outputTokens: { total: 5 } };

  it("reads the nested shape, the flat one, and one that was adapted twice", () => {
    expect(readSdkUsage({ inputTokens: 7, outputTokens: 3, cachedInputTokens: 2, reasoningTokens: 1 })).toEqual({
      inputTokens: 7,
      outputTokens: 3,
      cacheReadTokens: 2,
      reasoningTokens: 1,
    });
    expect(readSdkUsage(nested)).toEqual({
      inputTokens: 140,
      outputTokens: 5,
      cacheReadTokens: 100,
      cacheWriteTokens: 30,
    });
    expect(readSdkUsage({ inputTokens: { total: { total: 7 } }, outputTokens: { total: 3 } })).toEqual({
      inputTokens: 7,
      outputTokens: 3,
    });
    expect(readSdkUsage({ inputTokens: { total: undefined }, outputTokens: { total: 3 } })).toBeUndefined();
    expect(readSdkUsage({ inputTokens: 7, outputTokens: Number.NaN })).toBeUndefined();
  });

  it("takes from Anthropic's raw usage what the SDK drops", () => {
    const raw = {
      input_tokens: 10,
      output_tokens: 5,
      cache_read_input_tokens: 100,
      cache_creation_input_tokens: 30,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 30 },
      server_tool_use: { web_search_requests: 1 },
      service_tier: "standard",
    };
    expect(readSdkUsage({ ...nested, raw })).toEqual({
      inputTokens: 140,
      outputTokens: 5,
      cacheReadTokens: 100,
      cacheWrite1hTokens: 30,
      webSearchCount: 1,
      serviceTier: "standard",
    });
    expect(readSdkUsage({ ...nested, raw: { ...raw, speed: "fast" } })).toBeUndefined();
  });

  it("takes cache writes and audio from OpenAI-like and Gemini usages", () => {
    const chat = { inputTokens: { total: 50 }, outputTokens: { total: 5 } };
    const raw = {
      prompt_tokens: 50,
      completion_tokens: 5,
      prompt_tokens_details: { cache_write_tokens: 20, audio_tokens: 9 },
    };
    expect(readSdkUsage({ ...chat, raw })).toMatchObject({ cacheWriteTokens: 20, audioInputTokens: 9 });
    const promptTokensDetails = [{ modality: "AUDIO", tokenCount: 40 }];
    const gemini = { promptTokenCount: 50, candidatesTokenCount: 5, totalTokenCount: 55, promptTokensDetails };
    expect(readSdkUsage({ ...chat, raw: gemini })).toMatchObject({ audioInputTokens: 40 });
  });

  it("stays with the SDK's totals where the raw usage says otherwise", () => {
    const chat = { inputTokens: { total: 50, cacheRead: 10 }, outputTokens: { total: 5 } };
    expect(readSdkUsage({ ...chat, raw: { prompt_tokens: 60, completion_tokens: 5 } })).toEqual({
      inputTokens: 50,
      outputTokens: 5,
      cacheReadTokens: 10,
    });
    const overlapping = { prompt_tokens: 50, completion_tokens: 5, prompt_tokens_details: { audio_tokens: 45 } };
    expect(readSdkUsage({ ...chat, raw: overlapping })).toEqual({
      inputTokens: 50,
      outputTokens: 5,
      cacheReadTokens: 10,
    });
  });
});
