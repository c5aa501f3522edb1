import { type Call, CostTracker, settled, usd } from "@autolabel/budget-core";
import { type SimulatedModel, type Simulator, type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import { generateText } from "ai";
import { afterEach, describe, expect, it } from "vitest";
import { createBudgetedOpenRouter } from "../openrouter-client.ts";
import { openRouterCosts } from "../openrouter-costs.ts";
import { type LivePricesOptions, liveOpenRouterPrices, type PriceRefresh } from "./live-prices.ts";

let simulator: Simulator;
afterEach(() => simulator.close());

const at = (prompt: string, completion: string, more: Partial<SimulatedModel> = {}): SimulatedModel => ({
  promptUsdPerMillion: prompt,
  completionUsdPerMillion: completion,
  maxCompletionTokens: 16_384,
  ...more,
});
const modelId = "my/model";
const call: Call = { surface: "generate", modelId, request: { prompt: "Hello" }, maxOutputTokens: 100, settings: {} };
const asked = { prompt: "Hello", maxOutputTokens: 40, maxRetries: 0 };

/** A fetch that counts, keeps what it was asked, and can be told to fail. */
function watchedFetch() {
  const watch = {
    paths: [] as string[],
    statuses: [] as number[],
    fails: false,
    body: undefined as string | undefined,
  };
  const watched: typeof fetch = async (url, init) => {
    const path = new Request(url).url.replace(/^.*\/api\/v1/, "");
    if (!path.startsWith("/models")) return await fetch(url, init);
    watch.paths.push(path);
    if (watch.fails) throw new TypeError("fetch failed");
    const response = watch.body === undefined ? await fetch(url, init) : new Response(watch.body);
    watch.statuses.push(response.status);
    return response;
  };
  return { watch, fetch: watched };
}

async function setUp(models: SimulatorOptions["models"] = {}, options: LivePricesOptions = {}) {
  simulator = await startSimulator({ models });
  const refreshes: PriceRefresh[] = [];
  const clock = { ms: Date.parse("2026-11-23T12:00:00Z") };
  const { watch, fetch } = watchedFetch();
  const api = { apiKey: "test", baseURL: simulator.openRouterUrl };
  const livePrices = liveOpenRouterPrices({
    ...api,
    fetch,
    now: () => clock.ms,
    onRefresh: (refresh) => refreshes.push(refresh),
    ...options,
  });
  const tracker = new CostTracker({ budget: "1" });
  const openrouter = createBudgetedOpenRouter({ ...api, tracker, livePrices });
  return { livePrices, refreshes, clock, watch, tracker, openrouter, costs: openRouterCosts({ livePrices }) };
}

const ratesOf = (quote: { providerOptions?: unknown }) =>
  (quote.providerOptions as { openrouter: { provider: { max_price: { prompt: number; completion: number } } } })
    .openrouter.provider.max_price;

describe("live prices", () => {
  it("make a model callable that the bundled prices do not list, billed as recorded", async () => {
    const { livePrices, tracker, openrouter } = await setUp({ [modelId]: at("0.2", "0.8") });
    const model = openrouter(modelId);
    await expect(generateText({ ...asked, model })).rejects.toMatchObject({ code: "unpriced_model" });
    expect(await livePrices.refresh()).toBe(true);
    await generateText({ ...asked, model });
    await settled(tracker);
    expect(simulator.invoice.count).toBe(1);
    expect((await tracker.getStats()).exact.spent.picoUsd).toBe(simulator.invoice.totalPicoUsd);
  });

  it("follow a price that rises while we run: refused before the refresh, bounded by the new price after it", async () => {
    const id = "openai/gpt-4o-mini";
    const { livePrices, tracker, openrouter, costs } = await setUp();
    await livePrices.refresh();
    const before = costs.quote({ ...call, modelId: id }).boundPicoUsd;
    await generateText({ ...asked, model: openrouter(id) });
    simulator.setModels({ [id]: at("1.5", "6") });
    await expect(generateText({ ...asked, model: openrouter(id) })).rejects.toMatchObject({ statusCode: 404 });
    expect(costs.quote({ ...call, modelId: id }).boundPicoUsd).toBe(before);

    await livePrices.refresh();
    expect(costs.quote({ ...call, modelId: id }).boundPicoUsd).toBe(before * 10n);
    await generateText({ ...asked, model: openrouter(id) });
    expect(simulator.invoice.count).toBe(2);
    expect((await tracker.getStats()).exact).toMatchObject({
      spent: usd.pico(simulator.invoice.totalPicoUsd),
      overrun: usd(0),
    });
  });

  it("stand behind prices that the user states", async () => {
    const { livePrices } = await setUp({ [modelId]: at("0.2", "0.8") });
    await livePrices.refresh([modelId]);
    const costs = openRouterCosts({ livePrices, prices: { [modelId]: { input: "3", output: "4" } } });
    expect(ratesOf(costs.quote(call))).toEqual({ prompt: 3, completion: 4 });
  });

  it("price a call by what it was quoted at, whatever is refreshed while it runs", async () => {
    const { livePrices, costs } = await setUp({ [modelId]: at("0.2", "0.8") });
    await livePrices.refresh();
    const quote = costs.quote(call);
    simulator.setModels({ [modelId]: at("2", "8") });
    await livePrices.refresh();
    const usage = { raw: { prompt_tokens: 10, completion_tokens: 10 } };
    expect(costs.receipt({ call, quote, result: { usage } })).toMatchObject({ costPicoUsd: 10_000_000n });
    const next = { ...call };
    expect(costs.receipt({ call: next, quote: costs.quote(next), result: { usage } })).toMatchObject({
      costPicoUsd: 100_000_000n,
    });
  });
});

describe("a model of several endpoints", () => {
  const endpoints = {
    [modelId]: at("1", "2", {
      provider: "Cheap",
      endpoints: [
        { provider: "Dear", tag: "dear/fp8", promptUsdPerMillion: "10", completionUsdPerMillion: "5" },
        { provider: "Other AI", tag: "other-ai", promptUsdPerMillion: "4", completionUsdPerMillion: "20" },
      ],
    }),
  };

  it.each([
    [{}, { prompt: 10, completion: 20 }],
    [{ order: ["cheap"] }, { prompt: 10, completion: 20 }],
    [
      { order: ["cheap"], allow_fallbacks: false },
      { prompt: 1, completion: 2 },
    ],
    [{ only: ["cheap"] }, { prompt: 1, completion: 2 }],
    [{ only: ["dear"] }, { prompt: 10, completion: 5 }],
    [{ only: ["dear/fp8", "Cheap"] }, { prompt: 10, completion: 5 }],
    [{ only: ["Other AI"] }, { prompt: 4, completion: 20 }],
    [{ ignore: ["other-ai"] }, { prompt: 10, completion: 5 }],
    [{ ignore: ["dear/fp4"] }, { prompt: 10, completion: 20 }],
    [{ ignore: ["dear", "other-ai"] }, { prompt: 1, completion: 2 }],
    [{ only: ["nobody"] }, { prompt: 10, completion: 20 }],
  ])("is bounded by the dearest that a call with %j may be routed to", async (provider, dearest) => {
    const { livePrices, costs } = await setUp(endpoints);
    await livePrices.refresh([modelId]);
    expect(ratesOf(costs.quote({ ...call, settings: { provider } }))).toEqual(dearest);
  });

  it.each([{ order: ["dear"] }, { order: ["other-ai"] }, {}])(
    "never costs more than was held: %j",
    async (provider) => {
      const { livePrices, tracker, openrouter } = await setUp(endpoints);
      await livePrices.refresh([modelId]);
      await generateText({ ...asked, model: openrouter(modelId, { provider }) });
      expect(simulator.invoice.count).toBe(1);
      expect((await tracker.getStats()).exact).toMatchObject({
        spent: usd.pico(simulator.invoice.totalPicoUsd),
        overrun: usd(0),
      });
    },
  );

  it("costs by tokens x price only a bound, unless all ask the same", async () => {
    const { livePrices, costs } = await setUp(endpoints);
    await livePrices.refresh([modelId]);
    const usage = { raw: { prompt_tokens: 10, completion_tokens: 10 } };
    const receiptFor = (provider: object) => {
      const routed = { ...call, settings: { provider } };
      return costs.receipt({ call: routed, quote: costs.quote(routed), result: { usage } });
    };
    expect(receiptFor({})).toMatchObject({ kind: "bound", costPicoUsd: 300_000_000n });
    const stated = openRouterCosts({ livePrices, prices: { [modelId]: { input: "1", output: "2" } } });
    expect(stated.receipt({ call, quote: stated.quote(call), result: { usage } })).toMatchObject({ kind: "computed" });
    expect(receiptFor({ only: ["cheap"] })).toMatchObject({ kind: "computed", costPicoUsd: 30_000_000n });
  });

  it("is priced by its readable endpoints, and those that are not are told", async () => {
    const { livePrices, refreshes, costs, watch } = await setUp(endpoints);
    await livePrices.refresh();
    const listed = [
      { tag: "a", provider_name: "A", pricing: { prompt: "0.000001", completion: "0.000003" } },
      { provider_name: "No tag", pricing: { prompt: "0.000002", completion: "0.000002" } },
      { tag: "b", provider_name: "B", pricing: { prompt: "-1", completion: "-1" } },
    ];
    watch.body = JSON.stringify({ data: { id: modelId, endpoints: listed } });
    await livePrices.refresh([modelId]);
    // Who has no tag may be anybody, whatever is wished.
    expect(ratesOf(costs.quote({ ...call, settings: { provider: { only: ["a"] } } }))).toEqual({
      prompt: 2,
      completion: 3,
    });
    expect(refreshes.at(-1)?.refused).toContainEqual({ modelId, reason: 'its "prompt" price is "-1"' });
  });
});

describe("a refresh", () => {
  it("is one request for all who ask at once", async () => {
    const { livePrices, watch } = await setUp();
    await Promise.all([livePrices.refresh(), livePrices.refresh(), livePrices.refresh()]);
    expect(watch.paths).toEqual(["/models"]);
  });

  it("transfers nothing when nothing changed", async () => {
    const { livePrices, watch, refreshes } = await setUp({ [modelId]: at("1", "2") });
    await livePrices.refresh([modelId]);
    await livePrices.refresh();
    expect(watch.statuses).toEqual([200, 200, 304, 304]);
    expect(refreshes.map(({ status }) => status)).toEqual(["changed", "changed", "unchanged", "unchanged"]);
    simulator.setModels({ [modelId]: at("3", "4") });
    await livePrices.refresh();
    expect(watch.statuses.slice(4)).toEqual([200, 200]);
  });

  it.each([
    ["the network fails", { fails: true }],
    ["the answer is no JSON", { body: "<html>down</html>" }],
    ["the answer lists nothing", { body: '{"data":[]}' }],
    ["the answer lists nothing usable", { body: '{"data":[{"id":"a","pricing":{"prompt":"-1","completion":"-1"}}]}' }],
  ])("that fails keeps the last prices and is told: %s", async (_name, fault) => {
    const { livePrices, watch, refreshes, costs } = await setUp({ [modelId]: at("0.2", "0.8") });
    await livePrices.refresh();
    const before = costs.quote(call);
    Object.assign(watch, fault);
    expect(await livePrices.refresh()).toBe(false);
    expect(refreshes.at(-1)).toMatchObject({ path: "/models", status: "failed", error: expect.anything() });
    expect(costs.quote({ ...call })).toEqual(before);
  });

  it("that fails at a call does not reach the call", async () => {
    const { watch, tracker, openrouter, refreshes } = await setUp();
    watch.fails = true;
    await generateText({ ...asked, model: openrouter("openai/gpt-4o-mini") });
    expect((await tracker.getStats()).exact.spent.picoUsd).toBe(simulator.invoice.totalPicoUsd);
    expect(refreshes.map(({ status }) => status)).toEqual(["failed", "failed"]);
  });

  it("survives a listener that fails", async () => {
    const { livePrices } = await setUp(
      {},
      {
        onRefresh: () => {
          throw new Error("my mistake");
        },
      },
    );
    expect(await livePrices.refresh()).toBe(true);
  });

  it("starts by itself in the background when prices are older than they may be, and not sooner", async () => {
    const id = "openai/gpt-4o-mini";
    const { watch, clock, openrouter, refreshes, livePrices } = await setUp();
    const model = openrouter(id);
    await expect.poll(() => refreshes.length).toBe(2);
    expect(watch.paths).toEqual(["/models", `/models/${id}/endpoints`]);
    await generateText({ ...asked, model });
    expect(watch.paths).toHaveLength(2);

    clock.ms += 3_600_001;
    await generateText({ ...asked, model });
    await expect.poll(() => refreshes.length).toBe(4);

    clock.ms += 3_600_001;
    watch.fails = true;
    await generateText({ ...asked, model });
    await expect.poll(() => refreshes.length).toBe(6);
    // A failure is not tried again at every call.
    await generateText({ ...asked, model });
    expect(watch.paths).toHaveLength(6);
    clock.ms += 30_001;
    livePrices.revalidate([id]);
    expect(watch.paths).toHaveLength(8);
    await expect.poll(() => refreshes.length).toBe(8);
  });

  it("that never succeeds lets prices grow too old, where that is asked for", async () => {
    const { livePrices, watch, costs } = await setUp(
      { [modelId]: at("1", "2") },
      { staleness: { maxAgeDays: 3 }, now: () => Date.parse("2026-11-23T12:00:00Z") },
    );
    await livePrices.refresh();
    watch.fails = true;
    const on = (day: string) => costs.quote({ ...call, at: new Date(day) });
    expect(on("2026-11-26T00:00:00Z").boundPicoUsd).toBeGreaterThan(0n);
    expect(() => on("2026-11-28T00:00:00Z")).toThrow(/checked 5 days ago/);
  });

  it("with odd entries in it uses the others", async () => {
    const { livePrices, watch, refreshes, costs } = await setUp();
    const pricing = { prompt: "0.000001", completion: "0.000002" };
    const dearer = { prompt: "0.000003", completion: "0.000004" };
    const data = [null, {}, { id: modelId, pricing }, { id: modelId, pricing: dearer }, { id: "router", pricing: -1 }];
    watch.body = JSON.stringify({ data });
    expect(await livePrices.refresh()).toBe(true);
    expect(ratesOf(costs.quote(call))).toEqual({ prompt: 1, completion: 2 });
    expect(refreshes.at(-1)?.refused.map((refused) => refused.modelId)).toEqual(["", "", modelId, "router"]);
  });

  it("knows models with an odd id", async () => {
    const { livePrices, watch, costs } = await setUp({ "my/model v2:free": at("0", "0") });
    await livePrices.refresh(["my/model v2:free"]);
    expect(watch.paths).toContain("/models/my/model%20v2%3Afree/endpoints");
    expect(costs.quote({ ...call, modelId: "my/model v2:free" }).boundPicoUsd).toBe(0n);
  });
});
