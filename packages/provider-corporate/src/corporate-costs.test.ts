import { type Call, UnboundedRequestError, UnpricedModelError } from "@autolabel/budget-core";
import { describe, expect, it } from "vitest";
import { corporateCosts } from "./corporate-costs.ts";
import { corporateBudgetError } from "./corporate-errors.ts";

const prices = {
  house: { input: "1", output: "2", cacheRead: "0.5", maxOutputTokens: 1000 },
  backup: { input: "10", output: "20", maxOutputTokens: 1000 },
};
const costs = corporateCosts({ prices, costFrom: "body" });
const call: Call = { surface: "generate", modelId: "house", request: { prompt: [] }, maxOutputTokens: 100 };
const quote = costs.quote(call);
/** 60 x 1 + 40 x 0.5 + 20 x 2 micro-USD. */
const raw = { prompt_tokens: 100, completion_tokens: 20, prompt_tokens_details: { cached_tokens: 40 } };
const bound = quote.boundPicoUsd;

describe("corporateCosts.receipt", () => {
  it.each<[string, object, bigint, string]>([
    ["tokens x price", { usage: { raw } }, 120_000_000n, "computed"],
    ["a told cost", { usage: { raw: { ...raw, cost: 0.0003 } } }, 300_000_000n, "reported"],
    ["a told cost in scientific notation", { usage: { raw: { ...raw, cost: "3e-4" } } }, 300_000_000n, "reported"],
    ["a told cost without tokens", { usage: { raw: { cost: 0.0003 } } }, 300_000_000n, "reported"],
    [
      "a told zero, which can mean that there is no price",
      { usage: { raw: { ...raw, cost: 0 } } },
      120_000_000n,
      "computed",
    ],
    ["a told cost that is none", { usage: { raw: { ...raw, cost: "None" } } }, 120_000_000n, "computed"],
    ["the price of the listed model that served", { usage: { raw }, modelId: "backup" }, 1_400_000_000n, "computed"],
    [
      "the price of what was asked behind an alias",
      { usage: { raw }, modelId: "gpt-4o-2024-08-06" },
      120_000_000n,
      "computed",
    ],
    ["the bound without usage", {}, bound, "bound"],
    [
      "the bound with a usage of nothing",
      { usage: { raw: { prompt_tokens: 0, completion_tokens: 0 } } },
      bound,
      "bound",
    ],
    ["the bound with half a usage", { usage: { raw: { prompt_tokens: 1 } } }, bound, "bound"],
  ])("counts %s", (_name, result, costPicoUsd, kind) => {
    expect(costs.receipt({ call, quote, result })).toMatchObject({ costPicoUsd, kind });
  });

  it("reads cost and usage of a call that failed after generation from its error", () => {
    const responseBody = JSON.stringify({ model: "house", usage: raw });
    const error = { statusCode: 200, responseBody, responseHeaders: { "x-cost": "0.0002" } };
    const fromHeader = corporateCosts({ prices, costFrom: { header: "X-Cost" } });
    expect(fromHeader.receipt({ call, quote, error })).toMatchObject({ costPicoUsd: 200_000_000n, kind: "reported" });
    expect(costs.receipt({ call, quote, error })).toMatchObject({ costPicoUsd: 120_000_000n, kind: "computed" });
  });

  it("counts the bound after an error that proves nothing", () => {
    expect(costs.receipt({ call, quote, error: { statusCode: 500 } })).toMatchObject({
      costPicoUsd: bound,
      kind: "bound",
    });
  });

  it("is zero without prices, whatever happened", () => {
    const free = corporateCosts();
    const result = { usage: { raw }, modelId: "served" };
    expect(free.quote(call)).toEqual({ boundPicoUsd: 0n });
    expect(free.receipt({ call, quote, result })).toMatchObject({
      costPicoUsd: 0n,
      kind: "computed",
      modelId: "served",
      usage: { inputTokens: 100 },
    });
    expect(free.receipt({ call, quote, error: new Error("lost") })).toMatchObject({
      costPicoUsd: 0n,
      kind: "computed",
    });
  });
});

describe("corporateCosts.quote", () => {
  it("knows the contract's models only, not list prices", () => {
    expect(() => costs.quote({ ...call, modelId: "gpt-4o-mini" })).toThrow(UnpricedModelError);
    const own = corporateCosts({ name: "openai", prices });
    expect(() => own.quote({ ...call, modelId: "gpt-4o-mini" })).toThrow(UnpricedModelError);
    const empty = corporateCosts({ prices: {} });
    expect(() => empty.quote(call)).toThrow(UnpricedModelError);
  });

  it("needs prices where the gateway charges", () => {
    expect(() => corporateCosts({ costFrom: "body" })).toThrow(/needs prices/);
  });

  it.each(["corporate", "openaiCompatible", "openai-compatible"])(
    "refuses %s options that change the bound",
    (name) => {
      for (const option of [
        { max_tokens: 9 },
        { n: 2 },
        { fallbacks: ["x"] },
        { service_tier: "priority" },
        { best_of: 3 },
        { user_config: { model_list: [] } },
      ]) {
        const request = { prompt: [], providerOptions: { [name]: option } };
        expect(() => costs.quote({ ...call, request })).toThrow(UnboundedRequestError);
      }
    },
  );

  it.each([
    ["acme.eu", "acme"],
    [" acme ", "acme"],
    ["acme-eu", "acmeEu"],
  ])("refuses them under the name by which the AI SDK looks for those of %j", (name, key) => {
    const named = corporateCosts({ name, prices: { house: { input: "0.30", output: "0.90" } } });
    const asked = { ...call, modelId: "house" };
    const request = { prompt: [], providerOptions: { [key]: { max_tokens: 9 } } };
    expect(named.quote(asked).boundPicoUsd).toBeGreaterThan(0n);
    expect(() => named.quote({ ...asked, request })).toThrow(UnboundedRequestError);
  });

  it("refuses kinds of calls that have no price", () => {
    expect(() => costs.quote({ ...call, surface: "image" })).toThrow(UnboundedRequestError);
    expect(costs.quote({ ...call, surface: "embed" }).boundPicoUsd).toBeLessThan(bound);
  });
});

describe("corporateBudgetError", () => {
  const error = (statusCode: number, body: unknown) => ({
    statusCode,
    responseBody: JSON.stringify(body),
    message: "x",
  });
  it.each<[string, unknown, boolean]>([
    [
      "LiteLLM, per model",
      error(429, { error: { message: "exceeded budget for model=x", type: "budget_exceeded" } }),
      true,
    ],
    [
      "LiteLLM, older",
      error(400, { error: { message: "ExceededBudget: User over budget", type: "auth_error" } }),
      true,
    ],
    ["Portkey", error(412, { error: { message: "Usage limit exceeded" } }), true],
    ["Kong", error(429, { message: "quota exhausted" }), true],
    ["FastAPI's detail", error(429, { detail: { error: "x", type: "cost", code: "daily_budget_exceeded" } }), true],
    ["behind a retry error", { lastError: error(402, {}) }, true],
    ["a rate limit", error(429, { error: { message: "Rate limit reached", type: "rate_limit" } }), false],
    ["a quota per minute", error(429, { error: { message: "Quota exceeded: 60 requests per minute" } }), false],
    ["LiteLLM, by its words", error(400, { error: { message: "Budget has been exceeded! Current cost: 1.2" } }), true],
    ["a budget of tokens", error(400, { error: { message: "budget_tokens must be less than max_tokens" } }), false],
    ["a card as content", error(422, { detail: "credit card numbers are blocked by the guardrail" }), false],
    ["a bad request", error(400, { error: { message: "unknown field" } }), false],
    ["a server error", error(500, { error: { type: "budget_exceeded" } }), false],
    ["a text", "budget", false],
  ])("tells a refusal for money from others: %s", (_name, given, isRefusal) => {
    expect(corporateBudgetError(given) !== undefined).toBe(isRefusal);
  });
});
