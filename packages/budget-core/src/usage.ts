/**
 * Billable counts of one call. Totals include their parts: `inputTokens` counts cache reads and writes, `outputTokens`
 * counts reasoning.
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
}

/** True when every count is a finite integer >= 0; anything else must never reach a price. */
export function isValidUsage(usage: Usage): boolean {
  return Object.values(usage).every((count) => count === undefined || (Number.isSafeInteger(count) && count >= 0));
}

/**
 * Reads the usage that the AI SDK reports for a language model call, in the nested shape of AI SDK 6 and 7 and in the
 * flat one of AI SDK 5.
 *
 * Returns undefined when the provider reported none: that is unknown, not zero. Cache writes that the SDK drops are
 * taken from the provider's raw usage. Source: executed against ai 7.0.173 and its providers.
 */
export function readSdkUsage(usage: unknown): Usage | undefined {
  if (!isRecord(usage)) return undefined;
  const raw = isRecord(usage.raw) ? usage.raw : undefined;
  const input = totals(usage.inputTokens);
  const output = totals(usage.outputTokens);
  const inputTokens = input.total;
  const outputTokens = output.total;
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  const details = isRecord(raw?.prompt_tokens_details) ? raw.prompt_tokens_details : {};
  const cacheReadTokens = input.cacheRead ?? count(usage.cachedInputTokens);
  const cacheWriteTokens = input.cacheWrite ?? count(details.cache_write_tokens);
  const reasoningTokens = output.reasoning ?? count(usage.reasoningTokens);
  const read: Usage = {
    inputTokens,
    outputTokens,
    ...(cacheReadTokens === undefined ? {} : { cacheReadTokens }),
    ...(cacheWriteTokens === undefined ? {} : { cacheWriteTokens }),
    ...(reasoningTokens === undefined ? {} : { reasoningTokens }),
  };
  return isValidUsage(read) ? read : undefined;
}

function totals(
  value: unknown,
): Partial<Record<"total" | "cacheRead" | "cacheWrite" | "reasoning", number | undefined>> {
  if (!isRecord(value)) return { total: count(value) };
  // A model adapted twice carries its totals one level deeper (OpenRouter 3.1 behind a provider registry).
  if (isRecord(value.total)) return totals(value.total);
  return {
    total: count(value.total),
    cacheRead: count(value.cacheRead),
    cacheWrite: count(value.cacheWrite),
    reasoning: count(value.reasoning),
  };
}

function count(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
