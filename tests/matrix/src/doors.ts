import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { budgetEmbeddingMiddleware, type CostTracker, withBudget } from "@autolabel/budget-core";
import { corporateCosts, createCorporate } from "@autolabel/provider-corporate";
import { createBudgetedOpenAI, createOpenAI, meterOpenAI, OpenAI, openAiCosts } from "@autolabel/provider-openai";
import { createBudgetedOpenRouter, createOpenRouter, openRouterCosts } from "@autolabel/provider-openrouter";
import type { Simulator } from "@autolabel/simulator";
import { type LanguageModelMiddleware, wrapEmbeddingModel, wrapLanguageModel } from "ai";
import { type Embedding, embeddingWays, languageWays, type Model, plainWays } from "./ai-sdk-ways.ts";
import { openAiWays } from "./openai-ways.ts";
import type { Asked, Kind, Opened, Way } from "./way.ts";

/** Whose rules of billing and evidence hold behind a door. */
export type Provider = "OpenRouter" | "OpenAI" | "OpenAI client" | "gateway" | "free gateway";

/** Where a call is made: a provider that bills, and the budget that counts. */
export interface Site {
  simulator: Pick<Simulator, "openRouterUrl" | "openAiUrl" | "gatewayUrl">;
  tracker: CostTracker;
}

/** One way to spend money through the project. */
export type Door = {
  name: string;
  provider: Provider;
  kind: Kind;
  /** Requests that the call makes before the one that an ending strikes. */
  requestsBefore: number;
  /** `open` of a stream gives it to its caller; other calls give what they answer. */
  call(site: Site, asked: Asked): PromiseLike<unknown>;
  open?(site: Site, asked: Asked): Promise<Opened>;
};

/** All ways through one client or model, each of them a door. */
function doorsOf<Client>(
  provider: Provider,
  name: string,
  connect: (site: Site) => Client,
  ways: readonly Way<Client>[],
): Door[] {
  return ways.map((way) => {
    const door = { name: `${name}: ${way.name}`, provider, kind: way.kind, requestsBefore: way.requestsBefore ?? 0 };
    if (way.kind !== "stream") return { ...door, call: (site, asked) => way.call(connect(site), asked) };
    const open = (site: Site, asked: Asked) => way.open(connect(site), asked);
    const call = async (site: Site, asked: Asked) => {
      for await (const _ of (await open(site, asked)).pieces());
    };
    return { ...door, open, call };
  });
}

const apiKey = "test";
const chatId = "openai/gpt-4o-mini";
const embeddingId = "openai/text-embedding-3-small";
const embeddingPrice = { input: "0.02", output: "0" };

const openRouter = ({ simulator }: Site) => createOpenRouter({ apiKey, baseURL: simulator.openRouterUrl });
const openRouterPrices = openRouterCosts({ prices: { [embeddingId]: embeddingPrice } });
const budgetedOpenRouter = ({ tracker, simulator }: Site) =>
  createBudgetedOpenRouter({ tracker, apiKey, baseURL: simulator.openRouterUrl });
const wrappedOpenRouter = (site: Site) =>
  withBudget(openRouter(site), { tracker: site.tracker, costs: openRouterPrices });

/** The AI SDK says `toolChoice` with every call, and OpenRouter's completion models refuse any. */
function withoutToolChoice(model: Parameters<typeof wrapLanguageModel>[0]["model"]): Model {
  const middleware: LanguageModelMiddleware = {
    transformParams: async ({ params: { toolChoice: _toolChoice, ...params } }) => params,
  };
  return wrapLanguageModel({ model, middleware });
}

const openRouterDoors = [
  ...doorsOf<Model>("OpenRouter", "createBudgetedOpenRouter", (site) => budgetedOpenRouter(site)(chatId), languageWays),
  ...doorsOf<Model>("OpenRouter", "withBudget, chat", (site) => wrappedOpenRouter(site)(chatId), plainWays),
  ...doorsOf<Model>(
    "OpenRouter",
    "withBudget, completion",
    (site) => withoutToolChoice(wrappedOpenRouter(site).completion(chatId)),
    plainWays,
  ),
  ...doorsOf<Embedding>(
    "OpenRouter",
    "withBudget, textEmbeddingModel",
    (site) => wrappedOpenRouter(site).textEmbeddingModel(embeddingId),
    embeddingWays,
  ),
  ...doorsOf<Embedding>(
    "OpenRouter",
    "budgetEmbeddingMiddleware",
    (site) =>
      wrapEmbeddingModel({
        model: openRouter(site).textEmbeddingModel(embeddingId),
        middleware: budgetEmbeddingMiddleware({ tracker: site.tracker, costs: openRouterPrices }),
      }),
    embeddingWays,
  ),
];

const budgetedOpenAi = ({ tracker, simulator }: Site) =>
  createBudgetedOpenAI({ tracker, apiKey, baseURL: simulator.openAiUrl });
const wrappedOpenAi = ({ tracker, simulator }: Site) =>
  withBudget(createOpenAI({ apiKey, baseURL: simulator.openAiUrl }), { tracker, costs: openAiCosts() });
const openAiClient = ({ tracker, simulator }: Site) =>
  meterOpenAI(new OpenAI({ apiKey, baseURL: simulator.openAiUrl, logLevel: "off" }), { tracker });

const openAiDoors = [
  ...doorsOf<Model>(
    "OpenAI",
    "createBudgetedOpenAI, responses",
    (site) => budgetedOpenAi(site)("gpt-4o-mini"),
    languageWays,
  ),
  ...doorsOf<Model>(
    "OpenAI",
    "createBudgetedOpenAI, chat",
    (site) => budgetedOpenAi(site).chat("gpt-4o-mini"),
    languageWays,
  ),
  ...doorsOf<Embedding>(
    "OpenAI",
    "createBudgetedOpenAI, embedding",
    (site) => budgetedOpenAi(site).embedding("text-embedding-3-small"),
    embeddingWays,
  ),
  ...doorsOf<Model>("OpenAI", "withBudget, responses", (site) => wrappedOpenAi(site)("gpt-4o-mini"), plainWays),
  ...doorsOf<Model>("OpenAI", "withBudget, chat", (site) => wrappedOpenAi(site).chat("gpt-4o-mini"), plainWays),
  ...doorsOf<Embedding>(
    "OpenAI",
    "withBudget, embedding",
    (site) => wrappedOpenAi(site).embedding("text-embedding-3-small"),
    embeddingWays,
  ),
];

/** What the gateway's contract says; its models are priced so at the simulator as well. */
const contract = {
  "house-model": { input: "0.30", output: "0.90", maxOutputTokens: 4096 },
  "house-embedding": embeddingPrice,
};

/** The same contract in the words of the simulator, which must not share code with ours. */
export const contractModels = {
  "house-model": { promptUsdPerMillion: "0.30", completionUsdPerMillion: "0.90" },
  "house-embedding": { promptUsdPerMillion: "0.02", completionUsdPerMillion: "0" },
};

const pricedGateway = ({ tracker, simulator }: Site) =>
  createCorporate({ tracker, apiKey, baseURL: simulator.gatewayUrl, prices: contract });
const wrappedGateway = ({ tracker, simulator }: Site) =>
  withBudget(createOpenAICompatible({ name: "corporate", apiKey, baseURL: simulator.gatewayUrl, includeUsage: true }), {
    tracker,
    costs: corporateCosts({ prices: contract }),
  });
const freeGateway = ({ tracker, simulator }: Site) =>
  createCorporate({ tracker, apiKey, baseURL: simulator.gatewayUrl });

const gatewayDoors = [
  ...doorsOf<Model>("gateway", "createCorporate", (site) => pricedGateway(site)("house-model"), languageWays),
  ...doorsOf<Embedding>(
    "gateway",
    "createCorporate, embedding",
    (site) => pricedGateway(site).embedding("house-embedding"),
    embeddingWays,
  ),
  ...doorsOf<Model>("gateway", "withBudget, chatModel", (site) => wrappedGateway(site)("house-model"), plainWays),
  ...doorsOf<Embedding>(
    "gateway",
    "withBudget, embeddingModel",
    (site) => wrappedGateway(site).embeddingModel("house-embedding"),
    embeddingWays,
  ),
  ...doorsOf<Model>("free gateway", "createCorporate", (site) => freeGateway(site)("any-model"), languageWays),
  ...doorsOf<Embedding>(
    "free gateway",
    "createCorporate, embedding",
    (site) => freeGateway(site).embedding("any-embedding"),
    embeddingWays,
  ),
];

/** Every door of the project. */
export const doors: readonly Door[] = [
  ...openRouterDoors,
  ...openAiDoors,
  ...doorsOf("OpenAI client", "meterOpenAI", openAiClient, openAiWays),
  ...gatewayDoors,
];
