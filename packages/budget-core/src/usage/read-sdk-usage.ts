import { checkedUsage, type Usage } from "../usage.ts";
import { countOf, isJson, type Json, jsonOf, usageOf } from "./raw-counts.ts";
import { readAnthropicUsage } from "./read-anthropic-usage.ts";
import { readGeminiUsage } from "./read-gemini-usage.ts";
import { readOpenRouterUsage } from "./read-openrouter-usage.ts";

/**
 * Reads the usage that the AI SDK reports for a language model call, in the nested shape of AI SDK 6 and 7 and in the
 * flat one of AI SDK 5.
 *
 * What the SDK drops (hour-long cache writes, audio, searches, the tier that served) is taken from the provider's raw
 * usage, where that agrees with the SDK's totals. Returns undefined when the provider reported none: that is unknown,
 * not zero. Source: executed against ai 7.0.173 and its providers.
 */
export function readSdkUsage(usage: unknown): Usage | undefined {
  if (!isJson(usage)) return undefined;
  const input = totals(usage.inputTokens);
  const output = totals(usage.outputTokens);
  const raw = jsonOf(usage.raw);
  const writes = countOf(jsonOf(raw.prompt_tokens_details).cache_write_tokens);
  const coarse = usageOf({
    inputTokens: input.total,
    outputTokens: output.total,
    cacheReadTokens: input.cacheRead ?? countOf(usage.cachedInputTokens),
    cacheWriteTokens: input.cacheWrite ?? writes,
    reasoningTokens: output.reasoning ?? countOf(usage.reasoningTokens),
  });
  if (!coarse) return undefined;
  const isAnthropic = "cache_read_input_tokens" in raw || "cache_creation" in raw || "iterations" in raw;
  const fine = isAnthropic ? readAnthropicUsage(raw) : readOther(raw);
  // Anthropic's usage tells when a part was billed at a price that its totals hide; then the totals must not be priced.
  if (isAnthropic && !fine) return undefined;
  const agrees = fine?.inputTokens === coarse.inputTokens && fine.outputTokens === coarse.outputTokens;
  if (!agrees) return coarse;
  return isAnthropic ? fine : (checkedUsage({ ...coarse, ...fine }) ?? coarse);
}

function readOther(raw: Json): Usage | undefined {
  return "promptTokenCount" in raw ? readGeminiUsage(raw) : readOpenRouterUsage(raw);
}

type Totals = Partial<Record<"total" | "cacheRead" | "cacheWrite" | "reasoning", number | undefined>>;

function totals(value: unknown): Totals {
  if (!isJson(value)) return { total: countOf(value) };
  // A model adapted twice carries its totals one level deeper (OpenRouter 3.1 behind a provider registry).
  if (isJson(value.total)) return totals(value.total);
  return {
    total: countOf(value.total),
    cacheRead: countOf(value.cacheRead),
    cacheWrite: countOf(value.cacheWrite),
    reasoning: countOf(value.reasoning),
  };
}
