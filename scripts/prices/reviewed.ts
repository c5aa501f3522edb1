import type { PriceRow } from "../../packages/budget-core/src/prices/price-row.ts";

/** What a person decided about a model against or beside the sources, with the evidence. */
export interface Review {
  provider: string;
  id: string;
  /** Units that replace those of the sources, in every standard row. */
  units?: Partial<PriceRow>;
  /** First day of the price. */
  from?: string;
  /** More exact ids of the same model at the same price. */
  aliases?: readonly string[];
  maxOutputTokens?: number;
  /** Rules of the sanity gate that this model is known to break, and rightly. */
  waive?: readonly string[];
  /** True when the evidence settles what the sources disagree on. */
  settles?: boolean;
  /** A price change past the limits of the drift check that was found to be true. */
  acceptChange?: boolean;
  why: string;
  source: string;
  checked: string;
}

const openAiPricing = "https://developers.openai.com/api/docs/pricing";
const openAiModels = "https://developers.openai.com/api/docs/models";
const deprecations = "https://platform.claude.com/docs/en/about-claude/model-deprecations";

function first(id: string, from: string, maxOutputTokens?: number): Review {
  return {
    provider: "openai",
    id,
    from,
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    why: "day on which the model came out",
    source: openAiModels,
    checked: "2026-11-23",
  };
}

function transcriber(id: string): Review {
  const why = "longest answer, which the sources leave out";
  return {
    provider: "openai",
    id,
    maxOutputTokens: 2_000,
    why,
    source: `${openAiModels}/${id}`,
    checked: "2026-11-23",
  };
}

function dated(id: string, aliases: readonly string[], maxOutputTokens: number): Review {
  const why = "ids of the same model that the second source has dropped since they were retired";
  return { provider: "anthropic", id, aliases, maxOutputTokens, why, source: deprecations, checked: "2026-11-23" };
}

/** Every decision by hand. A new one needs a reason and a source. */
export const reviews: readonly Review[] = [
  first("gpt-4o", "2024-08-06"),
  first("gpt-4o-2024-05-13", "2024-05-13", 4_096),
  first("gpt-4o-mini", "2024-07-18", 16_384),
  first("gpt-4.1", "2025-04-14"),
  first("gpt-4.1-mini", "2025-04-14"),
  first("gpt-4.1-nano", "2025-04-14"),
  first("gpt-4-turbo", "2024-04-09"),
  first("gpt-4", "2023-06-13", 8_192),
  first("gpt-4-32k", "2023-06-13", 32_768),
  first("gpt-3.5-turbo", "2024-01-25", 4_096),
  transcriber("gpt-4o-transcribe"),
  transcriber("gpt-4o-mini-transcribe"),
  {
    provider: "openai",
    id: "gpt-3.5-turbo-16k",
    units: { input: "0.5", output: "1.5" },
    from: "2024-01-25",
    maxOutputTokens: 4_096,
    settles: true,
    why: "retired; since 2024-01-25 the 16k window comes with gpt-3.5-turbo at its price. Both sources keep the old 3/4, so bounds use that",
    source: openAiPricing,
    checked: "2026-11-23",
  },
  {
    provider: "openai",
    id: "gpt-4o-audio-preview",
    units: { audioInput: "40", audioOutput: "80" },
    aliases: ["gpt-4o-audio-preview-2024-12-17", "gpt-4o-audio-preview-2025-06-03"],
    why: "the sources leave out its audio price, which is 16 times that of text",
    source: openAiPricing,
    checked: "2026-11-23",
  },
  {
    provider: "openrouter",
    id: "openai/gpt-4o",
    units: { cacheRead: "1.25" },
    why: "the source leaves out the price of cached input",
    source: "https://openrouter.ai/openai/gpt-4o",
    checked: "2026-11-23",
  },
  {
    provider: "google",
    id: "gemini-2.5-flash",
    settles: true,
    why: "cached input is a tenth of input since the price change of 2025; the second source keeps the older 0.075",
    source: "https://ai.google.dev/gemini-api/docs/pricing",
    checked: "2026-11-23",
  },
  dated(
    "claude-3-5-sonnet",
    ["claude-3-5-sonnet-20240620", "claude-3-5-sonnet-20241022", "claude-3-5-sonnet-latest"],
    8_192,
  ),
  dated("claude-3-5-haiku-latest", ["claude-3-5-haiku-20241022"], 8_192),
  dated("claude-3-7-sonnet-latest", ["claude-3-7-sonnet-20250219"], 64_000),
  dated("claude-3-sonnet", ["claude-3-sonnet-20240229"], 4_096),
  dated("claude-opus-4-0", ["claude-opus-4-20250514"], 32_000),
];

/**
 * OpenAI's models page says "prompts with >272K input tokens are priced at 2x input and 1.5x output"; genai-prices starts
 * a token earlier. Costs follow the page; bounds count a length that is reached to within a token.
 */
export const movedThreshold = {
  provider: "openai",
  from: 271_999,
  to: 272_000,
  source: openAiModels,
  checked: "2026-11-23",
};
