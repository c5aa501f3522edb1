import { createOpenAI, type OpenAIProvider, type OpenAIProviderSettings } from "@ai-sdk/openai";
import {
  budgetEmbeddingMiddleware,
  budgetMiddleware,
  type CostTracker,
  type Metering,
  withBudget,
} from "@autolabel/budget-core";
import { type EmbeddingModel, type LanguageModelMiddleware, wrapEmbeddingModel, wrapLanguageModel } from "ai";
import { openAiCosts } from "./openai-costs.ts";
import type { OpenAiPrices } from "./openai-prices.ts";

/** Options of {@link createBudgetedOpenAI}: those of `createOpenAI`, and the budget. */
export interface BudgetedOpenAIOptions extends OpenAIProviderSettings {
  /** The budget that every call must fit. */
  tracker: CostTracker;
  /** Prices of models that the bundled price book lacks or has otherwise. */
  prices?: OpenAiPrices;
  /** Called with every receipt right before it is posted. */
  onReceipt?: Metering["onReceipt"];
}

type Model = ReturnType<typeof wrapLanguageModel>;

/** Makes models of OpenAI whose calls must fit the budget. Called itself, it makes models of the responses API. */
export interface BudgetedOpenAI {
  (modelId: string): Model;
  /** A model of the responses API. */
  responses(modelId: string): Model;
  /** A model of the chat completions API. */
  chat(modelId: string): Model;
  /** A model of the embeddings API. */
  embedding(modelId: string): Exclude<EmbeddingModel, string>;
  /** A model of the images API. Most need a stated longest output: see the `prices` of {@link BudgetedOpenAIOptions}. */
  image(modelId: string): ReturnType<OpenAIProvider["image"]>;
  /** A model of the speech API. */
  speech(modelId: string): ReturnType<OpenAIProvider["speech"]>;
  /** A model of the transcriptions API. */
  transcription(modelId: string): ReturnType<OpenAIProvider["transcription"]>;
}

/**
 * The OpenAI provider of the AI SDK with a budget on every model it makes.
 *
 * Models of the responses API send `store: false` unless a call says otherwise: input that is stored at OpenAI has no
 * upper bound.
 *
 * @example
 * const openai = createBudgetedOpenAI({ tracker: new CostTracker({ budget: "0.50" }) });
 * const { text } = await generateText({ model: openai("gpt-4o-mini"), prompt: "Hello" });
 */
export function createBudgetedOpenAI(options: BudgetedOpenAIOptions): BudgetedOpenAI {
  const { tracker, prices, onReceipt, ...settings } = options;
  const provider = createOpenAI(settings);
  const costs = openAiCosts(prices ? { prices } : {});
  const metering = { tracker, costs, ...(onReceipt ? { onReceipt } : {}) };
  const budget = budgetMiddleware(metering);
  const responses = (modelId: string) =>
    wrapLanguageModel({ model: provider.responses(modelId), middleware: [storeNothing, budget] });
  const chat = (modelId: string) => wrapLanguageModel({ model: provider.chat(modelId), middleware: budget });
  const embedding = (modelId: string) =>
    wrapEmbeddingModel({ model: provider.embedding(modelId), middleware: budgetEmbeddingMiddleware(metering) });
  const media = withBudget(provider, metering);
  return Object.assign((modelId: string) => responses(modelId), {
    responses,
    chat,
    embedding,
    image: (modelId: string) => media.image(modelId),
    speech: (modelId: string) => media.speech(modelId),
    transcription: (modelId: string) => media.transcription(modelId),
  });
}

const storeNothing: LanguageModelMiddleware = {
  transformParams: async ({ params }) => {
    const { openai, ...others } = params.providerOptions ?? {};
    return { ...params, providerOptions: { ...others, openai: { store: false, ...openai } } };
  },
};
