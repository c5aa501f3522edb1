import { randomBytes } from "node:crypto";
import type { Choice, Generation } from "../generation.ts";
import type { Charge } from "../price-table.ts";
import { openAiManners, servedTier, upstreamError } from "./openai-shapes.ts";
import { readResponsesRequest } from "./read-responses-request.ts";
import type { Wire } from "./wire.ts";

/** OpenAI's responses: named events, and the usage on the last of them whether it is asked for or not. */
export const openAiResponses: Wire = {
  ...openAiManners,
  name: "openai",
  path: "/v1/responses",
  readRequest: readResponsesRequest,
  newId: () => `resp_${randomBytes(24).toString("hex")}`,
  reply: (generation, charge) => ended(generation, charge),
  errorReply: (generation) => ({ ...response(generation, "failed"), error: serverError(generation) }),
  openFrames: (generation) => [
    event(generation, "response.created", { response: response(generation, "in_progress") }),
    event(generation, "response.in_progress", { response: response(generation, "in_progress") }),
  ],
  deltaFrames(generation, { choice, text, isFirstOfChoice }) {
    const place = { item_id: itemId(generation, choice), output_index: choice.index };
    if (choice.toolName !== undefined) {
      const item = { ...outputItem(generation, choice), arguments: "", status: "in_progress" };
      return [
        event(generation, "response.output_item.added", { output_index: choice.index, item }),
        event(generation, "response.function_call_arguments.delta", { ...place, delta: text }),
      ];
    }
    const opening = isFirstOfChoice ? openingFrames(generation, choice) : [];
    const delta = { ...place, content_index: 0, delta: text, logprobs: [] };
    return [...opening, event(generation, "response.output_text.delta", delta)];
  },
  closeFrames(generation, charge) {
    const body = ended(generation, charge);
    const name = body.status === "incomplete" ? "response.incomplete" : "response.completed";
    return [
      ...outputChoices(generation).flatMap((choice) => closingFrames(generation, choice)),
      event(generation, name, { response: body }),
    ];
  },
  errorFrames: (generation) => [event(generation, "error", serverError(generation))],
};

function ended(generation: Generation, charge: Charge): Record<string, unknown> {
  const choices = outputChoices(generation);
  const isCut = choices.some(({ finishReason }) => finishReason === "length");
  return {
    ...response(generation, isCut ? "incomplete" : "completed"),
    incomplete_details: isCut ? { reason: "max_output_tokens" } : null,
    output: choices.map((choice) => outputItem(generation, choice)),
    ...(generation.reporting.usage && { usage: usage(charge) }),
  };
}

/** A response before or without its answer. */
function response(generation: Generation, status: string): Record<string, unknown> {
  const { request, model, id, createdSeconds } = generation;
  return {
    id,
    object: "response",
    created_at: createdSeconds,
    status,
    background: false,
    error: null,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: request.maxOutputTokens ?? null,
    metadata: {},
    model: model.id,
    output: [],
    parallel_tool_calls: true,
    previous_response_id: null,
    service_tier: servedTier(request.serviceTier),
    store: true,
    temperature: 1,
    text: { format: { type: "text" } },
    tool_choice: "auto",
    tools: [],
    top_p: 1,
    truncation: "disabled",
    usage: null,
  };
}

function outputChoices(generation: Generation): readonly Choice[] {
  return generation.fault?.kind === "empty-choices" ? [] : generation.choices;
}

function outputItem(generation: Generation, choice: Choice): Record<string, unknown> {
  const id = itemId(generation, choice);
  const status = choice.finishReason === "length" ? "incomplete" : "completed";
  if (choice.toolName === undefined) {
    return { id, type: "message", status, role: "assistant", content: [outputText(choice.text)] };
  }
  const callId = `call_${generation.id.slice(-20)}`;
  return { id, type: "function_call", status, call_id: callId, name: choice.toolName, arguments: choice.text };
}

function outputText(text: string): Record<string, unknown> {
  return { type: "output_text", text, annotations: [], logprobs: [] };
}

function itemId(generation: Generation, choice: Choice): string {
  return `${choice.toolName === undefined ? "msg" : "fc"}_${generation.id.slice(-20)}${choice.index}`;
}

function openingFrames(generation: Generation, choice: Choice): string[] {
  const item = { ...outputItem(generation, choice), status: "in_progress", content: [] };
  const place = { item_id: itemId(generation, choice), output_index: choice.index, content_index: 0 };
  return [
    event(generation, "response.output_item.added", { output_index: choice.index, item }),
    event(generation, "response.content_part.added", { ...place, part: outputText("") }),
  ];
}

function closingFrames(generation: Generation, choice: Choice): string[] {
  const item = outputItem(generation, choice);
  const place = { item_id: itemId(generation, choice), output_index: choice.index };
  const { text } = choice;
  const ends =
    choice.toolName === undefined
      ? [
          event(generation, "response.output_text.done", { ...place, content_index: 0, text, logprobs: [] }),
          event(generation, "response.content_part.done", { ...place, content_index: 0, part: outputText(text) }),
        ]
      : [
          event(generation, "response.function_call_arguments.done", {
            ...place,
            name: choice.toolName,
            arguments: text,
          }),
        ];
  return [...ends, event(generation, "response.output_item.done", { output_index: choice.index, item })];
}

function usage({ counts }: Charge): Record<string, unknown> {
  return {
    input_tokens: counts.promptTokens,
    input_tokens_details: { cached_tokens: counts.cachedTokens, cache_write_tokens: counts.cacheWriteTokens },
    output_tokens: counts.completionTokens,
    output_tokens_details: { reasoning_tokens: counts.reasoningTokens },
    total_tokens: counts.promptTokens + counts.completionTokens,
  };
}

function serverError(generation: Generation): Record<string, unknown> {
  const { message, code } = upstreamError(generation);
  return { code: code ?? "server_error", message, param: null };
}

/** Events of a stream are numbered from 0. */
const sent = new WeakMap<Generation, number>();

function event(generation: Generation, type: string, data: Record<string, unknown>): string {
  const sequence = sent.get(generation) ?? 0;
  sent.set(generation, sequence + 1);
  return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence, ...data })}\n\n`;
}
