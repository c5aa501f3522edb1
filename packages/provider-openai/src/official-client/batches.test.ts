import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BudgetExceededError, CostTracker, type CostTrackerOptions, type Posting, usd } from "@autolabel/budget-core";
import { SqliteLedger } from "@autolabel/budget-core/ledgers/sqlite";
import { type Simulator, type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import { OpenAI } from "openai";
import { afterEach, describe, expect, it } from "vitest";
import { openAiCosts } from "../openai-costs.ts";
import { meterOpenAI } from "./meter-openai.ts";

let simulator: Simulator;
afterEach(() => simulator.close());

const model = "gpt-4o-mini";
const messages = [{ role: "user" as const, content: "Name a colour and a fruit." }];
type Endpoint = "/v1/chat/completions" | "/v1/responses" | "/v1/embeddings";
const bodies: Record<Endpoint, object> = {
  "/v1/chat/completions": { model, messages, max_completion_tokens: 30 },
  "/v1/responses": { model, input: "Name a colour and a fruit.", max_output_tokens: 30, service_tier: "auto" },
  "/v1/embeddings": { model: "text-embedding-3-small", input: ["red", "apple"] },
};

async function setUp(options: SimulatorOptions = {}, tracker: CostTrackerOptions = { budget: "1" }) {
  simulator = await startSimulator(options);
  return connect(new CostTracker(tracker));
}

function connect(tracker: CostTracker, send: typeof fetch = fetch) {
  const postings: Posting[] = [];
  const settings = { apiKey: "test", baseURL: simulator.openAiUrl, maxRetries: 0, logLevel: "off" } as const;
  const client = new OpenAI({ ...settings, fetch: send });
  const openai = meterOpenAI(client, { tracker, onReceipt: (posting) => void postings.push(posting) });
  return { tracker, openai, client, postings };
}

/** Uploads so many requests; a line can be replaced. */
async function upload(openai: OpenAI, count: number, endpoint: Endpoint = "/v1/chat/completions", first?: unknown) {
  const line = (index: number) => ({
    custom_id: `row-${index}`,
    method: "POST",
    url: endpoint,
    body: bodies[endpoint],
  });
  const lines = Array.from({ length: count }, (_, index) => (index === 0 && first !== undefined ? first : line(index)));
  const text = lines.map((one) => (typeof one === "string" ? one : JSON.stringify(one))).join("\n");
  const file = new File([`${text}\n`], "in.jsonl");
  return (await openai.files.create({ purpose: "batch", file })).id;
}

async function submit(openai: OpenAI, input_file_id: string, endpoint: Endpoint = "/v1/chat/completions") {
  const metadata = { team: "fruit" };
  return await openai.batches.create({ input_file_id, endpoint, completion_window: "24h", metadata });
}

/** Looks until the batch has ended; each look takes it a step on. */
async function finish(openai: OpenAI, id: string) {
  for (;;) {
    const batch = await openai.batches.retrieve(id);
    if (!["validating", "in_progress", "cancelling"].includes(batch.status)) return batch;
  }
}

async function booksOf(tracker: CostTracker) {
  const { exact, boundCallCount } = await tracker.getStats();
  return { spent: exact.spent.picoUsd, held: exact.held.picoUsd, unresolved: exact.unresolved.picoUsd, boundCallCount };
}

const settled = (boundCallCount = 0) => ({
  spent: simulator.invoice.totalPicoUsd,
  held: 0n,
  unresolved: 0n,
  boundCallCount,
});

describe("a batch", () => {
  it.each(Object.keys(bodies) as Endpoint[])("of %s is billed as recorded, at half price", async (endpoint) => {
    const { tracker, openai, client, postings } = await setUp();
    const batch = await submit(openai, await upload(openai, 5, endpoint), endpoint);
    const before = await booksOf(tracker);
    expect(before).toMatchObject({ spent: 0n, held: 0n });
    const ended = await finish(openai, batch.id);
    expect(ended).toMatchObject({ status: "completed", metadata: { team: "fruit" }, request_counts: { completed: 5 } });
    expect(simulator.invoice.count).toBe(5);
    expect(await booksOf(tracker)).toEqual(settled());
    expect(before.unresolved).toBeGreaterThanOrEqual(simulator.invoice.totalPicoUsd);
    await openai.batches.retrieve(batch.id);
    expect(await booksOf(tracker)).toEqual(settled());
    expect(postings.map(({ receipt }) => receipt.costPicoUsd)).toEqual([simulator.invoice.totalPicoUsd]);
    await client.post(endpoint.slice("/v1".length), { body: bodies[endpoint] });
    const costs = simulator.invoice.lines.map(({ costPicoUsd }) => costPicoUsd);
    expect(costs.at(-1)).toBe(2n * (costs[0] ?? 0n));
  });

  it("is not submitted when the bound of all of its lines does not fit", async () => {
    const line = openAiCosts().quote({
      surface: "batch",
      modelId: model,
      request: {
        calls: [{ surface: "generate", modelId: model, request: bodies["/v1/chat/completions"], maxOutputTokens: 30 }],
      },
    });
    const alone = openAiCosts().quote({
      surface: "generate",
      modelId: model,
      request: { ...bodies["/v1/chat/completions"], service_tier: "default" },
      maxOutputTokens: 30,
    });
    expect(line.boundPicoUsd * 2n).toBeLessThanOrEqual(alone.boundPicoUsd);
    const { tracker, openai } = await setUp({}, { budget: usd.pico(line.boundPicoUsd * 5n - 1n) });
    const five = await upload(openai, 5);
    await expect(submit(openai, five)).rejects.toSatisfy((error) => BudgetExceededError.isInstance(error));
    expect([simulator.requests, (await tracker.getStats()).held]).toEqual([0, 0]);
    await submit(openai, await upload(openai, 4));
    expect((await booksOf(tracker)).unresolved).toBe(line.boundPicoUsd * 4n);
  });

  it("of which some lines fail is billed for the others", async () => {
    const { tracker, openai } = await setUp();
    const bad = {
      custom_id: "x",
      method: "POST",
      url: "/v1/chat/completions",
      body: { model, messages, max_tokens: -1 },
    };
    const file = await upload(openai, 3, "/v1/chat/completions", {
      ...bad,
      body: { ...bad.body, max_tokens: 5, messages: [] },
    });
    const ended = await finish(openai, (await submit(openai, file)).id);
    expect(ended.request_counts).toMatchObject({ completed: 2, failed: 1 });
    expect(simulator.invoice.count).toBe(2);
    expect(await booksOf(tracker)).toEqual(settled());
  });

  it("that expires is billed for what was completed", async () => {
    const { tracker, openai } = await setUp({ batchLines: 3 });
    const ended = await finish(openai, (await submit(openai, await upload(openai, 5))).id);
    expect(ended.status).toBe("expired");
    expect(simulator.invoice.count).toBe(3);
    expect(await booksOf(tracker)).toEqual(settled());
  });

  it("that is cancelled is billed for what was completed, if anything", async () => {
    const { tracker, openai } = await setUp();
    for (const count of [5, 1]) {
      const { id } = await submit(openai, await upload(openai, count));
      await openai.batches.cancel(id);
      expect((await finish(openai, id)).status).toBe("cancelled");
    }
    expect(simulator.invoice.count).toBe(2);
    expect(await booksOf(tracker)).toEqual(settled());
  });

  it("that fails its validation costs nothing", async () => {
    const { tracker, openai } = await setUp();
    const repeated = {
      custom_id: "row-1",
      method: "POST",
      url: "/v1/chat/completions",
      body: bodies["/v1/chat/completions"],
    };
    const { id } = await submit(openai, await upload(openai, 3, "/v1/chat/completions", repeated));
    expect((await finish(openai, id)).status).toBe("failed");
    expect(await booksOf(tracker)).toEqual({ spent: 0n, held: 0n, unresolved: 0n, boundCallCount: 0 });
  });

  it("is settled by another process after the first has died, from the ledger's file", async () => {
    const folder = mkdtempSync(join(tmpdir(), "batch-"));
    const path = join(folder, "spend.db");
    const ledger = new SqliteLedger(path);
    const first = await setUp({}, { budget: "1", name: "team", ledger });
    const { id } = await submit(first.openai, await upload(first.openai, 4));
    await ledger.close();
    const again = new SqliteLedger(path);
    const second = connect(new CostTracker({ budget: "1", name: "team", ledger: again }));
    expect((await booksOf(second.tracker)).unresolved).toBeGreaterThan(0n);
    await finish(second.openai, id);
    expect(await booksOf(second.tracker)).toEqual(settled());
    await again.close();
    rmSync(folder, { recursive: true });
  });

  it("can be settled by hand, once and for all", async () => {
    const { tracker, openai } = await setUp();
    const { id } = await submit(openai, await upload(openai, 2));
    const [left] = await tracker.unresolved();
    await tracker.resolve(String(left?.id), { costPicoUsd: 7n });
    await finish(openai, id);
    expect(await booksOf(tracker)).toMatchObject({ spent: 7n, unresolved: 0n });
  });

  it("holds up nobody who waits for calls in flight", async () => {
    const { openai } = await setUp({}, { budget: "0.00038" });
    await submit(openai, await upload(openai, 3));
    const large = openai.chat.completions.create({ model, messages, max_completion_tokens: 300 });
    await expect(large).rejects.toThrow(/Budget exceeded/);
    const fresh = connect(new CostTracker({ budget: "0.00038" }));
    await fresh.openai.chat.completions.create({ model, messages, max_completion_tokens: 300 });
  });

  it.each(["500", "cut", "disconnect"] as const)("stays unresolved after a %s, for it may exist", async (kind) => {
    const { tracker, openai } = await setUp({ faults: [{ kind }] });
    await expect(submit(openai, await upload(openai, 2))).rejects.toThrow();
    const books = await booksOf(tracker);
    expect(books).toMatchObject({ spent: 0n, held: 0n });
    expect(books.unresolved).toBeGreaterThan(0n);
  });

  it("whose answer was lost is settled when it is found in the list", async () => {
    const { tracker, openai } = await setUp({ faults: [{ kind: "cut" }] });
    await expect(submit(openai, await upload(openai, 2))).rejects.toThrow();
    const [lost] = (await openai.batches.list()).data;
    await finish(openai, String(lost?.id));
    expect(simulator.invoice.count).toBe(2);
    expect(await booksOf(tracker)).toEqual(settled());
  });

  it("frees its hold when it is refused", async () => {
    const { tracker, openai } = await setUp({ faults: [{ kind: "429" }] });
    await expect(submit(openai, await upload(openai, 2))).rejects.toThrow(/429/);
    expect(await booksOf(tracker)).toEqual({ spent: 0n, held: 0n, unresolved: 0n, boundCallCount: 0 });
  });

  it("counts at its bound when an answer tells no usage", async () => {
    const { tracker, openai } = await setUp({ usageField: "omitted" });
    const { id } = await submit(openai, await upload(openai, 2));
    const { unresolved } = await booksOf(tracker);
    await finish(openai, id);
    expect(await booksOf(tracker)).toEqual({ spent: unresolved, held: 0n, unresolved: 0n, boundCallCount: 1 });
    expect(unresolved).toBeGreaterThan(simulator.invoice.totalPicoUsd);
  });

  it("counts at its bound when its output file lacks answers, and stays unresolved while it cannot be read", async () => {
    const { tracker, openai } = await setUp();
    const { id } = await submit(openai, await upload(openai, 3));
    const { unresolved } = await booksOf(tracker);
    const faults: unknown[] = [];
    tracker.on("fault", ({ error }) => faults.push(error));
    const through = (change: (text: string) => Response): typeof fetch => {
      return async (url, init) => {
        const response = await fetch(url, init);
        return response.url.endsWith("/content") ? change(await response.text()) : response;
      };
    };
    const unread = connect(
      tracker,
      through(() => new Response("gone", { status: 404 })),
    );
    expect((await finish(unread.openai, id)).status).toBe("completed");
    expect(await booksOf(tracker)).toMatchObject({ spent: 0n, unresolved });
    expect(faults).toHaveLength(1);
    const short = connect(
      tracker,
      through((text) => new Response(text.slice(text.indexOf("\n") + 1))),
    );
    await finish(short.openai, id);
    expect(await booksOf(tracker)).toEqual({ spent: unresolved, held: 0n, unresolved: 0n, boundCallCount: 1 });
  });

  it("of another budget is left alone", async () => {
    const { openai } = await setUp();
    const { id } = await submit(openai, await upload(openai, 2));
    const other = connect(new CostTracker({ budget: "1" }));
    expect((await finish(other.openai, id)).status).toBe("completed");
    expect(await booksOf(other.tracker)).toMatchObject({ spent: 0n });
  });
});

const line = (body: unknown, url = "/v1/chat/completions") => ({ custom_id: "row-0", method: "POST", url, body });
const chat = bodies["/v1/chat/completions"];

describe("a batch without a bound", () => {
  it.each<[string, unknown, string]>([
    ["a tool that OpenAI runs", line({ ...chat, tools: [{ type: "web_search" }] }), "web_search"],
    ["an unlisted model", line({ ...chat, model: "gpt-9" }), "gpt-9"],
    ["a dearer tier", line({ ...chat, service_tier: "priority" }), "line 1"],
    ["another endpoint", line(chat, "/v1/embeddings"), "line 1"],
    ["no JSON", "what?", "line 1"],
    ["no body", line(undefined), "line 1"],
    ["no model", line({ messages }), "model"],
  ])("is refused with its fix and not sent: %s", async (_name, first, names) => {
    const { tracker, openai } = await setUp();
    const file = await upload(openai, 2, "/v1/chat/completions", first);
    await expect(submit(openai, file)).rejects.toThrow(names);
    expect([simulator.requests, (await tracker.getStats()).held]).toEqual([0, 0]);
  });

  it("is refused for other endpoints, and for files that cannot be read or are empty", async () => {
    const { openai } = await setUp();
    const file = await upload(openai, 1);
    await expect(submit(openai, file, "/v1/images/generations" as Endpoint)).rejects.toThrow(/images/);
    await expect(submit(openai, "file-unknown")).rejects.toThrow(/file-unknown cannot be read/);
    await expect(submit(openai, await upload(openai, 0))).rejects.toThrow(/no lines/);
    expect(simulator.requests).toBe(0);
  });
});
