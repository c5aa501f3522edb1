import { withBudget } from "@autolabel/budget-core";
import { createBudgetedOpenAI, createOpenAI, meterOpenAI, OpenAI, openAiCosts } from "@autolabel/provider-openai";
import { wrapLanguageModel } from "ai";
import { AzureOpenAI } from "openai";
import { type MediaProvider, mediaWays } from "./ai-sdk-media-ways.ts";
import { type Embedding, embeddingWays, languageWays, type Model, plainWays } from "./ai-sdk-ways.ts";
import { type Door, doorsOf, type Site } from "./door.ts";
import { openAiBatchWays } from "./openai-batch-ways.ts";
import { openAiMediaWays } from "./openai-media-ways.ts";
import { openAiPlainWays, openAiWays } from "./openai-ways.ts";
import type { Way } from "./way.ts";

const apiKey = "test";
const chatId = "gpt-4o-mini";
const embeddingId = "text-embedding-3-small";
/** The only kind of model that the old completions still have; it is not in the simulator's own table. */
const completionId = "gpt-3.5-turbo-instruct";
const completionModels = { [completionId]: { promptUsdPerMillion: "1.5", completionUsdPerMillion: "2" } };
/** No longest answer of this model is published, so its price states one. */
const prices = { "gpt-4o-mini-tts": { input: "0.6", output: "12", maxOutputTokens: 4_000 } };

const budgeted = ({ tracker, simulator }: Site) =>
  createBudgetedOpenAI({ tracker, apiKey, baseURL: simulator.openAiUrl });
const wrapped = ({ tracker, simulator }: Site) =>
  withBudget(createOpenAI({ apiKey, baseURL: simulator.openAiUrl }), { tracker, costs: openAiCosts() });
const client = ({ tracker, simulator }: Site) =>
  meterOpenAI(new OpenAI({ apiKey, baseURL: simulator.openAiUrl, logLevel: "off" }), {
    tracker,
    costs: openAiCosts({ prices }),
  });

const azure = ({ tracker, simulator }: Site): OpenAI =>
  meterOpenAI(
    new AzureOpenAI({
      apiKey,
      apiVersion: "2025-04-01-preview",
      endpoint: simulator.url,
      logLevel: "off",
    }),
    { tracker },
  );

/** A model at another service tier, without thinking, as a caller asks for it. */
function atTier(model: Parameters<typeof wrapLanguageModel>[0]["model"], serviceTier: string): Model {
  return wrapLanguageModel({
    model,
    middleware: {
      transformParams: async ({ params }) => {
        const openai = { ...params.providerOptions?.openai, serviceTier, reasoningEffort: "minimal" };
        return { ...params, providerOptions: { ...params.providerOptions, openai } };
      },
    },
  });
}

const provider = "OpenAI";

const aiSdkDoors = [
  ...doorsOf<Model>(
    { provider, name: "createBudgetedOpenAI, responses", connect: (site) => budgeted(site)(chatId) },
    languageWays,
  ),
  ...doorsOf<Model>(
    { provider, name: "createBudgetedOpenAI, chat", connect: (site) => budgeted(site).chat(chatId) },
    languageWays,
  ),
  ...["flex", "priority"].flatMap((tier) =>
    doorsOf<Model>(
      {
        provider,
        name: `withBudget, chat, service tier ${tier}`,
        connect: (site) => atTier(wrapped(site).chat("gpt-5-mini"), tier),
      },
      plainWays,
    ),
  ),
  ...doorsOf<Embedding>(
    { provider, name: "createBudgetedOpenAI, embedding", connect: (site) => budgeted(site).embedding(embeddingId) },
    embeddingWays,
  ),
  ...doorsOf<MediaProvider>({ provider, name: "createBudgetedOpenAI", connect: budgeted }, mediaWays),
  ...doorsOf<Model>({ provider, name: "withBudget, responses", connect: (site) => wrapped(site)(chatId) }, plainWays),
  ...doorsOf<Model>({ provider, name: "withBudget, chat", connect: (site) => wrapped(site).chat(chatId) }, plainWays),
  ...doorsOf<Model>(
    {
      provider,
      name: "withBudget, OpenAI completion",
      connect: (site) => wrapped(site).completion(completionId),
      options: { models: completionModels },
    },
    plainWays,
  ),
  ...doorsOf<Embedding>(
    { provider, name: "withBudget, embedding", connect: (site) => wrapped(site).embedding(embeddingId) },
    embeddingWays,
  ),
  ...doorsOf<MediaProvider>({ provider, name: "withBudget", connect: wrapped }, mediaWays),
];

/** Every door of OpenAI. */
export const openAiDoors: readonly Door[] = [
  ...aiSdkDoors,
  ...doorsOf<OpenAI>({ provider: "OpenAI client", name: "meterOpenAI", connect: client }, [
    ...openAiWays,
    ...openAiMediaWays,
    ...openAiBatchWays,
  ]),
  ...doorsOf<OpenAI>({ provider: "OpenAI client", name: "AzureOpenAI", connect: azure }, azureWays()),
];

function azureWays(): Way<OpenAI>[] {
  const names = /^(chat\.completions|responses)\.create(, stream)?$/;
  return openAiPlainWays.filter(({ name }) => names.test(name));
}
