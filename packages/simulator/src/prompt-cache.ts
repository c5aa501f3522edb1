import type { ModelRequest } from "./model-request.ts";
import type { PricedModel } from "./simulated-model.ts";

/** Providers count cached tokens in steps of this many. */
const STEP_TOKENS = 128;

/**
 * Remembers prompt prefixes (all messages but the last) as providers do: a prefix seen before and long enough is read
 * from the cache. A model with a price for writing caches only prompts that carry `cache_control`.
 */
export class PromptCache {
  readonly #seen = new Set<string>();

  /** Forgets all prefixes. */
  clear(): void {
    this.#seen.clear();
  }

  /** How many prompt tokens of this request come from the cache, and how many are written to it. */
  use(model: PricedModel, request: ModelRequest): { cachedTokens: number; cacheWriteTokens: number } {
    const none = { cachedTokens: 0, cacheWriteTokens: 0 };
    const writes = model.cacheWrite !== undefined;
    if (model.cached === undefined || (writes && !request.hasCacheControl)) return none;
    if (request.prefixTokens === 0 || request.prefixTokens < model.cacheFromTokens) return none;
    const step = Math.max(1, Math.min(STEP_TOKENS, model.cacheFromTokens));
    const tokens = Math.floor(request.prefixTokens / step) * step;
    const key = `${model.id} ${request.prefixHash}`;
    if (this.#seen.has(key)) return { cachedTokens: tokens, cacheWriteTokens: 0 };
    this.#seen.add(key);
    return writes ? { cachedTokens: 0, cacheWriteTokens: tokens } : none;
  }
}
