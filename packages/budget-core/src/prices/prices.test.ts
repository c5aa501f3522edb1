import { describe, expect, it } from "vitest";
import { UnpricedModelError } from "../errors/unpriced-model-error.ts";
import { picoToDecimal } from "../money.ts";
import { PriceBook } from "./price-book.ts";
import { priceBound } from "./price-bound.ts";
import { priceUsage } from "./price-usage.ts";
import { bundledPriceBook } from "./snapshot.ts";

const today = new Date("2026-11-23");
const cost = (modelId: string, inputTokens: number, outputTokens: number) =>
  picoToDecimal(priceUsage(bundledPriceBook().find("openai", modelId, today), { inputTokens, outputTokens }) ?? -1n);

describe("bundled prices", () => {
  it.each([
    ["gpt-4o-mini", 1000, 500, "0.00045"],
    ["gpt-4o-mini", 10_000, 5000, "0.0045"],
    ["gpt-4o", 1000, 500, "0.0075"],
    ["gpt-3.5-turbo", 2000, 1000, "0.0025"],
    ["gpt-4o", 0, 0, "0"],
    ["gpt-4o-2024-08-06", 1000, 500, "0.0075"],
    ["gpt-4o-2024-05-13", 1000, 500, "0.0125"],
    ["gpt-4o", 1_000_000, 1_000_000, "12.5"],
    ["gpt-4o-mini", 1_000_000, 1_000_000, "0.75"],
    ["gpt-4o-mini-2024-07-18", 1_000_000, 1_000_000, "0.75"],
    ["gpt-4", 1_000_000, 1_000_000, "90"],
    ["gpt-4-32k", 1_000_000, 1_000_000, "180"],
    ["gpt-4-turbo", 1_000_000, 1_000_000, "40"],
    ["gpt-3.5-turbo-16k", 1_000_000, 1_000_000, "2"],
  ])("%s: %d in, %d out costs $%s", (modelId, input, output, usd) => {
    expect(cost(modelId, input, output)).toBe(usd);
  });

  it.each(["unknown-model-v1", "gpt-4o-mni", "gpt-4o-2030-01-01", "GPT-4o", "openai/gpt-4o"])(
    "never guesses: %s is refused",
    (modelId) => {
      expect(() => bundledPriceBook().find("openai", modelId, today)).toThrow(UnpricedModelError);
    },
  );

  it("names what is near", () => {
    expect(() => bundledPriceBook().find("openai", "gpt-4o-mni", today)).toThrow(/Did you mean gpt-4o-mini/);
  });

  it("knows no price before its first day", () => {
    expect(() => bundledPriceBook().find("openai", "gpt-4o-mini", new Date("2024-01-01"))).toThrow(/2024-01-01/);
  });
});

describe("PriceBook", () => {
  const book = new PriceBook([
    {
      provider: "p",
      id: "m",
      rows: [
        { to: "2026-01-01", input: "1", output: "2" },
        { from: "2026-01-01", input: "3", output: "4", cacheRead: "0.3", cacheWrite: "3.75", cacheWrite1h: "6" },
      ],
      source: "test",
      checked: "2026-01-01",
    },
  ]);

  it("uses the row of the instant, its start included", () => {
    expect(book.find("p", "m", new Date("2025-12-31T23:59:59.999Z")).rates.input).toBe(1n * 10n ** 12n);
    expect(book.find("p", "m", new Date("2026-01-01T00:00:00Z")).rates.input).toBe(3n * 10n ** 12n);
  });

  it("bills each token once, at the rate of its class", () => {
    const price = book.find("p", "m", today);
    const usage = {
      inputTokens: 1000,
      outputTokens: 10,
      cacheReadTokens: 500,
      cacheWriteTokens: 200,
      cacheWrite1hTokens: 100,
    };
    // 200 x 3 + 500 x 0.3 + 200 x 3.75 + 100 x 6 + 10 x 4 micro-USD
    expect(priceUsage(price, usage)).toBe(2_140_000_000n);
    expect(priceUsage(price, { inputTokens: 10, outputTokens: 0, cacheReadTokens: 11 })).toBeUndefined();
    expect(priceBound(price, 1000, 10)).toBe(6_040_000_000n);
  });

  it("lets stated prices stand before its own, and changes its hash", () => {
    const stated = book.with("p", { m: { input: 0.1, output: 0.2 }, n: { input: "1", output: "1" } });
    expect(stated.find("p", "m", today).rates.input).toBe(10n ** 11n);
    expect(stated.find("p", "n", today).rates.input).toBe(10n ** 12n);
    expect(stated.hash).not.toBe(book.hash);
    expect(book.with("p", {})).toBe(book);
  });

  it.each([{ input: "-1", output: "1" }, { input: Number.NaN, output: 1 }, { input: "1" }])(
    "refuses the price %o",
    (row) => {
      expect(() => book.with("p", { x: row as { input: string; output: string } })).toThrow(/must be a finite amount/);
    },
  );

  it("refuses an id that two entries claim", () => {
    const entry = { provider: "p", id: "m", rows: [], source: "", checked: "" };
    expect(() => new PriceBook([entry, { ...entry, id: "n", aliases: ["m"] }])).toThrow(/twice/);
  });
});
