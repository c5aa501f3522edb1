import type { OpenAI } from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { type Asked, type Opened, prompt, type Way } from "./way.ts";

const model = "gpt-4o-mini";
/** A model whose service tiers are sold at prices of their own; it would think before it answers. */
const tiered = { model: "gpt-5-mini", reasoning_effort: "minimal" } as const;
const chatBody = { model, messages: [{ role: "user" as const, content: prompt }], max_completion_tokens: 60 };
const responsesBody = { model, input: prompt, max_output_tokens: 60 };
const words = z.object({ words: z.array(z.string()) });
const tools = [
  {
    type: "function" as const,
    function: {
      name: "look",
      description: "looks",
      parameters: { type: "object", properties: { q: { type: "string" } } },
      parse: JSON.parse,
      function: async () => "found",
    },
  },
];

/** The client's own options of a request. */
export function options({ signal, maxRetries, timeoutMs }: Asked) {
  return {
    maxRetries,
    ...(signal ? { signal } : {}),
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
  };
}

interface Event {
  type?: string;
  choices?: readonly { delta: { content?: string | null } }[];
}

/** Whether an event of a stream carries text. */
function hasText({ type, choices }: Event): boolean {
  return type === "response.output_text.delta" || Boolean(choices?.[0]?.delta.content);
}

/** The events that carry text; leaving the loop leaves the stream, as it does for who iterates it directly. */
async function* textEvents(stream: AsyncIterable<unknown>) {
  for await (const event of stream) if (hasText(event as Event)) yield event;
}

/** The response itself, read by its caller. */
async function raw(asked: { asResponse(): Promise<Response> }): Promise<Opened> {
  const { body } = await asked.asResponse();
  if (!body) throw new Error("The response has no body");
  return {
    async *pieces() {
      for await (const text of body.pipeThrough(new TextDecoderStream())) yield* text.match(/"content":"[^"]/g) ?? [];
    },
    body: () => body,
  };
}

/** A stream of the client, as it is read and as a server hands it on. */
function opened(stream: AsyncIterable<unknown>): Opened {
  return { pieces: () => textEvents(stream), body: () => ReadableStream.from(stream) };
}

/** Ways to use chat completions and responses, of OpenAI or of Azure. */
export const openAiPlainWays: readonly Way<OpenAI>[] = [
  {
    name: "chat.completions.create",
    kind: "answer",
    call: (openai, asked) => openai.chat.completions.create(chatBody, options(asked)),
  },
  {
    name: "chat.completions.create, asResponse",
    kind: "answer",
    open: (openai, asked) => raw(openai.chat.completions.create(chatBody, options(asked))),
  },
  {
    name: "chat.completions.parse",
    kind: "answer",
    call: (openai, asked) =>
      openai.chat.completions.parse(
        { ...chatBody, response_format: zodResponseFormat(words, "words") },
        options(asked),
      ),
  },
  {
    name: "chat.completions.runTools, 2 steps",
    kind: "answer",
    requestsBefore: 1,
    call: (openai, asked) => openai.chat.completions.runTools({ ...chatBody, tools }, options(asked)).finalContent(),
  },
  {
    name: "chat.completions.create, stream",
    kind: "stream",
    open: async (openai, asked) =>
      opened(await openai.chat.completions.create({ ...chatBody, stream: true }, options(asked))),
  },
  {
    name: "chat.completions.create, stream, asResponse",
    kind: "stream",
    open: (openai, asked) => raw(openai.chat.completions.create({ ...chatBody, stream: true }, options(asked))),
  },
  {
    name: "chat.completions.stream",
    kind: "stream",
    open: async (openai, asked) => opened(openai.chat.completions.stream(chatBody, options(asked))),
  },
  {
    name: "responses.create",
    kind: "answer",
    call: (openai, asked) => openai.responses.create(responsesBody, options(asked)),
  },
  {
    name: "responses.parse",
    kind: "answer",
    call: (openai, asked) =>
      openai.responses.parse({ ...responsesBody, text: { format: zodTextFormat(words, "words") } }, options(asked)),
  },
  {
    name: "responses.create, stream",
    kind: "stream",
    open: async (openai, asked) =>
      opened(await openai.responses.create({ ...responsesBody, stream: true }, options(asked))),
  },
  {
    name: "responses.stream",
    kind: "stream",
    open: async (openai, asked) => opened(openai.responses.stream(responsesBody, options(asked))),
  },
];

/** Further ways to use the official `openai` client. */
export const openAiWays: readonly Way<OpenAI>[] = [
  ...openAiPlainWays,
  {
    name: "embeddings.create",
    kind: "embedding",
    call: (openai, asked) =>
      openai.embeddings.create({ model: "text-embedding-3-small", input: ["one", "two"] }, options(asked)),
  },
  ...(["flex", "priority"] as const).map(
    (service_tier): Way<OpenAI> => ({
      name: `chat.completions.create, service tier ${service_tier}`,
      kind: "answer",
      call: (openai, asked) => openai.chat.completions.create({ ...chatBody, ...tiered, service_tier }, options(asked)),
    }),
  ),
  {
    name: "chat.completions.create, stream, service tier priority",
    kind: "stream",
    open: async (openai, asked) => {
      const body = { ...chatBody, ...tiered, service_tier: "priority", stream: true } as const;
      return opened(await openai.chat.completions.create(body, options(asked)));
    },
  },
  {
    name: "responses.create, service tier auto",
    kind: "answer",
    call: (openai, asked) =>
      openai.responses.create({ ...responsesBody, model: tiered.model, service_tier: "auto" }, options(asked)),
  },
];
