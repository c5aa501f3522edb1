import { parsePicoUsd } from "@autolabel/budget-core";
import { describe, expect, it } from "vitest";
import { readPricing, toPriceRow } from "./read-pricing.ts";

const read = (pricing: unknown, modelId = "a/model") => {
  const rows = readPricing(pricing, modelId);
  return typeof rows === "string" ? rows : rows.map(toPriceRow);
};

describe("readPricing", () => {
  it("turns USD per token into USD per million, to the last digit", () => {
    const pricing = {
      prompt: "0.000000141154",
      completion: "6e-7",
      request: "0.001",
      input_cache_read: "0.000000003625",
      input_cache_write: "0.00000025",
      input_cache_write_1h: "0.0000004",
      web_search: "0.004",
      discount: 0.5,
    };
    expect(read(pricing)).toEqual([
      {
        input: "0.141154",
        output: "0.6",
        request: "0.001",
        cacheRead: "0.003625",
        cacheWrite: "0.25",
        cacheWrite1h: "0.4",
        webSearch: "0.004",
      },
    ]);
  });

  it("takes a zero of a part for not billed apart, so that it costs what its whole does", () => {
    expect(
      read({ prompt: "0.000001", completion: "0.000002", internal_reasoning: "0", input_cache_read: "0" }),
    ).toEqual([{ input: "1", output: "2" }]);
  });

  it.each([
    ["0.00000100000000000000015", "1"],
    ["0.00000008333333333333334", "0.083333333334"],
    ["0.000000999999999999999999", "1"],
  ])("cleans what arithmetic with doubles left over: %s", (prompt, input) => {
    expect(read({ prompt, completion: "0.00001" })).toEqual([{ input, output: "10" }]);
    expect(parsePicoUsd(input)).toBeGreaterThanOrEqual(parsePicoUsd(Number(prompt) * 1e6 - 1e-12));
  });

  it.each([
    ["a router's price", { prompt: "-1", completion: "-1" }, /"prompt" price is "-1"/],
    ["a negative part", { prompt: "1e-6", completion: "1e-6", input_cache_read: "-1" }, /"input_cache_read" price/],
    ["NaN", { prompt: "NaN", completion: "1e-6" }, /"prompt" price is "NaN"/],
    ["infinity", { prompt: "1e-6", completion: "Infinity" }, /"completion" price/],
    ["a price of a million as one of a token", { prompt: "0.15", completion: "0.6" }, /absurd/],
    ["an absurd fee", { prompt: "1e-6", completion: "1e-6", request: "2" }, /"request" price of "2" is absurd/],
    ["nothing for nothing", { prompt: "0", completion: "0" }, /price of 0 is no price/],
    ["free answers", { prompt: "1e-6", completion: "0" }, /price of 0 is no price/],
    ["a lacking price", { prompt: "1e-6" }, /lacks a price/],
    ["a null price", { prompt: null, completion: "1e-6" }, /lacks a price/],
    ["an object", { prompt: {}, completion: "1e-6" }, /"prompt" price/],
    ["none at all", undefined, /has no prices/],
    ["an odd override", { prompt: "1e-6", completion: "1e-6", overrides: ["x"] }, /override/],
    ["a bad override", { prompt: "1e-6", completion: "1e-6", overrides: [{ prompt: "-1" }] }, /"prompt" price/],
  ])("refuses %s", (_name, pricing, reason) => {
    expect(read(pricing)).toMatch(reason);
  });

  it("takes zeros for free only where the model is offered so, and embeddings without a price of output", () => {
    const free = { prompt: "0", completion: "0" };
    expect(read(free, "a/model:free")).toEqual([{ input: "0", output: "0" }]);
    expect(read({ prompt: "2e-8", completion: "0" }, "a/text-embedding")).toEqual([{ input: "0.02", output: "0" }]);
  });

  it("reads prices of long requests whole: what they leave out comes from those before", () => {
    const pricing = {
      prompt: "0.000001",
      completion: "0.000005",
      overrides: [
        { min_prompt_tokens: 200_000, prompt: "0.000002" },
        { min_prompt_tokens: 500_000, completion: "0.00001" },
      ],
    };
    expect(read(pricing)).toEqual([
      { input: "1", output: "5" },
      { above: 199_999, input: "2", output: "5" },
      { above: 499_999, input: "2", output: "10" },
    ]);
  });

  it("reads prices of times of the day, and lets those that it cannot read only lift bounds", () => {
    const pricing = {
      prompt: "0.000001",
      completion: "0.000005",
      overrides: [
        { utc_start: "16:30", utc_end: "00:30:00", prompt: "0.0000005" },
        { utc_start: 16, utc_end: "?", completion: "0.000009" },
        { min_prompt_tokens: "many", completion: "0.000008" },
      ],
    };
    expect(read(pricing)).toEqual([
      { input: "1", output: "5" },
      { utc: ["16:30", "00:30"], input: "0.5", output: "5" },
      { boundOnly: true, input: "1", output: "9" },
      { boundOnly: true, input: "1", output: "8" },
    ]);
  });
});
