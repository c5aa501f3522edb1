import { describe, expect, it } from "vitest";
import type { Call } from "../costs.ts";
import { UnboundedRequestError } from "../errors/unbounded-request-error.ts";
import { UnpricedModelError } from "../errors/unpriced-model-error.ts";
import { PriceBook } from "../prices/price-book.ts";
import { bundledPriceBook } from "../prices/snapshot.ts";
import { quoteCall } from "./quote-call.ts";

const now = new Date("2026-11-23T12:00:00Z");
const book = bundledPriceBook();
const price = (provider: string, modelId: string) => book.find(provider, modelId, now);
const call = (more: Partial<Call> = {}): Call => ({
  surface: "generate",
  modelId: "gpt-4o-mini",
  request: { prompt: [{ role: "user", content: [{ type: "text", text: "Hello" }] }] },
  maxOutputTokens: 100,
  ...more,
});
const bytes = JSON.stringify(call().request).length + 64;
const withTier = (service_tier: unknown) => call({ request: { ...call().request, service_tier } });

describe("quoteCall", () => {
  it("is the dearest that the call can reach, and names the book", () => {
    const quote = quoteCall(call(), price("openai", "gpt-4o-mini"), "hash", { serviceTiers: ["standard"] });
    expect(quote.boundPicoUsd).toBe(BigInt(bytes) * 150_000n + 100n * 600_000n);
    expect(quote).toMatchObject({ maxOutputTokens: 100, priceBook: "hash" });
    expect(quote.expectedPicoUsd).toBe(BigInt(Math.ceil(bytes / 3.5)) * 150_000n + 100n * 600_000n);
  });

  it("expects no more than it bounds", () => {
    const quote = quoteCall(call({ maxOutputTokens: 10_000 }), price("openai", "gpt-4o-mini"), "", {
      serviceTiers: ["batch"],
    });
    expect(quote.expectedPicoUsd).toBeLessThan(quote.boundPicoUsd);
    const tight = quoteCall(call(), price("openai", "gpt-4o-mini"), "", {
      serviceTiers: ["batch"],
      expectedOutputTokens: 1e6,
    });
    expect(tight.expectedPicoUsd).toBe(tight.boundPicoUsd);
  });

  it("puts the model's own output limit on a call that sets none, and refuses where none is known", () => {
    const { maxOutputTokens: _cap, ...open } = call();
    expect(quoteCall(open, price("openai", "gpt-4o-mini"), "").maxOutputTokens).toBe(16_384);
    const unlimited = new PriceBook([]).with("p", { m: { input: 1, output: 1 } }).find("p", "m", now);
    expect(() => quoteCall(open, unlimited, "")).toThrow(UnboundedRequestError);
    for (const maxOutputTokens of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => quoteCall(call({ maxOutputTokens }), unlimited, "")).toThrow(/maxOutputTokens/);
    }
  });

  it("allows for priority where a project's default may be priority", () => {
    const bound = (asked: Call) => quoteCall(asked, price("openai", "gpt-4o-mini"), "").boundPicoUsd;
    const extra = BigInt(',"service_tier":""'.length);
    expect(bound(call())).toBe(BigInt(bytes) * 250_000n + 100n * 1_000_000n);
    expect(bound(withTier("auto"))).toBe((BigInt(bytes) + extra + 4n) * 250_000n + 100n * 1_000_000n);
    expect(bound(withTier("priority"))).toBe((BigInt(bytes) + extra + 8n) * 250_000n + 100n * 1_000_000n);
    expect(bound(withTier("default"))).toBe((BigInt(bytes) + extra + 7n) * 150_000n + 100n * 600_000n);
    expect(bound(withTier("batch"))).toBe((BigInt(bytes) + extra + 5n) * 75_000n + 100n * 300_000n);
    expect(bound(withTier("flex"))).toBe((BigInt(bytes) + extra + 4n) * 150_000n + 100n * 600_000n);
    expect(bound(withTier("fast"))).toBe((BigInt(bytes) + extra + 4n) * 250_000n + 100n * 1_000_000n);
    const mini = (asked: Call) => quoteCall(asked, price("openai", "gpt-5-mini"), "").boundPicoUsd;
    // The tier that serves can be the standard one all the same.
    expect(mini(withTier("flex"))).toBe((BigInt(bytes) + extra + 4n) * 250_000n + 100n * 2_000_000n);
  });

  it("reads the tier where the AI SDK puts it", () => {
    const providerOptions = { openai: { serviceTier: "default" }, other: null };
    const quote = (options: unknown) =>
      quoteCall(call({ request: { providerOptions: options } }), price("openai", "gpt-4o-mini"), "").boundPicoUsd;
    expect(quote(providerOptions)).toBeLessThan(quote({ other: null, openai: { serviceTier: "auto" } }));
    expect(quote(null)).toBe(quote(7) + 3n * 250_000n);
  });

  it.each([
    ["priority", "gpt-4.1-nano-2025-04-14x"],
    ["gold", "gpt-4o-mini"],
    [7, "gpt-4o-mini"],
  ])("refuses a tier that has no price: %s", (tier, modelId) => {
    const asked = tier === "priority" ? price("openai", "o1") : price("openai", modelId);
    expect(() => quoteCall(withTier(tier), asked, "")).toThrow(UnpricedModelError);
  });

  it("counts every answer that is asked for", () => {
    const bound = (n: unknown, choices?: number) =>
      quoteCall(call({ request: { prompt: "x", n } }), price("openai", "gpt-4o-mini"), "", choices ? { choices } : {})
        .boundPicoUsd;
    expect(bound(3) - bound(1)).toBe(2n * 100n * 1_000_000n);
    expect(bound(1, 4) - bound(1)).toBe(3n * 100n * 1_000_000n);
    expect(bound(0)).toBe(bound(1));
    expect(bound(2.5)).toBe(bound(1) + 2n * 250_000n);
  });

  it("counts cache writes and long requests", () => {
    const sonnet = price("anthropic", "claude-sonnet-4-5");
    const mark = { cache_control: { type: "ephemeral", ttl: "1h" } };
    const plain = quoteCall(call(), sonnet, "").boundPicoUsd;
    expect(plain).toBe(BigInt(bytes) * 3_000_000n + 100n * 15_000_000n);
    const marked = call({ request: { ...call().request, ...mark } });
    const markedBytes = JSON.stringify(marked.request).length + 64;
    expect(quoteCall(marked, sonnet, "").boundPicoUsd).toBe(BigInt(markedBytes) * 6_000_000n + 100n * 15_000_000n);
    const long = call({ request: { prompt: "a".repeat(200_000) } });
    const longBytes = JSON.stringify(long.request).length + 64;
    expect(quoteCall(long, sonnet, "").boundPicoUsd).toBe(BigInt(longBytes) * 6_000_000n + 100n * 22_500_000n);
  });

  it("bounds a file by the model's longest input where that is allowed", () => {
    const file = call({ request: { prompt: [{ type: "input_file", file_id: "f" }] } });
    expect(() => quoteCall(file, price("openai", "gpt-4o"), "")).toThrow(UnboundedRequestError);
    const quote = quoteCall(file, price("openai", "gpt-4o"), "", {
      hiddenInput: "model-limit",
      serviceTiers: ["standard"],
    });
    expect(quote.boundPicoUsd).toBe(140_800n * 2_500_000n + 100n * 10_000_000n);
  });

  it("can be tightened by a tokenizer", () => {
    const quote = quoteCall(call(), price("openai", "gpt-4o-mini"), "", {
      countTokens: () => 10,
      serviceTiers: ["standard"],
    });
    expect(quote.boundPicoUsd).toBe(75n * 150_000n + 100n * 600_000n);
  });
});
