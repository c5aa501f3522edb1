import type { Usage } from "../usage.ts";
import { countOf, isJson, type Json, jsonOf, servedTier, sumOf, usageOf } from "./raw-counts.ts";

/**
 * Reads the usage of a native Anthropic response: its body, or only its `usage`. There cached input is not inside
 * `input_tokens`, so it is added.
 *
 * Returns undefined when counts are missing, invalid, or contradict each other, and when part of the call was billed at
 * a price that the usage does not tell: an advisor model, fast mode, or inference in one region only.
 */
export function readAnthropicUsage(raw: unknown): Usage | undefined {
  const body = jsonOf(raw);
  const usage = isJson(body.usage) ? body.usage : body;
  const serviceTier = servedTier(usage.service_tier);
  const isSurcharged = usage.speed === "fast" || usage.inference_geo === "us";
  if (serviceTier === "unknown" || isSurcharged) return undefined;
  const steps = stepsOf(usage);
  if (!steps) return undefined;
  const sum = (read: (step: Json) => number | undefined) =>
    steps.map(read).reduce((total, count) => sumOf(total, count) ?? count, undefined);
  const writes = steps.map(writesOf);
  return usageOf({
    inputTokens: steps
      .map((step) => sumOf(countOf(step.input_tokens), countOf(step.cache_read_input_tokens), writesOf(step).total))
      .reduce((total, count) => (count === undefined ? undefined : sumOf(total, count)), 0),
    outputTokens: steps
      .map((step) => countOf(step.output_tokens))
      .reduce((total, count) => (count === undefined ? undefined : sumOf(total, count)), 0),
    cacheReadTokens: sum((step) => countOf(step.cache_read_input_tokens)),
    cacheWriteTokens: writes.reduce<number>((total, { fiveMinutes }) => total + fiveMinutes, 0) || undefined,
    cacheWrite1hTokens: writes.reduce<number>((total, { hour }) => total + hour, 0) || undefined,
    webSearchCount: countOf(jsonOf(usage.server_tool_use).web_search_requests),
    serviceTier,
  });
}

/** The steps whose counts make up the bill. Totals leave out compaction, which is billed; its steps are listed. */
function stepsOf(usage: Json): readonly Json[] | undefined {
  const { iterations } = usage;
  if (!Array.isArray(iterations) || iterations.length === 0) return [usage];
  const steps = iterations.map(jsonOf);
  if (!steps.every(({ type }) => type === "message" || type === "compaction")) return undefined;
  return steps.some(({ type }) => type === "compaction") ? steps : [usage];
}

function writesOf(step: Json): { total: number; fiveMinutes: number; hour: number } {
  const told = countOf(step.cache_creation_input_tokens);
  if (!isJson(step.cache_creation)) return { total: told ?? 0, fiveMinutes: told ?? 0, hour: 0 };
  const fiveMinutes = countOf(step.cache_creation.ephemeral_5m_input_tokens) ?? 0;
  const hour = countOf(step.cache_creation.ephemeral_1h_input_tokens) ?? 0;
  const isWhole = told === undefined || told === fiveMinutes + hour;
  return { total: isWhole ? fiveMinutes + hour : Number.NaN, fiveMinutes, hour };
}
