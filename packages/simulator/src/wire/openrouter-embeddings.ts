import { exactNumber, type JsonObject } from "../json.ts";
import { decimalText } from "../pico-usd.ts";
import { openAiEmbeddings } from "./openai-embeddings.ts";
import { openRouterChat } from "./openrouter.ts";
import type { Wire } from "./wire.ts";

/** OpenRouter's embeddings: OpenAI's, with the cost in the usage and a generation id. */
export const openRouterEmbeddings: Wire = {
  ...openRouterChat,
  name: "openrouter-embeddings",
  path: "/api/v1/embeddings",
  readRequest: (body) => openAiEmbeddings.readRequest(body),
  reply(generation, charge) {
    const reply = openAiEmbeddings.reply(generation, charge) as { usage?: JsonObject };
    const { reporting, id, model } = generation;
    const cost = reporting.cost ? { cost: exactNumber(reporting.byok ? "0" : decimalText(charge.costPicoUsd)) } : {};
    return { ...reply, id, provider: model.provider, ...(reply.usage && { usage: { ...reply.usage, ...cost } }) };
  },
  // A vector is never streamed, so only the unstreamed error differs from the chat's: it tells no usage.
  errorReply: () => ({ error: { code: 502, message: "Provider returned error" } }),
};
