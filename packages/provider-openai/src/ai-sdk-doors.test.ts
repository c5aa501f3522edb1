import * as sdk from "@ai-sdk/openai";
import { CostTracker, coverage, UnboundedRequestError, withBudget } from "@autolabel/budget-core";
import { startSimulator } from "@autolabel/simulator";
import { describe, expect, it } from "vitest";
import { openAiCosts } from "./openai-costs.ts";

/*
 * Every door of the installed @ai-sdk/openai: what it exports, what its provider can make, and by which
 * methods that works. A new version with a new one fails here. Look what it costs: if openAiCosts can bound it, name its
 * kind in budget-core's doors.ts and its surface in `surfaces`; else add it below as refused, with the reason.
 */
const exported = [
  "createOpenAI",
  "openai",
  "VERSION",
  "Experimental_OpenAIRealtimeModel",
  "Experimental_OpenAIRealtimeModelLive",
  "Experimental_OpenAISpeechTranslationModel",
  "Experimental_OpenAITranslationModel",
];

type Metered = { status: "metered"; by: string[]; refused?: string[]; modelId: string; asked: object };
type Reviewed = Metered | { status: "refused"; why: string };

const prompt = [{ role: "user", content: [{ type: "text", text: "Hello" }] }];
const language: Reviewed = {
  status: "metered",
  by: ["doGenerate", "doStream"],
  modelId: "gpt-4o-mini",
  asked: { prompt, maxOutputTokens: 20 },
};
const embedding: Reviewed = {
  status: "metered",
  by: ["doEmbed"],
  modelId: "text-embedding-3-small",
  asked: { values: ["Hello"] },
};
const image: Reviewed = {
  status: "metered",
  by: ["doGenerate"],
  modelId: "gpt-image-1",
  asked: { prompt: "A cat", n: 1, size: "1024x1024", providerOptions: { openai: { quality: "low" } } },
};
const speech: Reviewed = { status: "metered", by: ["doGenerate"], modelId: "tts-1", asked: { text: "Hello" } };
const transcription: Reviewed = {
  status: "metered",
  by: ["doGenerate"],
  refused: ["doStream"],
  modelId: "gpt-4o-transcribe",
  asked: { audio: new Uint8Array(64), mediaType: "audio/mpeg", providerOptions: {} },
};

const doors: Readonly<Record<string, Reviewed>> = {
  "()": language,
  languageModel: language,
  chat: language,
  completion: language,
  responses: language,
  decisionModel: { status: "refused", why: "adds instructions of its own to what is asked" },
  evaluationModel: { status: "refused", why: "adds instructions of its own to what is asked" },
  extractionModel: { status: "refused", why: "adds instructions of its own to what is asked" },
  embedding: embedding,
  embeddingModel: embedding,
  textEmbedding: embedding,
  textEmbeddingModel: embedding,
  image,
  imageModel: image,
  transcription,
  transcriptionModel: transcription,
  translation: { status: "refused", why: "a session without an end that could be bounded" },
  speechTranslationModel: { status: "refused", why: "a session without an end that could be bounded" },
  speech,
  speechModel: speech,
  files: { status: "refused", why: "stores at OpenAI: free today, but no call that a budget could hold" },
  skills: { status: "refused", why: "stores at OpenAI: free today, but no call that a budget could hold" },
  experimental_batch: { status: "refused", why: "bills when it is done, long after the call" },
  experimental_realtime: { status: "refused", why: "a session without an end that could be bounded" },
};

/** What costs nothing by itself: each is sent with a call, which is refused if it has no bound. */
const notBillable = ["tools"];

async function setUp(budget: number) {
  const simulator = await startSimulator();
  let sent = 0;
  const bare = sdk.createOpenAI({
    apiKey: "test",
    baseURL: simulator.openAiUrl,
    fetch: (url, init) => {
      sent += 1;
      return fetch(url, init);
    },
  });
  const tracker = new CostTracker({ budget });
  const metered = withBudget(bare, { tracker, costs: openAiCosts() });
  return { simulator, bare, metered, sent: () => sent };
}

/** Calls a door of a provider, whose name is known as a text only. */
function make(provider: object, name: string, modelId: string): Record<string, unknown> {
  const factory = name === "()" ? provider : (provider as Record<string, unknown>)[name];
  return (factory as (modelId: string) => Record<string, unknown>)(modelId);
}

async function run(model: Record<string, unknown>, method: string, asked: object): Promise<void> {
  const { stream } = await (model[method] as (params: object) => Promise<{ stream?: ReadableStream }>)(asked);
  for await (const _ of stream ?? []);
}

const advice = "A door changed in @ai-sdk/openai: review it at the top of ai-sdk-doors.test.ts";

describe("every door of the installed AI SDK provider", () => {
  it("is known", async () => {
    const { simulator, bare, metered } = await setUp(1);
    expect(Object.keys(sdk).sort(), advice).toEqual([...exported].sort());
    const found = coverage(metered).map(({ name, status }) => [name, status]);
    expect(found, advice).toEqual(Object.entries(doors).map(([name, { status }]) => [name, status]));
    const others = Object.entries(bare).filter(([, value]) => typeof value === "object");
    expect(
      others.map(([name]) => name),
      advice,
    ).toEqual(notBillable);
    await simulator.close();
  });

  it.each(Object.entries(doors))("is metered, or refused before anything is sent: %s", async (name, door) => {
    const rich = await setUp(1);
    if (door.status === "refused") {
      expect(() => make(rich.metered, name, "gpt-4o-mini")).toThrow(UnboundedRequestError);
      expect(rich.sent()).toBe(0);
      return await rich.simulator.close();
    }
    const model = make(rich.metered, name, door.modelId);
    expect(coverage(model), advice).toEqual([
      ...door.by.map((method) => ({ name: method, status: "metered" })),
      ...(door.refused ?? []).map((method) => ({ name: method, status: "refused" })),
    ]);
    for (const method of door.by) {
      const before = rich.sent();
      await run(model, method, door.asked).catch(() => undefined);
      expect(rich.sent()).toBe(before + 1);
      const poor = await setUp(0);
      await run(make(poor.metered, name, door.modelId), method, door.asked).catch(() => undefined);
      expect(poor.sent()).toBe(0);
      await poor.simulator.close();
    }
    await rich.simulator.close();
  });
});
