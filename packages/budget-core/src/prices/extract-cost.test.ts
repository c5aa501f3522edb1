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

/** A message as chains of other libraries return it, with what the provider told beside the answer. */
const message = (response_metadata: unknown) => ({ generations: [[{ text: "x", message: { response_metadata } }]] });
const byok = { cost: 0.1, is_byok: true, cost_details: { upstream_inference_cost: 0.2 } };

describe("extractCostFromResult of OpenRouter", () => {
  it.each([
    ["U18/H14", { metadata: { total_cost: 0.000234, usage: { prompt_tokens: 150, completion_tokens: 50 } } }, 0.000234],
    ["U18/H14: in a list of generations", message({ total_cost: 0.000234, usage: { prompt_tokens: 150 } }), 0.000234],
    ["U19/H15", { metadata: { cost: 0.000156 } }, 0.000156],
    ["U19/H15: in a list of generations", message({ cost: 0.000156 }), 0.000156],
    ["S3-both: the total wins", { metadata: { total_cost: 0.3, cost: 0.2 } }, 0.3],
    ["S3-zero: a total of 0 beside a cost is no total", { metadata: { total_cost: 0, cost: 0.2 } }, 0.2],
    ["a cost of 0", { metadata: { cost: 0 } }, 0],
    ["S3-output: llm_output.total_cost", { llm_output: { total_cost: 0.1 } }, 0.1],
    ["S3-output: llm_output.cost", { llm_output: { cost: 0.1 } }, 0.1],
    ["S3-output: llm_output.usage.total_cost", { llm_output: { usage: { total_cost: 0.1 } } }, 0.1],
    ["S3-output: llm_output.usage.cost", { llm_output: { usage: { cost: 0.1 } } }, 0.1],
    ["the AI SDK's metadata", { providerMetadata: { openrouter: { usage: { cost: 0.0004 } } } }, 0.0004],
    [
      "a raw body, whose upstream cost repeats the cost",
      { usage: { cost: 0.0004, is_byok: false, cost_details: { upstream_inference_cost: 0.0004 } } },
      0.0004,
    ],
    ["a body that does not say whose key it was", { usage: { ...byok, is_byok: undefined } }, 0.3],
    [
      "one whose upstream cost repeats the cost",
      { usage: { cost: 0.1, cost_details: { upstream_inference_cost: 0.1 } } },
      0.1,
    ],
    ["an own provider key", { usage: { raw: byok } }, 0.3],
    [
      "an own provider key, in the AI SDK's metadata",
      { providerMetadata: { openrouter: { usage: { cost: 0.1, costDetails: { upstreamInferenceCost: 0.2 } } } } },
      0.3,
    ],
    ["an own provider key whose charge is not told", { usage: { raw: { cost: 0.1, is_byok: true } } }, undefined],
    ["U20/H19: nothing is unknown, not 0", { metadata: {} }, undefined],
    ["U20/H19: no metadata", {}, undefined],
    ["no amount", { metadata: { cost: "much" } }, undefined],
    ["U21/H18: an empty list of generations", { generations: [[]] }, undefined],
    ["U22/H17: no generations", { generations: [] }, undefined],
    ["H20: a generation that is no message", { generations: [[{ text: "x" }]] }, undefined],
    ["U23/H21: nothing at all", null, undefined],
    ["U23/H21: malformed", { metadata: 3, generations: "x", usage: [] }, undefined],
    ["U23/H21: throws when it is read", throwing, undefined],
  ])("%s", (_id, result, expected) => {
    expect(cost(result, "openrouter")).toBe(expected);
    expect(extractCostFromResult(result, "openrouter").kind).toBe(expected === undefined ? "unknown" : "reported");
  });

  it.each([
    ["H16: the body's usage", tokens(100, 30)],
    ["H16: a message's metadata", { metadata: tokens(100, 30) }],
    ["H16: a message in a list of generations", message({ token_usage: tokens(100, 30).usage })],
    ["H16: usage of the AI SDK", { usage: { inputTokens: 100, outputTokens: 30 } }],
  ])("%s: computes from tokens where only those are told, and says so", (_id, result) => {
    expect(extractCostFromResult(result, "openrouter", "openai/gpt-4o-mini", { at })).toMatchObject({
      costUsd: 0.000033,
      kind: "computed",
    });
    expect(extractCostFromResult(result, "openrouter", undefined, { at }).kind).toBe("unknown");
  });

  it("takes zeros that the AI SDK writes for a usage that was not sent for unknown", () => {
    const silent = { usage: { inputTokens: 0, outputTokens: 0, raw: undefined } };
    expect(extractCostFromResult(silent, "openrouter", "openai/gpt-4o-mini", { at }).kind).toBe("unknown");
    const counted = { usage: { inputTokens: 0, outputTokens: 0, raw: { prompt_tokens: 0, completion_tokens: 0 } } };
    expect(cost(counted, "openrouter", "openai/gpt-4o-mini")).toBe(0);
  });

  it("sums up the steps of a tool loop, and is as unsure as the least sure of them", () => {
    const told = { usage: { raw: { cost: 0.1 } } };
    const of = (...steps: unknown[]) =>
      extractCostFromResult({ ...told, steps }, "openrouter", "openai/gpt-4o", { at });
    expect(of(told, told, told)).toMatchObject({ costUsd: 0.3, kind: "reported" });
    expect(of(told, tokens(1000, 500))).toMatchObject({ costUsd: 0.1075, kind: "computed" });
    expect(of(told, {}).kind).toBe("unknown");
    expect(of()).toMatchObject({ costUsd: 0.1, kind: "reported" });
  });
});

describe("extractCostFromResult of OpenAI", () => {
  it.each([
    ["U24", 1000, 500, "gpt-4o-mini", 0.00045],
    ["H23", 10_000, 5000, "gpt-4o-mini", 0.0045],
    ["U25/H22", 1000, 500, "gpt-4o", 0.0075],
    ["U26/H24", 2000, 1000, "gpt-3.5-turbo", 0.0025],
    ["U28/H26", 0, 0, "gpt-4o", 0],
    ["U29: an unknown model is unknown, never the cheapest", 1000, 500, "unknown-model-v1", undefined],
    ["H25: an unknown model is unknown, never the cheapest", 2000, 1000, "unknown-model-v1", undefined],
    ["S4-table: gpt-4o", 1e6, 1e6, "gpt-4o", 12.5],
    ["S4-table: gpt-4o-mini", 1e6, 1e6, "gpt-4o-mini", 0.75],
    ["S4-table: a dated gpt-4o-mini", 1e6, 1e6, "gpt-4o-mini-2024-07-18", 0.75],
    ["S4-table: gpt-3.5-turbo", 1e6, 1e6, "gpt-3.5-turbo", 2],
    ["S4-table: gpt-3.5-turbo-16k", 1e6, 1e6, "gpt-3.5-turbo-16k", 2],
    ["S4-table: gpt-4", 1e6, 1e6, "gpt-4", 90],
    ["S4-table: gpt-4-32k", 1e6, 1e6, "gpt-4-32k", 180],
    ["S4-table: gpt-4-turbo", 1e6, 1e6, "gpt-4-turbo", 40],
    // By their prefix or as the cheapest these were billed 90 or 2.0 by the earlier tool.
    ["S4-table: gpt-4.1", 1e6, 1e6, "gpt-4.1", 10],
    ["S4-table: gpt-4.1-nano", 1e6, 1e6, "gpt-4.1-nano", 0.5],
    ["S4-table: o1", 1e6, 1e6, "o1", 75],
    ["S4-table: another provider's id", 1e6, 1e6, "openai/gpt-4o", undefined],
    ["S4-table: another spelling", 1e6, 1e6, "GPT-4o", undefined],
    // The earlier tool gave it the base model's 0.0075. OpenAI never lowered its price: 5/15, which the bill follows.
    ["U30: a dated snapshot has its own price", 1000, 500, "gpt-4o-2024-05-13", 0.0125],
    ["U30: a dated snapshot of today's price", 1000, 500, "gpt-4o-2024-08-06", 0.0075],
  ])("%s", (_id, input, output, model, expected) => {
    expect(cost(tokens(input, output), "openai", model)).toBe(expected);
    expect(cost({ llm_output: { token_usage: tokens(input, output).usage } }, "openai", model)).toBe(expected);
    expect(cost(message({ tokenUsage: tokens(input, output).usage }), "openai", model)).toBe(expected);
    const counted = { usage_metadata: { input_tokens: input, output_tokens: output } };
    expect(cost({ generations: [[{ message: counted }]] }, "openai", model)).toBe(expected);
    expect(cost({ usage: { inputTokens: input, outputTokens: output } }, "openai", model)).toBe(expected);
  });

  // The earlier tool said 0. A result proves that there was a call, so what it cost is unknown.
  it.each([
    ["U27/H27: no token usage", {}],
    ["U27/H27: one that is null", { usage: null }],
    ["H28: no output of the model", { llm_output: null }],
    ["H29: throws when it is read", throwing],
  ])("%s: unknown, and no throw", (_id, result) => {
    expect(extractCostFromResult(result, "openai", "gpt-4o", { at })).toEqual({
      costUsd: undefined,
      cost: undefined,
      kind: "unknown",
    });
  });

  it.each(["priority", "flex"])("does not price the tier %s as the standard one", (serviceTier) => {
    const priced = (tier: string) => {
      const providerMetadata = { openai: { serviceTier: tier } };
      const usage = { inputTokens: 1000, outputTokens: 500 };
      return [
        cost({ usage, providerMetadata }, "openai", "gpt-5"),
        cost({ usage: { ...usage, raw: tokens(1000, 500).usage }, providerMetadata }, "openai", "gpt-5"),
        cost({ response: { body: { ...tokens(1000, 500), service_tier: tier } } }, "openai", "gpt-5"),
      ];
    };
    expect(priced("default")).toEqual([0.00625, 0.00625, 0.00625]);
    const [told, ...computed] = priced(serviceTier);
    expect(told).toBeUndefined();
    for (const costUsd of computed) expect(costUsd).toBe(serviceTier === "flex" ? 0.003125 : 0.0125);
  });

  it("prices an embedding by its tokens", () => {
    expect(cost({ embedding: [1], usage: { tokens: 1_000_000 } }, "openai", "text-embedding-3-small")).toBe(0.02);
    expect(cost({ embedding: [1], usage: { tokens: Number.NaN } }, "openai", "text-embedding-3-small")).toBeUndefined();
  });
});

it("prices by the book it is given", () => {
  const prices = bundledPriceBook().with("openai", { "gpt-4o": { input: 1, output: 1 } });
  expect(extractCostFromResult(tokens(1000, 500), "openai", "gpt-4o", { prices }).costUsd).toBe(0.0015);
  // Parts that exceed their total contradict it: unknown.
  const odd = { usage: { inputTokens: 1, outputTokens: 1, cachedInputTokens: 5 } };
  expect(extractCostFromResult(odd, "openai", "gpt-4o", { prices }).kind).toBe("unknown");
  // Audio costs several times what text does, and this model has no price for it.
  const spoken = { usage: { prompt_tokens: 10, completion_tokens: 1, prompt_tokens_details: { audio_tokens: 9 } } };
  expect(extractCostFromResult(spoken, "openai", "gpt-4o", { prices }).kind).toBe("unknown");
});

it("prices a call of now when it is not told when the call was", () => {
  expect(extractCostFromResult(tokens(1000, 500), "openai", "gpt-4o").costUsd).toBe(0.0075);
});

describe("extractCostFromResult by provider", () => {
  const both = { metadata: { total_cost: 0.002 }, ...tokens(1000, 500) };
  it.each([
    ["U31/H30: the reported cost", "openrouter", 0.002],
    ["U35/H34: in any letter case", "openrouter", 0.002],
    ["U35/H34: in any letter case", "OpenRouter", 0.002],
    ["U35/H34: in any letter case", "OPENROUTER", 0.002],
    ["U32/H31: tokens x price", "openai", 0.00045],
    ["U33/H32/I08: free", "corporate", 0],
    ["U34/H33: unknown, not free", "unknown-provider", undefined],
    ["S5-contains: a name that only contains one is unknown", "azure-openai", undefined],
    ["S5-contains: a name that only contains one is unknown", "openai-compatible-corporate", undefined],
  ])("%s: %s", (_id, provider, expected) => {
    expect(cost(both, provider, "gpt-4o-mini")).toBe(expected);
  });

  it("U33/H32/I08: a corporate call costs what a table of yours says, and is unknown where it says nothing", () => {
    const prices = bundledPriceBook().with("corporate", { ours: { input: 1, output: 2 } });
    const priced = (model: string) => extractCostFromResult(tokens(1000, 500), "corporate", model, { prices });
    expect(priced("ours")).toMatchObject({ costUsd: 0.002, kind: "computed" });
    expect(priced("theirs").kind).toBe("unknown");
    for (const result of [both, {}, null]) expect(cost(result, "corporate")).toBe(0);
  });
});
