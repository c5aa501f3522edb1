import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { withBudget } from "@autolabel/budget-core";
import { type CorporateCostsOptions, corporateCosts, createCorporate } from "@autolabel/provider-corporate";
import { type Embedding, embeddingWays, languageWays, type Model, plainWays } from "./ai-sdk-ways.ts";
import { type Door, doorsOf, type Site } from "./door.ts";

const apiKey = "test";
const chatId = "house-model";
const embeddingId = "house-embedding";

/** What the gateway's contract says. */
const contract = {
  [chatId]: { input: "0.30", output: "0.90", maxOutputTokens: 4096 },
  [embeddingId]: { input: "0.02", output: "0" },
};
/** The same contract in the words of the simulator, which must not share code with ours. */
const models = {
  [chatId]: { promptUsdPerMillion: "0.30", completionUsdPerMillion: "0.90" },
  [embeddingId]: { promptUsdPerMillion: "0.02", completionUsdPerMillion: "0" },
};
/** Bounds calls and no more: only what the gateway tells is the truth, and tokens x price would be above it. */
const dearer = {
  [chatId]: { input: "0.60", output: "1.80", maxOutputTokens: 4096 },
  [embeddingId]: { input: "0.04", output: "0" },
};

function corporate(costs: CorporateCostsOptions) {
  return ({ tracker, simulator }: Site) =>
    createCorporate({ tracker, apiKey, baseURL: simulator.gatewayUrl, ...costs });
}
const priced = corporate({ prices: contract });
const toldInBody = corporate({ prices: dearer, costFrom: "body" });
const toldInHeader = corporate({ prices: contract, costFrom: { header: "x-litellm-response-cost" } });
const embeddingInHeader = corporate({ prices: dearer, costFrom: { header: "x-litellm-response-cost" } });
const free = corporate({});
const wrapped = ({ tracker, simulator }: Site) =>
  withBudget(createOpenAICompatible({ name: "corporate", apiKey, baseURL: simulator.gatewayUrl, includeUsage: true }), {
    tracker,
    costs: corporateCosts({ prices: contract }),
  });

const provider = "gateway";
const options = { models };

/** Every door of a gateway. */
export const gatewayDoors: readonly Door[] = [
  ...doorsOf<Model>(
    { provider, name: "createCorporate", connect: (site) => priced(site)(chatId), options },
    languageWays,
  ),
  ...doorsOf<Model>(
    {
      provider,
      name: "createCorporate, costFrom body",
      connect: (site) => toldInBody(site)(chatId),
      options: { models, gatewayCost: "body" },
    },
    plainWays,
  ),
  ...doorsOf<Embedding>(
    { provider, name: "createCorporate, embedding", connect: (site) => priced(site).embedding(embeddingId), options },
    embeddingWays,
  ),
  ...doorsOf<Model>(
    { provider, name: "withBudget, chatModel", connect: (site) => wrapped(site)(chatId), options },
    plainWays,
  ),
  ...doorsOf<Embedding>(
    {
      provider,
      name: "withBudget, embeddingModel",
      connect: (site) => wrapped(site).embeddingModel(embeddingId),
      options,
    },
    embeddingWays,
  ),
  ...doorsOf<Model>(
    {
      provider: "gateway, cost in header",
      name: "createCorporate, costFrom header",
      connect: (site) => toldInHeader(site)(chatId),
      options: { models, gatewayCost: "header" },
    },
    plainWays,
  ),
  ...doorsOf<Embedding>(
    {
      provider: "gateway, cost in header",
      name: "createCorporate, embedding, costFrom header",
      connect: (site) => embeddingInHeader(site).embedding(embeddingId),
      options: { models, gatewayCost: "header" },
    },
    embeddingWays,
  ),
  ...doorsOf<Model>(
    { provider: "free gateway", name: "createCorporate", connect: (site) => free(site)("any-model") },
    languageWays,
  ),
  ...doorsOf<Embedding>(
    {
      provider: "free gateway",
      name: "createCorporate, embedding",
      connect: (site) => free(site).embedding("any-embedding"),
    },
    embeddingWays,
  ),
];
