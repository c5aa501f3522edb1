import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as core from "@autolabel/budget-core";
import * as corporate from "@autolabel/provider-corporate";
import * as openai from "@autolabel/provider-openai";
import * as openrouter from "@autolabel/provider-openrouter";
import { describe, expect, it } from "vitest";

const packages = join(import.meta.dirname, "../../../packages");

/** What everybody needs beside a provider, so that its package is the only one to install. */
const fromCore = [
  "BudgetExceededError",
  "CostTracker",
  "UnboundedRequestError",
  "UnpricedModelError",
  "UpstreamBudgetError",
  "budgetEmbeddingMiddleware",
  "budgetImageMiddleware",
  "budgetMiddleware",
  "coverage",
  "isBudgetExceeded",
  "runWithBudget",
  "settled",
  "usd",
  "withBudget",
];

describe.each<[string, object, string[]]>([
  [
    "openrouter",
    openrouter,
    ["openRouterCosts", "openRouterBudgetError", "openRouterPriceBook", "createBudgetedOpenRouter"],
  ],
  ["openai", openai, ["openAiCosts", "openAiBudgetError", "openAiPriceBook", "createBudgetedOpenAI"]],
  ["corporate", corporate, ["corporateCosts", "corporateBudgetError", "corporatePriceBook", "createCorporate"]],
])("provider-%s is built like its siblings", (name, exported, own) => {
  it("has the same four files", () => {
    const files = ["costs", "client", "prices", "errors"].map((part) => `${name}-${part}.ts`);
    for (const file of files) expect(existsSync(join(packages, `provider-${name}/src`, file)), file).toBe(true);
  });

  it("exports its own of the same four, and of budget-core what its user needs", () => {
    const kept = Object.entries(exported).filter(([key, value]) => (core as Record<string, unknown>)[key] === value);
    expect(kept.map(([key]) => key).sort()).toEqual([...fromCore].sort());
    expect(Object.keys(exported)).toEqual(expect.arrayContaining([...own, "budgetIsSpent"]));
  });

  it("says in its README how to install it, shows it, and states its limits", () => {
    const readme = readFileSync(join(packages, `provider-${name}/README.md`), "utf8");
    expect(readme).toContain(`npm install @autolabel/provider-${name} ai\n`);
    expect(readme).toMatch(/```ts\n[^`]+await tracker\.getStats\(\);\n/);
    expect(readme).toContain("## Limits, stated plainly");
  });
});
