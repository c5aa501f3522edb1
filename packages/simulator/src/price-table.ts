import { decimalText } from "./pico-usd.ts";
import { type PricedModel, priceModel, type SimulatedModel } from "./simulated-model.ts";

const OPENAI = { provider: "OpenAI", contextLength: 128_000, maxCompletionTokens: 16_384 };
const GPT_4_1 = { provider: "OpenAI", contextLength: 1_047_576, maxCompletionTokens: 32_768 };

/** USD per million tokens, as list prices stood when this table was written; an OpenAI id also answers without its prefix. */
const BUILT_IN: Readonly<Record<string, SimulatedModel>> = {
  "openai/gpt-4o": model("2.50", "10", { ...OPENAI, cachedUsdPerMillion: "1.25", name: "OpenAI: GPT-4o" }),
  "openai/gpt-4o-mini": model("0.15", "0.60", {
    ...OPENAI,
    cachedUsdPerMillion: "0.075",
    name: "OpenAI: GPT-4o-mini",
  }),
  "openai/gpt-3.5-turbo": model("0.50", "1.50", {
    provider: "OpenAI",
    contextLength: 16_385,
    maxCompletionTokens: 4096,
    name: "OpenAI: GPT-3.5 Turbo",
  }),
  "openai/gpt-4.1": model("2", "8", { ...GPT_4_1, cachedUsdPerMillion: "0.5", name: "OpenAI: GPT-4.1" }),
  "openai/gpt-4.1-mini": model("0.40", "1.60", {
    ...GPT_4_1,
    cachedUsdPerMillion: "0.1",
    name: "OpenAI: GPT-4.1 Mini",
  }),
  "openai/gpt-4.1-nano": model("0.10", "0.40", {
    ...GPT_4_1,
    cachedUsdPerMillion: "0.025",
    name: "OpenAI: GPT-4.1 Nano",
  }),
  "openai/gpt-5-mini": model("0.25", "2", {
    provider: "OpenAI",
    contextLength: 400_000,
    maxCompletionTokens: 128_000,
    reasoningTokens: 64,
    cachedUsdPerMillion: "0.025",
    name: "OpenAI: GPT-5 Mini",
  }),
  "anthropic/claude-haiku-4.5": model("1", "5", {
    provider: "Anthropic",
    contextLength: 200_000,
    maxCompletionTokens: 64_000,
    cachedUsdPerMillion: "0.1",
    cacheWriteUsdPerMillion: "1.25",
    name: "Anthropic: Claude Haiku 4.5",
  }),
  "google/gemini-2.5-flash": model("0.30", "2.50", {
    provider: "Google",
    contextLength: 1_048_576,
    maxCompletionTokens: 65_535,
    cachedUsdPerMillion: "0.03",
    name: "Google: Gemini 2.5 Flash",
  }),
  "meta-llama/llama-3.3-70b-instruct:free": model("0", "0", {
    provider: "Venice",
    contextLength: 131_072,
    name: "Meta: Llama 3.3 70B Instruct (free)",
  }),
};

/** Sold by the embeddings endpoints only: OpenAI's, and OpenRouter's with the prefix `openai/`. */
const EMBEDDING_MODELS: Readonly<Record<string, SimulatedModel>> = {
  "text-embedding-3-small": model("0.02", "0", { provider: "OpenAI", contextLength: 300_000 }),
  "text-embedding-3-large": model("0.13", "0", { provider: "OpenAI", contextLength: 300_000 }),
};

function model(prompt: string, completion: string, rest: Partial<SimulatedModel>): SimulatedModel {
  return { ...rest, promptUsdPerMillion: prompt, completionUsdPerMillion: completion };
}

/** What a call used. `promptTokens` includes the cached and written ones; `completionTokens` includes reasoning. */
export interface TokenCounts {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly cacheWriteTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
}

/** What a call costs, and how that splits. The shares are exact; only the whole is rounded, once and up. */
export interface Charge {
  readonly counts: TokenCounts;
  readonly costPicoUsd: bigint;
  /** Decimal USD of the prompt side, the fee per request included. */
  readonly promptUsd: string;
  /** Decimal USD of the completion side. */
  readonly completionUsd: string;
}

/** Builds the table of the built-in models plus the given ones; added models answer on every wire. */
export function createPriceTable(added: Readonly<Record<string, SimulatedModel>> = {}): Map<string, PricedModel> {
  const table = new Map<string, PricedModel>();
  for (const [id, entry] of Object.entries(BUILT_IN)) {
    table.set(id, priceModel(id, entry, ["openrouter"]));
    if (!id.startsWith("openai/")) continue;
    const bare = id.slice("openai/".length);
    table.set(bare, priceModel(bare, entry, ["openai"]));
  }
  for (const [id, entry] of Object.entries(EMBEDDING_MODELS)) {
    table.set(id, priceModel(id, entry, ["embeddings"]));
    table.set(`openai/${id}`, priceModel(`openai/${id}`, entry, ["openrouter-embeddings"]));
  }
  const wires = ["openrouter", "openrouter-embeddings", "openai", "embeddings", "gateway"] as const;
  for (const [id, entry] of Object.entries(added)) table.set(id, priceModel(id, entry, wires));
  return table;
}

/** What these counts cost at the model's price: the exact sum, rounded up to a whole pico-USD once. */
export function chargeFor(model: PricedModel, counts: TokenCounts): Charge {
  const uncached = counts.promptTokens - counts.cachedTokens - counts.cacheWriteTokens;
  const prompt =
    BigInt(uncached) * model.prompt +
    BigInt(counts.cachedTokens) * (model.cached ?? model.prompt) +
    BigInt(counts.cacheWriteTokens) * (model.cacheWrite ?? model.prompt) +
    model.requestPicoUsd * 1_000_000n;
  const completion = BigInt(counts.completionTokens) * model.completion;
  return {
    counts,
    costPicoUsd: (prompt + completion + 999_999n) / 1_000_000n,
    promptUsd: decimalText(prompt, 18),
    completionUsd: decimalText(completion, 18),
  };
}
