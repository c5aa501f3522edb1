import {
  createOpenAICompatible,
  type OpenAICompatibleProvider,
  type OpenAICompatibleProviderSettings,
} from "@ai-sdk/openai-compatible";
import {
  budgetEmbeddingMiddleware,
  budgetMiddleware,
  type CostTracker,
  type Metering,
  withBudget,
} from "@autolabel/budget-core";
import { wrapEmbeddingModel, wrapLanguageModel } from "ai";
import { type CorporateCostsOptions, corporateCosts } from "./corporate-costs.ts";

/**
 * Options of {@link createCorporate}: how to reach the gateway (those of `createOpenAICompatible`: `baseURL`, `headers`,
 * `apiKey` as a text or an async function, `fetch` for client certificates and proxies, `queryParams`, …), what it
 * charges, and the budget. `supportsStructuredOutputs` is true unless you say otherwise.
 */
export interface CorporateOptions
  extends Omit<OpenAICompatibleProviderSettings, "name" | "includeUsage">,
    CorporateCostsOptions {
  /** The budget that every call must fit. Calls that cost nothing always fit, and are counted. */
  tracker: CostTracker;
  /** Called with every receipt right before it is posted. */
  onReceipt?: Metering["onReceipt"];
}

type Model = ReturnType<typeof wrapLanguageModel>;
type Embedding = ReturnType<typeof wrapEmbeddingModel>;

/**
 * Makes models of a gateway whose calls must fit the budget: called itself, or as a provider of the AI SDK in
 * `createProviderRegistry`, `customProvider` and `wrapProvider`.
 */
export interface Corporate {
  (modelId: string): Model;
  readonly specificationVersion: "v4";
  languageModel(modelId: string): Model;
  /** A model of the gateway's embeddings. */
  embedding(modelId: string): Embedding;
  embeddingModel(modelId: string): Embedding;
  /**
   * A model of the gateway's images.
   *
   * @throws UnboundedRequestError under `prices`, which bound text only.
   */
  imageModel(modelId: string): ReturnType<OpenAICompatibleProvider["imageModel"]>;
}

/**
 * A company's own OpenAI-compatible gateway, for the AI SDK, under a budget. Free unless a contract's prices are stated.
 *
 * @example
 * const corporate = createCorporate({ tracker, baseURL: "https://llm.example.com/v1", apiKey: getToken });
 * const { text } = await generateText({ model: corporate("llama-3.3-70b"), prompt: "Hello" });
 * @throws TypeError for `costFrom` without `prices`.
 */
export function createCorporate(options: CorporateOptions): Corporate {
  const { tracker, onReceipt, name = "corporate", prices, costFrom, ...settings } = options;
  const costs = corporateCosts({ name, ...(prices ? { prices } : {}), ...(costFrom ? { costFrom } : {}) });
  const metering = { tracker, costs, ...(onReceipt ? { onReceipt } : {}) };
  // Without usage on streams no token would be counted.
  const provider = createOpenAICompatible({ supportsStructuredOutputs: true, ...settings, name, includeUsage: true });
  const budget = budgetMiddleware(metering);
  const language = (modelId: string) => wrapLanguageModel({ model: provider.chatModel(modelId), middleware: budget });
  const embedding = (modelId: string) =>
    wrapEmbeddingModel({ model: provider.embeddingModel(modelId), middleware: budgetEmbeddingMiddleware(metering) });
  const media = withBudget(provider, metering);
  return Object.assign((modelId: string) => language(modelId), {
    specificationVersion: "v4" as const,
    languageModel: language,
    embedding,
    embeddingModel: embedding,
    imageModel: (modelId: string) => media.imageModel(modelId),
  });
}
