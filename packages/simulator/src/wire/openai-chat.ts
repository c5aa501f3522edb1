import { randomBytes } from "node:crypto";
import type { Generation } from "../generation.ts";
import type { Charge } from "../price-table.ts";
import { deltaMessage, replyChoices, usageTotals } from "./chat-shapes.ts";
import { openAiManners, servedTier, upstreamError } from "./openai-shapes.ts";
import { readChatRequest } from "./read-chat-request.ts";
import { SSE_DONE, sseData, type Wire } from "./wire.ts";

/** OpenAI's chat completions: no cost on the wire, and usage on streams only for those who ask. */
export const openAiChat: Wire = {
  name: "openai",
  path: "/v1/chat/completions",
  readRequest: readChatRequest,
  newId: () => `chatcmpl-${randomBytes(15).toString("base64url")}`,
  ...openAiManners,
  reply: (generation, charge) => ({
    ...envelope(generation, "chat.completion"),
    choices: replyChoices(generation),
    ...(generation.reporting.usage && { usage: usage(charge) }),
  }),
  errorReply: (generation) => ({ ...envelope(generation, "chat.completion"), error: upstreamError(generation) }),
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
  errorFrames: (generation) => [sseData({ error: upstreamError(generation) })],
};

function envelope(generation: Generation, object: string): Record<string, unknown> {
  return {
    id: generation.id,
    object,
    created: generation.createdSeconds,
    model: generation.model.id,
    service_tier: servedTier(generation.request.serviceTier),
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
