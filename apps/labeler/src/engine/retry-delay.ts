/** What the engine does about a failed attempt. */
export type RetryDecision = { retry: false } | { retry: true; delayMs: number };

/** Longest wait that a server may ask for within a run. */
const longestDelayMs = 60_000;

/**
 * Whether an error may pass by itself, and how long to wait: as the server says in `Retry-After`, else doubling from
 * half a second with jitter, so that many workers do not come back at once.
 *
 * @param attempt the failed attempt, from 1.
 * @param random a number in [0, 1).
 */
export function decideRetry(error: unknown, attempt: number, random: number, now = Date.now()): RetryDecision {
  if (!isTransient(error)) return { retry: false };
  const asked = retryAfterMs(error, now);
  if (asked !== undefined) return { retry: true, delayMs: Math.min(asked, longestDelayMs) };
  const ceilingMs = Math.min(500 * 2 ** (attempt - 1), longestDelayMs);
  return { retry: true, delayMs: Math.round(ceilingMs * (0.5 + random / 2)) };
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

function retryAfterMs(error: unknown, now: number): number | undefined {
  const { responseHeaders } = (error ?? {}) as { responseHeaders?: Record<string, string> };
  const inMs = Number(responseHeaders?.["retry-after-ms"]);
  if (Number.isFinite(inMs) && inMs >= 0) return inMs;
  const text = responseHeaders?.["retry-after"];
  if (!text) return undefined;
  const seconds = Number(text);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(text) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
