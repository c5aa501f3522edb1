import { CostTracker } from "@autolabel/budget-core";
import { budgetMiddleware, openRouterCosts } from "@autolabel/provider-openrouter";
import type { createOpenRouter } from "@openrouter/ai-sdk-provider";
import { wrapLanguageModel } from "ai";

/** A model whose calls together can never cost more than the budget. The demo shows these very lines. */
export function cappedModel(openrouter: ReturnType<typeof createOpenRouter>) {
  // snippet
  const tracker = new CostTracker({ budget: "0.0008" });
  const model = wrapLanguageModel({
    model: openrouter("openai/gpt-4o-mini"),
    middleware: budgetMiddleware({ tracker, costs: openRouterCosts() }),
  });
  // end of snippet
  return { model, tracker };
}
