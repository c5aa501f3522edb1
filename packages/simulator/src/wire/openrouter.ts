import { randomBytes } from "node:crypto";
import type { Generation } from "../generation.ts";
import { exactNumber } from "../json.ts";
import { decimalText } from "../pico-usd.ts";
import type { Charge } from "../price-table.ts";
import { Refusal } from "../refusal.ts";
import { deltaMessage, replyChoices, usageTotals } from "./chat-shapes.ts";
import { readChatRequest } from "./read-chat-request.ts";
import { SSE_DONE, sseData, type Wire } from "./wire.ts";

const UPSTREAM_ERROR = { code: 502, message: "Provider disconnected unexpectedly" };

/** What all of OpenRouter's endpoints share: how they name a generation, and their refusals. */
export const openRouterManners: Pick<Wire, "newId" | "headers" | "unknownModel" | "noCredit" | "refusalBody"> = {
  newId: (nowMs) => `gen-${Math.floor(nowMs / 1000)}-${randomBytes(15).toString("base64url")}`,
  headers: ({ id }) => ({ "x-generation-id": id }),
  unknownModel: (id) => new Refusal(400, `${id} is not a valid model ID`),
  noCredit: () =>
    new Refusal(402, "Insufficient credits. Add more using https://openrouter.ai/settings/credits", {
      code: "insufficient_credits",
    }),
  refusalBody: ({ status, message }) => ({ error: { code: status, message } }),
};

/** OpenRouter's chat completions: usage with the exact cost on every answer. */
export const openRouterChat: Wire = {
  ...openRouterManners,
  name: "openrouter",
  path: "/api/v1/chat/completions",
  readRequest: readChatRequest,
  reply: (generation, charge) => ({
    ...envelope(generation, "chat.completion"),
    choices: replyChoices(generation).map((choice) => withNativeReason(choice)),
    ...usageMember(generation, charge),
  }),
  errorReply: (generation, charge) => ({
    ...envelope(generation, "chat.completion"),
    error: upstreamError(generation),
    choices: [{ index: 0, message: { role: "assistant", content: "" }, finish_reason: "error" }],
    ...usageMember(generation, charge),
  }),
  openFrames: () => [": OPENROUTER PROCESSING\n\n"],
  deltaFrames: (generation, delta) => [
    chunk(generation, [
      {
        index: delta.choice.index,
        delta: deltaMessage(generation, delta),
        finish_reason: null,
        native_finish_reason: null,
        logprobs: null,
      },
    ]),
  ],
  closeFrames(generation, charge) {
    const choices = generation.fault?.kind === "empty-choices" ? [] : generation.choices;
    const ends = choices.map(({ index, finishReason }) => {
      const delta = { role: "assistant", content: "" };
      return chunk(generation, [
        { index, delta, finish_reason: finishReason, native_finish_reason: finishReason, logprobs: null },
      ]);
    });
    const totals = generation.reporting.usage ? [chunk(generation, [], usageMember(generation, charge))] : [];
    return [...ends, ...totals, SSE_DONE];
  },
  errorFrames: (generation, charge) => [
    chunk(generation, [{ index: 0, delta: { content: "" }, finish_reason: "error" }], {
      error: upstreamError(generation),
      ...usageMember(generation, charge),
    }),
  ],
};

function upstreamError({ fault }: Generation): unknown {
  return fault?.body ?? UPSTREAM_ERROR;
}

function envelope(generation: Generation, object: string): Record<string, unknown> {
  return {
    id: generation.id,
    provider: generation.model.provider,
    model: generation.model.id,
    object,
    created: generation.createdSeconds,
  };
}

function chunk(generation: Generation, choices: readonly unknown[], rest: Record<string, unknown> = {}): string {
  return sseData({ ...envelope(generation, "chat.completion.chunk"), choices, ...rest });
}

function withNativeReason(choice: unknown): unknown {
  const shape = choice as { finish_reason: string };
  return { ...shape, native_finish_reason: shape.finish_reason };
}

/** The `usage` member of an answer; none where usage is not reported. */
export function usageMember(generation: Generation, charge: Charge): Record<string, unknown> {
  if (!generation.reporting.usage) return {};
  const { counts } = charge;
  return {
    usage: {
      ...usageTotals(counts),
      ...costMembers(generation, charge),
      prompt_tokens_details: {
        cached_tokens: counts.cachedTokens,
        cache_write_tokens: counts.cacheWriteTokens,
        audio_tokens: 0,
        video_tokens: 0,
      },
      completion_tokens_details: { reasoning_tokens: counts.reasoningTokens, image_tokens: 0, audio_tokens: 0 },
    },
  };
}

/** Without BYOK the upstream cost repeats `cost`; with BYOK `cost` is 0 and the upstream cost is the charge. */
function costMembers({ reporting }: Generation, charge: Charge): Record<string, unknown> {
  if (!reporting.cost) return {};
  const upstream = decimalText(charge.costPicoUsd);
  return {
    cost: exactNumber(reporting.byok ? "0" : upstream),
    is_byok: reporting.byok,
    cost_details: {
      upstream_inference_cost: exactNumber(upstream),
      upstream_inference_prompt_cost: exactNumber(charge.promptUsd),
      upstream_inference_completions_cost: exactNumber(charge.completionUsd),
    },
  };
}
