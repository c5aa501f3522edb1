import { createOpenAICompatible, type OpenAICompatibleProviderSettings } from "@ai-sdk/openai-compatible";
import { budgetEmbeddingMiddleware, budgetMiddleware, type CostTracker, type Metering } from "@autolabel/budget-core";
import { type EmbeddingModel, type LanguageModelMiddleware, wrapEmbeddingModel, wrapLanguageModel } from "ai";
import { type CorporateCostsOptions, corporateCosts, headerCostKey } from "./corporate-costs.ts";

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

/** Makes models of a gateway whose calls must fit the budget. */
export interface Corporate {
  (modelId: string): ReturnType<typeof wrapLanguageModel>;
  /** A model of the gateway's embeddings. */
  embedding(modelId: string): Exclude<EmbeddingModel, string>;
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
  const middleware = typeof costFrom === "object" ? [budget, tellHeaderCost(name, costFrom.header)] : [budget];
  const language = (modelId: string) => wrapLanguageModel({ model: provider.chatModel(modelId), middleware });
  const embedding = (modelId: string) =>
    wrapEmbeddingModel({ model: provider.embeddingModel(modelId), middleware: budgetEmbeddingMiddleware(metering) });
  return Object.assign(language, { embedding });
}

/** Puts the cost of a response's header where the budget, which stands around this, looks for it. */
function tellHeaderCost(name: string, header: string): LanguageModelMiddleware {
  return {
    async wrapGenerate({ doGenerate }) {
      const result = await doGenerate();
      const cost = result.response?.headers?.[header.toLowerCase()];
      if (cost === undefined) return result;
      const own = { ...result.providerMetadata?.[name], [headerCostKey]: cost };
      return { ...result, providerMetadata: { ...result.providerMetadata, [name]: own } };
    },
  };
}
