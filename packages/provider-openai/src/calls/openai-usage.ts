import type { CallResult, Usage } from "@autolabel/budget-core";
import { readOpenAiUsage, readSdkUsage } from "@autolabel/budget-core/prices";

/**
 * The usage of a result, with the tier that served it: from the response body if it is known, else as the AI SDK hands
 * it on. Undefined where none is told, or part of it cannot be priced: that is unknown, not zero.
 */
export function usageOfResult({ usage, body, providerMetadata }: CallResult): Usage | undefined {
  const whole = asRecord(body);
  if (asRecord(whole?.usage)) return readOpenAiUsage(whole);
  const tier = asRecord(providerMetadata?.openai)?.serviceTier;
  const raw = asRecord(asRecord(usage)?.raw);
  if (raw) return readOpenAiUsage({ usage: raw, service_tier: tier });
  return tier === undefined || tier === "default" ? readSdkUsage(usage) : undefined;
}

/** The value as an object with unknown members; undefined for anything else. */
export function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
