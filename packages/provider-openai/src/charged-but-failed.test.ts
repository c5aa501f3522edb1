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
