import { asText, type JsonObject } from "../json.ts";
import { readChatRequest } from "./read-chat-request.ts";
import { SSE_DONE, sseData, type Wire } from "./wire.ts";

/** Completions as a service's chat has them: a prompt instead of messages, `text` instead of a message; all else alike. */
export function completionsOf(chat: Wire, path: string): Wire {
  return {
    ...chat,
    path,
    readRequest: ({ prompt, ...body }) =>
      readChatRequest({ ...body, messages: [{ role: "user", content: asText(prompt) ?? "" }] }),
    reply: (generation, charge) => withTexts(chat.reply(generation, charge)),
    errorReply: (generation, charge) => withTexts(chat.errorReply(generation, charge)),
    deltaFrames: (generation, delta) => chat.deltaFrames(generation, delta).map(withTextsInFrame),
    closeFrames: (generation, charge) => chat.closeFrames(generation, charge).map(withTextsInFrame),
    errorFrames: (generation, charge) => chat.errorFrames(generation, charge).map(withTextsInFrame),
  };
}

function withTexts(body: unknown): unknown {
  const { choices, ...rest } = body as { readonly choices?: readonly JsonObject[] };
  if (!choices) return body;
  const texts = choices.map(({ message, delta, ...choice }) => {
    const said = (message ?? delta) as { content?: string | null };
    return { ...choice, text: said.content ?? "" };
  });
  return { ...rest, choices: texts };
}

function withTextsInFrame(frame: string): string {
  return frame === SSE_DONE ? frame : sseData(withTexts(JSON.parse(frame.slice("data: ".length))));
}
