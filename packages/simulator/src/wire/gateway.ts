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
  headers(generation) {
    const { gatewayCost } = generation.reporting;
    const tellsCost = gatewayCost === "header" && !generation.request.stream;
    return {
      ...openAiChat.headers(generation),
      ...(tellsCost && { "x-litellm-response-cost": decimalText(fullCharge(generation).costPicoUsd) }),
    };
  },
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
};

function withCost({ reporting }: Generation, charge: Charge, body: unknown): unknown {
  const reply = body as { usage?: object };
  if (reporting.gatewayCost !== "body" || !reply.usage) return body;
  return { ...reply, usage: { ...reply.usage, cost: exactNumber(decimalText(charge.costPicoUsd)) } };
}
