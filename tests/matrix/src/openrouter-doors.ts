import { budgetEmbeddingMiddleware, budgetMiddleware, withBudget } from "@autolabel/budget-core";
import { createBudgetedOpenRouter, createOpenRouter, openRouterCosts } from "@autolabel/provider-openrouter";
import { type LanguageModelMiddleware, wrapEmbeddingModel, wrapLanguageModel } from "ai";
import { type Embedding, embeddingWays, languageWays, type Model, plainWays } from "./ai-sdk-ways.ts";
import { type Door, doorsOf, type Site } from "./door.ts";

const apiKey = "test";
const chatId = "openai/gpt-4o-mini";
const embeddingId = "openai/text-embedding-3-small";
const prices = { [embeddingId]: { input: "0.02", output: "0" } };

/** The first look comes at once; what is billed when its caller has left may be on record a moment later. */
const lookup = { delaysMs: [0, 5, 20, 100, 300, 600] };
const budgeted = ({ tracker, simulator }: Site) =>
  createBudgetedOpenRouter({ tracker, apiKey, baseURL: simulator.openRouterUrl, prices, lookup });

const bare = ({ simulator }: Site) => createOpenRouter({ apiKey, baseURL: simulator.openRouterUrl });
const costs = openRouterCosts({ prices });
const wrapped = (site: Site) => withBudget(bare(site), { tracker: site.tracker, costs });

/** The AI SDK says `toolChoice` with every call, and OpenRouter's completion models refuse any. */
function withoutToolChoice(model: Parameters<typeof wrapLanguageModel>[0]["model"]): Model {
  const middleware: LanguageModelMiddleware = {
    transformParams: async ({ params: { toolChoice: _toolChoice, ...params } }) => params,
  };
  return wrapLanguageModel({ model, middleware });
}

const provider = "OpenRouter";
const withoutLookup = "OpenRouter, no look-up";

/** Every door of OpenRouter. */
export const openRouterDoors: readonly Door[] = [
  ...doorsOf<Model>(
    { provider, name: "createBudgetedOpenRouter", connect: (site) => budgeted(site)(chatId) },
    languageWays,
  ),
  ...doorsOf<Embedding>(
    {
      provider,
      name: "createBudgetedOpenRouter, embeddingModel",
      connect: (site) => budgeted(site).embeddingModel(embeddingId),
    },
    embeddingWays,
  ),
  ...doorsOf<Model>(
    {
      provider: withoutLookup,
      name: "budgetMiddleware",
      connect: (site) =>
        wrapLanguageModel({
          model: bare(site).chat(chatId),
          middleware: budgetMiddleware({ tracker: site.tracker, costs }),
        }),
    },
    languageWays,
  ),
  ...doorsOf<Model>(
    { provider: withoutLookup, name: "withBudget, chat", connect: (site) => wrapped(site)(chatId) },
    plainWays,
  ),
  ...doorsOf<Model>(
    {
      provider: withoutLookup,
      name: "withBudget, completion",
      connect: (site) => withoutToolChoice(wrapped(site).completion(chatId)),
    },
    plainWays,
  ),
  ...doorsOf<Embedding>(
    {
      provider: withoutLookup,
      name: "withBudget, textEmbeddingModel",
      connect: (site) => wrapped(site).textEmbeddingModel(embeddingId),
    },
    embeddingWays,
  ),
  ...doorsOf<Embedding>(
    {
      provider: withoutLookup,
      name: "budgetEmbeddingMiddleware",
      connect: (site) =>
        wrapEmbeddingModel({
          model: bare(site).textEmbeddingModel(embeddingId),
          middleware: budgetEmbeddingMiddleware({ tracker: site.tracker, costs }),
        }),
    },
    embeddingWays,
  ),
];
