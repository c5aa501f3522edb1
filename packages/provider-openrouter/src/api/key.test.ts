import { CostTracker, UpstreamBudgetError, usd } from "@autolabel/budget-core";
import { type Simulator, type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import { embed, generateText, streamText } from "ai";
import { afterEach, describe, expect, it } from "vitest";
import { createBudgetedOpenRouter } from "../openrouter-client.ts";
import { assertKeyAllows, openRouterKey } from "./key.ts";

let simulator: Simulator | undefined;
afterEach(() => simulator?.close());

async function setUp(options: SimulatorOptions, settings: { keyMustAllow?: string } = {}) {
  simulator = await startSimulator(options);
  const tracker = new CostTracker({ budget: "1" });
  const api = { apiKey: "test", baseURL: simulator.openRouterUrl };
  const prices = { "openai/text-embedding-3-small": { input: "0.02", output: 0 } };
  const openrouter = createBudgetedOpenRouter({ tracker, ...api, prices, ...settings });
  return { simulator, tracker, api, openrouter };
}

const asked = { prompt: "Hello", maxOutputTokens: 20, maxRetries: 0, onError: () => {} };

const doors = {
  generateText: (openrouter: Door) => generateText({ ...asked, model: openrouter("openai/gpt-4o-mini") }),
  streamText: (openrouter: Door) => streamText({ ...asked, model: openrouter("openai/gpt-4o-mini") }).text,
  "streamText with retries": (openrouter: Door) =>
    streamText({ ...asked, maxRetries: 1, model: openrouter("openai/gpt-4o-mini") }).usage,
  embed: (openrouter: Door) =>
    embed({ model: openrouter.embeddingModel("openai/text-embedding-3-small"), value: "Hello", maxRetries: 0 }),
};
type Door = ReturnType<typeof createBudgetedOpenRouter>;

describe("openRouterKey", () => {
  it("tells limit, rest and usage exactly", async () => {
    const { simulator, api, openrouter } = await setUp({ creditPicoUsd: usd("0.5").picoUsd });
    await generateText({ ...asked, model: openrouter("openai/gpt-4o-mini") });
    const spent = simulator.invoice.totalPicoUsd;
    expect(spent).toBeGreaterThan(0n);
    expect(await openRouterKey(api)).toMatchObject({
      limit: usd("0.5"),
      limitRemaining: usd.pico(usd("0.5").picoUsd - spent),
      limitReset: undefined,
      usage: usd.pico(spent),
      byokUsage: usd(0),
    });
  });

  it("reads amounts from their text, and takes an overdrawn key for one with nothing left", async () => {
    const text = '{"data":{"label":"k","limit":10,"limit_remaining":-0.5,"usage":4503599627.123456789012}}';
    const key = await openRouterKey({ apiKey: "k", fetch: async () => new Response(text) });
    expect(key.usage.toString()).toBe("4503599627.123456789012");
    expect(key.limitRemaining).toEqual(usd(0));
    expect(() => assertKeyAllows(key, "0.01")).toThrow(UpstreamBudgetError);
  });

  it("has no rest where it has no limit, and then allows anything", async () => {
    const { api } = await setUp({});
    const key = await openRouterKey(api);
    expect([key.limit, key.limitRemaining]).toEqual([undefined, undefined]);
    expect(() => assertKeyAllows(key, "1000000")).not.toThrow();
  });

  it("tells a refused key, and an answer that is none", async () => {
    const { api } = await setUp({ apiKeys: ["other"] });
    await expect(openRouterKey(api)).rejects.toMatchObject({ statusCode: 401 });
    const odd = openRouterKey({ fetch: async () => Response.json({ data: {} }) });
    await expect(odd).rejects.toThrow(/answer to GET \/key cannot be read/);
  });
});

describe("a key whose limit is nearly spent", () => {
  it.each(Object.entries(doors))("is refused before the first call: %s", async (_name, call) => {
    const { simulator, openrouter, tracker } = await setUp(
      { creditPicoUsd: usd("0.01").picoUsd },
      { keyMustAllow: "0.02" },
    );
    const error = await Promise.resolve(call(openrouter)).catch((caught: unknown) => caught);
    expect(UpstreamBudgetError.isInstance(error)).toBe(true);
    expect(String(error)).toMatch(/has \$0\.0100 left of its limit, and \$0\.0200 is needed/);
    expect(simulator.requests).toBe(0);
    expect((await tracker.getStats()).exact.held).toEqual(usd(0));
  });

  it("passes when it allows enough; it is looked up once", async () => {
    let asks = 0;
    const { api, tracker } = await setUp({ creditPicoUsd: usd("0.02").picoUsd });
    const openrouter = createBudgetedOpenRouter({
      ...api,
      tracker,
      keyMustAllow: "0.02",
      fetch: (url, init) => {
        if (new Request(url).url.endsWith("/key")) asks += 1;
        return fetch(url, init);
      },
    });
    await doors.generateText(openrouter);
    await doors.generateText(openrouter);
    expect(asks).toBe(1);
  });

  it("passes where it cannot be looked up: the call itself will tell", async () => {
    const { api, tracker } = await setUp({});
    const openrouter = createBudgetedOpenRouter({
      ...api,
      tracker,
      keyMustAllow: "5",
      fetch: (url, init) =>
        new Request(url).url.endsWith("/key") ? Promise.reject(new TypeError("down")) : fetch(url, init),
    });
    await expect(doors.generateText(openrouter)).resolves.toBeDefined();
  });
});

describe("OpenRouter's own refusal for money", () => {
  const refusals = Object.entries(doors).flatMap(([name, call]) => [
    [name, "402", call] as const,
    [name, "403", call] as const,
  ]);
  it.each(refusals)("reaches the caller of %s by its name: HTTP %s", async (_name, kind, call) => {
    const { simulator, openrouter, tracker } = await setUp({ faults: [{ kind }] });
    const error = await Promise.resolve(call(openrouter)).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "upstream_budget", statusCode: Number(kind), provider: "openrouter" });
    expect(simulator.invoice.count).toBe(0);
    expect((await tracker.getStats()).exact).toMatchObject({ spent: usd(0), held: usd(0) });
  });

  it("reaches the stream's error part, and onError, too", async () => {
    const { openrouter } = await setUp({ faults: [{ kind: "402" }] });
    const errors: unknown[] = [];
    const onError = ({ error }: { error: unknown }) => void errors.push(error);
    await streamText({ ...asked, onError, model: openrouter("openai/gpt-4o-mini") }).consumeStream();
    expect(errors).toMatchObject([{ code: "upstream_budget" }]);
  });

  it("is not seen in another error", async () => {
    const { openrouter } = await setUp({ faults: [{ kind: "400" }] });
    await expect(doors.generateText(openrouter)).rejects.toMatchObject({ name: "AI_APICallError", statusCode: 400 });
  });
});
