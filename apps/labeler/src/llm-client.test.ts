import { CostTracker, isBudgetExceeded } from "@autolabel/budget-core";
import { extractCostFromResult } from "@autolabel/budget-core/prices";
import { type Simulator, type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import { generateText, isStepCount, streamText, tool } from "ai";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { Settings } from "./config/settings.ts";
import { getLlmClient, type LlmClientOptions } from "./llm-client.ts";
import { UsageError } from "./usage-error.ts";

let simulator: Simulator | undefined;
afterEach(async () => {
  await simulator?.close();
  simulator = undefined;
});

/** A model whose calls cost so much each, whatever is asked; its bound is its cost. */
const flat = (usdPerCall: string) => ({
  models: { "test/flat": { promptUsdPerMillion: "0", completionUsdPerMillion: "0", requestUsd: usdPerCall } },
  config: {
    model: "openrouter:test/flat",
    prices: { "test/flat": { input: "0", output: "0", request: usdPerCall, maxOutputTokens: 1000 } },
  },
});

async function setUp(options: SimulatorOptions & Partial<Pick<LlmClientOptions, "config" | "costTracker">> = {}) {
  const { config = { model: "openrouter:openai/gpt-4o-mini" }, costTracker, ...simulated } = options;
  const started = await startSimulator(simulated);
  simulator = started;
  const settings = new Settings(
    {
      openrouterApiKey: "test",
      openrouterBaseUrl: started.openRouterUrl,
      openaiApiKey: "test",
      openaiBaseUrl: started.openAiUrl,
      corporateBaseUrl: started.gatewayUrl,
    },
    { env: {} },
  );
  const model = getLlmClient({ settings, config, ...(costTracker ? { costTracker } : {}) });
  const ask = (prompt = "Hello") => generateText({ model, prompt, maxOutputTokens: 30, maxRetries: 0 });
  return { simulator: started, model, ask };
}

/** Asks one after the other, and says how many were answered before the first refusal. */
async function paidOf(count: number, ask: () => Promise<unknown>): Promise<{ paid: number; error: unknown }> {
  for (let paid = 0; paid < count; paid++) {
    try {
      await ask();
    } catch (error) {
      return { paid, error };
    }
  }
  return { paid: count, error: undefined };
}

describe("the client that getLlmClient makes", () => {
  it.each([
    ["I10", 1, 1.5],
    ["I03", 0.001, 0.002],
  ])("%s: with a tracker that is over already throws, and sends nothing", async (_id, budget, spent) => {
    const costTracker = new CostTracker({ budget });
    await costTracker.addCost(spent);
    const { ask } = await setUp({ costTracker });
    await expect(ask()).rejects.toMatchObject({ code: "budget_exceeded", budget, totalCost: spent });
    expect(simulator?.requests).toBe(0);
  });

  it("I04: counts what the response reports", async () => {
    const costTracker = new CostTracker({ budget: 1 });
    const { ask } = await setUp({ costTracker, ...flat("0.0005") });
    await ask();
    expect(await costTracker.getStats()).toMatchObject({ totalCost: 0.0005, callCount: 1 });
    expect(simulator?.invoice.totalPicoUsd).toBe(500_000_000n);
  });

  it("H35/H36: with a tracker that only checks, the call that crosses the limit passes and the next is refused", async () => {
    const costTracker = new CostTracker({ budget: 0.001, mode: "check" });
    const { ask } = await setUp({ costTracker, ...flat("0.002") });
    await ask();
    await expect(ask()).rejects.toMatchObject({ totalCost: 0.002, budget: 0.001 });
    expect(simulator?.requests).toBe(1);
  });

  it("H35/H36: with a tracker that reserves, as is the default, not even the call that would cross the limit passes", async () => {
    const costTracker = new CostTracker({ budget: 0.001 });
    const { ask } = await setUp({ costTracker, ...flat("0.002") });
    await expect(ask()).rejects.toMatchObject({ totalCost: 0, budget: 0.001, required: 0.002 });
    expect(simulator?.requests).toBe(0);
  });

  it("I17: without a tracker answers, and limits nothing", async () => {
    const { ask } = await setUp();
    for (let call = 0; call < 3; call++) expect((await ask()).text).not.toBe("");
    expect(simulator?.invoice.count).toBe(3);
  });

  it("H44: counts one real call, where AUTOLABEL_LIVE_OPENROUTER_KEY has a key; else one of the simulator", async () => {
    const liveKey = process.env.AUTOLABEL_LIVE_OPENROUTER_KEY;
    const costTracker = new CostTracker({ budget: 1 });
    const { model: simulated } = await setUp({ costTracker });
    const config = { model: "openrouter:openai/gpt-4o-mini" };
    const live = () =>
      getLlmClient({ settings: new Settings({ openrouterApiKey: liveKey ?? "" }, { env: {} }), config, costTracker });
    await generateText({ model: liveKey ? live() : simulated, prompt: "Say hello.", maxOutputTokens: 16 });
    const { totalCost, callCount } = await costTracker.getStats();
    expect(totalCost).toBeGreaterThan(0);
    expect(callCount).toBe(1);
  });

  it.each(["reserve", "check"] as const)("D06: pays two of five calls at half the budget (%s)", async (mode) => {
    const costTracker = new CostTracker({ budget: 1, mode });
    const { ask } = await setUp({ costTracker, ...flat("0.5") });
    const { paid, error } = await paidOf(5, () => ask());
    expect(paid).toBe(2);
    expect(isBudgetExceeded(error)).toBe(true);
    expect(simulator?.requests).toBe(2);
    expect(await costTracker.getStats()).toMatchObject({ totalCost: 1, callCount: 2 });
    expect(simulator?.invoice.totalPicoUsd).toBe(10n ** 12n);
  });

  it("D08: refuses a stream before it is sent, and charges a permitted one from its final usage", async () => {
    const costTracker = new CostTracker({ budget: 0 });
    const { model } = await setUp({ costTracker });
    const asked = { model, prompt: "Hello", maxOutputTokens: 30, onError: () => {} };
    await expect(streamText(asked).text).rejects.toMatchObject({ code: "budget_exceeded" });
    expect(simulator?.requests).toBe(0);
    await costTracker.setBudget(1);
    await streamText(asked).text;
    expect((await costTracker.getStats()).exact.spent.picoUsd).toBe(simulator?.invoice.totalPicoUsd);
    expect(simulator?.invoice.count).toBe(1);
  });

  it("D08: charges a stream also when its reader leaves or aborts it", async () => {
    const costTracker = new CostTracker({ budget: 1 });
    const { model } = await setUp({ costTracker, chunkDelayMs: 2 });
    const asked = { model, prompt: "Hello", maxOutputTokens: 30, onError: () => {} };
    for await (const _ of streamText(asked).textStream) break;
    await expect.poll(async () => (await costTracker.getStats()).callCount).toBe(1);
    expect((await costTracker.getStats()).exact.spent.picoUsd).toBe(simulator?.invoice.totalPicoUsd);

    const abort = new AbortController();
    const aborted = streamText({ ...asked, abortSignal: abort.signal });
    for await (const _ of aborted.textStream) abort.abort();
    await expect.poll(async () => (await costTracker.getStats()).callCount).toBe(2);
    await expect.poll(() => simulator?.invoice.count).toBe(2);
    const { exact, boundCallCount } = await costTracker.getStats();
    expect(exact.spent.picoUsd).toBeGreaterThanOrEqual(simulator?.invoice.totalPicoUsd ?? 0n);
    expect(exact.held.picoUsd).toBe(0n);
    expect(boundCallCount).toBe(1);
  });

  it("D10: counts tokens x price where responses have no cost: the budget bites all the same", async () => {
    const costTracker = new CostTracker({ budget: "0.001" });
    const { ask } = await setUp({ costTracker, costField: "omitted" });
    const { paid, error } = await paidOf(400, () => ask());
    expect(isBudgetExceeded(error)).toBe(true);
    expect(paid).toBeGreaterThan(10);
    const { exact, boundCallCount, callCount } = await costTracker.getStats();
    expect(exact.spent.picoUsd).toBe(simulator?.invoice.totalPicoUsd);
    expect(exact.spent.picoUsd).toBeLessThanOrEqual(1_000_000_000n);
    expect({ boundCallCount, callCount }).toEqual({ boundCallCount: 0, callCount: paid });
  });

  it("D10: counts the bound where responses have no usage either, and says of how many calls", async () => {
    const costTracker = new CostTracker({ budget: "0.001" });
    const { ask } = await setUp({ costTracker, costField: "omitted", usageField: "omitted" });
    const { paid, error } = await paidOf(400, () => ask());
    expect(isBudgetExceeded(error)).toBe(true);
    expect(paid).toBeGreaterThan(0);
    expect(simulator?.invoice.totalPicoUsd).toBeLessThanOrEqual(1_000_000_000n);
    expect((await costTracker.getStats()).boundCallCount).toBe(paid);
  });

  it("D10: refuses a model of which no price is known before anything is sent", async () => {
    const costTracker = new CostTracker({ budget: 1 });
    const { ask } = await setUp({ costTracker, config: { model: "openrouter:nobody/knows-it" } });
    await expect(ask()).rejects.toMatchObject({ code: "unpriced_model" });
    expect(simulator?.requests).toBe(0);
  });

  it("D12: tells of every attempt that failed, and takes none of them for a paid call", async () => {
    const costTracker = new CostTracker({ budget: 1 });
    const { model } = await setUp({ costTracker, faults: [{ kind: "500", retryAfter: 0 }] });
    const told: string[] = [];
    costTracker.on("reserved", () => told.push("reserved"));
    costTracker.on("released", ({ evidence }) => told.push(`released: ${evidence}`));
    const call = generateText({ model, prompt: "Hello", maxOutputTokens: 30, maxRetries: 2 });
    await expect(call).rejects.toThrow();
    expect(simulator?.requests).toBe(3);
    expect(told.filter((what) => what === "reserved")).toHaveLength(3);
    expect(told.filter((what) => what.startsWith("released: "))).toHaveLength(3);
    expect(simulator?.invoice.count).toBe(0);
    expect(await costTracker.getStats()).toMatchObject({ totalCost: 0, callCount: 0, held: 0 });
  });

  it("D12: charges a call whose response was billed and cannot be parsed", async () => {
    const costTracker = new CostTracker({ budget: 1 });
    const { ask } = await setUp({ costTracker, faults: [{ kind: "bad-json" }] });
    await expect(ask()).rejects.toThrow();
    const { exact, callCount } = await costTracker.getStats();
    expect(simulator?.invoice.count).toBe(1);
    expect(exact.spent.picoUsd).toBeGreaterThanOrEqual(simulator?.invoice.totalPicoUsd ?? 0n);
    expect(callCount).toBe(1);
  });

  it("D14: pays one of 50 calls at the whole budget, however many are asked at once", async () => {
    const costTracker = new CostTracker({ budget: "0.01" });
    const { ask } = await setUp({ costTracker, latencyMs: 2, ...flat("0.01") });
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => ask()));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect(simulator?.requests).toBe(1);
    expect(simulator?.invoice.totalPicoUsd).toBe(10n ** 10n);
  });

  it("D16: looks at the budget at every call, not at every batch: of 50 rows x 3 jurors it pays ten", async () => {
    const costTracker = new CostTracker({ budget: "0.10" });
    const { ask } = await setUp({ costTracker, latencyMs: 2, ...flat("0.01") });
    const row = () => Promise.allSettled([ask("juror 1"), ask("juror 2"), ask("juror 3")]);
    const juries = await Promise.all(Array.from({ length: 50 }, row));
    expect(juries.flat().filter(({ status }) => status === "fulfilled")).toHaveLength(10);
    expect(simulator?.requests).toBe(10);
    expect(simulator?.invoice.totalPicoUsd).toBe(10n ** 11n);
  });

  it("D18: two configurations share one global budget, and each call must fit its own too", async () => {
    const global = new CostTracker({ budget: "0.05", name: "global" });
    const { config } = flat("0.01");
    const started = await setUp({ ...flat("0.01"), costTracker: global });
    const settings = new Settings(
      { openrouterApiKey: "test", openrouterBaseUrl: started.simulator.openRouterUrl },
      { env: {} },
    );
    const client = (name: string, budget: string) =>
      getLlmClient({ settings, config, costTracker: global.child({ name, budget }) });
    const ask = (model: ReturnType<typeof client>) => () => generateText({ model, prompt: "Hello", maxRetries: 0 });
    expect((await paidOf(9, ask(client("first", "0.02")))).paid).toBe(2);
    const second = await paidOf(9, ask(client("second", "0.50")));
    expect(second.paid).toBe(3);
    expect(second.error).toMatchObject({ scope: "global" });
    expect(simulator?.requests).toBe(5);
  });

  it("refuses what is missing by its name, before anything is sent", () => {
    const client = (model: string) => getLlmClient({ settings: new Settings({}, { env: {} }), config: { model } });
    expect(() => client("openrouter:openai/gpt-4o")).toThrow(/OPENROUTER_API_KEY/);
    expect(() => client("openai:gpt-4o")).toThrow(/OPENAI_API_KEY/);
    expect(() => client("corporate:ours")).toThrow(/CORPORATE_BASE_URL/);
    for (const model of ["gpt-4o", "nobody:gpt-4o", "openai:", ":gpt-4o"])
      expect(() => client(model)).toThrow(UsageError);
  });
});

describe("extractCostFromResult of what the client returns", () => {
  const tools = { look: tool({ inputSchema: z.object({ q: z.string() }), execute: async () => "found" }) };

  it.each([
    ["openrouter", "openai/gpt-4o-mini", "reported", {}],
    ["openrouter", "openai/gpt-4o-mini", "computed", { costField: "omitted" }],
    ["openrouter", "openai/gpt-4o-mini", "reported", { byok: true }],
    ["openai", "gpt-4o-mini", "computed", {}],
  ] as const)("is the provider's bill: %s, %s, %s %o", async (provider, modelId, kind, options) => {
    const { ask, model } = await setUp({ ...options, config: { model: `${provider}:${modelId}` } });
    const one = extractCostFromResult(await ask(), provider, modelId);
    expect(one.kind).toBe(kind);
    expect(one.cost?.picoUsd).toBe(simulator?.invoice.totalPicoUsd);

    const asked = { model, prompt: "Look it up", tools, maxOutputTokens: 30, stopWhen: isStepCount(5) };
    simulator?.reset();
    const loop = extractCostFromResult(await generateText(asked), provider, modelId);
    expect(simulator?.invoice.count).toBeGreaterThan(1);
    expect(loop).toMatchObject({ kind, cost: { picoUsd: simulator?.invoice.totalPicoUsd } });

    simulator?.reset();
    const stream = streamText(asked);
    const streamed = extractCostFromResult({ steps: await stream.steps }, provider, modelId);
    expect(streamed).toMatchObject({ kind, cost: { picoUsd: simulator?.invoice.totalPicoUsd } });
    expect(extractCostFromResult(stream, provider, modelId).kind).toBe("unknown");
  });

  it("is unknown, not free, where the response has no usage; of a gateway it is free", async () => {
    const { ask } = await setUp({ usageField: "omitted" });
    expect(extractCostFromResult(await ask(), "openrouter", "openai/gpt-4o-mini").kind).toBe("unknown");
    await simulator?.close();
    const corporate = await setUp({ config: { model: "corporate:our-model" } });
    expect(extractCostFromResult(await corporate.ask(), "corporate", "our-model").costUsd).toBe(0);
    expect(simulator?.invoice.totalPicoUsd).toBe(0n);
  });
});
