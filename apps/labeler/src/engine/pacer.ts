import { type ProviderLimit, readLimits } from "./provider-limits.ts";

/** Limits that {@link Pacer} keeps to from the start. */
export interface PacerOptions {
  /** Calls in flight at most. */
  concurrency: number;
  requestsPerMinute?: number | undefined;
  tokensPerMinute?: number | undefined;
}

/** What came back of a call, as far as its pace is concerned. */
export interface PacedResponse {
  status: number;
  headers: Pick<Headers, "get">;
}

/** How fast calls may go: amounts per millisecond, told by the provider or by the user. */
interface Lane {
  /** Undefined: as fast as we like. */
  perMs: number | undefined;
  /** When the next call may go. */
  nextAt: number;
  /** When what was told is out of date: without newer word a call may try from then on. */
  freshAt: number;
}

/**
 * Lets calls go as fast as the provider takes them and no faster, so that a limit costs no refused calls.
 *
 * - Rates: with every answer the provider says how much is left until when; what is left is spread evenly over that
 *   time. This holds a sliding window, a fixed one and a token bucket alike close to their limit.
 * - Calls in flight: each refusal that no rate explains means one call too many, so one fewer goes from then on; with
 *   every round of answers a few more are tried (additive decrease by what was too much, slow increase).
 * - `Retry-After` holds everything back: who is told to wait is told so for all.
 */
export class Pacer {
  readonly #most: number;
  readonly #requests: Lane;
  readonly #tokens: Lane;
  readonly #stated: Readonly<Record<"requests" | "tokens", number>>;
  /** The part of all limits that is for calls of this pacer. */
  #part = 1;
  readonly #waiting: { tokens: number; go: () => void }[] = [];
  #limit: number;
  #inFlight = 0;
  #pausedUntil = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ concurrency, requestsPerMinute, tokensPerMinute }: PacerOptions) {
    this.#most = concurrency;
    this.#limit = concurrency;
    this.#stated = { requests: perMs(requestsPerMinute), tokens: perMs(tokensPerMinute) };
    this.#requests = laneOf(this.#stated.requests);
    this.#tokens = laneOf(this.#stated.tokens);
  }

  /**
   * Keeps to a part of every limit, where others call the same provider and keep to theirs.
   *
   * @param part above 0, at most 1.
   */
  share(part: number): void {
    const change = part / this.#part;
    this.#part = part;
    for (const lane of [this.#requests, this.#tokens]) if (lane.perMs !== undefined) lane.perMs *= change;
    this.#pump();
  }

  /** Calls that may be in flight now. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** Calls that are held back now. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** How long calls are held back yet, in ms; 0 while none waits, or only for another to end. */
  get waitMs(): number {
    if (this.#waiting.length === 0 || this.#inFlight >= this.limit) return 0;
    return Math.max(0, this.#readyAt() - Date.now());
  }

  /**
   * Waits until a call of about so many tokens may go; each that went must {@link leave}.
   *
   * @throws the signal's reason when it is aborted first.
   */
  enter(tokens: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const give = () => {
        const at = this.#waiting.indexOf(waiter);
        if (at >= 0) this.#waiting.splice(at, 1);
        reject(signal.reason);
      };
      const waiter = {
        tokens,
        go: () => {
          signal.removeEventListener("abort", give);
          resolve();
        },
      };
      if (signal.aborted) return reject(signal.reason);
      signal.addEventListener("abort", give, { once: true });
      this.#waiting.push(waiter);
      this.#pump();
    });
  }

  /** A call ended, however it ended. */
  leave(): void {
    this.#inFlight--;
    this.#pump();
  }

  /** Learns from an answer. */
  observe({ status, headers }: PacedResponse): void {
    const { requests, tokens, retryAfterMs } = readLimits(headers, Date.now());
    this.#learn(this.#requests, requests, this.#stated.requests);
    this.#learn(this.#tokens, tokens, this.#stated.tokens);
    const isExplained = requests?.remaining === 0 || tokens?.remaining === 0;
    if (status === 429 && retryAfterMs !== undefined) this.pause(retryAfterMs);
    if (status === 429 && !isExplained) this.#limit = Math.max(1, this.#limit - 1);
    if (status < 400) this.#limit = Math.min(this.#most, this.#limit + Math.max(1, this.#limit / 50) / this.#limit);
  }

  /** Holds every call back for so long. */
  pause(ms: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, Date.now() + ms);
  }

  #learn(lane: Lane, told: ProviderLimit | undefined, stated: number): void {
    if (!told) return;
    const now = Date.now();
    lane.freshAt = now + told.resetMs;
    if (told.resetMs === 0) {
      lane.perMs = finite(stated * this.#part);
      return;
    }
    const rate = Math.min(Math.max(told.remaining, 1) / told.resetMs, stated) * this.#part;
    lane.perMs = rate;
    lane.nextAt = told.remaining > 0 ? Math.min(lane.nextAt, now + 1 / rate) : Math.max(lane.nextAt, lane.freshAt);
  }

  /** While a call is in flight its answer will say more; else nobody will, and the next call has to find out. */
  #readyOf({ nextAt, freshAt }: Lane): number {
    return this.#inFlight > 0 ? nextAt : Math.min(nextAt, freshAt);
  }

  #readyAt(): number {
    return Math.max(this.#pausedUntil, this.#readyOf(this.#requests), this.#readyOf(this.#tokens));
  }

  #pump(): void {
    clearTimeout(this.#timer);
    while (this.#waiting.length > 0 && this.#inFlight < this.limit) {
      const now = Date.now();
      const readyAt = this.#readyAt();
      if (readyAt > now) {
        this.#timer = setTimeout(() => this.#pump(), readyAt - now);
        return;
      }
      const next = this.#waiting.shift();
      if (!next) return;
      this.#inFlight++;
      advance(this.#requests, 1, now);
      advance(this.#tokens, next.tokens, now);
      next.go();
    }
  }
}

function perMs(perMinute: number | undefined): number {
  return perMinute === undefined ? Number.POSITIVE_INFINITY : perMinute / 60_000;
}

function laneOf(rate: number): Lane {
  return { perMs: finite(rate), nextAt: 0, freshAt: Number.POSITIVE_INFINITY };
}

function finite(rate: number): number | undefined {
  return Number.isFinite(rate) ? rate : undefined;
}

/** A call moves the next one on by its share; what was missed by waiting for other reasons is not made up for at once. */
function advance(lane: Lane, amount: number, now: number): void {
  if (lane.perMs !== undefined) lane.nextAt = Math.max(lane.nextAt, now - slackMs) + amount / lane.perMs;
}

/** Timers are coarse: calls that come so much late are made up for. */
const slackMs = 50;
