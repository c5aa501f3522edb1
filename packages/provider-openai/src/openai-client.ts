import { createOpenAI, type OpenAIProvider, type OpenAIProviderSettings } from "@ai-sdk/openai";
import {
  budgetEmbeddingMiddleware,
  budgetMiddleware,
  type CostTracker,
  type Metering,
  withBudget,
} from "@autolabel/budget-core";
import { type LanguageModelMiddleware, wrapEmbeddingModel, wrapLanguageModel } from "ai";
import { isOpenAi } from "./official-client/openai-doors.ts";
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
type Embedding = ReturnType<typeof wrapEmbeddingModel>;

/**
 * Makes models of OpenAI whose calls must fit the budget: called itself (models of the responses API), or as a provider of
 * the AI SDK in `createProviderRegistry`, `customProvider` and `wrapProvider`.
 */
export interface BudgetedOpenAI {
  (modelId: string): Model;
  readonly specificationVersion: "v4";
  languageModel(modelId: string): Model;
  /** A model of the responses API. */
  responses(modelId: string): Model;
  /** A model of the chat completions API. */
  chat(modelId: string): Model;
  /** A model of the embeddings API. */
  embedding(modelId: string): Embedding;
  embeddingModel(modelId: string): Embedding;
  /** A model of the images API. Most need a stated longest output: see the `prices` of {@link BudgetedOpenAIOptions}. */
  image(modelId: string): ReturnType<OpenAIProvider["image"]>;
  imageModel(modelId: string): ReturnType<OpenAIProvider["image"]>;
  /** A model of the speech API. */
  speech(modelId: string): ReturnType<OpenAIProvider["speech"]>;
  speechModel(modelId: string): ReturnType<OpenAIProvider["speech"]>;
  /** A model of the transcriptions API. */
  transcription(modelId: string): ReturnType<OpenAIProvider["transcription"]>;
  transcriptionModel(modelId: string): ReturnType<OpenAIProvider["transcription"]>;
}

/**
 * The OpenAI provider of the AI SDK with a budget on every model it makes.
 *
 * Unless a call says otherwise, models of the responses API send `store: false`, because input that is stored at OpenAI has
 * no upper bound; and to OpenAI itself all text models name the service tier `default`, because the tier that a project has
 * by default can be a dearer one.
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
  const baseURL = settings.baseURL ?? globalThis.process?.env.OPENAI_BASE_URL ?? "https://api.openai.com/v1";
  const tier = isOpenAi(new URL(baseURL)) ? { serviceTier: "default" } : {};
  const responses = (modelId: string) =>
    wrapLanguageModel({
      model: provider.responses(modelId),
      middleware: [byDefault({ ...tier, store: false }), budget],
    });
  const chat = (modelId: string) =>
    wrapLanguageModel({ model: provider.chat(modelId), middleware: [byDefault(tier), budget] });
  const embedding = (modelId: string) =>
    wrapEmbeddingModel({ model: provider.embedding(modelId), middleware: budgetEmbeddingMiddleware(metering) });
  const media = withBudget(provider, metering);
  const image = (modelId: string) => media.image(modelId);
  const speech = (modelId: string) => media.speech(modelId);
  const transcription = (modelId: string) => media.transcription(modelId);
  return Object.assign((modelId: string) => responses(modelId), {
    specificationVersion: "v4" as const,
    languageModel: responses,
    responses,
    chat,
    embedding,
    embeddingModel: embedding,
    image,
    imageModel: image,
    speech,
    speechModel: speech,
    transcription,
    transcriptionModel: transcription,
  });
}

/** Options of OpenAI that hold where a call does not say otherwise. */
function byDefault(options: { store?: boolean; serviceTier?: string }): LanguageModelMiddleware {
  return {
    transformParams: async ({ params }) => {
      const { openai, ...others } = params.providerOptions ?? {};
      // Undefined and null say nothing, and leave it to what the project has by default.
      const unsaid = Object.entries(options).filter(([name]) => (openai?.[name] ?? null) === null);
      return { ...params, providerOptions: { ...others, openai: { ...openai, ...Object.fromEntries(unsaid) } } };
    },
  };
}
