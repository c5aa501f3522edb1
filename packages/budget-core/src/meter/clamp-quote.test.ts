import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Call, CostExtractor } from "../costs.ts";
import { bundledPriceBook } from "../prices/snapshot.ts";
import { quoteCall } from "../quote/quote-call.ts";
import { clampQuote } from "./clamp-quote.ts";

const now = new Date("2026-11-23");
const costs: CostExtractor = {
  provider: "openai",
  quote: (call) => quoteCall(call, bundledPriceBook().find("openai", call.modelId, now), ""),
  receipt: ({ quote }) => ({ costPicoUsd: quote.boundPicoUsd }),
};

describe("clampQuote", () => {
  it("finds the largest cap whose bound fits, for any amount and model", () => {
    const ids = ["gpt-4o-mini", "gpt-5.4", "o3", "gpt-4.1-nano"];
    fc.assert(
      fc.property(fc.constantFrom(...ids), fc.bigInt({ min: 0n, max: 2_000_000_000n }), (modelId, available) => {
        const call: Call = { surface: "generate", modelId, request: { prompt: "Hello" }, maxOutputTokens: 2000 };
        const bound = (maxOutputTokens: number) => costs.quote({ ...call, maxOutputTokens }).boundPicoUsd;
        const clamped = clampQuote(costs, call, costs.quote(call), available);
        const cap = clamped?.maxOutputTokens;
        if (cap === undefined) {
          expect(bound(1)).toBeGreaterThan(available);
          return;
        }
        expect(clamped?.boundPicoUsd).toBe(bound(cap));
        expect(bound(cap)).toBeLessThanOrEqual(available);
        if (cap < 2000) expect(bound(cap + 1)).toBeGreaterThan(available);
        else expect(cap).toBe(2000);
      }),
      { numRuns: 500, seed: 4_711 },
    );
  });

  it("clamps nothing where the cap is not ours to set", () => {
    const call: Call = { surface: "embed", modelId: "m", request: {} };
    expect(clampQuote(costs, call, { boundPicoUsd: 5n }, 4n)).toBeUndefined();
  });
});
