import {
  type EmbeddingModel,
  embed,
  embedMany,
  generateObject,
  generateText,
  isStepCount,
  type LanguageModel,
  Output,
  streamObject,
  streamText,
  ToolLoopAgent,
  tool,
  wrapEmbeddingModel,
} from "ai";
import { z } from "zod";
import { type Asked, type Opened, prompt, type Way } from "./way.ts";

/** A model of the AI SDK, not the name of one. */
export type Model = Exclude<LanguageModel, string>;
/** An embedding model of the AI SDK. */
export type Embedding = Exclude<EmbeddingModel, string>;

const schema = z.object({ words: z.array(z.string()) });
const words = Output.object({ schema });
const tools = { look: tool({ inputSchema: z.object({ q: z.string() }), execute: async () => "found" }) };

/** Three steps: two calls of a tool, then an answer in words. */
const loop = {
  tools,
  stopWhen: isStepCount(3),
  prepareStep: ({ stepNumber }: { stepNumber: number }) => ({
    toolChoice: stepNumber < 2 ? ("required" as const) : ("none" as const),
  }),
};

function settings({ signal, maxRetries, timeoutMs }: Asked) {
  return {
    prompt,
    maxOutputTokens: 60,
    maxRetries,
    ...(signal ? { abortSignal: signal } : {}),
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
  };
}

function agentOf(model: Model, { maxRetries }: Asked) {
  return new ToolLoopAgent({ model, ...loop, maxOutputTokens: 60, maxRetries });
}

function agentCall({ signal, timeoutMs }: Asked) {
  return {
    prompt,
    ...(signal ? { abortSignal: signal } : {}),
    ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
  };
}

interface TextResult {
  textStream: AsyncIterable<string>;
  toTextStreamResponse(): Response;
}

function opened(result: TextResult, whole: () => PromiseLike<unknown>): Opened {
  return {
    async *pieces() {
      yield* result.textStream;
      // The text stream just ends when something went wrong; the promise tells what.
      await whole();
    },
    body: () => result.toTextStreamResponse().body ?? new ReadableStream(),
  };
}

/** Settings that only streams have. */
function streamSettings({ streamRetries = 0 }: Asked) {
  return { streamRetries, onError: () => {} };
}

/** For what knows no time limit of its own. */
function signalOf({ signal, timeoutMs }: Asked) {
  const ends = [signal, timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)];
  return { abortSignal: AbortSignal.any(ends.filter((end) => end !== undefined)) };
}

function objectSettings(asked: Asked) {
  return { schema, prompt, maxOutputTokens: 60, maxRetries: asked.maxRetries, ...signalOf(asked) };
}

function openText(result: TextResult & { text: PromiseLike<string> }): Opened {
  return opened(result, () => result.text);
}

function openObject(model: Model, asked: Asked): Opened {
  const result = streamObject({ model, onError: () => {}, ...objectSettings(asked) });
  // Nobody waits for it where the stream is left early.
  result.object.catch(() => undefined);
  return opened(result, () => result.object);
}

/** Ways to use a language model that can do all there is. */
export const languageWays: readonly Way<Model>[] = [
  { name: "generateText", kind: "answer", call: (model, asked) => generateText({ model, ...settings(asked) }) },
  {
    name: "generateText with Output.object",
    kind: "answer",
    call: (model, asked) => generateText({ model, output: words, ...settings(asked) }),
  },
  {
    name: "generateObject",
    kind: "answer",
    call: (model, asked) => generateObject({ model, ...objectSettings(asked) }),
  },
  {
    name: "generateText, 3 steps with tools",
    kind: "answer",
    requestsBefore: 2,
    call: (model, asked) => generateText({ model, ...loop, ...settings(asked) }),
  },
  {
    name: "ToolLoopAgent.generate",
    kind: "answer",
    requestsBefore: 2,
    call: (model, asked) => agentOf(model, asked).generate(agentCall(asked)),
  },
  {
    name: "streamText",
    kind: "stream",
    open: async (model, asked) => openText(streamText({ model, ...streamSettings(asked), ...settings(asked) })),
  },
  {
    name: "streamText with Output.object",
    kind: "stream",
    open: async (model, asked) =>
      openText(streamText({ model, output: words, ...streamSettings(asked), ...settings(asked) })),
  },
  { name: "streamObject", kind: "stream", open: async (model, asked) => openObject(model, asked) },
  {
    name: "streamText, 3 steps with tools",
    kind: "stream",
    requestsBefore: 2,
    open: async (model, asked) =>
      openText(streamText({ model, ...loop, ...streamSettings(asked), ...settings(asked) })),
  },
  {
    name: "ToolLoopAgent.stream",
    kind: "stream",
    requestsBefore: 2,
    open: async (model, asked) => openText(await agentOf(model, asked).stream(agentCall(asked))),
  },
];

/** Ways to use a model that knows neither schemas nor tools, or whose other ways are tested elsewhere. */
export const plainWays = languageWays.filter(({ name }) => name === "generateText" || name === "streamText");

function embedSettings(asked: Asked) {
  return { maxRetries: asked.maxRetries, ...signalOf(asked) };
}

/** Ways to use an embedding model. */
export const embeddingWays: readonly Way<Embedding>[] = [
  {
    name: "embed",
    kind: "embedding",
    call: (model, asked) => embed({ model, value: prompt, ...embedSettings(asked) }),
  },
  {
    name: "embedMany, 2 requests",
    kind: "embedding",
    requestsBefore: 1,
    call: (model, asked) =>
      embedMany({ model: oneByOne(model), values: ["one", "two"], maxParallelCalls: 1, ...embedSettings(asked) }),
  },
];

function oneByOne(model: Embedding): Embedding {
  return wrapEmbeddingModel({
    model: model as Parameters<typeof wrapEmbeddingModel>[0]["model"],
    middleware: { specificationVersion: "v4", overrideMaxEmbeddingsPerCall: () => 1 },
  });
}
