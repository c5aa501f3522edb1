import { randomBytes, randomUUID } from "node:crypto";
import type { Generation } from "../generation.ts";
import type { Charge } from "../price-table.ts";
import { Refusal } from "../refusal.ts";
import { deltaMessage, replyChoices, usageTotals } from "./chat-shapes.ts";
import { readChatRequest } from "./read-chat-request.ts";
import { SSE_DONE, sseData, type Wire } from "./wire.ts";

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "invalid_request_error",
  404: "invalid_request_error",
  429: "requests",
};

/** OpenAI's chat completions: no cost on the wire, and usage on streams only for those who ask. */
export const openAiChat: Wire = {
  name: "openai",
  path: "/v1/chat/completions",
  readRequest: readChatRequest,
  newId: () => `chatcmpl-${randomBytes(15).toString("base64url")}`,
  headers: () => ({ "x-request-id": `req_${randomUUID().replaceAll("-", "")}`, "openai-version": "2020-10-01" }),
  unknownModel: (id) =>
    new Refusal(404, `The model \`${id}\` does not exist or you do not have access to it.`, {
      code: "model_not_found",
    }),
  noCredit: () =>
    new Refusal(429, "You exceeded your current quota, please check your plan and billing details.", {
      code: "insufficient_quota",
    }),
  refusalBody: ({ status, message, code }) => ({
    error: {
      message,
      type: code === "insufficient_quota" ? code : (ERROR_TYPES[status] ?? "server_error"),
      param: null,
      code: code ?? null,
    },
  }),
  reply: (generation, charge) => ({
    ...envelope(generation, "chat.completion"),
    choices: replyChoices(generation),
    ...(generation.reporting.usage && { usage: usage(charge) }),
  }),
  errorReply: (generation) => ({ ...envelope(generation, "chat.completion"), error: upstreamError() }),
  openFrames: () => [],
  deltaFrames: (generation, delta) => [
    chunk(generation, [
      { index: delta.choice.index, delta: deltaMessage(generation, delta), logprobs: null, finish_reason: null },
    ]),
  ],
  closeFrames(generation, charge) {
    const choices = generation.fault?.kind === "empty-choices" ? [] : generation.choices;
    const ends = choices.map(({ index, finishReason }) =>
      chunk(generation, [{ index, delta: {}, logprobs: null, finish_reason: finishReason }]),
    );
    const totals = asksForUsage(generation)
      ? [sseData({ ...envelope(generation, "chat.completion.chunk"), choices: [], usage: usage(charge) })]
      : [];
    return [...ends, ...totals, SSE_DONE];
  },
  errorFrames: () => [sseData({ error: upstreamError() })],
};

function envelope(generation: Generation, object: string): Record<string, unknown> {
  return {
    id: generation.id,
    object,
    created: generation.createdSeconds,
    model: generation.model.id,
    service_tier: generation.request.serviceTier === "auto" ? "default" : generation.request.serviceTier,
    system_fingerprint: null,
  };
}

function chunk(generation: Generation, choices: readonly unknown[]): string {
  const noUsage = asksForUsage(generation) ? { usage: null } : {};
  return sseData({ ...envelope(generation, "chat.completion.chunk"), choices, ...noUsage });
}

function asksForUsage(generation: Generation): boolean {
  return generation.reporting.usage && generation.request.includeUsage;
}

function usage({ counts }: Charge): Record<string, unknown> {
  return {
    ...usageTotals(counts),
    prompt_tokens_details: { cached_tokens: counts.cachedTokens, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: counts.reasoningTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

function upstreamError(): unknown {
  return {
    message: "The server had an error while processing your request. Sorry about that!",
    type: "server_error",
    param: null,
    code: null,
  };
}
