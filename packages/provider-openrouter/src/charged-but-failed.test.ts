import { CostTracker, settled } from "@autolabel/budget-core";
import { type Fault, type Simulator, startSimulator } from "@autolabel/simulator";
import { generateText, Output, streamText } from "ai";
import { afterEach, describe, expect, it } from "vitest";
import { createBudgetedOpenRouter } from "./openrouter-client.ts";

let simulator: Simulator;
afterEach(() => simulator.close());

const asked = { prompt: "Hello, a or b?", maxOutputTokens: 20, maxRetries: 0 };
const output = Output.choice({ options: ["a", "b"] });

async function setUp(fault: Fault) {
  simulator = await startSimulator({ faults: [fault] });
  const tracker = new CostTracker({ budget: "1" });
  const openrouter = createBudgetedOpenRouter({ tracker, apiKey: "test", baseURL: simulator.openRouterUrl });
  return { tracker, model: openrouter("openai/gpt-4o-mini") };
}

describe("a call that was billed and failed", () => {
  it.each<Fault>([
    { kind: "bad-schema" },
    { kind: "invalid-label" },
    { kind: "400", isBilled: true },
    { kind: "429", isBilled: true },
    { kind: "500", isBilled: true },
  ])("costs what its body tells: %o", async (fault) => {
    const { tracker, model } = await setUp(fault);
    await expect(generateText({ ...asked, model, output })).rejects.toThrow();
    const { exact, boundCallCount } = await tracker.getStats();
    expect(simulator.invoice.count).toBe(1);
    expect(exact.spent.picoUsd).toBe(simulator.invoice.totalPicoUsd);
    expect([boundCallCount, exact.held.picoUsd]).toEqual([0, 0n]);
  });

  it("costs what its stream tells, though no answer could be read", async () => {
    const { tracker, model } = await setUp({ kind: "bad-schema" });
    await streamText({ ...asked, model, onError: () => {} }).consumeStream({ onError: () => {} });
    const { exact, boundCallCount } = await tracker.getStats();
    expect(simulator.invoice.count).toBe(1);
    expect(exact.spent.picoUsd).toBe(simulator.invoice.totalPicoUsd);
    expect(boundCallCount).toBe(0);
  });

  it.each(["bad-json", "error-chunk"] as const)(
    "costs what the provider tells afterwards, where its error tells nothing: %s",
    async (kind) => {
      const { tracker, model } = await setUp({ kind });
      await expect(generateText({ ...asked, model })).rejects.toThrow();
      await settled(tracker);
      const { exact, boundCallCount } = await tracker.getStats();
      expect(exact.spent.picoUsd).toBe(simulator.invoice.totalPicoUsd);
      expect(boundCallCount).toBe(0);
    },
  );

  it("costs its bound where the error does not even name the call", async () => {
    const { tracker, model } = await setUp({ kind: "empty-choices" });
    await expect(generateText({ ...asked, model })).rejects.toThrow();
    const { exact, boundCallCount } = await tracker.getStats();
    expect(exact.spent.picoUsd).toBeGreaterThan(simulator.invoice.totalPicoUsd);
    expect(boundCallCount).toBe(1);
  });
});
