import { describe, expect, it } from "vitest";
import { extractCostFromResult } from "./extract-cost.ts";
import { bundledPriceBook } from "./snapshot.ts";

const at = new Date("2026-11-23");
const cost = (result: unknown, provider: string, model?: string) =>
  extractCostFromResult(result, provider, model, { at }).costUsd;
const tokens = (prompt_tokens: number, completion_tokens: number) => ({ usage: { prompt_tokens, completion_tokens } });
const throwing = {
  get usage(): never {
    throw new Error("broken");
  },
};

describe("extractCostFromResult of OpenRouter", () => {
  it.each([
    ["U18/H14", { metadata: { total_cost: 0.000234, usage: { prompt_tokens: 150 } } }, 0.000234],
    ["U19/H15", { metadata: { cost: 0.000156 } }, 0.000156],
    ["both: the total wins", { metadata: { total_cost: 0.3, cost: 0.2 } }, 0.3],
    ["a total of 0 beside a cost", { metadata: { total_cost: 0, cost: 0.2 } }, 0.2],
    ["a cost of 0", { metadata: { cost: 0 } }, 0],
    ["llm_output", { llm_output: { total_cost: 0.1 } }, 0.1],
    ["llm_output.usage", { llm_output: { usage: { cost: 0.1 } } }, 0.1],
    ["the AI SDK's metadata", { providerMetadata: { openrouter: { usage: { cost: 0.0004 } } } }, 0.0004],
    [
      "a raw body",
      { usage: { cost: 0.0004, is_byok: false, cost_details: { upstream_inference_cost: 0.0004 } } },
      0.0004,
    ],
    [
      "an own provider key",
      { usage: { raw: { cost: 0.1, is_byok: true, cost_details: { upstream_inference_cost: 0.2 } } } },
      0.3,
    ],
    ["U20/H19: nothing is unknown, not 0", { metadata: {} }, undefined],
    ["no amount", { metadata: { cost: "much" } }, undefined],
    ["U21/H18", { generations: [[]] }, undefined],
    ["U22/H17", { generations: [] }, undefined],
    ["H20", { generations: [{ text: "x" }] }, undefined],
    ["U23/H21", null, undefined],
    ["U23/H21, throwing", throwing, undefined],
  ])("%s", (_id, result, expected) => {
    expect(cost(result, "openrouter")).toBe(expected);
  });

  it("H16: computes from tokens where only those are told, and says so", () => {
    expect(extractCostFromResult(tokens(100, 30), "openrouter", "openai/gpt-4o-mini", { at })).toMatchObject({
      costUsd: 0.000033,
      kind: "computed",
    });
    expect(extractCostFromResult(tokens(100, 30), "openrouter", undefined, { at }).kind).toBe("unknown");
  });
});

describe("extractCostFromResult of OpenAI", () => {
  it.each([
    ["U24", 1000, 500, "gpt-4o-mini", 0.00045],
    ["H23", 10_000, 5000, "gpt-4o-mini", 0.0045],
    ["U25/H22", 1000, 500, "gpt-4o", 0.0075],
    ["U26/H24", 2000, 1000, "gpt-3.5-turbo", 0.0025],
    ["U28/H26", 0, 0, "gpt-4o", 0],
    ["U29/H25: an unknown model is unknown, never the cheapest", 1000, 500, "unknown-model-v1", undefined],
    ["U30: a dated snapshot has its own price", 1000, 500, "gpt-4o-2024-05-13", 0.0125],
    ["U30: a dated snapshot of today's price", 1000, 500, "gpt-4o-2024-08-06", 0.0075],
  ])("%s", (_id, input, output, model, expected) => {
    expect(cost(tokens(input, output), "openai", model)).toBe(expected);
    expect(cost({ llm_output: { token_usage: tokens(input, output).usage } }, "openai", model)).toBe(expected);
    expect(cost({ usage: { inputTokens: input, outputTokens: output } }, "openai", model)).toBe(expected);
  });

  it.each([
    ["U27/H27", {}],
    ["H28", { llm_output: null }],
    ["H29", throwing],
  ])("%s: unknown, and no throw", (_id, result) => {
    expect(extractCostFromResult(result, "openai", "gpt-4o", { at }).kind).toBe("unknown");
  });
});

it("prices by the book it is given", () => {
  const prices = bundledPriceBook().with("openai", { "gpt-4o": { input: 1, output: 1 } });
  expect(extractCostFromResult(tokens(1000, 500), "openai", "gpt-4o", { prices }).costUsd).toBe(0.0015);
  // Parts that exceed their total contradict it: unknown.
  const odd = { usage: { inputTokens: 1, outputTokens: 1, cachedInputTokens: 5 } };
  expect(extractCostFromResult(odd, "openai", "gpt-4o", { prices }).kind).toBe("unknown");
});

it("prices a call of now when it is not told when the call was", () => {
  expect(extractCostFromResult(tokens(1000, 500), "openai", "gpt-4o").costUsd).toBe(0.0075);
});

describe("extractCostFromResult by provider", () => {
  const both = { metadata: { total_cost: 0.002 }, ...tokens(1000, 500) };
  it.each([
    ["U31/H30", "openrouter", 0.002],
    ["U35/H34", "OpenRouter", 0.002],
    ["U35/H34", "OPENROUTER", 0.002],
    ["U32/H31", "openai", 0.00045],
    ["U33/H32/I08", "corporate", 0],
    ["U34/H33: unknown, not free", "unknown-provider", undefined],
    ["a name that only contains one", "azure-openai", undefined],
  ])("%s: %s", (_id, provider, expected) => {
    expect(cost(both, provider, "gpt-4o-mini")).toBe(expected);
  });
});
