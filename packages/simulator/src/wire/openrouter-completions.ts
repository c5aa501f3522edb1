import { asText, type JsonObject } from "../json.ts";
import { openRouterChat } from "./openrouter.ts";
import { readChatRequest } from "./read-chat-request.ts";
import { SSE_DONE, sseData, type Wire } from "./wire.ts";

/** OpenRouter's completions: a prompt instead of messages, `text` instead of a message; all else as its chat. */
export const openRouterCompletions: Wire = {
  ...openRouterChat,
  path: "/api/v1/completions",
  readRequest: ({ prompt, ...body }) =>
    readChatRequest({ ...body, messages: [{ role: "user", content: asText(prompt) ?? "" }] }),
  reply: (generation, charge) => withTexts(openRouterChat.reply(generation, charge) as Shape),
  errorReply: (generation, charge) => withTexts(openRouterChat.errorReply(generation, charge) as Shape),
  deltaFrames: (generation, delta) => openRouterChat.deltaFrames(generation, delta).map(withTextsInFrame),
  closeFrames: (generation, charge) => openRouterChat.closeFrames(generation, charge).map(withTextsInFrame),
  errorFrames: (generation, charge) => openRouterChat.errorFrames(generation, charge).map(withTextsInFrame),
};

interface Shape {
  readonly choices: readonly JsonObject[];
}

function withTexts(shape: Shape): unknown {
  const choices = shape.choices.map(({ message, delta, ...rest }) => {
    const said = (message ?? delta) as { content?: string | null };
    return { ...rest, text: said.content ?? "" };
  });
  return { ...shape, choices };
}

function withTextsInFrame(frame: string): string {
  return frame === SSE_DONE ? frame : sseData(withTexts(JSON.parse(frame.slice("data: ".length)) as Shape));
}
