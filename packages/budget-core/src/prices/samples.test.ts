import { expect, it } from "vitest";
import { parsePicoUsd } from "../money.ts";
import { readAnthropicUsage } from "../usage/read-anthropic-usage.ts";
import { readGeminiUsage } from "../usage/read-gemini-usage.ts";
import { readOpenAiUsage } from "../usage/read-openai-usage.ts";
import { priceUsage } from "./price-usage.ts";
import { bundledPriceBook } from "./snapshot.ts";

const readers = { openai: readOpenAiUsage, anthropic: readAnthropicUsage, google: readGeminiUsage };

type Details = { cached?: number; audioIn?: number; audioOut?: number; reasoning?: number; tier?: string };

function chat(input: number, output: number, { cached, audioIn, audioOut, reasoning, tier }: Details = {}): unknown {
  return {
    object: "chat.completion",
    usage: {
      prompt_tokens: input,
      completion_tokens: output,
      total_tokens: input + output,
      prompt_tokens_details: { cached_tokens: cached ?? 0, audio_tokens: audioIn ?? 0 },
      completion_tokens_details: { reasoning_tokens: reasoning ?? 0, audio_tokens: audioOut ?? 0 },
    },
    service_tier: tier ?? "default",
  };
}

function responses(input: number, output: number, cached: number): unknown {
  const usage = {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: input + output,
  };
  return { object: "response", output: [], usage, service_tier: "default" };
}

function claude(usage: Record<string, unknown>): unknown {
  return { type: "message", usage: { service_tier: "standard", ...usage } };
}

function gemini(usageMetadata: Record<string, unknown>): unknown {
  return { candidates: [], usageMetadata };
}

const cacheWrites = {
  cache_creation_input_tokens: 2000,
  cache_read_input_tokens: 5000,
  input_tokens: 100,
  output_tokens: 300,
};
const fiveMinutes = { ephemeral_5m_input_tokens: 2000, ephemeral_1h_input_tokens: 0 };
const oneHour = { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 2000 };

/** Raw provider responses and what they cost, worked out by hand from the providers' price pages. */
const samples: [provider: keyof typeof readers, model: string, body: unknown, usd: string][] = [
  ["openai", "gpt-4o", chat(1000, 500), "0.0075"],
  ["openai", "gpt-4o-mini", chat(10_000, 100, { cached: 8000 }), "0.00096"],
  ["openai", "gpt-3.5-turbo", chat(1234, 567), "0.0014675"],
  ["openai", "o3", chat(1000, 5000, { reasoning: 4000 }), "0.042"],
  ["openai", "gpt-5", responses(50_000, 2000, 40_000), "0.0375"],
  ["openai", "gpt-5.4", responses(300_000, 1000, 100_000), "1.0725"],
  ["openai", "gpt-5.4", responses(272_000, 1000, 0), "0.695"],
  ["openai", "gpt-5", chat(10_000, 1000, { tier: "flex" }), "0.01125"],
  ["openai", "gpt-4o", chat(10_000, 1000, { tier: "priority" }), "0.0595"],
  ["openai", "gpt-4o", chat(10_000, 1000, { tier: "batch" }), "0.0175"],
  ["openai", "gpt-4o-audio-preview", chat(3000, 500, { audioIn: 2000, audioOut: 500 }), "0.1225"],
  ["anthropic", "claude-sonnet-4-5", claude({ ...cacheWrites, cache_creation: fiveMinutes }), "0.0138"],
  ["anthropic", "claude-sonnet-4-5", claude({ ...cacheWrites, cache_creation: oneHour }), "0.0183"],
  [
    "anthropic",
    "claude-sonnet-4-5",
    claude({ input_tokens: 10, cache_read_input_tokens: 250_000, output_tokens: 1000 }),
    "0.17256",
  ],
  [
    "anthropic",
    "claude-haiku-4-5",
    claude({ input_tokens: 1000, output_tokens: 500, server_tool_use: { web_search_requests: 3 } }),
    "0.0335",
  ],
  [
    "google",
    "gemini-2.5-pro",
    gemini({ promptTokenCount: 250_000, candidatesTokenCount: 1000, totalTokenCount: 251_000 }),
    "0.64",
  ],
  [
    "google",
    "gemini-2.5-pro",
    gemini({ promptTokenCount: 1000, candidatesTokenCount: 200, thoughtsTokenCount: 800, totalTokenCount: 2000 }),
    "0.01125",
  ],
  [
    "google",
    "gemini-2.5-flash",
    gemini({
      promptTokenCount: 10_000,
      cachedContentTokenCount: 8000,
      candidatesTokenCount: 100,
      totalTokenCount: 10_100,
    }),
    "0.00109",
  ],
  [
    "google",
    "gemini-2.5-flash",
    gemini({
      promptTokenCount: 1100,
      candidatesTokenCount: 100,
      totalTokenCount: 1200,
      promptTokensDetails: [
        { modality: "AUDIO", tokenCount: 1000 },
        { modality: "TEXT", tokenCount: 100 },
      ],
    }),
    "0.00128",
  ],
  [
    "openai",
    "text-embedding-3-small",
    { object: "list", usage: { prompt_tokens: 123_456, total_tokens: 123_456 } },
    "0.00246912",
  ],
  ["openai", "gpt-4.1-nano", chat(1, 1), "0.0000005"],
  ["openai", "gpt-4o-2024-05-13", chat(1000, 500), "0.0125"],
];

it.each(samples)(
  "a raw response of %s %s costs exactly what its price page says (%#)",
  (provider, model, body, usd) => {
    const usage = readers[provider](body);
    const price = bundledPriceBook().find(provider, model, new Date("2026-11-23T12:00:00Z"));
    expect(usage && priceUsage(price, usage)).toBe(parsePicoUsd(usd));
  },
);
