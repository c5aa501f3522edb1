/** How much is left of a limit, and until when. */
export interface ProviderLimit {
  remaining: number;
  resetMs: number;
}

/** What a provider's headers say about its limits; what they do not say is undefined. */
export interface ProviderLimits {
  requests: ProviderLimit | undefined;
  tokens: ProviderLimit | undefined;
  /** How long to stay away. */
  retryAfterMs: number | undefined;
}

/**
 * Reads `x-ratelimit-*` (OpenAI and most gateways), `anthropic-ratelimit-*` (instants) and `retry-after`.
 *
 * @param now in milliseconds since 1970, for headers that name an instant.
 */
export function readLimits(headers: Pick<Headers, "get">, now: number): ProviderLimits {
  const limit = (name: string): ProviderLimit | undefined => {
    const remaining =
      headers.get(`x-ratelimit-remaining-${name}`) ?? headers.get(`anthropic-ratelimit-${name}-remaining`);
    const reset = headers.get(`x-ratelimit-reset-${name}`) ?? headers.get(`anthropic-ratelimit-${name}-reset`);
    const left = Number(remaining);
    const resetMs = durationMs(reset, now);
    if (remaining === null || !Number.isFinite(left) || resetMs === undefined) return undefined;
    return { remaining: left, resetMs };
  };
  return { requests: limit("requests"), tokens: limit("tokens"), retryAfterMs: retryAfterMs(headers, now) };
}

function retryAfterMs(headers: Pick<Headers, "get">, now: number): number | undefined {
  const exact = headers.get("retry-after-ms");
  if (exact !== null && Number(exact) >= 0) return Number(exact);
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  return /^\s*\d+(\.\d+)?\s*$/.test(text) ? Number(text) * 1000 : untilMs(text, now);
}

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `250ms`, `1.5s`, `6m0s`, `1h2m`, bare seconds, or an instant. */
function durationMs(text: string | null, now: number): number | undefined {
  if (text === null) return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(text)) return Number(text) * 1000;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  if (parts.map(([part]) => part).join("") === text.trim() && parts.length > 0) {
    return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (unitMs[unit ?? ""] ?? 0), 0);
  }
  return untilMs(text, now);
}

function untilMs(instant: string, now: number): number | undefined {
  const ms = Date.parse(instant) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
