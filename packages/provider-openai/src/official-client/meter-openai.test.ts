import {
  BudgetExceededError,
  CostTracker,
  type CostTrackerOptions,
  findBudgetExceeded,
  MemoryLedger,
  runWithBudget,
  usd,
} from "@autolabel/budget-core";
import { type Simulator, type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import { AzureOpenAI, OpenAI } from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { openAiCosts } from "../openai-costs.ts";
import { openAiBudgetError } from "../openai-errors.ts";
import { meterOpenAI } from "./meter-openai.ts";

const model = "gpt-4o-mini";
const answer = z.object({ label: z.enum(["a", "b"]) });

let simulator: Simulator;
afterEach(() => simulator.close());

async function setUp(budget: CostTrackerOptions["budget"], options: SimulatorOptions = {}, maxRetries = 0) {
  simulator = await startSimulator(options);
  const tracker = new CostTracker({ budget: budget ?? "1" });
  let denied: unknown;
  tracker.on("denied", ({ error }) => {
    denied = error;
  });
  const client = new OpenAI({ apiKey: "test", baseURL: simulator.openAiUrl, maxRetries, logLevel: "off" });
  const openai = meterOpenAI(client, { tracker });
  return { tracker, openai, denied: () => denied };
}

/** The oracle: what the simulated provider billed, against what we recorded. */
async function expectBilledAsRecorded(tracker: CostTracker) {
  const { exact, boundCallCount } = await tracker.getStats();
  expect([exact.spent.picoUsd, boundCallCount]).toEqual([simulator.invoice.totalPicoUsd, 0]);
  expect(exact.held.picoUsd).toBe(0n);
}

/** Never less than was billed; more only where it is marked. */
async function expectNeverBelow(tracker: CostTracker) {
  await expect.poll(async () => (await tracker.getStats()).held).toBe(0);
  const { exact, boundCallCount } = await tracker.getStats();
  expect(exact.spent.picoUsd).toBeGreaterThanOrEqual(simulator.invoice.totalPicoUsd);
  if (exact.spent.picoUsd > simulator.invoice.totalPicoUsd) expect(boundCallCount).toBeGreaterThan(0);
}

interface CallSettings {
  signal?: AbortSignal;
  timeout?: number;
}

const messages = [{ role: "user" as const, content: "Hello, a or b?" }];
const chatBody = { model, messages, max_completion_tokens: 40 };
/** A budget that holds one call of {@link chatBody}, not two. */
const { boundPicoUsd } = openAiCosts().quote({
  surface: "generate",
  modelId: model,
  request: chatBody,
  maxOutputTokens: 40,
});
const oneCall = usd.pico((boundPicoUsd * 5n) / 4n);
const responsesBody = { model, input: "Hello, a or b?", max_output_tokens: 40 };
const tools = [
  {
    type: "function" as const,
    function: {
      name: "look",
      description: "looks",
      parameters: { type: "object", properties: { q: { type: "string" } } },
      parse: JSON.parse,
      function: async () => "found",
    },
  },
];

async function readAll(stream: AsyncIterable<unknown>) {
  const parts: unknown[] = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

const surfaces: Record<string, (openai: OpenAI, settings?: CallSettings) => Promise<unknown>> = {
  "chat.completions.create": (openai, settings) => openai.chat.completions.create(chatBody, settings),
  "chat.completions.create stream": async (openai, settings) =>
    await readAll(await openai.chat.completions.create({ ...chatBody, stream: true }, settings)),
  "chat.completions.parse": (openai, settings) =>
    openai.chat.completions.parse({ ...chatBody, response_format: zodResponseFormat(answer, "answer") }, settings),
  "chat.completions.stream": (openai, settings) =>
    openai.chat.completions.stream(chatBody, settings).finalChatCompletion(),
  "chat.completions.runTools": (openai, settings) =>
    openai.chat.completions.runTools({ ...chatBody, max_completion_tokens: 400, tools }, settings).finalContent(),
  "responses.create": (openai, settings) => openai.responses.create(responsesBody, settings),
  "responses.create stream": async (openai, settings) =>
    await readAll(await openai.responses.create({ ...responsesBody, stream: true }, settings)),
  "responses.parse": (openai, settings) =>
    openai.responses.parse({ ...responsesBody, text: { format: zodTextFormat(answer, "answer") } }, settings),
  "responses.stream": (openai, settings) => openai.responses.stream(responsesBody, settings).finalResponse(),
  "embeddings.create": (openai, settings) =>
    openai.embeddings.create({ model: "text-embedding-3-small", input: ["Hello", "you"] }, settings),
};
const names = Object.keys(surfaces);
const call = (name: string, openai: OpenAI, settings?: CallSettings) =>
  surfaces[name]?.(openai, settings) ?? Promise.reject(new Error(name));

describe.each(names)("%s", (name) => {
  it("records what is billed, to the pico-USD", async () => {
    const { openai, tracker } = await setUp("1");
    await call(name, openai);
    expect(simulator.invoice.count).toBe(name.includes("runTools") ? 2 : 1);
    await expectBilledAsRecorded(tracker);
  });

  it("is refused with the very error of the tracker, and nothing is sent", async () => {
    const { openai, denied } = await setUp("0", {}, 2);
    const error = await call(name, openai).catch((caught: unknown) => caught);
    expect(BudgetExceededError.isInstance(denied())).toBe(true);
    expect(findBudgetExceeded(error)).toBe(denied());
    expect(simulator.requests).toBe(0);
  });

  it("holds every retry by itself: refusals cost nothing, answers what they cost", async () => {
    const faults = [
      { kind: "429", at: 1, retryAfter: 0 },
      { kind: "503", at: 2, retryAfter: 0 },
    ] as const;
    const { openai, tracker } = await setUp("1", { faults }, 2);
    await call(name, openai);
    expect(simulator.requests).toBeGreaterThanOrEqual(3);
    await expectBilledAsRecorded(tracker);
  });

  it.each(["500", "502", "disconnect", "cut", "error-chunk", "bad-json", "empty-choices"] as const)(
    "never records less than was billed when it goes wrong: %s",
    async (kind) => {
      const { openai, tracker } = await setUp("1", { faults: [{ kind, times: 1, retryAfter: 0 }] });
      await call(name, openai).catch(() => undefined);
      expect(simulator.requests).toBeGreaterThan(0);
      await expectNeverBelow(tracker);
    },
  );

  it("counts the bound where the response has no usage", async () => {
    const { openai, tracker } = await setUp("1", { usageField: "omitted" });
    await call(name, openai).catch(() => undefined);
    const { exact, boundCallCount } = await tracker.getStats();
    expect(boundCallCount).toBe(simulator.invoice.count);
    expect(exact.spent.picoUsd).toBeGreaterThan(simulator.invoice.totalPicoUsd);
  });

  it("settles once when it is aborted or times out", async () => {
    const { openai, tracker } = await setUp("1", { latencyMs: 60, chunkDelayMs: 5 });
    const abort = new AbortController();
    const aborted = call(name, openai, { signal: abort.signal }).catch(() => undefined);
    await expect.poll(() => simulator.requests, { interval: 1 }).toBe(1);
    abort.abort();
    await aborted;
    await call(name, openai, { timeout: 40 }).catch(() => undefined);
    await call(name, openai, { signal: AbortSignal.abort() }).catch(() => undefined);
    await expect.poll(() => simulator.inFlight).toBe(0);
    await expectNeverBelow(tracker);
    expect((await tracker.getStats()).callCount).toBe(2);
    expect(simulator.requests).toBeLessThanOrEqual(2);
  });

  it("costs nothing when OpenAI refuses for money, and says so", async () => {
    const { openai, tracker } = await setUp("1", { creditPicoUsd: 0n });
    const error = await call(name, openai).catch((caught: unknown) => caught);
    expect(openAiBudgetError(error)).toMatchObject({ provider: "openai", statusCode: 429 });
    simulator.setFaults([{ kind: "402" }]);
    const refused = await call(name, openai).catch((caught: unknown) => caught);
    expect(openAiBudgetError(refused)).toMatchObject({ statusCode: 402 });
    expect((await tracker.getStats()).totalCost).toBe(0);
    await expectBilledAsRecorded(tracker);
  });
});

describe("a metered client", () => {
  it("pays at most 50 of 200 concurrent calls on a budget for 50, and never more than the budget", async () => {
    const { openai, tracker } = await setUp("1", { latencyMs: 2 });
    const ask = () => openai.chat.completions.create(chatBody);
    await ask();
    const perCall = simulator.invoice.totalPicoUsd;
    simulator.reset();
    await tracker.reset();
    await tracker.setBudget(usd.pico(perCall * 50n));
    const outcomes = await Promise.allSettled(Array.from({ length: 200 }, ask));
    const paid = outcomes.filter(({ status }) => status === "fulfilled").length;
    expect(
      outcomes.filter((one) => one.status === "rejected" && BudgetExceededError.isInstance(one.reason)),
    ).toHaveLength(200 - paid);
    expect([paid <= 50, paid > 35]).toEqual([true, true]);
    expect(simulator.requests).toBe(paid);
    expect(simulator.invoice.totalPicoUsd).toBeLessThanOrEqual(perCall * 50n);
    await expectBilledAsRecorded(tracker);
  });

  it("refuses a retry that does not fit any more, with the same error and no further request", async () => {
    const { openai, tracker, denied } = await setUp(oneCall, { faults: [{ kind: "500", retryAfter: 0 }] }, 2);
    const error = await openai.chat.completions.create(chatBody).catch((caught: unknown) => caught);
    expect(error).toBe(denied());
    expect(simulator.requests).toBe(1);
    await expectNeverBelow(tracker);
  });

  it("shows no chunk that its caller did not ask for", async () => {
    const { openai, tracker } = await setUp("1");
    const plain = await readAll(await openai.chat.completions.create({ ...chatBody, stream: true }));
    const hasEmpty = (chunks: unknown[]) => chunks.some((chunk) => (chunk as { choices: [] }).choices.length === 0);
    expect(hasEmpty(plain)).toBe(false);
    const asked = { ...chatBody, stream: true as const, stream_options: { include_usage: true } };
    const whole = await readAll(await openai.chat.completions.create(asked));
    expect(hasEmpty(whole)).toBe(true);
    expect(whole).toHaveLength(plain.length + 1);
    await expectBilledAsRecorded(tracker);
  });

  it("settles when the reader leaves early, never reads, or takes the raw response", async () => {
    const { openai, tracker } = await setUp("1", { chunkDelayMs: 2 });
    for await (const _ of await openai.chat.completions.create({ ...chatBody, stream: true })) break;
    for await (const _ of await openai.responses.create({ ...responsesBody, stream: true })) break;
    await openai.chat.completions.create({ ...chatBody, stream: true });
    await openai.chat.completions.create(chatBody).asResponse();
    const raw = await openai.responses.create({ ...responsesBody, stream: true }).asResponse();
    await raw.body?.cancel();
    await expect.poll(() => simulator.invoice.count).toBe(5);
    await expect.poll(async () => (await tracker.getStats()).callCount).toBe(5);
    await expectNeverBelow(tracker);
    expect((await tracker.getStats()).boundCallCount).toBe(3);
  });

  it("keeps what the client tells of a response: request id, headers, address", async () => {
    const { openai } = await setUp("1");
    const { data, response, request_id } = await openai.chat.completions.create(chatBody).withResponse();
    expect(request_id).toMatch(/^req_/);
    expect(response.url).toBe(`${simulator.openAiUrl}/chat/completions`);
    expect(data).toMatchObject({ _request_id: request_id });
  });

  it("is metered through withOptions, with the options of the clone", async () => {
    const { openai, tracker } = await setUp("1");
    let seen = 0;
    const counted: typeof fetch = (url, init) => {
      seen += 1;
      return fetch(url, init);
    };
    const clone = openai
      .withOptions({ fetch: counted, defaultHeaders: { "x-own": "1" } })
      .withOptions({ timeout: 9000 });
    await clone.chat.completions.create(chatBody);
    expect([seen, clone.timeout]).toEqual([1, 9000]);
    await expectBilledAsRecorded(tracker);
    await tracker.setBudget("0");
    await expect(clone.responses.create(responsesBody)).rejects.toMatchObject({ code: "budget_exceeded" });
    expect([seen, simulator.requests]).toEqual([1, 1]);
  });

  it("keeps the class and the deployments of an Azure client", async () => {
    const { tracker } = await setUp("1");
    const azure = new AzureOpenAI({
      apiKey: "test",
      apiVersion: "2025-04-01-preview",
      endpoint: simulator.url,
      deployment: "prod",
      maxRetries: 0,
    });
    const costs = openAiCosts({ prices: { prod: { input: "0.15", output: "0.60", maxOutputTokens: 16_384 } } });
    const openai = meterOpenAI(azure, { tracker, costs });
    expect(openai).toBeInstanceOf(AzureOpenAI);
    const unknown = await openai.chat.completions.create(chatBody).catch((error: unknown) => error);
    expect(unknown).toMatchObject({ status: 404 });
    await simulator.close();

    const models = { prod: { promptUsdPerMillion: "0.15", completionUsdPerMillion: "0.60" } };
    simulator = await startSimulator({ models });
    const moved = openai.withOptions({ baseURL: `${simulator.url}/openai` });
    expect(moved).toBeInstanceOf(AzureOpenAI);
    // The path decides which deployment serves, not the dearer or cheaper model that the body names.
    await moved.chat.completions.create({ ...chatBody, model: "gpt-4.1-nano" });
    await readAll(await moved.chat.completions.create({ ...chatBody, stream: true }));
    expect(simulator.invoice.lines.map((line) => line.model)).toEqual(["prod", "prod"]);
    await expectBilledAsRecorded(tracker);
  });

  it("counts the bound of what Azure refuses after looking at it, since Azure bills that", async () => {
    const body = { error: { code: "content_filter", message: "filtered", status: 400 } };
    const { tracker } = await setUp("1", { faults: [{ kind: "400", body }] });
    const azure = new AzureOpenAI({ apiKey: "test", apiVersion: "v", endpoint: simulator.url, maxRetries: 0 });
    await expect(meterOpenAI(azure, { tracker }).chat.completions.create(chatBody)).rejects.toThrow("filtered");
    expect((await tracker.getStats()).boundCallCount).toBe(1);
  });

  it("sends the output cap of its bound, lowered to what is affordable where that is asked for", async () => {
    const { openai, tracker } = await setUp("1");
    const sent: Record<string, unknown>[] = [];
    const recording = (budgeted: CostTracker) =>
      meterOpenAI(
        new OpenAI({
          apiKey: "test",
          baseURL: simulator.openAiUrl,
          fetch: (url, init) => {
            sent.push(JSON.parse(init?.body as string) as Record<string, unknown>);
            return fetch(url as string, init);
          },
        }),
        { tracker: budgeted },
      );
    const { chat, responses } = recording(tracker);
    await chat.completions.create({ model, messages });
    await chat.completions.create({ model, messages, max_tokens: 7 });
    await responses.create({ model, input: "x" });
    expect(sent).toMatchObject([{ max_completion_tokens: 16_384 }, { max_tokens: 7 }, { max_output_tokens: 16_384 }]);
    expect(sent[1]).not.toHaveProperty("max_completion_tokens");
    const clamped = recording(new CostTracker({ budget: "0.00015", onInsufficient: "clamp" }));
    await clamped.chat.completions.create({ model, messages, max_tokens: 9000 });
    expect(sent[3]?.max_tokens).toBeGreaterThan(50);
    expect(sent[3]?.max_tokens).toBeLessThan(200);
    expect(openai.baseURL).toBe(simulator.openAiUrl);
  });

  it("bills all answers of n, within a bound for all of them", async () => {
    const { openai, tracker } = await setUp("1");
    await openai.chat.completions.create({ ...chatBody, n: 3 });
    await expectBilledAsRecorded(tracker);
  });

  it("counts cached input once", async () => {
    const { openai, tracker } = await setUp("1");
    const system = { role: "system" as const, content: "word ".repeat(1500) };
    for (const content of ["one", "two"]) {
      await openai.chat.completions.create({ ...chatBody, messages: [system, { role: "user", content }] });
    }
    expect(simulator.invoice.lines[1]?.cachedTokens).toBeGreaterThan(1000);
    await expectBilledAsRecorded(tracker);
  });

  it("must fit the budgets around the call", async () => {
    const { openai, tracker } = await setUp("1");
    const user = tracker.child({ name: "user", budget: "0" });
    const ask = () => openai.chat.completions.create(chatBody);
    await expect(runWithBudget(user, ask)).rejects.toMatchObject({ code: "budget_exceeded" });
    expect(simulator.requests).toBe(0);
  });

  it("frees the hold of a call that waits and is given up", async () => {
    const { openai, tracker } = await setUp(oneCall, { latencyMs: 80 });
    const first = openai.chat.completions.create(chatBody);
    await expect.poll(() => simulator.requests).toBe(1);
    const abort = new AbortController();
    const second = openai.chat.completions.create(chatBody, { signal: abort.signal });
    setTimeout(() => abort.abort(), 5);
    await expect(second).rejects.toBeInstanceOf(OpenAI.APIUserAbortError);
    await first;
    await expectBilledAsRecorded(tracker);
  });

  it("does not take its caller's reason to abort for a refusal by OpenAI", async () => {
    const { openai, tracker } = await setUp("1", { latencyMs: 20, chunkDelayMs: 20 });
    const reason = Object.assign(new Error("another call was limited"), { statusCode: 429, code: "ECONNREFUSED" });
    for (const stream of [false, true]) {
      const abort = new AbortController();
      const sent = simulator.requests;
      const asked = openai.chat.completions.create({ ...chatBody, stream }, { signal: abort.signal });
      await expect.poll(() => simulator.requests, { interval: 1 }).toBe(sent + 1);
      const answer = stream ? await asked : asked;
      abort.abort(reason);
      await Promise.resolve(answer).catch(() => undefined);
    }
    await expect.poll(() => simulator.invoice.count).toBe(2);
    await expectNeverBelow(tracker);
    expect((await tracker.getStats()).boundCallCount).toBe(2);
  });

  it("frees the hold of a call that is given up right before it is sent, however late", async () => {
    const { tracker } = await setUp("1");
    for (let ticks = 0; ticks < 12; ticks++) {
      const abort = new AbortController();
      const ledger = new MemoryLedger();
      const mark = ledger.markDispatched.bind(ledger);
      ledger.markDispatched = async (id) => {
        await mark(id);
        void (async () => {
          for (let tick = 0; tick < ticks; tick++) await Promise.resolve();
          abort.abort();
        })();
      };
      const own = new CostTracker({ budget: "1", ledger });
      const openai = meterOpenAI(new OpenAI({ apiKey: "test", baseURL: simulator.openAiUrl }), { tracker: own });
      const given = openai.chat.completions.create(chatBody, { signal: abort.signal });
      await expect(given).rejects.toBeInstanceOf(OpenAI.APIUserAbortError);
      const { held, callCount, boundCallCount } = await own.getStats();
      expect([held, callCount]).toEqual([0, boundCallCount]);
    }
    expect((await tracker.getStats()).callCount).toBe(0);
  });

  it("frees the hold when the client fails between its last hook and its fetch", async () => {
    class Unauthorized extends OpenAI {
      override async fetchWithTimeout(): Promise<Response> {
        throw new Error("no token");
      }
    }
    const { tracker } = await setUp("1");
    const client = new Unauthorized({ apiKey: "test", baseURL: simulator.openAiUrl, maxRetries: 0 });
    await expect(meterOpenAI(client, { tracker }).chat.completions.create(chatBody)).rejects.toThrow();
    expect(await tracker.getStats()).toMatchObject({ held: 0, callCount: 0 });
  });

  it("frees the hold when nothing was sent because the connection was refused", async () => {
    const { openai, tracker } = await setUp("1");
    const gone = await startSimulator();
    await gone.close();
    const nowhere = openai.withOptions({ baseURL: gone.openAiUrl });
    await expect(nowhere.chat.completions.create(chatBody)).rejects.toBeInstanceOf(OpenAI.APIConnectionError);
    await expectBilledAsRecorded(tracker);
    expect((await tracker.getStats()).callCount).toBe(0);
  });
});

describe("whatever fails", () => {
  it.each([1, 2, 3])("is never billed above the budget, and never recorded below the bill (seed %i)", async (seed) => {
    const faults = (
      ["429", "500", "503", "disconnect", "cut", "error-chunk", "bad-json", "empty-choices"] as const
    ).map((kind) => ({ kind, rate: 0.06, retryAfter: 0 }));
    const options = { seed, faults, latencyMs: { median: 3, p99: 12 }, chunkDelayMs: 1, billsAfterAbort: seed !== 2 };
    const budget = usd.pico(oneCall.picoUsd * 40n);
    const { openai, tracker } = await setUp(budget, options, 1);
    const settings = (index: number): CallSettings => {
      if (index % 7 === 0) return { signal: AbortSignal.timeout(index % 25) };
      return index % 11 === 0 ? { timeout: 12 } : {};
    };
    const calls = Array.from({ length: 300 }, (_, index) =>
      call(names[(index * seed) % names.length] as string, openai, settings(index)).catch(() => undefined),
    );
    await Promise.all(calls);
    await expect.poll(() => simulator.inFlight).toBe(0);
    await expectNeverBelow(tracker);
    expect(simulator.invoice.count).toBeGreaterThan(50);
    expect(simulator.invoice.totalPicoUsd).toBeLessThanOrEqual(budget.picoUsd);
    const { exact } = await tracker.getStats();
    expect(exact.spent.picoUsd).toBeLessThanOrEqual(budget.picoUsd);
  });
});
