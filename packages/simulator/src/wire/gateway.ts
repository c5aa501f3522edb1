import { fullCharge, type Generation } from "../generation.ts";
import { exactNumber } from "../json.ts";
import { decimalText } from "../pico-usd.ts";
import type { Charge } from "../price-table.ts";
import { openAiChat } from "./openai-chat.ts";
import { openAiEmbeddings } from "./openai-embeddings.ts";
import { SSE_DONE, sseData, type Wire } from "./wire.ts";

/**
 * A company's gateway that speaks OpenAI's chat completions: it serves any model, for nothing unless it has a price, and
 * tells the cost where `gatewayCost` says. LiteLLM's header is not on streams: they start before the cost is known.
 */
export const gatewayChat: Wire = {
  ...openAiChat,
  name: "gateway",
  servesAnyModel: true,
  path: "/gateway/v1/chat/completions",
  headers: (generation) => ({ ...openAiChat.headers(generation), ...costHeader(generation) }),
  reply: (generation, charge) => withCost(generation, charge, openAiChat.reply(generation, charge)),
  closeFrames(generation, charge) {
    const frames = openAiChat.closeFrames(generation, charge);
    const totals = frames.at(-2);
    if (generation.reporting.gatewayCost !== "body" || !totals?.includes('"prompt_tokens"')) return frames;
    const body: unknown = JSON.parse(totals.slice("data: ".length));
    return [...frames.slice(0, -2), sseData(withCost(generation, charge, body)), SSE_DONE];
  },
};

/** The embeddings of the same gateway. */
export const gatewayEmbeddings: Wire = {
  ...openAiEmbeddings,
  name: "gateway",
  servesAnyModel: true,
  path: "/gateway/v1/embeddings",
  headers: (generation) => ({ ...openAiEmbeddings.headers(generation), ...costHeader(generation) }),
  reply: (generation, charge) => withCost(generation, charge, openAiEmbeddings.reply(generation, charge)),
};

function costHeader(generation: Generation): Readonly<Record<string, string>> {
  const tellsCost = generation.reporting.gatewayCost === "header" && !generation.request.stream;
  return tellsCost ? { "x-litellm-response-cost": decimalText(fullCharge(generation).costPicoUsd) } : {};
}

function withCost({ reporting }: Generation, charge: Charge, body: unknown): unknown {
  const reply = body as { usage?: object };
  if (reporting.gatewayCost !== "body" || !reply.usage) return body;
  return { ...reply, usage: { ...reply.usage, cost: exactNumber(decimalText(charge.costPicoUsd)) } };
}
