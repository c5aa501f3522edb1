import { readLimits } from "./provider-limits.ts";

/** What the engine does about a failed attempt. */
export type RetryDecision = { retry: false } | { retry: true; delayMs: number };

/** Longest wait between two attempts where the provider names none. */
const longestDelayMs = 60_000;

/**
 * Whether an error may pass by itself, and how long to wait: doubling from half a second, with jitter, so that many
 * workers do not come back at once. What a provider asks in `Retry-After` is the pacer's business: it holds for all rows.
 *
 * @param attempt the failed attempt, from 1.
 * @param random a number in [0, 1).
 */
export function decideRetry(error: unknown, attempt: number, random: number): RetryDecision {
  if (!isTransient(error)) return { retry: false };
  const ceilingMs = Math.min(500 * 2 ** (attempt - 1), longestDelayMs);
  return { retry: true, delayMs: Math.round(ceilingMs * (0.5 + random / 2)) };
}

/** How long the provider asks all callers to stay away, in ms; undefined where it does not. */
export function askedDelayMs(error: unknown, now: number): number | undefined {
  const { statusCode, responseHeaders } = (error ?? {}) as {
    statusCode?: unknown;
    responseHeaders?: Readonly<Record<string, string>>;
  };
  if (statusCode !== 429 && statusCode !== 503) return undefined;
  return readLimits({ get: (name) => responseHeaders?.[name] ?? null }, now).retryAfterMs;
}

function isTransient(error: unknown): boolean {
  const { isRetryable, name, code, cause } = (error ?? {}) as Record<string, unknown>;
  if (typeof isRetryable === "boolean") return isRetryable;
  if (name === "TimeoutError" || name === "AI_NoContentGeneratedError") return true;
  if (typeof code === "string" && /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|UND_ERR)/.test(code)) return true;
  return typeof cause === "object" && cause !== null && isTransient(cause);
}

/** Whether no connection was made at all: what fails for one row for that reason fails for every other. */
export function isUnreachable(error: unknown): boolean {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  if (typeof code === "string" && /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/.test(code))
    return true;
  return typeof cause === "object" && cause !== null && isUnreachable(cause);
}
