import { describe, expect, it } from "vitest";
import { BudgetError } from "./budget-error.ts";
import { BudgetExceededError } from "./budget-exceeded-error.ts";
import { findBudgetExceeded, isBudgetExceeded } from "./is-budget-exceeded.ts";
import { UnpricedModelError } from "./unpriced-model-error.ts";

describe("BudgetExceededError", () => {
  it("U16/H13: carries both amounts and says them", () => {
    const error = new BudgetExceededError({ totalCost: 105, budget: 100 });
    expect(error).toMatchObject({ totalCost: 105, budget: 100, remainingBudget: 0, name: "BudgetExceededError" });
    expect(error.message).toMatch(/^Budget exceeded: \$105\.0000 >= \$100\.0000/);
    expect(new BudgetExceededError({ totalCost: 15.5, budget: 10 }).message).toContain("$15.5000 >= $10.0000");
  });

  it("U17: is caught by its type, with its amounts", () => {
    const caught = (() => {
      try {
        throw new BudgetExceededError({ totalCost: 50, budget: 40 });
      } catch (error) {
        return BudgetExceededError.isInstance(error) && error instanceof BudgetExceededError ? error : undefined;
      }
    })();
    expect([caught?.totalCost, caught?.budget]).toEqual([50, 40]);
  });

  it.each([
    [1.23456, 1, "Budget exceeded: $1.2346 >= $1.0000"],
    [0.00012, 0.0001, "Budget exceeded: $0.00012 >= $0.0001"],
  ])("S2-message: %d of %d is said to four digits, and to more below a cent", (totalCost, budget, start) => {
    expect(new BudgetExceededError({ totalCost, budget }).message.startsWith(start)).toBe(true);
  });

  it("is known across copies of the package, as JSON and after a structured clone", () => {
    const error = new BudgetExceededError({ totalCost: 1, budget: 1, scope: "run", resetsAt: new Date(0) });
    expect(BudgetExceededError.isInstance(error)).toBe(true);
    expect(BudgetError.isInstance(error)).toBe(true);
    expect(UnpricedModelError.isInstance(error)).toBe(false);
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ code: "budget_exceeded", totalCost: 1, scope: "run" });
    expect(structuredClone(error).message).toBe(error.message);
  });

  it("is found behind retry wrappers and causes, and in no loop of them", () => {
    const error = new BudgetExceededError({ totalCost: 1, budget: 1 });
    const retried = Object.assign(new Error("retried"), { lastError: new Error("x", { cause: error }) });
    expect(findBudgetExceeded(retried)).toBe(error);
    const loop: { cause?: unknown } = {};
    loop.cause = loop;
    expect(isBudgetExceeded(loop)).toBe(false);
    expect(isBudgetExceeded(undefined)).toBe(false);
  });
});

describe("UnpricedModelError", () => {
  it("names the nearest ids and the line that mends it", () => {
    const error = new UnpricedModelError({ provider: "openai", modelId: "gpt-4o-mni", nearest: ["gpt-4o-mini"] });
    expect(error.message).toContain("Did you mean gpt-4o-mini?");
    expect(error.message).toContain('prices: { "gpt-4o-mni"');
  });
});
