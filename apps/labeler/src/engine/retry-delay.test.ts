import { describe, expect, it } from "vitest";
import { askedDelayMs, decideRetry } from "./retry-delay.ts";

const now = Date.parse("2026-11-23T12:00:00Z");

describe("decideRetry", () => {
  it.each([
    ["what the provider calls final", { isRetryable: false, statusCode: 400 }],
    ["a mistake in the code", new TypeError("x is not a function")],
    ["nothing", undefined],
  ])("does not repeat %s", (_name, error) => {
    expect(decideRetry(error, 1, 0)).toEqual({ retry: false });
  });

  it.each([
    ["a timeout", Object.assign(new Error("late"), { name: "TimeoutError" })],
    ["a cut connection", new TypeError("fetch failed", { cause: { code: "ECONNRESET" } })],
    ["a retryable answer", { isRetryable: true }],
  ])("repeats %s", (_name, error) => {
    expect(decideRetry(error, 1, 0)).toMatchObject({ retry: true });
  });

  it("waits twice as long after each attempt, with jitter, up to a minute", () => {
    const delays = [1, 2, 3, 20].map((attempt) => decideRetry({ isRetryable: true }, attempt, 0));
    expect(delays).toMatchObject([{ delayMs: 250 }, { delayMs: 500 }, { delayMs: 1000 }, { delayMs: 30_000 }]);
    expect(decideRetry({ isRetryable: true }, 1, 0.999)).toMatchObject({ delayMs: 500 });
  });
});

describe("askedDelayMs", () => {
  it.each([
    [429, { "retry-after-ms": "600" }, 600],
    [429, { "retry-after": "45" }, 45_000],
    [503, { "retry-after": "90" }, 90_000],
    [429, { "retry-after": "Mon, 23 Nov 2026 12:00:30 GMT" }, 30_000],
    [429, { "retry-after": "Mon, 23 Nov 2026 11:00:00 GMT" }, 0],
    [429, { "retry-after": "51105" }, 51_105_000],
    [429, { "retry-after": "soon" }, undefined],
    [429, {}, undefined],
    [500, { "retry-after": "45" }, undefined],
  ])("of HTTP %d with %o is %s ms", (statusCode, responseHeaders, delayMs) => {
    expect(askedDelayMs({ statusCode, responseHeaders }, now)).toBe(delayMs);
  });
});
