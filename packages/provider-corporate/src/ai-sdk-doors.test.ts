import * as sdk from "@ai-sdk/openai-compatible";
import { CostTracker, coverage, UnboundedRequestError, withBudget } from "@autolabel/budget-core";
import { startSimulator } from "@autolabel/simulator";
import { describe, expect, it } from "vitest";
import { corporateCosts } from "./corporate-costs.ts";

const prices = { "house-model": { input: "0.30", output: "0.90", maxOutputTokens: 4096 } };

/*
 * Every door of the installed @ai-sdk/openai-compatible: what it exports, what its provider can make, and by which
 * methods that works. A new version with a new one fails here. Look what it costs: if corporateCosts can bound it, name its
 * kind in budget-core's doors.ts and its surface in `surfaces`; else add it below as refused, with the reason.
 */
const exported = [
  "createOpenAICompatible",
  "OpenAICompatibleChatLanguageModel",
  "OpenAICompatibleCompletionLanguageModel",
  "OpenAICompatibleEmbeddingModel",
  "OpenAICompatibleImageModel",
  "VERSION",
];

type Reviewed = { status: "metered"; by: string[] } | { status: "refused"; why: string };

const language: Reviewed = { status: "metered", by: ["doGenerate", "doStream"] };
const embedding: Reviewed = { status: "metered", by: ["doEmbed"] };

const doors: Readonly<Record<string, Reviewed>> = {
  "()": language,
  languageModel: language,
  chatModel: language,
  completionModel: language,
  embeddingModel: embedding,
  textEmbeddingModel: embedding,
  imageModel: { status: "refused", why: "no contract price is per picture" },
};

/** What costs nothing by itself: each is sent with a call, which is refused if it has no bound. */
const notBillable = [] as string[];

async function setUp(budget: number) {
  const simulator = await startSimulator();
  let sent = 0;
  const bare = sdk.createOpenAICompatible({
    name: "corporate",
    baseURL: simulator.gatewayUrl,
    fetch: (url, init) => {
      sent += 1;
      return fetch(url, init);
    },
  });
  const tracker = new CostTracker({ budget });
  const metered = withBudget(bare, { tracker, costs: corporateCosts({ prices }) });
  return { simulator, bare, metered, sent: () => sent };
}

/** Calls a door of a provider, whose name is known as a text only. */
function make(provider: object, name: string, modelId: string): Record<string, unknown> {
  const factory = name === "()" ? provider : (provider as Record<string, unknown>)[name];
  return (factory as (modelId: string) => Record<string, unknown>)(modelId);
}

async function run(model: Record<string, unknown>, method: string): Promise<void> {
  const prompt = [{ role: "user", content: [{ type: "text", text: "Hello" }] }];
  const asked = method === "doEmbed" ? { values: ["Hello"] } : { prompt, maxOutputTokens: 20 };
  const { stream } = await (model[method] as (params: object) => Promise<{ stream?: ReadableStream }>)(asked);
  for await (const _ of stream ?? []);
}

const modelId = "house-model";
const advice = "A door changed in @ai-sdk/openai-compatible: review it at the top of ai-sdk-doors.test.ts";

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
      expect(() => make(rich.metered, name, modelId)).toThrow(UnboundedRequestError);
      expect(rich.sent()).toBe(0);
      return await rich.simulator.close();
    }
    const model = make(rich.metered, name, modelId);
    expect(coverage(model), advice).toEqual(door.by.map((method) => ({ name: method, status: "metered" })));
    for (const method of door.by) {
      const before = rich.sent();
      await run(model, method).catch(() => undefined);
      expect(rich.sent()).toBe(before + 1);
      const poor = await setUp(0);
      await run(make(poor.metered, name, modelId), method).catch(() => undefined);
      expect(poor.sent()).toBe(0);
      await poor.simulator.close();
    }
    await rich.simulator.close();
  });
});
