import { type Call, UnboundedRequestError, UnpricedModelError } from "@autolabel/budget-core";
import { describe, expect, it } from "vitest";
import { readBody, writeBody } from "./official-client/openai-body.ts";
import { openAiCosts } from "./openai-costs.ts";
import { openAiBudgetError } from "./openai-errors.ts";
import type { OpenAiPrices } from "./openai-prices.ts";

const costs = openAiCosts();
const model = "gpt-4o-mini";
const messages = [{ role: "user", content: "x" }];
const chat = (body: object = {}): Call => ({
  surface: "generate",
  modelId: model,
  request: { model, messages, ...body },
  maxOutputTokens: 100,
});
const responses = (body: object = {}): Call => ({
  surface: "generate",
  modelId: model,
  request: { model, input: "x", ...body },
  maxOutputTokens: 100,
});
const sdk = (request: object = {}): Call => ({
  surface: "generate",
  modelId: model,
  request: { prompt: [{ role: "user", content: [{ type: "text", text: "x" }] }], ...request },
  maxOutputTokens: 100,
});
const embeddings = (input: unknown): Call => ({ surface: "embed", modelId: model, request: { model, input } });
const call = chat();
const quote = costs.quote(call);

/** Usage as the API sends it: 60 fresh, 40 cached, 20 out = 60 x 0.15 + 40 x 0.075 + 20 x 0.60 micro-USD. */
const chatUsage = {
  prompt_tokens: 100,
  completion_tokens: 20,
  total_tokens: 120,
  prompt_tokens_details: { cached_tokens: 40, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: 5, audio_tokens: 0 },
};
const responsesUsage = {
  input_tokens: 100,
  output_tokens: 20,
  input_tokens_details: { cached_tokens: 40, cache_write_tokens: 0 },
  output_tokens_details: { reasoning_tokens: 5 },
};
const sdkUsage = { inputTokens: { total: 100, cacheRead: 40 }, outputTokens: { total: 20, reasoning: 5 } };

describe("openAiCosts.receipt", () => {
  it.each<[string, object, bigint | "bound"]>([
    ["chat completions", { body: { usage: chatUsage } }, 24_000_000n],
    ["responses", { body: { usage: responsesUsage } }, 24_000_000n],
    ["embeddings", { body: { usage: { prompt_tokens: 100, total_tokens: 100 } } }, 15_000_000n],
    ["the AI SDK", { usage: { ...sdkUsage, raw: chatUsage } }, 24_000_000n],
    ["the AI SDK without raw usage", { usage: sdkUsage }, 24_000_000n],
    ["nothing", {}, "bound"],
    ["a null usage", { body: { usage: null }, usage: { inputTokens: {}, outputTokens: {} } }, "bound"],
    ["half a usage", { body: { usage: { prompt_tokens: 100 } } }, "bound"],
    ["a broken usage", { body: { usage: { ...chatUsage, prompt_tokens: -1 } } }, "bound"],
    ["no input, which no request has", { body: { usage: { prompt_tokens: 0, completion_tokens: 0 } } }, "bound"],
    ["more cached than input", { body: { usage: { ...chatUsage, prompt_tokens: 10 } } }, "bound"],
    [
      "audio, which has a price of its own",
      { body: { usage: { ...chatUsage, prompt_tokens_details: { audio_tokens: 3 } } } },
      "bound",
    ],
    [
      "the AI SDK with audio",
      { usage: { ...sdkUsage, raw: { ...chatUsage, completion_tokens_details: { audio_tokens: 3 } } } },
      "bound",
    ],
    ["scale, which has no price", { body: { usage: chatUsage, service_tier: "scale" } }, "bound"],
    [
      "priority as the AI SDK tells it",
      { usage: sdkUsage, providerMetadata: { openai: { serviceTier: "priority" } } },
      "bound",
    ],
  ])("of %s", (_name, result, cost) => {
    const receipt = costs.receipt({ call, quote, result });
    const expected =
      cost === "bound" ? { costPicoUsd: quote.boundPicoUsd, kind: "bound" } : { costPicoUsd: cost, kind: "computed" };
    expect(receipt).toMatchObject(expected);
  });

  it.each([
    ["flex by its own price", "gpt-5-mini", "flex", "computed"],
    ["priority by its own price", "gpt-5-mini", "priority", "computed"],
    ["flex without a price at the standard one, marked as a bound", "own", "flex", "bound"],
    ["priority without a price at the bound", "own", "priority", "bound"],
  ])("bills the tier that served: %s", (_name, modelId, tier, kind) => {
    const own = openAiCosts({ prices: { own: { input: "1", output: "1" } } });
    const asked = { ...call, modelId };
    const held = own.quote({ ...asked, request: { ...asked.request, service_tier: "default" } });
    const of = (service_tier: string) =>
      own.receipt({ call: asked, quote: held, result: { body: { usage: chatUsage, service_tier } } });
    expect(of(tier).kind).toBe(kind);
    const [cost, standard] = [of(tier).costPicoUsd, of("default").costPicoUsd];
    expect(cost).not.toBe(modelId === "own" && tier === "flex" ? 0n : standard);
  });

  it.each([
    ["default", "default", "computed"],
    ["flex", "default", "bound"],
    ["auto", "priority", "bound"],
    ["priority", "priority", "bound"],
  ])("counts an answer that names no tier at the dearest that may have served: asked for %s", (tier, dearest, kind) => {
    const asked: Call = { ...call, modelId: "gpt-5-mini", request: { ...call.request, service_tier: tier } };
    const held = costs.quote(asked);
    const of = (named: object) =>
      costs.receipt({ call: asked, quote: held, result: { body: { usage: chatUsage, ...named } } });
    expect(of({})).toMatchObject({ kind, costPicoUsd: of({ service_tier: dearest }).costPicoUsd });
  });

  it.each<[string, string, string, OpenAiPrices, bigint | "bound"]>([
    ["an alias by its listed snapshot", model, "gpt-4o-mini-2024-07-18", {}, 24_000_000n],
    ["by the model that served", model, "gpt-4o-2024-05-13", {}, 800_000_000n],
    ["at the bound if what served is not listed", model, "gpt-4o-mini-2031-01-01", {}, "bound"],
    [
      "a deployment at its stated price",
      "prod",
      "gpt-4o-2024-08-06",
      { prod: { input: "1", output: "1" } },
      120_000_000n,
    ],
    ["by a stated price of what served", model, "own", { own: { input: "2", output: "2" } }, 240_000_000n],
  ])("bills %s", (_name, asked, served, prices, cost) => {
    const own = openAiCosts({ prices });
    const result = { body: { usage: chatUsage }, modelId: served };
    const { costPicoUsd, kind } = own.receipt({ call: { ...call, modelId: asked }, quote, result });
    expect([costPicoUsd, kind]).toEqual(cost === "bound" ? [quote.boundPicoUsd, "bound"] : [cost, "computed"]);
  });

  it("bills a call that failed after generation from the body of its error, and knows a refusal for capacity", () => {
    const spoiled = { statusCode: 200, responseBody: JSON.stringify({ model, usage: chatUsage }) };
    expect(costs.receipt({ call, quote, error: spoiled })).toMatchObject({ costPicoUsd: 24_000_000n });
    const busy = { statusCode: 503, responseBody: JSON.stringify({ error: { message: "overloaded" } }) };
    expect(costs.refusal?.(busy)).toBe("HTTP 503 of OpenAI");
  });

  it.each([
    ["a timeout", new Error("timeout")],
    ["a bare gateway page", { statusCode: 503, responseBody: "<html>" }],
    ["a server error", { statusCode: 500, responseBody: JSON.stringify({ error: { message: "oops" } }) }],
  ])("counts the bound after %s", (_name, error) => {
    expect(costs.refusal?.(error)).toBeUndefined();
    expect(costs.receipt({ call, quote, error })).toMatchObject({ costPicoUsd: quote.boundPicoUsd, kind: "bound" });
  });
});

describe("openAiCosts.quote", () => {
  it("bounds input by bytes and every answer by the cap", () => {
    const of = (body: object) => costs.quote(chat({ service_tier: "default", ...body })).boundPicoUsd;
    const long = { messages: [{ role: "user", content: `x${"y".repeat(1000)}` }] };
    expect(of(long) - of({})).toBe(1000n * 150_000n);
    expect(of({ n: 3 }) - of({})).toBe(200n * 600_000n + BigInt(',"n":3'.length) * 150_000n);
    expect(costs.quote(embeddings(["x", "y"])).boundPicoUsd).toBeLessThan(quote.boundPicoUsd);
  });

  it("refuses tiers without a price, and bounds the dearest that may serve", () => {
    const own = openAiCosts({ prices: { own: { input: "1", output: "1" } } });
    const named =
      (tier: string, modelId = "own") =>
      () =>
        own.quote({ ...chat({ service_tier: tier }), modelId }).boundPicoUsd;
    for (const tier of ["auto", "priority", "fast"]) expect(named(tier)).toThrow(UnpricedModelError);
    const sdkCall = { ...sdk({ providerOptions: { openai: { serviceTier: "auto" } } }), modelId: "own" };
    expect(() => own.quote(sdkCall)).toThrow(UnpricedModelError);
    expect(named("auto", model)()).toBeGreaterThan(named("default", model)());
    expect(named("priority", model)()).toBeGreaterThan(named("flex", model)());
  });

  it("refuses models without a price and calls without a cap", () => {
    expect(() => costs.quote({ ...call, modelId: "gpt-9" })).toThrow(UnpricedModelError);
    const own = openAiCosts({ prices: { own: { input: "1", output: "1" } } });
    expect(() => own.quote({ surface: "generate", modelId: "own", request: { messages } })).toThrow(/maxOutputTokens/);
    expect(() => costs.quote({ ...call, maxOutputTokens: Number.NaN })).toThrow(UnboundedRequestError);
  });

  const picture = { type: "image_url", image_url: { url: "https://example.com/x.png" } };
  it.each<[string, Call]>([
    ["image_url", chat({ messages: [{ role: "user", content: [picture] }] })],
    ["input_audio", chat({ messages: [{ role: "user", content: [{ type: "input_audio" }] }] })],
    ["audio", chat({ messages: [{ role: "assistant", audio: { id: "a" } }] })],
    ["audio", chat({ audio: { voice: "alloy", format: "mp3" } })],
    ["modalities", chat({ modalities: ["text", "audio"] })],
    ["web_search_options", chat({ web_search_options: {} })],
    ["prediction", chat({ prediction: { type: "content", content: "x" } })],
    ["an_option_of_tomorrow", chat({ an_option_of_tomorrow: true })],
    ["input_image", responses({ input: [{ role: "user", content: [{ type: "input_image" }] }] })],
    ["file", responses({ input: [{ role: "user", content: [{ type: "input_file" }] }] })],
    ["item_reference", responses({ input: [{ type: "item_reference", id: "x" }] })],
    ["reasoning", responses({ input: [{ type: "reasoning", id: "rs_1", summary: [] }] })],
    [
      "input_image",
      responses({ input: [{ type: "function_call_output", call_id: "c", output: [{ type: "input_image" }] }] }),
    ],
    ["previous_response_id", responses({ previous_response_id: "resp_1" })],
    ["conversation", responses({ conversation: "conv_1" })],
    ["prompt", responses({ prompt: { id: "pmpt_1" } })],
    ["background", responses({ background: true })],
    ["context_management", responses({ context_management: [] })],
    ["reasoning.mode", responses({ reasoning: { mode: "pro" } })],
    ...["web_search", "file_search", "code_interpreter", "image_generation", "mcp", "computer_use_preview"].map(
      (type): [string, Call] => [type, responses({ tools: [{ type }] })],
    ),
    ["file", sdk({ prompt: [{ role: "user", content: [{ type: "file", data: "x" }] }] })],
    ["provider", sdk({ tools: [{ type: "provider", id: "openai.web_search" }] })],
    ["previousResponseId", sdk({ providerOptions: { openai: { previousResponseId: "resp_1" } } })],
    ["conversation", sdk({ providerOptions: { openai: { conversation: "conv_1" } } })],
    ["maxCompletionTokens", sdk({ providerOptions: { openai: { maxCompletionTokens: 9 } } })],
    // Models whose provider is named after Azure look there.
    ["azure.maxCompletionTokens", sdk({ providerOptions: { azure: { maxCompletionTokens: 9 } } })],
    ["azure.prediction", sdk({ providerOptions: { azure: { prediction: { type: "content", content: "x" } } } })],
    [
      "two service tiers",
      sdk({ providerOptions: { openai: { serviceTier: "default" }, azure: { serviceTier: "priority" } } }),
    ],
    ["video", { ...call, surface: "video" }],
    ["searches the web", { ...call, modelId: "gpt-4o-mini-search-preview-2025-03-11" }],
    ["searches the web", { ...responses(), modelId: "o4-mini-deep-research" }],
    [
      "reasoning",
      sdk({
        prompt: [
          {
            role: "assistant",
            content: [{ type: "reasoning", text: "", providerOptions: { openai: { itemId: "rs_1" } } }],
          },
        ],
      }),
    ],
    [
      "image",
      sdk({
        prompt: [
          {
            role: "tool",
            content: [{ type: "tool-result", output: { type: "content", value: [{ type: "image-data" }] } }],
          },
        ],
      }),
    ],
  ])("refuses what has no bound and names it: %s", (name, unbounded) => {
    expect(() => costs.quote(unbounded)).toThrow(UnboundedRequestError);
    expect(() => costs.quote(unbounded)).toThrow(name);
  });

  it.each<[string, Call]>([
    ["text parts", chat({ messages: [{ role: "user", content: [{ type: "text", text: "x" }] }] })],
    ["nulls", chat({ audio: null, service_tier: null, modalities: ["text"] })],
    ["functions", responses({ tools: [{ type: "function", name: "f" }], background: false, service_tier: "flex" })],
    [
      "items of a tool loop",
      responses({
        input: [
          { role: "user", content: "x" },
          { type: "function_call", name: "f" },
          { type: "function_call_output", output: "x" },
        ],
      }),
    ],
    ["encrypted reasoning", responses({ input: [{ type: "reasoning", id: "rs_1", encrypted_content: "x" }] })],
    ["token ids", embeddings([1, 2, 3])],
    ["lists of token ids", embeddings([[1], [2]])],
    [
      "a tool loop of the AI SDK",
      sdk({
        prompt: [
          { role: "system", content: "x" },
          { role: "assistant", content: [{ type: "tool-call", input: {} }] },
          { role: "tool", content: [{ type: "tool-result", output: { type: "json", value: 1 } }] },
        ],
      }),
    ],
  ])("bounds %s", (_name, bounded) => {
    expect(costs.quote(bounded).boundPicoUsd).toBeGreaterThan(0n);
  });
});

describe("the body that is sent", () => {
  const written = (body: object, isOpenAi = false) => {
    const target = { path: "", deployment: undefined, isOpenAi };
    const read = readBody("/chat/completions", JSON.stringify({ model, messages, ...body }), target);
    return JSON.parse(writeBody(read, { boundPicoUsd: 0n, maxOutputTokens: 5 })) as object;
  };

  it("names the tier of the listed price, on OpenAI only, where a project's default can be dearer", () => {
    expect(written({}, true)).toMatchObject({ service_tier: "default" });
    expect(written({ service_tier: "flex" }, true)).toMatchObject({ service_tier: "flex" });
    expect(written({})).not.toHaveProperty("service_tier");
  });

  it("never raises a cap, and lowers both where both are given", () => {
    expect(written({ max_tokens: 3, max_completion_tokens: 9 })).toMatchObject({
      max_tokens: 3,
      max_completion_tokens: 5,
    });
  });

  it.each(["{", "[]", "{}", undefined])("must be an object with a model, not %s", (text) => {
    expect(() => readBody("/responses", text, { path: "", deployment: undefined, isOpenAi: true })).toThrow(
      UnboundedRequestError,
    );
  });
});

describe("openAiBudgetError", () => {
  const responseBody = JSON.stringify({ error: { code: "insufficient_quota", message: "You exceeded your quota." } });
  it.each<[string, unknown, boolean]>([
    ["the openai client", { status: 429, code: "insufficient_quota", message: "429 quota" }, true],
    ["the AI SDK", { statusCode: 429, responseBody, message: "quota" }, true],
    ["a retry error", { message: "failed 3 times", lastError: { statusCode: 429, responseBody } }, true],
    ["HTTP 402", { status: 402, message: "pay" }, true],
    ["a hard limit", { status: 400, code: "billing_hard_limit_reached" }, true],
    ["a rate limit", { status: 429, code: "rate_limit_exceeded" }, false],
    ["a text", "insufficient_quota", false],
    ["nothing", undefined, false],
  ])("knows a refusal for money of %s", (_name, error, isRefusal) => {
    expect(openAiBudgetError(error) !== undefined).toBe(isRefusal);
  });

  it("says what to do", () => {
    expect(openAiBudgetError({ statusCode: 429, responseBody })).toMatchObject({
      provider: "openai",
      statusCode: 429,
      message: expect.stringContaining("You exceeded your quota. Add credit"),
    });
  });
});
