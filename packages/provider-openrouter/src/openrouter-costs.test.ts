import { type Call, UnboundedRequestError, UnpricedModelError } from "@autolabel/budget-core";
import { describe, expect, it } from "vitest";
import { openRouterCosts } from "./openrouter-costs.ts";
import { openRouterBudgetError } from "./openrouter-errors.ts";

const costs = openRouterCosts();
const call: Call = {
  surface: "generate",
  modelId: "openai/gpt-4o-mini",
  request: { prompt: "x" },
  maxOutputTokens: 100,
  settings: {},
};
const quote = costs.quote(call);
const tokens = { inputTokens: { total: 100, cacheRead: 40 }, outputTokens: { total: 20 } };
/** A response body's usage as OpenRouter sends it. */
const raw = { prompt_tokens: 100, completion_tokens: 20, cost: 0.00021, is_byok: false };

describe("openRouterCosts.receipt", () => {
  const cases: [string, Record<string, unknown>, bigint, string][] = [
    ["takes the reported cost", raw, 210_000_000n, "reported"],
    ["keeps a reported zero", { ...raw, cost: 0 }, 0n, "reported"],
    [
      "does not double a cost that upstream repeats",
      { ...raw, cost_details: { upstream_inference_cost: 0.00021 } },
      210_000_000n,
      "reported",
    ],
    [
      "adds the provider's own charge with an own key",
      { ...raw, cost: 0.00001, is_byok: true, cost_details: { upstream_inference_cost: 0.0002 } },
      210_000_000n,
      "reported",
    ],
    [
      "counts both where it is not said whose key, unless one repeats the other",
      { cost: 0.00001, prompt_tokens: 1, completion_tokens: 1, cost_details: { upstream_inference_cost: 0.0002 } },
      210_000_000n,
      "reported",
    ],
    [
      "computes it where an own key's charge is not told",
      { ...raw, cost: 0, is_byok: true, cost_details: null },
      24_000_000n,
      "computed",
    ],
    [
      "adds the fee where an own key's charge is not told",
      { ...raw, cost: 0.00001, is_byok: true },
      34_000_000n,
      "computed",
    ],
    // 60 x 0.15 + 40 x 0.075 + 20 x 0.60 micro-USD
    [
      "computes it from tokens and price where none is reported",
      { prompt_tokens: 100, completion_tokens: 20 },
      24_000_000n,
      "computed",
    ],
    ["computes it where the reported cost is no amount", { ...raw, cost: Number.NaN }, 24_000_000n, "computed"],
    ["computes it where the reported cost is negative", { ...raw, cost: -1 }, 24_000_000n, "computed"],
  ];
  it.each(cases)("%s", (_name, usage, costPicoUsd, kind) => {
    const receipt = costs.receipt({ call, quote, result: { usage: { ...tokens, raw: usage }, modelId: call.modelId } });
    expect(receipt).toMatchObject({ costPicoUsd, kind, modelId: "openai/gpt-4o-mini" });
  });

  it("counts the bound where the response has no usage; the provider's made-up zero tokens are no usage", () => {
    const result = { usage: { inputTokens: { total: 0 }, outputTokens: { total: 0 }, raw: undefined } };
    expect(costs.receipt({ call, quote, result })).toEqual({
      costPicoUsd: quote.boundPicoUsd,
      kind: "bound",
      modelId: call.modelId,
    });
  });

  it.each([
    ["right, where the raw one is there", raw, 210_000_000n, "reported"],
    ["right, where only tokens are told", { prompt_tokens: 100, completion_tokens: 20 }, 24_000_000n, "computed"],
    ["as unknown, where there is none", undefined, quote.boundPicoUsd, "bound"],
  ] as const)("reads totals that are objects %s", (_name, rawUsage, costPicoUsd, kind) => {
    const usage = {
      inputTokens: { total: tokens.inputTokens, noCache: 60 },
      outputTokens: { total: tokens.outputTokens },
    };
    const receipt = costs.receipt({ call, quote, result: { usage: { ...usage, raw: rawUsage } } });
    expect(receipt).toMatchObject({ costPicoUsd, kind });
    if (kind !== "bound") expect(receipt.usage).toMatchObject({ inputTokens: 100, outputTokens: 20 });
  });

  it("takes totals that are no counts for unknown", () => {
    const odd = { inputTokens: { total: "many" }, outputTokens: { total: {} }, raw: { prompt_tokens: Number.NaN } };
    expect(costs.receipt({ call, quote, result: { usage: odd } })).toMatchObject({ kind: "bound" });
  });

  it("reads the cost from provider metadata when the raw usage was lost on the way", () => {
    const providerMetadata = { openrouter: { usage: { cost: 0.0003 } } };
    expect(costs.receipt({ call, quote, result: { usage: tokens, providerMetadata } })).toMatchObject({
      costPicoUsd: 300_000_000n,
    });
  });

  it("bills a call that failed after generation from the body of its error", () => {
    const error = { statusCode: 200, responseBody: JSON.stringify({ model: "openai/gpt-4o-mini", usage: raw }) };
    expect(costs.receipt({ call, quote, error })).toMatchObject({ costPicoUsd: 210_000_000n, kind: "reported" });
  });

  it.each([
    ["a timeout", Object.assign(new Error("timeout"), { name: "TimeoutError" })],
    ["a bare gateway page", { statusCode: 502, responseBody: "<html>" }],
    ["an unreadable 200", { statusCode: 200, responseBody: "{" }],
    ["nothing", undefined],
  ])("counts the bound after %s", (_name, error) => {
    expect(costs.receipt({ call, quote, error })).toMatchObject({ costPicoUsd: quote.boundPicoUsd, kind: "bound" });
  });

  it("knows OpenRouter's own refusals after the request was sent from those that prove nothing", () => {
    const failed = (statusCode: number, body: object) => ({ statusCode, responseBody: JSON.stringify(body) });
    expect(costs.refusal?.(failed(503, { error: { code: 503, message: "no provider" } }))).toBe(
      "HTTP 503 of OpenRouter",
    );
    expect(costs.refusal?.(failed(502, { error: { code: 502, message: "died in mid-answer" } }))).toBeUndefined();
    expect(costs.refusal?.(failed(500, { error: { code: 500 }, usage: raw }))).toBeUndefined();
    expect(costs.refusal?.({ statusCode: 500, responseBody: "<html>" })).toBeUndefined();
  });
});

describe("openRouterCosts.quote", () => {
  it("refuses unknown models and input that is not in the request", () => {
    expect(() => costs.quote({ ...call, modelId: "openai/gpt-9" })).toThrow(UnpricedModelError);
    expect(() => costs.quote({ ...call, settings: { plugins: [{ id: "web" }] } })).toThrow(UnboundedRequestError);
    expect(() => costs.quote({ ...call, request: { prompt: [{ type: "file", data: "x" }] } })).toThrow(
      UnboundedRequestError,
    );
  });

  it.each(["openai/gpt-4o-mini-search-preview", "openai/o3-deep-research", "openai/gpt-4o:online"])(
    "refuses %s, which searches by itself",
    (modelId) => {
      expect(() => costs.quote({ ...call, modelId })).toThrow(/searches the web by itself/);
      expect(() => costs.quote({ ...call, settings: { models: [modelId] } })).toThrow(UnboundedRequestError);
    },
  );

  it("refuses a model that hides its settings", () => {
    const { settings: _settings, ...hidden } = call;
    expect(() => costs.quote(hidden)).toThrow(/hides the settings/);
  });

  it("is bounded by the dearest model that may serve the call, and by all answers asked for", () => {
    const withFallback = costs.quote({ ...call, settings: { models: ["openai/gpt-4o"] } });
    expect(withFallback.boundPicoUsd).toBeGreaterThan(costs.quote({ ...call, modelId: "openai/gpt-4o" }).boundPicoUsd);
    const [once, thrice] = [1, 3].map((n) => costs.quote({ ...call, settings: { extraBody: { n } } }).boundPicoUsd);
    expect(thrice).toBe(3n * (once ?? 0n));
  });

  it.each([
    ["nothing, because an own key paid", 0, 200_000n, "computed"],
    ["only the fee on an own key", 0.00000001, 210_000n, "bound"],
    ["what the tokens cost", 0.0000002, 200_000n, "reported"],
    ["more than the listed price", 0.0000003, 300_000n, "reported"],
  ])("counts an embedding that reports %s", (_what, cost, costPicoUsd, kind) => {
    const modelId = "openai/text-embedding-3-small";
    const own = openRouterCosts({ prices: { [modelId]: { input: "0.02", output: 0 } } });
    const embed: Call = { surface: "embed", modelId, request: { values: ["x"] }, settings: {} };
    const usage = { tokens: 10, inputTokens: 10, outputTokens: 0 };
    const body = { usage: { prompt_tokens: 10, total_tokens: 10, cost } };
    const outcome = { call: embed, quote: own.quote(embed), result: { usage, body } };
    expect(own.receipt(outcome)).toMatchObject({ costPicoUsd, kind });
  });

  it("does not believe a usage without input", () => {
    const none = { prompt_tokens: 0, completion_tokens: 0 };
    const usage = { inputTokens: { total: 0 }, outputTokens: { total: 0 } };
    const of = (told: object) => costs.receipt({ call, quote, result: { usage: { ...usage, raw: told } } });
    expect(of(none)).toMatchObject({ costPicoUsd: quote.boundPicoUsd, kind: "bound" });
    expect(of({ ...none, cost: 0 })).toMatchObject({ costPicoUsd: 0n, kind: "reported" });
  });

  it("bounds an embedding by its input alone, and refuses what it cannot bound", () => {
    const embed: Call = {
      surface: "embed",
      modelId: "openai/text-embedding-3-small",
      request: { values: ["Hello"] },
      settings: {},
    };
    const own = openRouterCosts({ prices: { "openai/text-embedding-3-small": { input: "0.02", output: 0 } } });
    expect(own.quote(embed)).toMatchObject({ maxOutputTokens: 0 });
    expect(() => costs.quote({ ...call, surface: "image" })).toThrow(/"image" has no listed bound/);
  });

  it("takes own prices before the bundled ones", () => {
    const own = openRouterCosts({ prices: { "my/model": { input: "1", output: "1" } } });
    expect(own.quote({ ...call, modelId: "my/model" }).boundPicoUsd).toBeGreaterThan(0n);
    expect(() => own.quote({ surface: "generate", modelId: "my/model", request: {}, settings: {} })).toThrow(
      /maxOutputTokens/,
    );
  });
});

describe("openRouterBudgetError", () => {
  it("knows refusals for money from other errors", () => {
    expect(openRouterBudgetError({ statusCode: 402, message: "Insufficient credits." })?.message).toContain(
      "Insufficient credits",
    );
    expect(openRouterBudgetError({ statusCode: 403, message: "Key limit exceeded" })).toBeDefined();
    expect(openRouterBudgetError({ statusCode: 403, message: "moderation" })).toBeUndefined();
    expect(openRouterBudgetError("odd")).toBeUndefined();
  });
});
