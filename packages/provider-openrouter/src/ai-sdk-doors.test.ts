import { CostTracker, coverage, UnboundedRequestError, withBudget } from "@autolabel/budget-core";
import { startSimulator } from "@autolabel/simulator";
import * as sdk from "@openrouter/ai-sdk-provider";
import { describe, expect, it } from "vitest";
import { openRouterCosts } from "./openrouter-costs.ts";

/** The bundled price book lists no embeddings of OpenRouter. */
const prices = { "openai/text-embedding-3-small": { input: "0.02", output: "0" } };

/*
 * Every door of the installed @openrouter/ai-sdk-provider: what it exports, what its provider can make, and by which
 * methods that works. A new version with a new one fails here. Look what it costs: if openRouterCosts can bound it, name its
 * kind in budget-core's doors.ts and its surface in `surfaces`; else add it below as refused, with the reason.
 */
const exported = ["OpenRouter", "createOpenRouter", "openrouter"];

type Reviewed = { status: "metered"; by: string[] } | { status: "refused"; why: string };

const language: Reviewed = { status: "metered", by: ["doGenerate", "doStream"] };
const embedding: Reviewed = { status: "metered", by: ["doEmbed"] };

const doors: Readonly<Record<string, Reviewed>> = {
  "()": language,
  languageModel: language,
  chat: language,
  completion: language,
  textEmbeddingModel: embedding,
  embedding: embedding,
  imageModel: { status: "refused", why: "billed by picture, and the provider hides what it did cost" },
  videoModel: { status: "refused", why: "billed by the second of a film, when it is done" },
  evaluationModel: { status: "refused", why: "adds instructions of its own to what is asked" },
};

/** What costs nothing by itself: each is sent with a call, which is refused if it has no bound. */
const notBillable = ["tools"];

async function setUp(budget: number) {
  const simulator = await startSimulator();
  let sent = 0;
  const bare = sdk.createOpenRouter({
    apiKey: "test",
    baseURL: simulator.openRouterUrl,
    fetch: (url, init) => {
      sent += 1;
      return fetch(url, init);
    },
  });
  const tracker = new CostTracker({ budget });
  const metered = withBudget(bare, { tracker, costs: openRouterCosts({ prices }) });
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

const modelOf = (by: readonly string[]) =>
  by.includes("doEmbed") ? "openai/text-embedding-3-small" : "openai/gpt-4o-mini";
const advice = "A door changed in @openrouter/ai-sdk-provider: review it at the top of ai-sdk-doors.test.ts";

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
      expect(() => make(rich.metered, name, "openai/gpt-4o-mini")).toThrow(UnboundedRequestError);
      expect(rich.sent()).toBe(0);
      return await rich.simulator.close();
    }
    const model = make(rich.metered, name, modelOf(door.by));
    expect(coverage(model), advice).toEqual(door.by.map((method) => ({ name: method, status: "metered" })));
    for (const method of door.by) {
      const before = rich.sent();
      await run(model, method).catch(() => undefined);
      expect(rich.sent()).toBe(before + 1);
      const poor = await setUp(0);
      await run(make(poor.metered, name, modelOf(door.by)), method).catch(() => undefined);
      expect(poor.sent()).toBe(0);
      await poor.simulator.close();
    }
    await rich.simulator.close();
  });
});
