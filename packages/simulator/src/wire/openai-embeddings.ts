import { hash, randomUUID } from "node:crypto";
import { asArray, asObject, type JsonObject } from "../json.ts";
import type { ModelRequest } from "../model-request.ts";
import { Refusal } from "../refusal.ts";
import { seededFraction } from "../seeded-random.ts";
import { countTokens } from "../tokens.ts";
import { openAiManners, upstreamError } from "./openai-shapes.ts";
import { readMaxPrice, readRouting, readWhole } from "./read-chat-request.ts";
import type { Wire } from "./wire.ts";

const DEFAULT_DIMENSIONS = 8;

/** OpenAI's embeddings: seeded vectors, and input tokens only. */
export const openAiEmbeddings: Wire = {
  ...openAiManners,
  name: "embeddings",
  path: "/v1/embeddings",
  readRequest,
  newId: () => `embd-${randomUUID()}`,
  reply: ({ request, model, reporting }, { counts }) => ({
    object: "list",
    data: request.messages.map(({ content }, index) => ({
      object: "embedding",
      index,
      embedding: vector(String(content), request.vectors),
    })),
    model: model.id,
    ...(reporting.usage && { usage: { prompt_tokens: counts.promptTokens, total_tokens: counts.promptTokens } }),
  }),
  errorReply: (generation) => ({ error: upstreamError(generation) }),
  openFrames: () => [],
  deltaFrames: () => [],
  closeFrames: () => [],
  errorFrames: () => [],
};

/** Each input is one message; no answer is asked for, so no output is billed. */
function readRequest(body: JsonObject): ModelRequest {
  const inputs = readInputs(body.input);
  if (typeof body.model !== "string") throw new Refusal(400, "you must provide a model parameter");
  const texts = inputs.map((input) => (typeof input === "string" ? input : JSON.stringify(input)));
  const tokens = inputs.map((input) => (typeof input === "string" ? countTokens(input) : input.length));
  return {
    candidates: [body.model],
    messages: texts.map((content) => ({ role: "input", content })),
    promptText: texts.join("\n"),
    lastUserText: texts.at(-1) ?? "",
    promptHash: hash("sha256", JSON.stringify(texts)),
    promptTokens: tokens.reduce((sum, count) => sum + count, 0),
    prefixTokens: 0,
    prefixHash: "",
    hasCacheControl: false,
    maxOutputTokens: undefined,
    choices: 0,
    stream: false,
    includeUsage: false,
    schema: undefined,
    wantsJson: false,
    tool: undefined,
    maxPrice: readMaxPrice(asObject(asObject(body.provider).max_price)),
    routing: readRouting(asObject(body.provider)),
    reasoningEffort: undefined,
    serviceTier: "default",
    vectors: {
      dimensions: readWhole(body.dimensions, "dimensions") ?? DEFAULT_DIMENSIONS,
      base64: body.encoding_format === "base64",
    },
  };
}

/** Texts, or lists of token ids; a single one counts as a list of one. */
function readInputs(input: unknown): readonly (string | readonly unknown[])[] {
  const isSingle = typeof input === "string" || asArray(input).every((item) => typeof item === "number");
  const inputs = isSingle ? [input] : asArray(input);
  return inputs.map((item) => {
    if (typeof item === "string" && item !== "") return item;
    if (Array.isArray(item) && item.length > 0) return item;
    throw new Refusal(400, "'$.input' is invalid. Please check the API reference.");
  });
}

function vector(text: string, { dimensions, base64 }: NonNullable<ModelRequest["vectors"]> = NO_VECTORS): unknown {
  const numbers = Float32Array.from({ length: dimensions }, (_, index) => seededFraction("vector", text, index) - 0.5);
  return base64 ? Buffer.from(numbers.buffer).toString("base64") : [...numbers];
}

const NO_VECTORS = { dimensions: DEFAULT_DIMENSIONS, base64: false };
