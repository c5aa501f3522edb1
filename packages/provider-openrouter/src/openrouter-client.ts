import type { JSONValue, SharedV4ProviderOptions } from "@ai-sdk/provider";
import {
  budgetEmbeddingMiddleware,
  budgetMiddleware,
  type CostTracker,
  type Metering,
  UnboundedRequestError,
  type Usd,
} from "@autolabel/budget-core";
import {
  createOpenRouter as createBareOpenRouter,
  type OpenRouterChatSettings,
  type OpenRouterEmbeddingSettings,
  type OpenRouterProvider,
  type OpenRouterProviderSettings,
} from "@openrouter/ai-sdk-provider";
import { type EmbeddingModelMiddleware, type LanguageModelMiddleware, wrapEmbeddingModel, wrapLanguageModel } from "ai";
import type { CostLookup } from "./api/generation.ts";
import { assertKeyAllows, openRouterKey } from "./api/key.ts";
import type { LiveOpenRouterPrices } from "./api/live-prices.ts";
import type { OpenRouterApiOptions } from "./api/openrouter-api.ts";
import { openRouterCosts } from "./openrouter-costs.ts";
import type { OpenRouterPrices } from "./openrouter-prices.ts";

/** Options of {@link createBudgetedOpenRouter}: those of `createOpenRouter`, and the budget. */
export interface BudgetedOpenRouterOptions extends OpenRouterProviderSettings {
  /** The budget that every call must fit. */
  tracker: CostTracker;
  /** Prices of models that the bundled price book lacks or has otherwise. */
  prices?: OpenRouterPrices;
  /** OpenRouter's own list, kept fresh while the client is used: `liveOpenRouterPrices()`. Default: the bundled prices. */
  livePrices?: LiveOpenRouterPrices;
  /**
   * What a call did cost that was aborted, cut, or told no usage is asked of OpenRouter's record of it, in the background;
   * until then it holds its bound (see `settled`). `false`: such calls count at their bound at once.
   */
  lookup?: Pick<CostLookup, "delaysMs"> | false;
  /**
   * USD that the key's own limit must still allow, looked up once, before the first call. Default: it is not looked up.
   */
  keyMustAllow?: Usd;
  /** Called with every receipt right before it is posted. */
  onReceipt?: Metering["onReceipt"];
}

type Model = ReturnType<typeof wrapLanguageModel>;
type Embedding = ReturnType<typeof wrapEmbeddingModel>;

/**
 * Makes models of OpenRouter whose calls must fit the budget: called itself, or as a provider of the AI SDK in
 * `createProviderRegistry`, `customProvider` and `wrapProvider`.
 */
export interface BudgetedOpenRouter {
  (modelId: string, settings?: OpenRouterChatSettings): Model;
  readonly specificationVersion: "v4";
  languageModel(modelId: string, settings?: OpenRouterChatSettings): Model;
  chat(modelId: string, settings?: OpenRouterChatSettings): Model;
  embeddingModel(modelId: string, settings?: OpenRouterEmbeddingSettings): Embedding;
  /** @throws UnboundedRequestError always: what an image costs is not told before the call. */
  imageModel(modelId: string): never;
}

/**
 * The OpenRouter provider of the AI SDK with a budget on every model it makes. A refusal of OpenRouter's for money (no
 * credit, a spent key) reaches the caller as an UpstreamBudgetError.
 *
 * @example
 * const openrouter = createBudgetedOpenRouter({ tracker: new CostTracker({ budget: "0.50" }) });
 * const { text } = await generateText({ model: openrouter("openai/gpt-4o-mini"), prompt: "Hello" });
 */
export function createBudgetedOpenRouter(options: BudgetedOpenRouterOptions): BudgetedOpenRouter {
  const { tracker, prices, livePrices, lookup = {}, keyMustAllow, onReceipt, ...settings } = options;
  const provider = createOpenRouter(settings);
  const { apiKey, baseURL = settings.baseUrl, headers, fetch } = settings;
  const api: OpenRouterApiOptions = { apiKey, baseURL, headers, fetch };
  const costs = openRouterCosts({
    ...(prices ? { prices } : {}),
    ...(livePrices ? { livePrices } : {}),
    ...(lookup ? { lookup: { ...api, ...lookup } } : {}),
  });
  const metering = { tracker, costs, ...(onReceipt ? { onReceipt } : {}) };
  const budget = budgetMiddleware(metering);
  const embeddingBudget = budgetEmbeddingMiddleware(metering);
  const checkKey = keyMustAllow === undefined ? async () => {} : checkOnce(api, keyMustAllow);
  const prepare = (modelIds: readonly string[]) => {
    livePrices?.revalidate(modelIds);
    return checkKey();
  };

  const chat = (modelId: string, own: OpenRouterChatSettings = {}) => {
    const modelIds = [modelId, ...(own.models ?? [])];
    livePrices?.revalidate(modelIds);
    const middleware = [prepared(() => prepare(modelIds)), budget];
    return wrapLanguageModel({ model: provider.chat(modelId, own), middleware });
  };
  const embeddingModel = (modelId: string, own: OpenRouterEmbeddingSettings = {}) => {
    livePrices?.revalidate([modelId]);
    const middleware = [prepared(() => prepare([modelId])), embeddingBudget];
    return wrapEmbeddingModel({ model: provider.textEmbeddingModel(modelId, own), middleware });
  };
  const make = (modelId: string, own?: OpenRouterChatSettings) => chat(modelId, own);
  return Object.assign(make, {
    specificationVersion: "v4" as const,
    languageModel: chat,
    chat,
    embeddingModel,
    imageModel: refuseImages,
  });
}

/**
 * `createOpenRouter` of the AI SDK provider, with what its version 3.1.0 lacks to be taken for what it is by provider
 * registries: without them its models are adapted twice and their usage is garbled; and its embeddings heed
 * `providerOptions.openrouter.provider`. Speaks OpenRouter's own dialect (`compatibility: "strict"`) unless told otherwise.
 */
export function createOpenRouter(settings: OpenRouterProviderSettings = {}): OpenRouterProvider {
  const provider = createBareOpenRouter({ compatibility: "strict", ...settings });
  const make = provider.textEmbeddingModel.bind(provider);
  const embeddingModel: typeof make = (modelId, own) => {
    const routed = (provider: JSONValue) => make(modelId, { ...own, extraBody: { ...own?.extraBody, provider } });
    const model = make(modelId, own);
    const doEmbed = model.doEmbed.bind(model);
    return Object.assign(model, {
      async doEmbed(asked: Parameters<typeof doEmbed>[0] & { providerOptions?: SharedV4ProviderOptions }) {
        const provider = asked.providerOptions?.openrouter?.provider;
        return await (provider === undefined ? doEmbed(asked) : routed(provider).doEmbed(asked));
      },
    });
  };
  const aliases = { embeddingModel, textEmbeddingModel: embeddingModel, embedding: embeddingModel };
  return Object.assign(provider, { specificationVersion: "v4", ...aliases });
}

/** Waits for what must be known before a call is quoted. */
function prepared(prepare: () => Promise<void>): LanguageModelMiddleware & EmbeddingModelMiddleware {
  const first = async <P>({ params }: { params: P }) => {
    await prepare();
    return params;
  };
  return { transformParams: first };
}

/** Looks the key up before the first call. A key that cannot be looked up is not held against it: OpenRouter will say so. */
function checkOnce(api: OpenRouterApiOptions, needed: Usd): () => Promise<void> {
  let looking: ReturnType<typeof openRouterKey> | undefined;
  return async () => {
    looking ??= openRouterKey(api);
    const key = await looking.catch(() => {
      looking = undefined;
    });
    if (!key) return;
    try {
      assertKeyAllows(key, needed);
    } catch (error) {
      // The limit may have been raised by the next call.
      looking = undefined;
      throw error;
    }
  };
}

function refuseImages(modelId: string): never {
  throw new UnboundedRequestError({
    reason: `what an image of "${modelId}" costs is not told before the call`,
    fix: "Make it with createOpenRouter(), without a budget.",
  });
}
