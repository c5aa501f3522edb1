import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Pacer, type PacerOptions } from "./pacer.ts";
import { readLimits } from "./provider-limits.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const headersOf = (pairs: Record<string, string | number>) =>
  new Headers(Object.entries(pairs).map(([name, value]): [string, string] => [name, String(value)]));

/** A provider's limit: takes a request at its time, or refuses it. */
interface Limit {
  take(now: number, inFlight: number): boolean;
  headers(now: number): Record<string, string | number>;
}

function tokenBucket(perMinute: number): Limit {
  let [level, at] = [perMinute, 0];
  const fill = (now: number) => {
    level = Math.min(perMinute, level + ((now - at) * perMinute) / 60_000);
    at = now;
  };
  return {
    take: (now) => {
      fill(now);
      if (level < 1) return false;
      level--;
      return true;
    },
    headers: (now) => {
      fill(now);
      const resetMs = Math.round(((perMinute - level) * 60_000) / perMinute);
      return { "x-ratelimit-remaining-requests": Math.floor(level), "x-ratelimit-reset-requests": `${resetMs}ms` };
    },
  };
}

function fixedWindow(perMinute: number): Limit {
  let [window, used] = [0, 0];
  const turn = (now: number) => {
    const current = Math.floor(now / 60_000);
    if (current !== window) [window, used] = [current, 0];
  };
  return {
    take: (now) => {
      turn(now);
      return used < perMinute && ++used > 0;
    },
    headers: (now) => ({
      "x-ratelimit-remaining-requests": perMinute - used,
      "x-ratelimit-reset-requests": `${60 - Math.floor((now % 60_000) / 1000)}s`,
    }),
  };
}

function slidingWindow(perMinute: number): Limit {
  let taken: number[] = [];
  return {
    take: (now) => {
      taken = taken.filter((at) => at > now - 60_000);
      return taken.length < perMinute && taken.push(now) > 0;
    },
    headers: (now) => ({
      "x-ratelimit-remaining-requests": perMinute - taken.length,
      "x-ratelimit-reset-requests": `${Math.max(1, Math.ceil(((taken[0] ?? now) + 60_000 - now) / 1000))}s`,
    }),
  };
}

function callsInFlight(most: number): Limit {
  return { take: (_now, inFlight) => inFlight <= most, headers: () => ({}) };
}

/** Many workers against a limit for some minutes. @returns what got through and what was refused, minute by minute. */
async function drive(options: { limit: Limit; minutes: number; latencyMs: number; pacer: PacerOptions }) {
  const { limit, latencyMs } = options;
  const pacer = new Pacer(options.pacer);
  const startedAt = Date.now();
  const passed = Array.from({ length: options.minutes }, () => 0);
  const refused = Array.from({ length: options.minutes }, () => 0);
  const stop = new AbortController();
  let inFlight = 0;
  const work = async () => {
    for (;;) {
      await pacer.enter(1, stop.signal);
      const minute = Math.floor((Date.now() - startedAt) / 60_000);
      const isTaken = limit.take(Date.now(), inFlight + 1);
      if (isTaken) inFlight++;
      const counts = isTaken ? passed : refused;
      if (minute < options.minutes) counts[minute] = (counts[minute] ?? 0) + 1;
      await new Promise((resolve) => setTimeout(resolve, isTaken ? latencyMs : 20));
      if (isTaken) inFlight--;
      pacer.observe({ status: isTaken ? 200 : 429, headers: headersOf(limit.headers(Date.now())) });
      pacer.leave();
    }
  };
  const workers = Array.from({ length: options.pacer.concurrency }, () => work().catch(() => undefined));
  await vi.advanceTimersByTimeAsync(options.minutes * 60_000);
  stop.abort();
  await vi.advanceTimersByTimeAsync(latencyMs);
  await Promise.all(workers);
  return { passed, refused };
}

describe("Pacer", () => {
  it.each([
    ["a token bucket", tokenBucket, 600],
    ["a fixed window", fixedWindow, 600],
    ["a sliding window", slidingWindow, 600],
    ["a small sliding window", slidingWindow, 60],
    ["a wide token bucket", tokenBucket, 6000],
  ])("F18: uses what %s gives, and is hardly ever refused", async (_name, makeLimit, perMinute) => {
    const { passed, refused } = await drive({
      limit: makeLimit(perMinute),
      minutes: 5,
      latencyMs: 200,
      pacer: { concurrency: 64 },
    });
    const [good, bad] = [passed, refused].map((counts) => counts.slice(1).reduce((sum, count) => sum + count, 0));
    expect(good).toBeGreaterThanOrEqual(0.9 * perMinute * 4);
    expect(bad).toBeLessThanOrEqual(0.01 * (good ?? 0));
  });

  it("F18: finds how many calls at once a provider takes", async () => {
    const { passed, refused } = await drive({
      limit: callsInFlight(20),
      minutes: 3,
      latencyMs: 500,
      pacer: { concurrency: 256 },
    });
    const [good, bad] = [passed, refused].map((counts) => counts.slice(1).reduce((sum, count) => sum + count, 0));
    expect(good).toBeGreaterThanOrEqual(0.9 * 2 * 60 * 20 * 2);
    expect(bad).toBeLessThanOrEqual(0.05 * (good ?? 0));
  });

  it("F18: follows a limit that is lowered, and one that is raised again", async () => {
    const limits = [600, 150, 600].map(tokenBucket);
    const at = (now: number) => limits[Math.min(2, Math.floor((now - startedAt) / 180_000))] ?? tokenBucket(600);
    const startedAt = Date.now();
    const limit: Limit = {
      take: (now, inFlight) => at(now).take(now, inFlight),
      headers: (now) => at(now).headers(now),
    };
    const { passed, refused } = await drive({ limit, minutes: 9, latencyMs: 200, pacer: { concurrency: 64 } });
    const sumOf = (counts: number[], from: number) =>
      counts.slice(from, from + 2).reduce((sum, count) => sum + count, 0);
    // The minute after a change may be spent on finding out.
    for (const [from, perMinute] of [
      [1, 600],
      [4, 150],
      [7, 600],
    ] as const) {
      expect(sumOf(passed, from)).toBeGreaterThanOrEqual(0.9 * perMinute * 2);
      expect(sumOf(refused, from)).toBeLessThanOrEqual(0.01 * sumOf(passed, from));
    }
  });

  it("keeps to the limits it is told from the start", async () => {
    const { passed } = await drive({
      limit: callsInFlight(1e9),
      minutes: 2,
      latencyMs: 10,
      pacer: { concurrency: 64, requestsPerMinute: 120 },
    });
    expect(passed.every((count) => count >= 114 && count <= 122)).toBe(true);
    const tokens = await drive({
      limit: callsInFlight(1e9),
      minutes: 2,
      latencyMs: 10,
      pacer: { concurrency: 64, tokensPerMinute: 300 },
    });
    expect(tokens.passed.every((count) => count >= 285 && count <= 305)).toBe(true);
  });

  it("lets nobody go while the provider asks to wait, and everybody after it", async () => {
    const pacer = new Pacer({ concurrency: 8 });
    const { signal } = new AbortController();
    pacer.observe({ status: 429, headers: headersOf({ "retry-after": 45 }) });
    let gone = 0;
    for (let index = 0; index < 4; index++) void pacer.enter(1, signal).then(() => gone++);
    await vi.advanceTimersByTimeAsync(44_999);
    expect(gone).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(gone).toBe(4);
  });

  it("gives up a place in the queue when its caller does", async () => {
    const pacer = new Pacer({ concurrency: 1 });
    const caller = new AbortController();
    await pacer.enter(1, caller.signal);
    const [left, next] = [new AbortController(), new AbortController()];
    const leaving = pacer.enter(1, left.signal);
    const waiting = pacer.enter(1, next.signal);
    left.abort(new Error("gone"));
    await expect(leaving).rejects.toThrow("gone");
    await expect(pacer.enter(1, left.signal)).rejects.toThrow("gone");
    pacer.leave();
    await expect(waiting).resolves.toBeUndefined();
  });
});

describe("readLimits", () => {
  const now = Date.parse("2026-11-23T12:00:00Z");
  it.each([
    [
      { "x-ratelimit-remaining-requests": 5, "x-ratelimit-reset-requests": "1m30s" },
      { remaining: 5, resetMs: 90_000 },
    ],
    [
      { "x-ratelimit-remaining-requests": 5, "x-ratelimit-reset-requests": "250ms" },
      { remaining: 5, resetMs: 250 },
    ],
    [
      { "x-ratelimit-remaining-requests": 5, "x-ratelimit-reset-requests": "2" },
      { remaining: 5, resetMs: 2000 },
    ],
    [
      {
        "anthropic-ratelimit-requests-remaining": 7,
        "anthropic-ratelimit-requests-reset": "2026-11-23T12:00:03Z",
      },
      { remaining: 7, resetMs: 3000 },
    ],
    [{ "x-ratelimit-remaining-requests": "many", "x-ratelimit-reset-requests": "1s" }, undefined],
    [{ "x-ratelimit-remaining-requests": 5, "x-ratelimit-reset-requests": "soon" }, undefined],
    [{}, undefined],
  ])("of %o", (pairs, requests) => {
    expect(readLimits(headersOf(pairs as Record<string, string | number>), now).requests).toEqual(requests);
  });
});
