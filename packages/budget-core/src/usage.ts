import type { ServiceTier } from "./prices/price-row.ts";

/**
 * Billable counts of one call. Totals include their parts: `inputTokens` counts cache reads and writes, audio and
 * images, `outputTokens` counts reasoning, audio and images.
 */
export interface Usage {
  inputTokens: number;
  outputTokens: number;
  /** Part of the input that was read from the provider's prompt cache. */
  cacheReadTokens?: number;
  /** Part of the input that was written to the provider's prompt cache for five minutes (the usual kind). */
  cacheWriteTokens?: number;
  /** Part of the input that was written to the provider's prompt cache for an hour. */
  cacheWrite1hTokens?: number;
  /** Part of the output that was reasoning. */
  reasoningTokens?: number;
  /** Part of the input that was audio, whether cached or not. */
  audioInputTokens?: number;
  /** Part of the output that was audio. */
  audioOutputTokens?: number;
  /** Part of both `cacheReadTokens` and `audioInputTokens`. */
  audioCacheReadTokens?: number;
  /** Part of the input that was images, whether cached or not. */
  imageInputTokens?: number;
  /** Part of the output that was images. */
  imageOutputTokens?: number;
  /** Part of both `cacheReadTokens` and `imageInputTokens`. */
  imageCacheReadTokens?: number;
  /** Web searches that the provider ran. */
  webSearchCount?: number;
  /** File searches that the provider ran. */
  fileSearchCount?: number;
  /** Seconds of audio that were heard, where the model is billed by them; a part of one counts whole. */
  audioSeconds?: number;
  /** Characters of text that were spoken, where the model is billed by them. */
  characterCount?: number;
  /** The tier that served the call, which is not always the one asked for. Absent: standard. */
  serviceTier?: ServiceTier;
}

/** True when every count is a finite integer >= 0; anything else must never reach a price. */
export function isValidUsage({ serviceTier: _serviceTier, ...counts }: Usage): boolean {
  return Object.values(counts).every((count) => count === undefined || (Number.isSafeInteger(count) && count >= 0));
}

/** How many input and output tokens are billed as what, each token once. */
export interface BilledTokens {
  freshText: number;
  cachedText: number;
  freshAudio: number;
  freshImage: number;
  answerText: number;
}

/** Takes the parts out of their totals; undefined when a part exceeds its total, for then the usage contradicts itself. */
export function splitUsage(usage: Usage): BilledTokens | undefined {
  const { inputTokens, outputTokens, cacheReadTokens = 0, cacheWriteTokens = 0, cacheWrite1hTokens = 0 } = usage;
  const { audioInputTokens = 0, audioCacheReadTokens = 0, imageInputTokens = 0, imageCacheReadTokens = 0 } = usage;
  const { reasoningTokens = 0, audioOutputTokens = 0, imageOutputTokens = 0 } = usage;
  const freshAudio = audioInputTokens - audioCacheReadTokens;
  const freshImage = imageInputTokens - imageCacheReadTokens;
  const cachedText = cacheReadTokens - audioCacheReadTokens - imageCacheReadTokens;
  const freshText = inputTokens - cacheReadTokens - cacheWriteTokens - cacheWrite1hTokens - freshAudio - freshImage;
  const answerText = outputTokens - reasoningTokens - audioOutputTokens - imageOutputTokens;
  const split = { freshText, cachedText, freshAudio, freshImage, answerText };
  return Math.min(freshText, cachedText, freshAudio, freshImage, answerText) < 0 ? undefined : split;
}

/** The usage if its counts are valid and do not contradict each other, else undefined: unknown, not zero. */
export function checkedUsage(usage: Usage): Usage | undefined {
  return isValidUsage(usage) && splitUsage(usage) ? usage : undefined;
}
