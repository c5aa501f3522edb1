import { type CallResult, readSdkUsage, type Usage } from "@autolabel/budget-core";

/**
 * The usage that OpenAI reports for chat completions, responses or embeddings. Undefined when there is none, or when
 * part of it is billed at a price of its own (audio, images): that is unknown, not zero.
 *
 * Totals include their parts: cached and cache-written tokens are input, reasoning is output. Source: the types of
 * openai 7.57 and OpenAI's API reference.
 */
export function readOpenAiUsage(raw: unknown): Usage | undefined {
  const usage = asRecord(raw);
  if (!usage) return undefined;
  const inputTokens = count(usage.prompt_tokens ?? usage.input_tokens);
  const outputTokens = count(usage.completion_tokens ?? usage.output_tokens ?? outputOfEmbedding(usage));
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  const input = asRecord(usage.prompt_tokens_details ?? usage.input_tokens_details);
  const output = asRecord(usage.completion_tokens_details ?? usage.output_tokens_details);
  if ([input, output].some((details) => count(details?.audio_tokens) || count(details?.image_tokens))) return undefined;
  const cacheReadTokens = count(input?.cached_tokens);
  const cacheWriteTokens = count(input?.cache_write_tokens);
  const reasoningTokens = count(output?.reasoning_tokens);
  return {
    inputTokens,
    outputTokens,
    ...(cacheReadTokens === undefined ? {} : { cacheReadTokens }),
    ...(cacheWriteTokens === undefined ? {} : { cacheWriteTokens }),
    ...(reasoningTokens === undefined ? {} : { reasoningTokens }),
  };
}

/** The usage of a result: from the response body if it is known, else as the AI SDK hands it on. */
export function usageOfResult({ usage, body }: CallResult): Usage | undefined {
  const whole = asRecord(body)?.usage;
  if (whole !== undefined && whole !== null) return readOpenAiUsage(whole);
  const raw = asRecord(usage)?.raw;
  return raw === undefined ? readSdkUsage(usage) : readOpenAiUsage(raw);
}

/** The tier that served a result, if it is told. */
export function tierOfResult({ providerMetadata, body }: CallResult): string | undefined {
  const tier = asRecord(body)?.service_tier ?? asRecord(providerMetadata?.openai)?.serviceTier;
  return typeof tier === "string" ? tier : undefined;
}

/** Embeddings report their input as the total and have no output. */
function outputOfEmbedding({ prompt_tokens, total_tokens }: Record<string, unknown>): number | undefined {
  return prompt_tokens !== undefined && prompt_tokens === total_tokens ? 0 : undefined;
}

function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** The value as an object with unknown members; undefined for anything else. */
export function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
