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
  /** Prices of service tiers that are sold apart. A tier that is not listed costs what the standard one does. */
  readonly tiers?: Readonly<Record<string, TierPrices>>;
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
  /** Further providers of the model on OpenRouter, in the order in which they are tried after the first. */
  readonly endpoints?: readonly SimulatedEndpoint[];
}

/** One more provider that serves a model on OpenRouter, at its own prices. */
export type SimulatedEndpoint = Pick<
  SimulatedModel,
  "promptUsdPerMillion" | "completionUsdPerMillion" | "cachedUsdPerMillion" | "cacheWriteUsdPerMillion" | "requestUsd"
> & {
  /** The provider's name; its slug is the name in lower case. */
  readonly provider: string;
  /** Tag of the endpoint, such as `"deepinfra/fp4"`. Default: the provider's slug. */
  readonly tag?: string;
};

/** What a service tier costs, in decimal texts like the model's own prices. */
export interface TierPrices {
  readonly promptUsdPerMillion: string;
  readonly completionUsdPerMillion: string;
  readonly cachedUsdPerMillion?: string;
}

/** An API that models are sold on. */
export type WireName = "openrouter" | "openrouter-embeddings" | "openai" | "embeddings" | "gateway";

/** A model of the price table with its prices in pico-USD per million tokens. */
export interface PricedModel {
  readonly id: string;
  readonly name: string;
  readonly provider: string;
  /** Tag of the endpoint that sells at these prices. */
  readonly tag: string;
  /** Who serves the model, this entry first. */
  readonly endpoints: readonly PricedModel[];
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
  readonly tiers: Readonly<Record<string, TierPrices>>;
}

/** The model at the prices of the tier that serves it. */
export function atTier(model: PricedModel, tier: string): PricedModel {
  const prices = model.tiers[tier];
  if (!prices) return model;
  const { promptUsdPerMillion, completionUsdPerMillion, cachedUsdPerMillion } = prices;
  return {
    ...model,
    prompt: parsePicoUsd(promptUsdPerMillion),
    completion: parsePicoUsd(completionUsdPerMillion),
    cached: cachedUsdPerMillion === undefined ? model.cached : parsePicoUsd(cachedUsdPerMillion),
  };
}

/** The model as it is sold in batches. */
export function atHalfPrice(model: PricedModel): PricedModel {
  const half = (price: bigint) => (price + 1n) / 2n;
  return {
    ...model,
    prompt: half(model.prompt),
    completion: half(model.completion),
    cached: model.cached === undefined ? undefined : half(model.cached),
  };
}

/**
 * Reads the decimal prices of a model once.
 *
 * @throws RangeError When a price is not a decimal text.
 */
export function priceModel(id: string, model: SimulatedModel, wires: PricedModel["wires"]): PricedModel {
  const optional = (price: string | undefined) => (price === undefined ? undefined : parsePicoUsd(price));
  const { endpoints: others = [], ...own } = model;
  const provider = model.provider ?? "Simulated";
  const further = others.map(({ tag, ...endpoint }) => {
    const { endpoints: _alone, ...priced } = priceModel(id, { ...own, ...endpoint }, wires);
    return { ...priced, tag: tag ?? priced.tag, endpoints: [] };
  });
  const first: Omit<PricedModel, "endpoints"> = {
    id,
    name: model.name ?? id,
    provider,
    tag: provider.toLowerCase(),
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
    tiers: model.tiers ?? {},
  };
  return { ...first, endpoints: [{ ...first, endpoints: [] }, ...further] };
}
