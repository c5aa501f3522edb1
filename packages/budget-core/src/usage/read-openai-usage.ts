import type { Usage } from "../usage.ts";
import { countOf, isJson, type Json, jsonOf, servedTier, sumOf, usageOf } from "./raw-counts.ts";

/**
 * Reads the usage of an OpenAI response (chat completions, responses, embeddings, images) or of a service that speaks
 * its protocol. Takes the response body, which also tells the tier that served it and the searches it ran, or only its
 * `usage`.
 *
 * Cached input is inside the input. Reasoning is inside the output, save where the total shows that it is not (xAI).
 * Returns undefined when counts are missing, invalid, or contradict each other: that is unknown, not zero.
 */
export function readOpenAiUsage(raw: unknown): Usage | undefined {
  const body = jsonOf(raw);
  const usage = isJson(body.usage) ? body.usage : body;
  const input = jsonOf(usage.prompt_tokens_details ?? usage.input_tokens_details ?? usage.input_token_details);
  const output = jsonOf(usage.completion_tokens_details ?? usage.output_tokens_details ?? usage.output_token_details);
  const inputTokens = countOf(usage.prompt_tokens ?? usage.input_tokens);
  const reasoningTokens = countOf(output.reasoning_tokens);
  const serviceTier = servedTier(body.service_tier ?? usage.service_tier);
  if (serviceTier === "unknown") return undefined;
  return usageOf({
    inputTokens,
    outputTokens: readOutput(usage, inputTokens, reasoningTokens),
    cacheReadTokens: countOf(input.cached_tokens ?? usage.prompt_cache_hit_tokens),
    cacheWriteTokens: countOf(input.cache_write_tokens),
    reasoningTokens,
    audioInputTokens: countOf(input.audio_tokens),
    audioOutputTokens: countOf(output.audio_tokens),
    audioCacheReadTokens: countOf(jsonOf(input.cached_tokens_details).audio_tokens),
    imageInputTokens: sumOf(countOf(input.image_tokens), countOf(input.video_tokens)) ?? countOf(input.video_tokens),
    imageOutputTokens: countOf(output.image_tokens),
    imageCacheReadTokens: countOf(jsonOf(input.cached_tokens_details).image_tokens),
    webSearchCount: callsOf(body, "web_search_call"),
    fileSearchCount: callsOf(body, "file_search_call"),
    serviceTier,
  });
}

function readOutput(usage: Json, input: number | undefined, reasoning: number | undefined): number | undefined {
  const told = countOf(usage.completion_tokens ?? usage.output_tokens);
  const total = countOf(usage.total_tokens);
  if (input === undefined || total === undefined) return told;
  // Embeddings have no output, and say so by a total that is all input.
  const output = told ?? 0;
  if (total === input + output) return output;
  const withReasoning = sumOf(told, reasoning);
  return withReasoning !== undefined && total === input + withReasoning ? withReasoning : Number.NaN;
}

function callsOf({ output }: Json, type: string): number | undefined {
  if (!Array.isArray(output)) return undefined;
  const calls = output.filter((item) => jsonOf(item).type === type).length;
  return calls === 0 ? undefined : calls;
}
