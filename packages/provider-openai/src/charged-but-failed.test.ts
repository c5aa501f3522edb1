import { CostTracker } from "@autolabel/budget-core";
import { type Fault, type Simulator, startSimulator } from "@autolabel/simulator";
import { generateText, Output, streamText } from "ai";
import { AzureOpenAI } from "openai";
import { afterEach, describe, expect, it } from "vitest";
import { meterOpenAI } from "./official-client/meter-openai.ts";
import { createBudgetedOpenAI } from "./openai-client.ts";

let simulator: Simulator;
afterEach(() => simulator.close());

const asked = { prompt: "Hello, a or b?", maxOutputTokens: 20, maxRetries: 0 };
const output = Output.choice({ options: ["a", "b"] });

async function setUp(faults: readonly Fault[], path = "/v1") {
  simulator = await startSimulator({ faults });
  const tracker = new CostTracker({ budget: "1" });
  const openai = createBudgetedOpenAI({ tracker, apiKey: "test", baseURL: `${simulator.url}${path}` });
  return { tracker, openai };
}

describe.each(["responses", "chat"] as const)("a call of %s that was billed and failed", (api) => {
  it.each<Fault>([
    { kind: "bad-schema" },
    { kind: "empty-choices" },
    { kind: "invalid-label" },
    { kind: "400", isBilled: true },
    { kind: "429", isBilled: true },
    { kind: "500", isBilled: true },
  ])("costs what its body tells: %o", async (fault) => {
    const { tracker, openai } = await setUp([fault]);
    await expect(generateText({ ...asked, model: openai[api]("gpt-4o-mini"), output })).rejects.toThrow();
    const { exact, boundCallCount } = await tracker.getStats();
    expect(simulator.invoice.count).toBe(1);
    expect(exact.spent.picoUsd).toBe(simulator.invoice.totalPicoUsd);
    expect([boundCallCount, exact.held.picoUsd]).toEqual([0, 0n]);
  });

  it("costs what its stream tells, though no answer could be read", async () => {
    const { tracker, openai } = await setUp([{ kind: "bad-schema" }]);
    const call = streamText({ ...asked, model: openai[api]("gpt-4o-mini"), onError: () => {} });
    await call.consumeStream({ onError: () => {} });
    const { exact, boundCallCount } = await tracker.getStats();
    expect(simulator.invoice.count).toBe(1);
    expect(exact.spent.picoUsd).toBe(simulator.invoice.totalPicoUsd);
    expect(boundCallCount).toBe(0);
  });

  it("costs its bound where the body is cut off", async () => {
    const { tracker, openai } = await setUp([{ kind: "bad-json" }]);
    await expect(generateText({ ...asked, model: openai[api]("gpt-4o-mini") })).rejects.toThrow();
    const { exact, boundCallCount } = await tracker.getStats();
    expect(exact.spent.picoUsd).toBeGreaterThan(simulator.invoice.totalPicoUsd);
    expect(boundCallCount).toBe(1);
  });
});

const frame = (event: object, sequence_number: number) => `data: ${JSON.stringify({ sequence_number, ...event })}\n\n`;

/** A response of the API that failed, with the events that come before, if it is streamed. */
function failing(usage: object | null, end: object, isStream = true) {
  const error = { type: "server_error", code: "rate_limit_exceeded", message: "failed" };
  const response = { id: "r", object: "response", created_at: 1, model: "gpt-5-mini", output: [], error, usage };
  if (!isStream) return Response.json({ ...response, status: "failed" });
  const events = [
    { type: "response.created", response: { ...response, status: "in_progress", error: null, usage: null } },
    { type: "response.in_progress", response: { ...response, status: "in_progress", error: null, usage: null } },
    { type: "response.output_item.added", output_index: 0, item: { type: "reasoning", id: "rs_1", summary: [] } },
    { response: { ...response, status: "failed" }, ...end },
  ];
  return new Response(events.map(frame).join(""), {
    headers: { "content-type": "text/event-stream" },
  });
}

describe("a response that fails after it was accepted, of which the AI SDK says that it was refused", () => {
  const reasoned = {
    input_tokens: 10,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 500,
    output_tokens_details: { reasoning_tokens: 500 },
    total_tokens: 510,
  };
  const failed = { type: "response.failed" };
  const told = { type: "invalid_request_error", message: "x", param: null };
  const money = { ...told, type: "insufficient_quota", code: "insufficient_quota" };
  // gpt-5-mini: 0.25 and 2 USD per 1M tokens.
  const reasonedPicoUsd = 10n * 250_000n + 500n * 2_000_000n;

  it.each<[string, object | null, object, bigint | "bound" | "free"]>([
    ["rate limit", null, failed, "bound"],
    ["flagged prompt", null, { type: "error", error: { ...told, code: "invalid_prompt" } }, "bound"],
    ["overload", null, { type: "error", error: { ...told, code: "overloaded" } }, "bound"],
    ["usage", reasoned, failed, reasonedPicoUsd],
    ["no money", null, { type: "error", error: money }, "free"],
  ])("counts at what is provable when it is streamed: %s", async (_name, usage, end, cost) => {
    simulator = await startSimulator();
    const tracker = new CostTracker({ budget: "1" });
    const openai = createBudgetedOpenAI({ tracker, apiKey: "test", fetch: async () => failing(usage, end) });
    const model = openai("gpt-5-mini");
    await streamText({ ...asked, model, maxOutputTokens: 1000, onError: () => {} }).consumeStream();
    const { exact, callCount, boundCallCount } = await tracker.getStats();
    expect([callCount, boundCallCount]).toEqual([cost === "free" ? 0 : 1, cost === "bound" ? 1 : 0]);
    if (cost === "bound") expect(exact.spent.picoUsd).toBeGreaterThan(reasonedPicoUsd);
    else expect(exact.spent.picoUsd).toBe(cost === "free" ? 0n : cost);
  });

  it.each([
    [null, 1],
    [reasoned, 0],
  ])("counts at what is provable in one piece, with the usage %o", async (usage, bound) => {
    simulator = await startSimulator();
    const tracker = new CostTracker({ budget: "1" });
    const openai = createBudgetedOpenAI({ tracker, apiKey: "test", fetch: async () => failing(usage, {}, false) });
    const call = generateText({ ...asked, model: openai("gpt-5-mini"), maxOutputTokens: 1000 });
    await expect(call).rejects.toMatchObject({ statusCode: 400 });
    expect(await tracker.getStats()).toMatchObject({ callCount: 1, boundCallCount: bound });
    if (usage) expect((await tracker.getStats()).exact.spent.picoUsd).toBe(reasonedPicoUsd);
  });
});

describe("a request that Azure refuses after it looked at it", () => {
  const filtered = { error: { code: "content_filter", message: "filtered", status: 400 } };

  it.each([
    ["billed, so its bound counts", "/openai", filtered, 1],
    ["free where its reason is another", "/openai", { error: { code: "invalid_value", message: "no" } }, 0],
    ["free at OpenAI itself", "/v1", filtered, 0],
  ])("is %s, with the AI SDK and with the openai client", async (_name, path, body, bound) => {
    const { tracker, openai } = await setUp([{ kind: "400", isBilled: bound === 1, body }], path);
    await expect(generateText({ ...asked, model: openai.chat("gpt-4o-mini") })).rejects.toThrow();
    expect(await tracker.getStats()).toMatchObject({ callCount: bound, boundCallCount: bound, held: 0 });
    expect((await tracker.getStats()).exact.spent.picoUsd).toBeGreaterThanOrEqual(simulator.invoice.totalPicoUsd);
    if (path === "/v1") return;
    const azure = new AzureOpenAI({ apiKey: "test", apiVersion: "v", endpoint: simulator.url, maxRetries: 0 });
    const messages = [{ role: "user" as const, content: asked.prompt }];
    const call = meterOpenAI(azure, { tracker }).chat.completions.create({ model: "gpt-4o-mini", messages });
    await expect(call).rejects.toThrow();
    expect(await tracker.getStats()).toMatchObject({ callCount: 2 * bound, boundCallCount: 2 * bound, held: 0 });
  });
});
