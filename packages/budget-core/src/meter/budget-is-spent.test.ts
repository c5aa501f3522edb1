import { createOpenAI } from "@ai-sdk/openai";
import { type Simulator, startSimulator } from "@autolabel/simulator";
import { generateText, isStepCount, jsonSchema, streamText, tool } from "ai";
import { afterEach, describe, expect, it } from "vitest";
import { boundReceipt, type CostExtractor } from "../costs.ts";
import { InvalidAmountError } from "../errors/invalid-amount-error.ts";
import { usd } from "../money.ts";
import { bundledPriceBook, priceUsage, quoteCall, readSdkUsage } from "../prices/index.ts";
import { CostTracker } from "../tracker/cost-tracker.ts";
import type { CostTrackerOptions } from "../tracker/cost-tracker-options.ts";
import { budgetIsSpent } from "./budget-is-spent.ts";
import { runWithBudget } from "./scope-context.ts";
import { withBudget } from "./with-budget.ts";

const price = bundledPriceBook().find("openai", "gpt-4o-mini", new Date());
const costs: CostExtractor = {
  provider: "openai",
  quote: (call) => quoteCall(call, price, "test"),
  receipt(outcome) {
    const usage = readSdkUsage(outcome.result?.usage);
    const costPicoUsd = usage && priceUsage(price, usage);
    return costPicoUsd === undefined ? boundReceipt(outcome) : { costPicoUsd };
  },
};

let simulator: Simulator;
afterEach(() => simulator.close());

async function setUp(options: CostTrackerOptions) {
  // The same words at every step: ids of calls are drawn, and would draw other answers.
  simulator = await startSimulator({ answer: () => '{"q":"the next thing to look up"}' });
  const tracker = new CostTracker(options);
  return { tracker, model: modelOf(tracker) };
}

function modelOf(tracker: CostTracker, quoted = costs) {
  const provider = createOpenAI({ apiKey: "test", baseURL: simulator.openAiUrl });
  return withBudget(provider, { tracker, costs: quoted }).chat("gpt-4o-mini");
}
type Model = Awaited<ReturnType<typeof setUp>>["model"];
type Condition = ReturnType<typeof isStepCount>;

const inputSchema = jsonSchema<{ q: string }>({ type: "object", properties: { q: { type: "string" } } });
const look = tool({ inputSchema, execute: async () => "something was found, which the next step must read" });

/** A loop of ten steps, each longer than the one before. */
const loop = (model: Model, conditions: Condition[]) => ({
  model,
  prompt: "Look it up",
  tools: { look },
  toolChoice: "required" as const,
  maxOutputTokens: 40,
  stopWhen: [isStepCount(10), ...conditions],
});
const steps = {
  generateText: async (model: Model, ...conditions: Condition[]) =>
    (await generateText(loop(model, conditions))).steps.length,
  streamText: async (model: Model, ...conditions: Condition[]) =>
    (await streamText({ ...loop(model, conditions), onError: () => {} }).steps).length,
};
/** The first step can cost 0.00012 at most and costs a tenth of it; each further one can cost more. */
const budgets = Array.from({ length: 14 }, (_, index) => `0.${String(130 + index * 110).padStart(6, "0")}`);

describe.each(["generateText", "streamText"] as const)("a loop of %s that stops when its budget is spent", (api) => {
  it.each(budgets)("ends with all its steps, no more than one before it would be refused: $%s", async (budget) => {
    const refused = await setUp({ budget });
    await steps[api](refused.model).catch(() => undefined);
    const most = simulator.requests;
    await simulator.close();

    const { tracker, model } = await setUp({ budget });
    const count = await steps[api](model, budgetIsSpent(tracker));
    expect(count).toBe(simulator.requests);
    expect(most - count).toBeLessThanOrEqual(1);
    expect(most - count).toBeGreaterThanOrEqual(0);
    expect(simulator.invoice.totalPicoUsd).toBeLessThanOrEqual(usd(budget).picoUsd);
    expect((await tracker.getStats()).exact.spent.picoUsd).toBe(simulator.invoice.totalPicoUsd);
  });
});

describe("budgetIsSpent", () => {
  it("stops some loops and not others: the budgets above reach from few steps to ten", async () => {
    const counts: number[] = [];
    for (const budget of budgets) {
      const { tracker, model } = await setUp({ budget });
      counts.push(await steps.generateText(model, budgetIsSpent(tracker)));
      await simulator.close();
    }
    expect(Math.min(...counts)).toBeLessThan(4);
    expect(Math.max(...counts)).toBe(10);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  });

  it("stops when less is left than was said", async () => {
    const { tracker, model } = await setUp({ budget: 1 });
    expect(await steps.generateText(model, budgetIsSpent(tracker, { lessThan: 1 }))).toBe(1);
    expect(await steps.generateText(model, budgetIsSpent(tracker, { lessThan: "0.9" }))).toBe(10);
    expect(() => budgetIsSpent(tracker, { lessThan: -1 })).toThrow(InvalidAmountError);
  });

  it("looks at outer budgets, and at those around the loop", async () => {
    const { tracker: outer } = await setUp({ budget: "0.00025" });
    const inner = outer.child({ name: "inner" });
    const model = modelOf(inner);
    const count = await steps.generateText(model, budgetIsSpent(inner));
    expect(count).toBeLessThan(10);
    await outer.setBudget("unlimited");
    const user = outer.child({ name: "user", budget: "0.00025" });
    await runWithBudget(user, async () => {
      expect(await steps.generateText(model, budgetIsSpent(inner))).toBe(count);
    });
    expect(await steps.generateText(model, budgetIsSpent(inner))).toBe(10);
  });

  it("goes on where the next step is clamped to what is left", async () => {
    const counted = { wait: 0, clamp: 0 };
    for (const budget of budgets) {
      for (const onInsufficient of ["wait", "clamp"] as const) {
        const { tracker, model } = await setUp({ budget, onInsufficient });
        counted[onInsufficient] += await steps.generateText(model, budgetIsSpent(tracker));
        expect(simulator.invoice.totalPicoUsd).toBeLessThanOrEqual(usd(budget).picoUsd);
        await simulator.close();
      }
    }
    expect(counted.clamp).toBeGreaterThan(counted.wait);
  });

  it("counts what others hold where nobody waits, and without a call only what is spent", async () => {
    await setUp({});
    for (const onInsufficient of ["deny", "wait"] as const) {
      const tracker = new CostTracker({ budget: 1, onInsufficient });
      await tracker.reserve({ boundPicoUsd: usd(1).picoUsd });
      expect(await budgetIsSpent(tracker)({ steps: [] })).toBe(onInsufficient === "deny");
    }
  });

  it("lets a free step through a spent budget, and a step without a bound tell of it itself", async () => {
    const { tracker } = await setUp({ budget: 0 });
    const isSpent = budgetIsSpent(tracker);
    const ask = async (quote: CostExtractor["quote"]) => {
      await generateText({ model: modelOf(tracker, { ...costs, quote }), prompt: "Hello" });
      return isSpent({ steps: [{ content: "Hello" }] });
    };
    expect(await ask(() => ({ boundPicoUsd: 0n }))).toBe(false);
    let quotes = 0;
    const once: CostExtractor["quote"] = () => {
      if (quotes++ > 0) throw new Error("no bound");
      return { boundPicoUsd: 1n };
    };
    await tracker.setBudget(1);
    expect(await ask(once)).toBe(false);
  });
});
