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
import { openRouterBudgetError } from "./openrouter-errors.ts";
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
    const middleware = [tellBudgetErrors(() => prepare(modelIds)), budget];
    return wrapLanguageModel({ model: provider.chat(modelId, own), middleware });
  };
  const embeddingModel = (modelId: string, own: OpenRouterEmbeddingSettings = {}) => {
    livePrices?.revalidate([modelId]);
    const middleware = [tellEmbeddingBudgetErrors(() => prepare([modelId])), embeddingBudget];
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
 * registries: without them its models are adapted twice and their usage is garbled. Speaks OpenRouter's own dialect
 * (`compatibility: "strict"`) unless told otherwise.
 */
export function createOpenRouter(settings: OpenRouterProviderSettings = {}): OpenRouterProvider {
  const provider = createBareOpenRouter({ compatibility: "strict", ...settings });
  return Object.assign(provider, {
    specificationVersion: "v4",
    embeddingModel: (modelId: string, own?: OpenRouterEmbeddingSettings) => provider.textEmbeddingModel(modelId, own),
  });
}

/** Prepares every call and gives the refusals for money their name. The budget stands inside it and sees the bare error. */
function tellBudgetErrors(prepare: () => Promise<void>): LanguageModelMiddleware {
  return {
    async wrapGenerate({ doGenerate }) {
      return await named(prepare, doGenerate);
    },
    async wrapStream({ doStream }) {
      const { stream, ...rest } = await named(prepare, doStream);
      const rename = new TransformStream<StreamPart, StreamPart>({
        transform: (part, controller) => {
          const refusal = part.type === "error" ? openRouterBudgetError(part.error) : undefined;
          controller.enqueue(refusal ? { type: "error", error: refusal } : part);
        },
      });
      return { ...rest, stream: stream.pipeThrough(rename) };
    },
  };
}

type StreamPart = Awaited<ReturnType<Model["doStream"]>>["stream"] extends ReadableStream<infer Part> ? Part : never;

function tellEmbeddingBudgetErrors(prepare: () => Promise<void>): EmbeddingModelMiddleware {
  return { wrapEmbed: async ({ doEmbed }) => await named(prepare, doEmbed) };
}

async function named<R>(prepare: () => Promise<void>, call: () => PromiseLike<R>): Promise<R> {
  try {
    await prepare();
    return await call();
  } catch (error) {
    throw openRouterBudgetError(error) ?? error;
  }
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
