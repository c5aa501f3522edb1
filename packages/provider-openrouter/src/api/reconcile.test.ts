import { CostTracker, type Posting, settled } from "@autolabel/budget-core";
import { type Simulator, startSimulator } from "@autolabel/simulator";
import { generateText } from "ai";
import { afterEach, describe, expect, it } from "vitest";
import { createBudgetedOpenRouter } from "../openrouter-client.ts";
import { openRouterGenerationId } from "./generation.ts";
import { openRouterKey } from "./key.ts";
import { type BookedCall, diffBooks, reconcileOpenRouter } from "./reconcile.ts";

let simulator: Simulator | undefined;
afterEach(() => simulator?.close());

async function bookedCalls(count: number, byok = false) {
  simulator = await startSimulator({ byok });
  const tracker = new CostTracker({ budget: "1" });
  const api = { apiKey: "test", baseURL: simulator.openRouterUrl };
  const booked: BookedCall[] = [];
  const onReceipt = ({ receipt, outcome }: Posting) => {
    booked.push({ generationId: openRouterGenerationId(outcome) ?? "", costPicoUsd: receipt.costPicoUsd });
  };
  const openrouter = createBudgetedOpenRouter({ tracker, ...api, onReceipt });
  const keyBefore = await openRouterKey(api);
  const ask = (index: number) =>
    generateText({ model: openrouter("openai/gpt-4o-mini"), prompt: `Question ${index}`, maxOutputTokens: 20 });
  await Promise.all(Array.from({ length: count }, (_, index) => ask(index)));
  await settled(tracker);
  return { invoice: simulator.invoice, booked, api, keyBefore, ask };
}

describe("reconcileOpenRouter", () => {
  it.each([false, true])("finds no drift in our own books (own provider key: %s)", async (byok) => {
    const { invoice, booked, api, keyBefore } = await bookedCalls(12, byok);
    const report = await reconcileOpenRouter(booked, { ...api, keyBefore });
    expect(report).toEqual({
      comparedCount: 12,
      drifted: [],
      missing: [],
      bookedPicoUsd: invoice.totalPicoUsd,
      billedPicoUsd: invoice.totalPicoUsd,
      driftPicoUsd: 0n,
      keyChargedPicoUsd: invoice.totalPicoUsd,
      unexplainedPicoUsd: 0n,
    });
  });

  it("finds a planted pico-dollar, an id that nobody knows, and a call that is not in the books", async () => {
    const { invoice, booked, api, keyBefore, ask } = await bookedCalls(5);
    const [first, second, ...others] = booked as [BookedCall, BookedCall, ...BookedCall[]];
    const billed = invoice.totalPicoUsd;
    const planted = [
      { ...first, costPicoUsd: first.costPicoUsd - 1n },
      { ...second, costPicoUsd: second.costPicoUsd + 50n },
      { generationId: "gen-lost", costPicoUsd: 7n },
      ...others,
    ];
    await ask(99);
    const unbooked = invoice.totalPicoUsd - billed;
    const report = await reconcileOpenRouter(planted, { ...api, keyBefore, concurrency: 2 });
    expect(report.drifted.map(({ generationId, driftPicoUsd }) => [generationId, driftPicoUsd])).toEqual([
      [second.generationId, -50n],
      [first.generationId, 1n],
    ]);
    expect(report).toMatchObject({
      comparedCount: 5,
      missing: ["gen-lost"],
      billedPicoUsd: billed,
      driftPicoUsd: -49n,
      unexplainedPicoUsd: unbooked,
    });
    expect(unbooked).toBeGreaterThan(0n);
  });

  it("asks no more at a time than it may, and each id once", async () => {
    const { booked, api } = await bookedCalls(6);
    const asked: string[] = [];
    const load = { now: 0, most: 0 };
    const counting = async (url: string | URL | Request, init?: RequestInit) => {
      asked.push(new Request(url).url);
      load.most = Math.max(load.most, ++load.now);
      return await fetch(url, init).finally(() => {
        load.now -= 1;
      });
    };
    await reconcileOpenRouter([...booked, ...booked], { ...api, fetch: counting, concurrency: 3 });
    expect(asked).toHaveLength(6);
    expect(load.most).toBe(3);
  });

  it("gives no report when OpenRouter cannot be asked", async () => {
    const calls = [{ generationId: "gen-1", costPicoUsd: 1n }];
    const down = reconcileOpenRouter(calls, { fetch: async () => new Response("", { status: 500 }) });
    await expect(down).rejects.toMatchObject({ statusCode: 500 });
  });
});

describe("diffBooks", () => {
  it("adds up the postings of one call", () => {
    const calls = [
      { generationId: "gen-1", costPicoUsd: 3n },
      { generationId: "gen-1", costPicoUsd: 4n },
    ];
    expect(diffBooks(calls, new Map([["gen-1", 7n]]))).toMatchObject({
      comparedCount: 1,
      drifted: [],
      driftPicoUsd: 0n,
    });
  });
});
