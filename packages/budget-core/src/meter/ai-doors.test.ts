import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createOpenAI } from "@ai-sdk/openai";
import type { Experimental_VideoModelV4 as VideoModel } from "@ai-sdk/provider";
import { startSimulator } from "@autolabel/simulator";
import * as ai from "ai";
import { MockRerankingModelV4, MockSpeechModelV4 } from "ai/test";
import { describe, expect, it } from "vitest";
import type { CostExtractor } from "../costs.ts";
import { UnboundedRequestError } from "../errors/unbounded-request-error.ts";
import { CostTracker } from "../tracker/cost-tracker.ts";
import { withBudget } from "./with-budget.ts";

/*
 * Every function that the installed `ai` exports, and whether money can leave by it.
 *
 * A new version of `ai` that exports a new one fails here. Look whether it reaches a model, and through which of the
 * model's methods; then add it to one of the lists below:
 *
 * - `metered`: it calls a method that doors.ts knows; the test runs it and sees that it is counted.
 * - `refused`: it calls one that is not known; the test runs it and sees that it throws before anything is sent.
 * - `costsNothing`: it reaches no model by itself. Its models, if it is given any, keep their budget.
 * - `ownProvider`: it makes a provider that no budget stands around, until `withBudget` does.
 */

const perCall = 10n;
const costs: CostExtractor = {
  provider: "test",
  quote: () => ({ boundPicoUsd: perCall, maxOutputTokens: 20 }),
  receipt: () => ({ costPicoUsd: perCall }),
};

async function setUp() {
  const simulator = await startSimulator();
  const tracker = new CostTracker({ budget: 1 });
  let sent = 0;
  const openai = createOpenAI({
    apiKey: "test",
    baseURL: simulator.openAiUrl,
    fetch: async (url, init) => {
      sent += 1;
      const response = await fetch(url, init);
      // What the simulator does not serve must not look like a refusal, which would cost nothing.
      return response.status === 404 ? new Response("{}", { status: 500 }) : response;
    },
  });
  const count = (): Promise<never> => {
    sent += 1;
    return Promise.reject(new Error("sent"));
  };
  const others = {
    rerankingModel: () => new MockRerankingModelV4({ doRerank: count }),
    videoModel: (): VideoModel => ({
      ...video,
      doGenerate: count,
      doStart: count,
      doStatus: count,
    }),
    speechModel: () => Object.assign(new MockSpeechModelV4(), { doStream: count }),
  };
  return {
    tracker,
    openai: withBudget(openai, { tracker, costs }),
    others: withBudget(others, { tracker, costs }),
    sent: () => sent,
    close: () => simulator.close(),
  };
}
const video = { specificationVersion: "v4", provider: "test", modelId: "v", maxVideosPerCall: 1 } as const;
type Given = Awaited<ReturnType<typeof setUp>>;

const prompt = "Hello";
const maxRetries = 0;
const audio = new Uint8Array([82, 73, 70, 70, 0, 0, 0, 0, 87, 65, 86, 69]);
const state = "It is good";
const questions = { isGood: { type: "boolean" as const, instructions: "Is it good?" } };
const fields = { what: { type: "text" as const, instructions: "What is good?" } };
const schema = ai.jsonSchema<{ label: string }>({ type: "object", properties: { label: { type: "string" } } });
const uiMessages: ai.UIMessage[] = [{ id: "1", role: "user", parts: [{ type: "text", text: prompt }] }];
const format = { type: "audio/pcm" as const, rate: 24_000 };

const text = ({ openai }: Given) => ({ model: openai("gpt-4o-mini"), prompt, maxRetries, onError: () => {} });
const agentOf = ({ openai }: Given) => new ai.ToolLoopAgent({ model: openai("gpt-4o-mini"), maxRetries });
const speech = ({ openai }: Given) => ({ model: openai.speech("tts-1"), text: "Hi", maxRetries });
const recording = ({ openai }: Given) => ({ model: openai.transcription("whisper-1"), audio, maxRetries });
const decision = ({ openai }: Given) => ({ model: openai.decisionModel("gpt-6-luna"), state, questions, maxRetries });
const silence = () => new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
const read = async (stream: ReadableStream<unknown>) => {
  for await (const _ of stream);
};

/** Runs through each door: one request, one counted call. What the simulator does not serve is counted all the same. */
const metered: Readonly<Record<string, (given: Given) => unknown>> = {
  generateText: (given) => ai.generateText(text(given)),
  streamText: (given) => ai.streamText(text(given)).text,
  experimental_streamTextLowMemory: async (given) => {
    for await (const _ of ai.experimental_streamTextLowMemory(text(given)).fullStream);
  },
  experimental_streamLanguageModelCall: async (given) => {
    const { model } = text(given);
    await read((await ai.experimental_streamLanguageModelCall({ model, prompt })).stream);
  },
  generateObject: (given) => ai.generateObject({ ...text(given), schema }),
  streamObject: async (given) => {
    for await (const _ of ai.streamObject({ ...text(given), schema }).fullStream);
  },
  ToolLoopAgent: (given) => agentOf(given).generate({ prompt }),
  Experimental_Agent: (given) => new ai.Experimental_Agent({ model: text(given).model }).generate({ prompt }),
  createAgentUIStream: async (given) => {
    for await (const _ of await ai.createAgentUIStream({ agent: agentOf(given), uiMessages }));
  },
  createAgentUIStreamResponse: async (given) =>
    (await ai.createAgentUIStreamResponse({ agent: agentOf(given), uiMessages })).text(),
  pipeAgentUIStreamToResponse: async (given) => {
    const server = createServer((_request, response) => {
      void ai.pipeAgentUIStreamToResponse({ agent: agentOf(given), uiMessages, response });
    });
    await once(server.listen(0), "listening");
    await (await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)).text();
    server.close();
  },
  DirectChatTransport: async (given) => {
    const transport = new ai.DirectChatTransport({ agent: agentOf(given) });
    const asked = { trigger: "submit-message" as const, chatId: "1", messageId: undefined, abortSignal: undefined };
    await read(await transport.sendMessages({ ...asked, messages: uiMessages as never }));
  },
  embed: ({ openai }) => ai.embed({ model: openai.embedding("text-embedding-3-small"), value: "a", maxRetries }),
  embedMany: ({ openai }) =>
    ai.embedMany({ model: openai.embedding("text-embedding-3-small"), values: ["a", "b"], maxRetries }),
  rerank: ({ others }) => ai.rerank({ model: others.rerankingModel(), documents: ["a"], query: "a", maxRetries }),
  generateImage: ({ openai }) => ai.generateImage({ model: openai.image("gpt-image-1"), prompt, maxRetries }),
  generateSpeech: (given) => ai.generateSpeech(speech(given)),
  experimental_generateSpeech: (given) => ai.experimental_generateSpeech(speech(given)),
  transcribe: (given) => ai.transcribe(recording(given)),
  experimental_transcribe: (given) => ai.experimental_transcribe(recording(given)),
  experimental_generateVideo: ({ others }) =>
    ai.experimental_generateVideo({ model: others.videoModel(), prompt, maxRetries }),
  experimental_decide: (given) => ai.experimental_decide(decision(given)),
  experimental_evaluate: (given) => ai.experimental_evaluate(decision(given)),
  experimental_extract: ({ openai }) =>
    ai.experimental_extract({ model: openai.extractionModel("gpt-4o-mini"), state, fields, maxRetries }),
};

/** Runs at each door: refused, and nothing leaves. */
const refused: Readonly<Record<string, (given: Given) => unknown>> = {
  // Batches bill when they are done, long after the call; what only looks at them goes by the same door.
  experimental_startBatch: ({ openai }) =>
    ai.experimental_startBatch({
      provider: openai,
      requests: [{ id: "1", type: "text", model: "gpt-4o-mini", prompt }],
    }),
  experimental_cancelBatch: ({ openai }) => ai.experimental_cancelBatch({ provider: openai, batchId: "1" } as never),
  experimental_getBatchStatus: ({ openai }) =>
    ai.experimental_getBatchStatus({ provider: openai, batchId: "1" } as never),
  experimental_getBatchResults: ({ openai }) =>
    ai.experimental_getBatchResults({ provider: openai, batchId: "1" } as never),
  experimental_listBatches: ({ openai }) => ai.experimental_listBatches({ provider: openai }),
  // A video job bills when it is done. Its price is per second of an answer whose length the provider chooses.
  experimental_startVideo: ({ others }) => ai.experimental_startVideo({ model: others.videoModel(), prompt }),
  experimental_getVideoStatus: ({ others }) =>
    ai.experimental_getVideoStatus(others.videoModel(), { operation: { id: "1" } }),
  // Sessions over WebSocket: no end that could be bounded.
  experimental_streamTranscribe: async ({ openai }) => {
    const { model } = { model: openai.transcription("gpt-4o-transcribe") };
    await read(ai.experimental_streamTranscribe({ model, audio: silence(), inputAudioFormat: format }).fullStream);
  },
  experimental_streamTranslate: async ({ openai }) => {
    const model = openai.translation("gpt-realtime-translate");
    const asked = { model, audio: silence(), inputAudioFormat: format, targetLanguage: "de" };
    await read(ai.experimental_streamTranslate(asked).fullStream);
  },
  experimental_streamSpeech: ({ others }) =>
    read(ai.experimental_streamSpeech({ model: others.speechModel(), text: "Hi", onError: () => {} }).fullStream),
  Experimental_AbstractRealtimeSession: ({ openai }) => openai.experimental_realtime("gpt-realtime"),
  // Storing is free at OpenAI today; whether it is at every provider is not known.
  uploadFile: ({ openai }) => ai.uploadFile({ api: openai, data: audio } as never),
  uploadSkill: ({ openai }) => ai.uploadSkill({ api: openai, files: [] } as never),
};

/** Providers of their own: string ids of models go to the gateway too, unless `AI_SDK_DEFAULT_PROVIDER` is set. */
const ownProvider = ["createGateway", "gateway"];

const costsNothing = `
  AbstractChat DefaultChatTransport DefaultGeneratedFile HttpChatTransport TextStreamChatTransport WebSocketChatTransport
  JsonToSseTransformStream SerialJobExecutor callCompletionApi
  addToolInputExamplesMiddleware defaultEmbeddingSettingsMiddleware defaultInstructionsMiddleware
  defaultSettingsMiddleware extractJsonMiddleware extractReasoningMiddleware simulateStreamingMiddleware
  wrapEmbeddingModel wrapImageModel wrapLanguageModel wrapProvider
  createProviderRegistry experimental_createProviderRegistry customProvider
  asSchema jsonSchema zodSchema consumeStream convertDataContentToBase64String convertFileListToFileUIParts
  convertToModelMessages cosineSimilarity createDownload createIdGenerator generateId createTextStreamResponse
  createUIMessageStream createUIMessageStreamResponse pipeTextStreamToResponse pipeUIMessageStreamToResponse
  readUIMessageStream toTextStream toUIMessageChunk toUIMessageStream uiMessageChunkSchema
  detectToolDrift fingerprintTools dynamicTool tool toolSearch experimental_toolCaller experimental_createSteering
  filterActiveTools experimental_filterActiveTools hasToolCall isLoopFinished isStepCount stepCountIs
  experimental_decodeRealtimeAudio experimental_encodeRealtimeAudio experimental_resampleAudio
  experimental_getRealtimeToolDefinitions
  getChunkTimeoutMs getFirstChunkTimeoutMs getStepTimeoutMs getToolTimeoutMs getTotalTimeoutMs
  getStaticToolName getTextFromDataUrl getToolName getToolOrDynamicToolName
  isCustomContentUIPart isDataUIPart isDeepEqualData isDynamicToolUIPart isFileUIPart isReasoningFileUIPart
  isReasoningUIPart isStaticToolUIPart isTextUIPart isToolOutputErrorUIPart isToolUIPart
  lastAssistantMessageIsCompleteWithApprovalResponses lastAssistantMessageIsCompleteWithToolCalls
  parseJsonEventStream parsePartialJson pruneMessages registerTelemetry simulateReadableStream smoothStream
  safeValidateUIMessages safeValidateWebSocketChatTransportRequest validateUIMessages
`
  .trim()
  .split(/\s+/);

const settled = async (run: () => unknown): Promise<unknown> => {
  try {
    await run();
    return undefined;
  } catch (error) {
    return error;
  }
};

describe("every function that ai exports", () => {
  const exported = Object.entries(ai).flatMap(([name, value]) => (typeof value === "function" ? [name] : []));
  const known = [...Object.keys(metered), ...Object.keys(refused), ...ownProvider, ...costsNothing];

  it("is in one of the lists above", () => {
    const unknown = exported.filter((name) => !known.includes(name) && !name.endsWith("Error"));
    expect(unknown, "New in ai: look whether money can leave by it, and add it to a list in ai-doors.test.ts").toEqual(
      [],
    );
    expect(
      known.filter((name) => !exported.includes(name)),
      "Gone from ai: take it out of its list",
    ).toEqual([]);
    expect(known.length).toBe(new Set(known).size);
  });

  it.each(Object.entries(metered))("is metered: %s", async (_name, run) => {
    const given = await setUp();
    await settled(() => run(given));
    await expect.poll(async () => (await given.tracker.getStats()).held).toBe(0);
    expect([given.sent(), (await given.tracker.getStats()).callCount]).toEqual([1, 1]);
    await given.close();
  });

  it.each(Object.entries(refused))("is refused before anything is sent: %s", async (_name, run) => {
    const given = await setUp();
    expect(await settled(() => run(given))).toSatisfy((error) => UnboundedRequestError.isInstance(error));
    expect([given.sent(), (await given.tracker.getStats()).callCount]).toEqual([0, 0]);
    await given.close();
  });

  it("keeps the budget of the models it is given: registries and custom providers", async () => {
    const given = await setUp();
    const { openai } = given;
    const registry = ai.createProviderRegistry({ openai });
    const custom = ai.customProvider({ languageModels: { mini: openai("gpt-4o-mini") }, fallbackProvider: openai });
    await ai.generateText({ model: registry.languageModel("openai:gpt-4o-mini"), prompt });
    await ai.embed({ model: registry.embeddingModel("openai:text-embedding-3-small"), value: "a" });
    await ai.generateText({ model: custom.languageModel("mini"), prompt });
    await ai.generateText({ model: ai.wrapLanguageModel({ model: openai("gpt-4o-mini"), middleware: [] }), prompt });
    expect([given.sent(), (await given.tracker.getStats()).callCount]).toEqual([4, 4]);
    await given.close();
  });
});
