import { CostTracker } from "@autolabel/budget-core";
import { type Fault, type Simulator, startSimulator } from "@autolabel/simulator";
import { generateText, Output, streamText } from "ai";
import { afterEach, describe, expect, it } from "vitest";
import { createCorporate } from "./corporate-client.ts";
import type { CostFrom } from "./corporate-costs.ts";

let simulator: Simulator;
afterEach(() => simulator.close());

const prices = { "house-model": { input: "0.30", output: "0.90", maxOutputTokens: 4096 } };
const models = { "house-model": { promptUsdPerMillion: "0.30", completionUsdPerMillion: "0.90" } };
const asked = { prompt: "Hello, a or b?", maxOutputTokens: 20, maxRetries: 0 };
const output = Output.choice({ options: ["a", "b"] });

async function setUp(fault: Fault, costFrom?: CostFrom) {
  simulator = await startSimulator({ faults: [fault], models, ...(costFrom ? { gatewayCost: "body" } : {}) });
  const tracker = new CostTracker({ budget: "1" });
  const settings = { apiKey: "test", prices, ...(costFrom ? { costFrom } : {}) };
  const corporate = createCorporate({ tracker, baseURL: simulator.gatewayUrl, ...settings });
  return { tracker, model: corporate("house-model") };
}

describe.each([undefined, "body"] as const)("a call that was billed and failed (cost from: %s)", (costFrom) => {
  it.each<Fault>([
    { kind: "bad-schema" },
    { kind: "empty-choices" },
    { kind: "invalid-label" },
    { kind: "400", isBilled: true },
    { kind: "402", isBilled: true },
    { kind: "429", isBilled: true },
    { kind: "500", isBilled: true },
  ])("costs what its body tells: %o", async (fault) => {
    const { tracker, model } = await setUp(fault, costFrom);
    await expect(generateText({ ...asked, model, output })).rejects.toThrow();
    const { exact, boundCallCount } = await tracker.getStats();
    expect(simulator.invoice.count).toBe(1);
    expect(exact.spent.picoUsd).toBe(simulator.invoice.totalPicoUsd);
    expect([boundCallCount, exact.held.picoUsd]).toEqual([0, 0n]);
  });

  it("costs what its stream tells, though no answer could be read", async () => {
    const { tracker, model } = await setUp({ kind: "bad-schema" }, costFrom);
    await streamText({ ...asked, model, onError: () => {} }).consumeStream({ onError: () => {} });
    const { exact, boundCallCount } = await tracker.getStats();
    expect(simulator.invoice.count).toBe(1);
    expect(exact.spent.picoUsd).toBe(simulator.invoice.totalPicoUsd);
    expect(boundCallCount).toBe(0);
  });

  it("costs its bound where the body is cut off", async () => {
    const { tracker, model } = await setUp({ kind: "bad-json" }, costFrom);
    await expect(generateText({ ...asked, model })).rejects.toThrow();
    const { exact, boundCallCount } = await tracker.getStats();
    expect(exact.spent.picoUsd).toBeGreaterThan(simulator.invoice.totalPicoUsd);
    expect(boundCallCount).toBe(1);
  });
});

describe("a call that a filter of the gateway refused", () => {
  const azure =
    "litellm.ContentPolicyViolationError: AzureException - filtered by Azure OpenAI's content management policy";
  it.each<[string, Fault["kind"], object, number]>([
    ["after it looked at the answer", "400", { message: "{'error': 'Violated guardrail policy'}", code: "400" }, 1],
    ["by its verdict on the answer", "403", { message: "Response blocked by moderation" }, 1],
    ["at Azure, which bills it", "400", { message: azure, code: "content_filter" }, 1],
    ["at Azure, for its length", "400", { message: "AzureException - context_length_exceeded" }, 1],
    ["for its length", "400", { message: "maximum context length is 4096 tokens" }, 0],
    ["because it was malformed", "400", { message: "unknown field" }, 0],
  ])("counts at its bound where it may be billed: %s", async (_name, kind, error, bound) => {
    const { tracker, model } = await setUp({ kind, isBilled: bound === 1, body: { error } });
    await expect(generateText({ ...asked, model })).rejects.toThrow();
    const { exact, callCount, boundCallCount } = await tracker.getStats();
    expect([callCount, boundCallCount, exact.held.picoUsd]).toEqual([bound, bound, 0n]);
    expect(simulator.invoice.count).toBe(bound);
    expect(exact.spent.picoUsd).toBeGreaterThanOrEqual(simulator.invoice.totalPicoUsd);
  });
});
