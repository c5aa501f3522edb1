import { openAiEmbeddings } from "./openai-embeddings.ts";
import { openRouterManners, usageMember } from "./openrouter.ts";
import type { Wire } from "./wire.ts";

/** OpenRouter's embeddings: OpenAI's vectors, and usage with the exact cost. */
export const openRouterEmbeddings: Wire = {
  ...openAiEmbeddings,
  name: "openrouter-embeddings",
  path: "/api/v1/embeddings",
  ...openRouterManners,
  reply: (generation, charge) => ({
    ...(openAiEmbeddings.reply(generation, charge) as object),
    id: generation.id,
    provider: generation.model.provider,
    ...usageMember(generation, charge),
  }),
  // A vector is never streamed; the error that is told in its place has no usage.
  errorReply: () => ({ error: { code: 502, message: "Provider returned error" } }),
};
