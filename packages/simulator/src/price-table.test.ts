import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decimalText, parsePicoUsd } from "./pico-usd.ts";
import { chargeFor, createPriceTable } from "./price-table.ts";

const none = { promptTokens: 0, cachedTokens: 0, cacheWriteTokens: 0, completionTokens: 0, reasoningTokens: 0 };

describe("the price of a call", () => {
  it.each([
    ["openai/gpt-4o", { promptTokens: 1000, completionTokens: 100 }, 3_500_000_000n],
    ["openai/gpt-4o", { promptTokens: 1000, cachedTokens: 600 }, 1_750_000_000n],
    ["openai/gpt-4o-mini", { promptTokens: 1 }, 150_000n],
    ["openai/gpt-4o-mini", { promptTokens: 1, cachedTokens: 1 }, 75_000n],
    ["gpt-4.1-nano", { promptTokens: 10, cachedTokens: 10, completionTokens: 1 }, 650_000n],
    ["openai/gpt-3.5-turbo", { promptTokens: 3, completionTokens: 7 }, 12_000_000n],
    ["openai/gpt-5-mini", { completionTokens: 97, reasoningTokens: 64 }, 194_000_000n],
    ["anthropic/claude-haiku-4.5", { promptTokens: 100, cachedTokens: 40, cacheWriteTokens: 10 }, 66_500_000n],
    ["google/gemini-2.5-flash", { promptTokens: 7, completionTokens: 3 }, 9_600_000n],
    ["meta-llama/llama-3.3-70b-instruct:free", { promptTokens: 999, completionTokens: 999 }, 0n],
  ])("%s with %o costs %s pico-USD", (id, counts, expected) => {
    const model = createPriceTable().get(id);
    expect(model && chargeFor(model, { ...none, ...counts }).costPicoUsd).toBe(expected);
  });

  it("rounds up once per call, not once per kind of token", () => {
    const third = { promptUsdPerMillion: "0.0000003", completionUsdPerMillion: "0.0000003", requestUsd: "0.01" };
    const model = createPriceTable({ third }).get("third");
    const charge = model && chargeFor(model, { ...none, promptTokens: 1, completionTokens: 1 });
    expect(charge?.costPicoUsd).toBe(10_000_000_001n);
    expect(charge?.promptUsd).toBe("0.0100000000003");
    expect(charge?.completionUsd).toBe("0.0000000000003");
  });

  it("sells OpenAI's models under both names and others only on OpenRouter", () => {
    const table = createPriceTable();
    expect(table.get("gpt-4o")?.wires).toEqual(["openai"]);
    expect(table.get("openai/gpt-4o")?.wires).toEqual(["openrouter"]);
    expect(table.has("claude-haiku-4.5")).toBe(false);
  });

  it("refuses a price that is no decimal text", () => {
    const free = { promptUsdPerMillion: "free", completionUsdPerMillion: "0" };
    expect(() => createPriceTable({ free })).toThrow(RangeError);
  });
});

describe("amounts as text", () => {
  it.each([
    ["0.075", 75_000_000_000n],
    ["2e-7", 200_000n],
    ["1.5E1", 15_000_000_000_000n],
    ["0", 0n],
  ])("reads %s", (text, picoUsd) => {
    expect(parsePicoUsd(text)).toBe(picoUsd);
  });

  it.each(["", "-1", "1,5", "0x1", "NaN", "0.0000000000001"])("refuses %s", (text) => {
    expect(() => parsePicoUsd(text)).toThrow(RangeError);
  });

  it("writes no exponent and comes back exactly", () => {
    expect(decimalText(280_000n)).toBe("0.00000028");
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n }), (picoUsd) => {
        expect(parsePicoUsd(decimalText(picoUsd))).toBe(picoUsd);
      }),
    );
  });
});
