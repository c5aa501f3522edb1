import { budgetMiddleware, type CostTracker, type Metering } from "@autolabel/budget-core";
import {
  createOpenRouter,
  type OpenRouterChatSettings,
  type OpenRouterProviderSettings,
} from "@openrouter/ai-sdk-provider";
import { type LanguageModel, wrapLanguageModel } from "ai";
import { openRouterCosts } from "./openrouter-costs.ts";
import type { OpenRouterPrices } from "./openrouter-prices.ts";

/** Options of {@link createBudgetedOpenRouter}: those of `createOpenRouter`, and the budget. */
export interface BudgetedOpenRouterOptions extends OpenRouterProviderSettings {
  /** The budget that every call must fit. */
  tracker: CostTracker;
  /** Prices of models that the bundled price book lacks or has otherwise. */
  prices?: OpenRouterPrices;
  /** Called with every receipt right before it is posted. */
  onReceipt?: Metering["onReceipt"];
}

/** Makes language models of OpenRouter whose calls must fit the budget. */
export type BudgetedOpenRouter = (modelId: string, settings?: OpenRouterChatSettings) => Exclude<LanguageModel, string>;

/**
 * The OpenRouter provider of the AI SDK with a budget on every model it makes.
 *
 * @example
 * const openrouter = createBudgetedOpenRouter({ tracker: new CostTracker({ budget: "0.50" }) });
 * const { text } = await generateText({ model: openrouter("openai/gpt-4o-mini"), prompt: "Hello" });
 */
export function createBudgetedOpenRouter(options: BudgetedOpenRouterOptions): BudgetedOpenRouter {
  const { tracker, prices, onReceipt, ...settings } = options;
  const provider = createOpenRouter({ compatibility: "strict", ...settings });
  const costs = openRouterCosts(prices ? { prices } : {});
  const middleware = budgetMiddleware({ tracker, costs, ...(onReceipt ? { onReceipt } : {}) });
  return (modelId, modelSettings) => wrapLanguageModel({ model: provider.chat(modelId, modelSettings), middleware });
}
