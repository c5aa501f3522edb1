/** What the simulated provider lets through; above it answers 429. */
export interface RateLimits {
  /** Requests in any 60 seconds. */
  readonly requestsPerMinute?: number;
  /** Prompt tokens in any 60 seconds. */
  readonly tokensPerMinute?: number;
  /** Requests at the same time. */
  readonly maxConcurrent?: number;
}

/** A refusal by a rate limit: which one, and when to come again. */
export interface RateLimitRefusal {
  readonly limit: keyof RateLimits;
  readonly retryAfterSeconds: number;
}

const WINDOW_MS = 60_000;

/** Sliding windows over the admitted requests. */
export class RateLimiter {
  readonly #limits: RateLimits;
  readonly #now: () => number;
  #admitted: { atMs: number; tokens: number }[] = [];

  constructor(limits: RateLimits, now: () => number) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Forgets all admitted requests. */
  reset(): void {
    this.#admitted = [];
  }

  /** Admits the request, or says which limit is in the way. `inFlight` includes this request. */
  admit(tokens: number, inFlight: number): RateLimitRefusal | undefined {
    const { requestsPerMinute, tokensPerMinute, maxConcurrent } = this.#limits;
    if (maxConcurrent !== undefined && inFlight > maxConcurrent) {
      return { limit: "maxConcurrent", retryAfterSeconds: 1 };
    }
    // Without limits over time nothing is remembered, so a long run costs no memory.
    if (requestsPerMinute === undefined && tokensPerMinute === undefined) return undefined;
    this.#forgetOld();
    if (requestsPerMinute !== undefined && this.#admitted.length >= requestsPerMinute) {
      return { limit: "requestsPerMinute", retryAfterSeconds: this.#secondsUntilFree() };
    }
    if (tokensPerMinute !== undefined && this.#tokens() + tokens > tokensPerMinute) {
      return { limit: "tokensPerMinute", retryAfterSeconds: this.#secondsUntilFree() };
    }
    this.#admitted.push({ atMs: this.#now(), tokens });
    return undefined;
  }

  /** The `x-ratelimit-*` headers of the moment; none for limits that are not set. */
  headers(): Record<string, string> {
    const headers: Record<string, string> = {};
    const { requestsPerMinute, tokensPerMinute } = this.#limits;
    if (requestsPerMinute === undefined && tokensPerMinute === undefined) return headers;
    this.#forgetOld();
    const reset = this.#admitted.length === 0 ? "0s" : `${this.#secondsUntilFree()}s`;
    if (requestsPerMinute !== undefined) {
      headers["x-ratelimit-limit-requests"] = String(requestsPerMinute);
      headers["x-ratelimit-remaining-requests"] = String(Math.max(0, requestsPerMinute - this.#admitted.length));
      headers["x-ratelimit-reset-requests"] = reset;
    }
    if (tokensPerMinute !== undefined) {
      headers["x-ratelimit-limit-tokens"] = String(tokensPerMinute);
      headers["x-ratelimit-remaining-tokens"] = String(Math.max(0, tokensPerMinute - this.#tokens()));
      headers["x-ratelimit-reset-tokens"] = reset;
    }
    return headers;
  }

  #tokens(): number {
    return this.#admitted.reduce((sum, entry) => sum + entry.tokens, 0);
  }

  #forgetOld(): void {
    const from = this.#now() - WINDOW_MS;
    this.#admitted = this.#admitted.filter((entry) => entry.atMs > from);
  }

  #secondsUntilFree(): number {
    const oldest = this.#admitted[0]?.atMs ?? this.#now();
    return Math.max(1, Math.ceil((oldest + WINDOW_MS - this.#now()) / 1000));
  }
}
