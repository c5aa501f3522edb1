import type { Usage } from "../usage.ts";
import { countOf, isJson, jsonOf, servedTier, sumOf, usageOf } from "./raw-counts.ts";

/**
 * Reads the usage of a Gemini response: its body, or only its `usageMetadata`. Cached input is inside the prompt;
 * thoughts are not inside the candidates and are added.
 *
 * Returns undefined when counts are missing, invalid, or do not add up to their total.
 */
export function readGeminiUsage(raw: unknown): Usage | undefined {
  const body = jsonOf(raw);
  const usage = isJson(body.usageMetadata) ? body.usageMetadata : body;
  const serviceTier = servedTier(usage.serviceTier);
  if (serviceTier === "unknown") return undefined;
  const thoughts = countOf(usage.thoughtsTokenCount);
  const total = countOf(usage.totalTokenCount);
  const inputTokens = sumOf(countOf(usage.promptTokenCount), countOf(usage.toolUsePromptTokenCount));
  // An answer of no text has no count; the total tells that it was none.
  const candidates = countOf(usage.candidatesTokenCount) ?? (total === undefined ? undefined : 0);
  const outputTokens = sumOf(candidates, thoughts);
  if (total !== undefined && total !== sumOf(inputTokens, outputTokens)) return undefined;
  const input = modalities(usage.promptTokensDetails);
  const cached = modalities(usage.cacheTokensDetails);
  const output = modalities(usage.candidatesTokensDetails);
  return usageOf({
    inputTokens,
    outputTokens,
    cacheReadTokens: countOf(usage.cachedContentTokenCount),
    reasoningTokens: thoughts,
    audioInputTokens: input.AUDIO,
    audioOutputTokens: output.AUDIO,
    audioCacheReadTokens: cached.AUDIO,
    imageInputTokens: sumOf(input.IMAGE, input.VIDEO) ?? input.VIDEO,
    imageOutputTokens: sumOf(output.IMAGE, output.VIDEO) ?? output.VIDEO,
    imageCacheReadTokens: sumOf(cached.IMAGE, cached.VIDEO) ?? cached.VIDEO,
    serviceTier,
  });
}

/** Counts by modality. Video is billed as images where a model that we list bills it at all. */
function modalities(details: unknown): Readonly<Record<string, number | undefined>> {
  if (!Array.isArray(details)) return {};
  return Object.fromEntries(details.map(jsonOf).map((part) => [String(part.modality), countOf(part.tokenCount)]));
}
