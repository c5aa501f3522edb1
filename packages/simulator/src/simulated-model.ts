import { parsePicoUsd } from "./pico-usd.ts";

/** A model as the simulator sells it. Prices are decimal texts so that no float ever carries money. */
export interface SimulatedModel {
  /** USD per million input tokens. */
  readonly promptUsdPerMillion: string;
  /** USD per million output tokens, reasoning included. */
  readonly completionUsdPerMillion: string;
  /** USD per million input tokens read from the prompt cache. Absent: the model caches nothing. */
  readonly cachedUsdPerMillion?: string;
  /** USD per million input tokens written to the cache; such a model caches only prompts with `cache_control`. */
  readonly cacheWriteUsdPerMillion?: string;
  /** USD added to every request. Default `"0"`. */
  readonly requestUsd?: string;
  /** Shown as the model's name. Default: its id. */
  readonly name?: string;
  /** Shown as `provider` by OpenRouter. Default `"Simulated"`. */
  readonly provider?: string;
  /** Tokens of prompt that fit; a longer one is refused with 400. Default 128000. */
  readonly contextLength?: number;
  /** Longest answer in tokens. Absent: published as null, bounded by the context only. */
  readonly maxCompletionTokens?: number;
  /** Reasoning tokens that each answer spends before its first word, unless the effort is `none` or `minimal`. Default 0. */
  readonly reasoningTokens?: number;
  /** Shortest prompt prefix in tokens that is cached. Default 1024. */
  readonly cacheFromTokens?: number;
  /** Share of label answers that are wrong; overrides the simulator's `errorRate`. */
  readonly errorRate?: number;
}

/** An API that models are sold on. */
export type WireName = "openrouter" | "openrouter-embeddings" | "openai" | "embeddings" | "gateway";

/** A model of the price table with its prices in pico-USD per million tokens. */
export interface PricedModel {
  readonly id: string;
  readonly name: string;
  readonly provider: string;
  readonly wires: readonly WireName[];
  readonly contextLength: number;
  readonly maxCompletionTokens: number | undefined;
  readonly reasoningTokens: number;
  readonly cacheFromTokens: number;
  readonly errorRate: number | undefined;
  readonly prompt: bigint;
  readonly completion: bigint;
  readonly cached: bigint | undefined;
  readonly cacheWrite: bigint | undefined;
  readonly requestPicoUsd: bigint;
}

/**
 * Reads the decimal prices of a model once.
 *
 * @throws RangeError When a price is not a decimal text.
 */
export function priceModel(id: string, model: SimulatedModel, wires: PricedModel["wires"]): PricedModel {
  const optional = (price: string | undefined) => (price === undefined ? undefined : parsePicoUsd(price));
  return {
    id,
    name: model.name ?? id,
    provider: model.provider ?? "Simulated",
    wires,
    contextLength: model.contextLength ?? 128_000,
    maxCompletionTokens: model.maxCompletionTokens,
    reasoningTokens: model.reasoningTokens ?? 0,
    cacheFromTokens: model.cacheFromTokens ?? 1024,
    errorRate: model.errorRate,
    prompt: parsePicoUsd(model.promptUsdPerMillion),
    completion: parsePicoUsd(model.completionUsdPerMillion),
    cached: optional(model.cachedUsdPerMillion),
    cacheWrite: optional(model.cacheWriteUsdPerMillion),
    requestPicoUsd: parsePicoUsd(model.requestUsd ?? "0"),
  };
}
