import { type CostExtractor, CostTracker, type Posting } from "@autolabel/budget-core";
import { createBudgetedOpenRouter, openRouterCosts } from "@autolabel/provider-openrouter";
import type { LanguageModel } from "ai";
import type { LabelingConfig } from "./config/labeling-config.ts";
import type { Settings } from "./config/settings.ts";
import { UsageError } from "./usage-error.ts";

/** What {@link getLlmClient} takes. */
export interface LlmClientOptions {
  settings: Settings;
  config: Pick<LabelingConfig, "model" | "prices">;
  /** The budget that every call must fit. Absent: calls are not limited. */
  costTracker?: CostTracker;
  /** Called with every receipt right before it is posted. */
  onReceipt?: (posting: Posting) => void | Promise<void>;
  /** Sends the requests; default the global one. */
  fetch?: typeof globalThis.fetch;
}

/**
 * The language model of a configuration, metered by `costTracker`.
 *
 * @throws UsageError for an unknown provider or a missing key.
 */
export function getLlmClient(options: LlmClientOptions): Exclude<LanguageModel, string> {
  const { settings, config, costTracker = new CostTracker(), onReceipt, fetch } = options;
  const { modelId } = readModel(config.model);
  const { openrouterApiKey: apiKey, openrouterBaseUrl: baseURL } = settings;
  if (!apiKey) {
    throw new UsageError("No key for OpenRouter: set OPENROUTER_API_KEY in the environment or in a .env file");
  }
  const openrouter = createBudgetedOpenRouter({
    tracker: costTracker,
    apiKey,
    ...(baseURL ? { baseURL } : {}),
    ...(config.prices ? { prices: config.prices } : {}),
    ...(onReceipt ? { onReceipt } : {}),
    ...(fetch ? { fetch } : {}),
  });
  return openrouter(modelId);
}

/**
 * The upper bound of a call that sends `text`, before anything is sent.
 *
 * @throws UnpricedModelError, or UsageError for an unknown provider.
 */
export function quoteText(config: LlmClientOptions["config"], text: string, maxOutputTokens: number) {
  const costs: CostExtractor = openRouterCosts(config.prices ? { prices: config.prices } : {});
  return costs.quote({
    surface: "generate",
    ...readModel(config.model),
    request: { text },
    settings: {},
    maxOutputTokens,
  });
}

function readModel(model: string): { provider: string; modelId: string } {
  const separator = model.indexOf(":");
  const [provider, modelId] = [model.slice(0, separator), model.slice(separator + 1)];
  if (provider !== "openrouter" || modelId === "") {
    throw new UsageError(
      `Model "${model}" must name provider and model, such as openrouter:openai/gpt-4o-mini (providers: openrouter)`,
    );
  }
  return { provider, modelId };
}
