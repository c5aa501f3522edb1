import { createOpenAI } from "@ai-sdk/openai";
import type { Experimental_VideoModelV4 as VideoModel } from "@ai-sdk/provider";
import { type Fault, type Simulator, startSimulator } from "@autolabel/simulator";
import {
  experimental_decide as decide,
  embed,
  embedMany,
  experimental_extract as extract,
  generateImage,
  generateObject,
  generateSpeech,
  generateText,
  experimental_generateVideo as generateVideo,
  isStepCount,
  Output,
  rerank,
  streamObject,
  streamText,
  ToolLoopAgent,
  tool,
  transcribe,
} from "ai";
import { MockRerankingModelV4 } from "ai/test";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import type { CostExtractor } from "../costs.ts";
import type { BudgetExceededError } from "../errors/budget-exceeded-error.ts";
import { findBudgetExceeded } from "../errors/is-budget-exceeded.ts";
import { UnboundedRequestError } from "../errors/unbounded-request-error.ts";
import { UnpricedModelError } from "../errors/unpriced-model-error.ts";
import { usd } from "../money.ts";
import { CostTracker } from "../tracker/cost-tracker.ts";
import { withBudget } from "./with-budget.ts";

/** Every call costs the same, so a budget for two calls denies the third. */
const perCall = 10n;
const costs: CostExtractor = {
  provider: "test",
  quote: () => ({ boundPicoUsd: perCall, maxOutputTokens: 20 }),
  receipt: () => ({ costPicoUsd: perCall }),
};

const video = { specificationVersion: "v4", provider: "test", modelId: "v", maxVideosPerCall: 1 } as const;

let simulator: Simulator;
afterEach(() => simulator.close());

/** A budget for so many calls, and models whose every request counts. */
async function setUp(calls: number, faults: readonly Fault[] = []) {
  simulator = await startSimulator({ faults });
  const tracker = new CostTracker({ budget: usd.pico(BigInt(calls) * perCall) });
  const denied: BudgetExceededError[] = [];
  let sent = 0;
  tracker.on("denied", ({ error }) => denied.push(error));
  const openai = createOpenAI({
    apiKey: "test",
    baseURL: simulator.openAiUrl,
    fetch: async (url, init) => {
      sent += 1;
      const response = await fetch(url, init);
      // What was limited is not charged; somebody else takes its money meanwhile.
      if (response.status === 429) await tracker.setBudget(0);
      return response;
    },
  });
  const count = (): Promise<never> => {
    sent += 1;
    return Promise.reject(new Error("sent"));
  };
  const others = {
    rerankingModel: () => new MockRerankingModelV4({ doRerank: count }),
    videoModel: (): VideoModel => ({ ...video, doGenerate: count }),
  };
  const metering = { tracker, costs };
  return { openai: withBudget(openai, metering), others: withBudget(others, metering), denied, sent: () => sent };
}
type Given = Awaited<ReturnType<typeof setUp>>;

const model = "gpt-4o-mini";
const prompt = "Look it up";
const schema = z.object({ label: z.enum(["a", "b"]) });
const look = tool({ inputSchema: z.object({ q: z.string() }), execute: async () => "found" });
/** A loop that would go on for ten steps. */
const loop = { tools: { look }, toolChoice: "required" as const, stopWhen: isStepCount(10) };
const silent = { onError: () => {} };

/** What a promise is rejected with; undefined when it is not. */
async function errorOf(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error;
  }
}

type TextStream = Pick<
  ReturnType<typeof streamText>,
  "text" | "usage" | "totalUsage" | "finishReason" | "steps" | "toolCalls" | "response" | "providerMetadata"
> & { fullStream: AsyncIterable<{ type: string; error?: unknown }> };

/** The errors of everything that a streamed answer can be read by. */
async function errorsOfStream(result: TextStream, further: readonly PromiseLike<unknown>[] = []): Promise<unknown[]> {
  const { text, usage, totalUsage, finishReason, steps, toolCalls, response, providerMetadata } = result;
  const promises = [text, usage, totalUsage, finishReason, steps, toolCalls, response, providerMetadata, ...further];
  const pending = promises.map(errorOf);
  const parts: unknown[] = [];
  for await (const part of result.fullStream) if (part.type === "error") parts.push(part.error);
  return [...parts, ...(await Promise.all(pending))];
}

/** An onError that keeps what it is told. */
function listening() {
  const heard: unknown[] = [];
  return { heard, onError: ({ error }: { error: unknown }) => void heard.push(error) };
}

interface Case {
  name: string;
  /** Calls that the budget pays for; the next one is denied. */
  paid?: number;
  faults?: readonly Fault[];
  /** Requests that leave before the denial, where they are not the paid ones. */
  sent?: number;
  /** Every error that the caller can see. */
  errors: (given: Given) => Promise<unknown[]>;
}

const audio = new Uint8Array([82, 73, 70, 70, 0, 0, 0, 0, 87, 65, 86, 69]);
const state = "It is good";
const questions = { isGood: { type: "boolean" as const, instructions: "Is it good?" } };
const fields = { what: { type: "text" as const, instructions: "What is good?" } };
const limited: readonly Fault[] = [{ kind: "429", at: 1, retryAfter: 0 }];

const cases: readonly Case[] = [
  {
    name: "generateText",
    errors: async ({ openai }) => [await errorOf(generateText({ model: openai(model), prompt }))],
  },
  ...(["object", "array", "choice", "json"] as const).map((kind) => ({
    name: `generateText with Output.${kind}`,
    errors: async ({ openai }: Given) => {
      const outputs = {
        object: Output.object({ schema }),
        array: Output.array({ element: schema }),
        choice: Output.choice({ options: ["a", "b"] }),
        json: Output.json(),
      };
      return [
        await errorOf(
          generateText({ model: openai(model), prompt, output: outputs[kind] as ReturnType<typeof Output.json> }),
        ),
      ];
    },
  })),
  {
    name: "generateObject",
    errors: async ({ openai }) => [await errorOf(generateObject({ model: openai(model), prompt, schema }))],
  },
  {
    name: "streamText",
    errors: async ({ openai }) => {
      const { heard, onError } = listening();
      const errors = await errorsOfStream(streamText({ model: openai(model), prompt, onError }));
      return [...errors, ...heard];
    },
  },
  {
    name: "streamText with Output.object",
    errors: async ({ openai }) => {
      const result = streamText({ model: openai(model), prompt, output: Output.object({ schema }), ...silent });
      return await errorsOfStream(result, [result.output]);
    },
  },
  {
    name: "streamObject",
    errors: async ({ openai }) => {
      const { heard, onError } = listening();
      const result = streamObject({ model: openai(model), prompt, schema, onError });
      const object = errorOf(result.object);
      const parts: unknown[] = [];
      for await (const part of result.fullStream) if (part.type === "error") parts.push(part.error);
      return [...parts, await object, ...heard];
    },
  },
  {
    name: "step 3 of a tool loop",
    paid: 2,
    errors: async ({ openai }) => [await errorOf(generateText({ model: openai.chat(model), prompt, ...loop }))],
  },
  {
    name: "step 3 of a streamed tool loop",
    paid: 2,
    errors: async ({ openai }) => {
      const { heard, onError } = listening();
      const result = streamText({ model: openai.chat(model), prompt, ...loop, onError });
      return [...(await errorsOfStream(result)), ...heard];
    },
  },
  {
    name: "ToolLoopAgent.generate",
    paid: 2,
    errors: async ({ openai }) => [
      await errorOf(new ToolLoopAgent({ model: openai.chat(model), ...loop }).generate({ prompt })),
    ],
  },
  {
    name: "ToolLoopAgent.stream",
    paid: 2,
    errors: async ({ openai }) => {
      const agent = new ToolLoopAgent({ model: openai.chat(model), ...loop, ...silent });
      return await errorsOfStream(await agent.stream({ prompt }));
    },
  },
  {
    name: "generateText in its second attempt",
    paid: 1,
    faults: limited,
    errors: async ({ openai }) => [findBudgetExceeded(await errorOf(generateText({ model: openai(model), prompt })))],
  },
  {
    name: "streamText in its second attempt",
    paid: 1,
    faults: limited,
    errors: ({ openai }) => errorsOfStream(streamText({ model: openai(model), prompt, ...silent })),
  },
  {
    name: "embed",
    errors: async ({ openai }) => [await errorOf(embed({ model: openai.embedding("e"), value: "a" }))],
  },
  {
    name: "embedMany, its third request",
    paid: 2,
    errors: async ({ openai }) => {
      const model = openai.embedding("text-embedding-3-small");
      Object.defineProperty(model, "maxEmbeddingsPerCall", { value: 1 });
      const values = ["a", "b", "c", "d"];
      return [await errorOf(embedMany({ model, values, maxParallelCalls: 1 }))];
    },
  },
  {
    name: "generateImage",
    errors: async ({ openai }) => [await errorOf(generateImage({ model: openai.image("gpt-image-1"), prompt }))],
  },
  {
    name: "generateSpeech",
    errors: async ({ openai }) => [await errorOf(generateSpeech({ model: openai.speech("tts-1"), text: "Hi" }))],
  },
  {
    name: "transcribe",
    errors: async ({ openai }) => [await errorOf(transcribe({ model: openai.transcription("whisper-1"), audio }))],
  },
  {
    name: "decide",
    errors: async ({ openai }) => [
      await errorOf(decide({ model: openai.decisionModel("gpt-6-luna"), state, questions })),
    ],
  },
  {
    name: "extract",
    errors: async ({ openai }) => [await errorOf(extract({ model: openai.extractionModel(model), state, fields }))],
  },
  {
    name: "rerank",
    errors: async ({ others }) => [
      await errorOf(rerank({ model: others.rerankingModel(), documents: ["a", "b"], query: "a" })),
    ],
  },
  {
    name: "generateVideo",
    errors: async ({ others }) => [await errorOf(generateVideo({ model: others.videoModel(), prompt }))],
  },
];

describe("a refusal reaches its caller as the very same instance, and nothing is sent after it", () => {
  it.each(cases)("$name", async ({ paid = 0, faults = [], sent = paid, errors }) => {
    const given = await setUp(paid, faults);
    const seen = await errors(given);
    const [refusal, ...again] = given.denied;
    expect(refusal).toBeDefined();
    expect(seen.length).toBeGreaterThan(0);
    for (const error of seen) expect([refusal, ...again]).toContain(error);
    expect(new Set(seen).size).toBe(1);
    expect(given.sent()).toBe(sent);
  });
});

describe("a call that cannot be bounded is refused in the same way", () => {
  it.each([
    new UnpricedModelError({ provider: "test", modelId: model, reason: "no price is known" }),
    new UnboundedRequestError({ reason: "it has none", fix: "Give it one." }),
  ])("$name reaches everything that a stream can be read by", async (refusal) => {
    simulator = await startSimulator();
    const quote = () => {
      throw refusal;
    };
    const provider = createOpenAI({ apiKey: "test", baseURL: simulator.openAiUrl });
    const openai = withBudget(provider, { tracker: new CostTracker(), costs: { ...costs, quote } });
    expect(await errorOf(generateText({ model: openai(model), prompt }))).toBe(refusal);
    const errors = await errorsOfStream(streamText({ model: openai(model), prompt, ...silent }));
    expect(new Set(errors)).toEqual(new Set([refusal]));
    expect(simulator.requests).toBe(0);
  });
});
