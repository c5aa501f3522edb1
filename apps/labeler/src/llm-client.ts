import {
  type CostExtractor,
  CostTracker,
  type Outcome,
  type Posting,
  type Quote,
  type UpstreamBudgetError,
} from "@autolabel/budget-core";
import type { ModelPrice, PriceBook, StatedPrice } from "@autolabel/budget-core/prices";
import {
  corporateBudgetError,
  corporateCosts,
  corporatePriceBook,
  createCorporate,
} from "@autolabel/provider-corporate";
import { createBudgetedOpenAI, openAiBudgetError, openAiCosts, openAiPriceBook } from "@autolabel/provider-openai";
import {
  createBudgetedOpenRouter,
  openRouterBudgetError,
  openRouterCosts,
  openRouterGenerationId,
  openRouterPriceBook,
} from "@autolabel/provider-openrouter";
import type { wrapLanguageModel } from "ai";
import { given } from "./config/given.ts";
import type { LabelingConfig } from "./config/labeling-config.ts";
import type { Settings } from "./config/settings.ts";
import { NoAccessError } from "./no-access-error.ts";
import { UsageError } from "./usage-error.ts";

/** A language model of the AI SDK. */
export type Model = ReturnType<typeof wrapLanguageModel>;

/** What {@link getLlmClient} takes. */
export interface LlmClientOptions {
  settings: Settings;
  /** Which model, and prices that the price book lacks; a {@link LabelingConfig} is one. */
  config: { model: string; prices?: LabelingConfig["prices"] };
  /** The budget that every call must fit. Absent: calls are not limited. */
  costTracker?: CostTracker;
  /** Called with every receipt right before it is posted. */
  onReceipt?: (posting: Posting) => void | Promise<void>;
  /** Sends the requests; default the global one. */
  fetch?: typeof globalThis.fetch;
}

/** What the labeler needs of a provider package. */
interface Provider {
  /** The setting without which it cannot be called, and what to do about it. */
  missing: (settings: Settings) => string | undefined;
  client: (modelId: string, settings: Settings, wiring: Wiring) => Model;
  costs: (prices: Prices) => CostExtractor;
  /** The prices that bound its calls; undefined where it counts as free. */
  priceBook: (prices: Prices["prices"]) => PriceBook | undefined;
  /** The refusal for money behind an error, if it is one. */
  budgetError: (error: unknown) => UpstreamBudgetError | undefined;
  /** The id under which the provider tells what it billed for a call; absent where it tells none. */
  callId?: (outcome: Outcome) => string | undefined;
}

type Prices = { prices?: Readonly<Record<string, StatedPrice>> };
type Wiring = Pick<LlmClientOptions, "onReceipt" | "fetch"> & Prices & { tracker: CostTracker };

const providers: Readonly<Record<string, Provider>> = {
  openrouter: {
    missing: ({ openrouterApiKey }) => (openrouterApiKey ? undefined : "No key for OpenRouter: set OPENROUTER_API_KEY"),
    client: (modelId, { openrouterApiKey, openrouterBaseUrl }, wiring) =>
      // A run that was interrupted ends at once; what it cut off counts at its bound.
      createBudgetedOpenRouter({
        ...wiring,
        lookup: false,
        ...given({ apiKey: openrouterApiKey, baseURL: openrouterBaseUrl }),
      })(modelId),
    costs: openRouterCosts,
    priceBook: openRouterPriceBook,
    budgetError: openRouterBudgetError,
    callId: openRouterGenerationId,
  },
  openai: {
    missing: ({ openaiApiKey }) => (openaiApiKey ? undefined : "No key for OpenAI: set OPENAI_API_KEY"),
    client: (modelId, { openaiApiKey, openaiBaseUrl }, wiring) =>
      createBudgetedOpenAI({ ...wiring, ...given({ apiKey: openaiApiKey, baseURL: openaiBaseUrl }) }).chat(modelId),
    costs: openAiCosts,
    priceBook: openAiPriceBook,
    budgetError: openAiBudgetError,
  },
  corporate: {
    missing: ({ corporateBaseUrl }) =>
      corporateBaseUrl ? undefined : "No address of the gateway: set CORPORATE_BASE_URL",
    client: (modelId, { corporateApiKey, corporateBaseUrl = "" }, wiring) =>
      createCorporate({ ...wiring, baseURL: corporateBaseUrl, ...given({ apiKey: corporateApiKey }) })(modelId),
    costs: corporateCosts,
    priceBook: (prices) => prices && corporatePriceBook("corporate", prices),
    budgetError: corporateBudgetError,
  },
};

/**
 * The language model of a configuration, metered by `costTracker`.
 *
 * @throws UsageError for an unknown provider, NoAccessError for a key or address that is missing.
 */
export function getLlmClient(options: LlmClientOptions): Model {
  const { settings, config, costTracker = new CostTracker(), onReceipt, fetch } = options;
  const { provider, modelId } = readModel(config.model);
  const missing = provider.missing(settings);
  if (missing !== undefined) throw new NoAccessError(`${missing} in the environment or in a .env file`);
  return provider.client(modelId, settings, {
    tracker: costTracker,
    ...given({ onReceipt, fetch, prices: config.prices }),
  });
}

/**
 * The upper bound of a call that sends `text`, before anything is sent.
 *
 * @param options.serviceTier what the call names; else the dearest that may serve counts.
 * @throws UnpricedModelError, or UsageError for an unknown provider.
 */
export function quoteText(
  config: LlmClientOptions["config"],
  text: string,
  { maxOutputTokens, serviceTier }: { maxOutputTokens: number; serviceTier?: unknown },
): Quote {
  const { provider, modelId } = readModel(config.model);
  const costs = provider.costs(given({ prices: config.prices }));
  const request = { text, ...given({ service_tier: serviceTier }) };
  return costs.quote({ surface: "generate", modelId, request, settings: {}, maxOutputTokens });
}

/** The refusal for money of the model's provider behind an error: out of credit, a spent key or gateway budget. */
export function upstreamBudgetError(model: string, error: unknown): UpstreamBudgetError | undefined {
  return readModel(model).provider.budgetError(error);
}

/** The id under which the model's provider tells what it billed for a call. */
export function providerCallId(model: string, { outcome }: Posting): string | undefined {
  return readModel(model).provider.callId?.(outcome);
}

/**
 * The price that a model's calls are bounded by, with its evidence; undefined for a gateway that counts as free.
 *
 * @throws UnpricedModelError, or UsageError for an unknown provider.
 */
export function priceOf({ model, prices }: LlmClientOptions["config"], at: Date): ModelPrice | undefined {
  const { name, provider, modelId } = readModel(model);
  return provider.priceBook(prices)?.find(name, modelId, at);
}

/** The provider's own id of a model: `openai/gpt-4o-mini` of `openrouter:openai/gpt-4o-mini`. */
export function modelIdOf(model: string): string {
  return readModel(model).modelId;
}

function readModel(model: string): { name: string; provider: Provider; modelId: string } {
  const separator = model.indexOf(":");
  const name = model.slice(0, Math.max(separator, 0));
  const modelId = model.slice(separator + 1);
  const provider = Object.hasOwn(providers, name) ? providers[name] : undefined;
  if (provider && modelId !== "") return { name, provider, modelId };
  throw new UsageError(
    `Model "${model}" must name provider and model, such as openrouter:openai/gpt-4o-mini, openai:gpt-4o-mini or corporate:my-model`,
  );
}
