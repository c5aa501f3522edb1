import { CostTracker, usd } from "@autolabel/budget-core";
import { type Simulator, type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import { OpenAI } from "openai";
import { afterEach, describe, expect, it } from "vitest";
import { openAiCosts } from "../openai-costs.ts";
import { meterOpenAI } from "./meter-openai.ts";

let simulator: Simulator;
afterEach(() => simulator.close());

type Tier = "auto" | "default" | "flex" | "priority" | "fast" | "scale";
const body = (service_tier: Tier) => ({
  model: "gpt-5-mini",
  messages: [{ role: "user" as const, content: "Name a colour and a fruit, and tell why." }],
  max_completion_tokens: 90,
  service_tier,
});
const boundOf = (service_tier: Tier) =>
  openAiCosts().quote({
    surface: "generate",
    modelId: "gpt-5-mini",
    request: body(service_tier),
    maxOutputTokens: 90,
  }).boundPicoUsd;

async function setUp(options: SimulatorOptions, boundPicoUsd: bigint) {
  simulator = await startSimulator(options);
  const tracker = new CostTracker({ budget: usd.pico(boundPicoUsd) });
  const client = new OpenAI({ apiKey: "test", baseURL: simulator.openAiUrl, maxRetries: 0 });
  return { tracker, openai: meterOpenAI(client, { tracker }) };
}

describe("the tier that serves", () => {
  it.each<[Tier, string]>([
    ["default", "default"],
    ["flex", "flex"],
    ["flex", "default"],
    ["priority", "priority"],
    ["priority", "default"],
    ["fast", "priority"],
    ["auto", "default"],
    ["auto", "priority"],
    ["auto", "flex"],
  ])("is billed as recorded within the bound: %s served as %s", async (asked, served) => {
    const { tracker, openai } = await setUp({ servedTier: () => served }, boundOf(asked));
    const answer = await openai.chat.completions.create(body(asked));
    expect(answer.service_tier).toBe(served);
    const { exact, boundCallCount } = await tracker.getStats();
    expect([exact.spent.picoUsd, boundCallCount]).toEqual([simulator.invoice.totalPicoUsd, 0]);
    expect(simulator.invoice.totalPicoUsd).toBeLessThanOrEqual(boundOf(asked));
  });

  it.each<Tier>(["auto", "priority", "fast"])("is bounded by the dearest that may serve: %s", async (asked) => {
    const { openai } = await setUp({}, boundOf("default"));
    await expect(openai.chat.completions.create(body(asked))).rejects.toThrow(/Budget exceeded/);
    await openai.chat.completions.create(body("default"));
    expect(simulator.requests).toBe(1);
  });

  it("is refused without a price", async () => {
    const { openai } = await setUp({}, boundOf("priority"));
    await expect(openai.chat.completions.create(body("scale"))).rejects.toThrow(/service tier "scale"/);
    expect(simulator.requests).toBe(0);
  });
});
