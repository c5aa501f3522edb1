import type { LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { describe, expect, it } from "vitest";
import { boundReceipt, type CostExtractor } from "../costs.ts";
import { CostTracker } from "../tracker/cost-tracker.ts";
import { settled } from "./lookups.ts";
import { openCall } from "./meter-call.ts";
import { meterStream } from "./meter-stream.ts";

const bound = 1000n;
const trueCost = 250n;
/** Knows the cost when the finish part told the usage; otherwise only the bound. */
const costs: CostExtractor = {
  provider: "test",
  quote: () => ({ boundPicoUsd: bound }),
  receipt: (outcome) =>
    outcome.result?.usage || outcome.result?.body ? { costPicoUsd: trueCost, modelId: "m" } : boundReceipt(outcome),
};

const deltas = ["a", "b", "c"].map((delta): LanguageModelV4StreamPart => ({ type: "text-delta", id: "0", delta }));
const finish = {
  type: "finish",
  usage: { inputTokens: { total: 1 }, outputTokens: { total: 1 } },
  finishReason: { unified: "stop", raw: "stop" },
} as unknown as LanguageModelV4StreamPart;
const whole: LanguageModelV4StreamPart[] = [{ type: "stream-start", warnings: [] }, ...deltas, finish];

/** A provider's stream: its parts one a turn, then its end: closed, cut by an error, or silent for ever. */
function source(parts: LanguageModelV4StreamPart[], end: "close" | "cut" | "hang") {
  const queue = [...parts];
  const stream = new ReadableStream<LanguageModelV4StreamPart>({
    async pull(controller) {
      await Promise.resolve();
      const part = queue.shift();
      if (part) controller.enqueue(part);
      else if (end === "close") controller.close();
      else if (end === "cut") controller.error(new Error("ECONNRESET"));
      else await new Promise(() => {});
    },
  });
  return { stream };
}

async function meter(parts: LanguageModelV4StreamPart[], end: "close" | "cut" | "hang", signal?: AbortSignal) {
  const tracker = new CostTracker({ budget: "1" });
  const settlements: bigint[] = [];
  tracker.on("spend", ({ receipt }) => settlements.push(receipt.costPicoUsd));
  const open = await openCall({ tracker, costs }, { surface: "stream", modelId: "m", request: {} }, signal);
  const { stream } = meterStream(source(parts, end), open, signal);
  return { tracker, stream, settlements };
}

const raw = (rawValue: unknown): LanguageModelV4StreamPart => ({ type: "raw", rawValue });
const counted = { usage: { total_tokens: 3 } };

async function read(stream: ReadableStream<LanguageModelV4StreamPart>, most = Number.POSITIVE_INFINITY) {
  const seen: string[] = [];
  const reader = stream.getReader();
  while (seen.length < most) {
    const { done, value } = await reader.read();
    if (done) break;
    seen.push(value.type);
  }
  return { seen, reader };
}

const everyIndex = Array.from({ length: whole.length + 1 }, (_, index) => index);

describe("meterStream settles exactly once", () => {
  it("at the finish part, with the true cost, and passes every part on", async () => {
    const { tracker, stream, settlements } = await meter(whole, "close");
    expect((await read(stream)).seen).toEqual(whole.map(({ type }) => type));
    expect(settlements).toEqual([trueCost]);
    expect((await tracker.getStats()).held).toBe(0);
  });

  it.each(everyIndex)(
    "when the reader cancels after %i parts: the true cost, because the provider goes on",
    async (index) => {
      const { tracker, stream, settlements } = await meter(whole, "close");
      const { reader } = await read(stream, index);
      await reader.cancel();
      await settled(tracker);
      expect(settlements).toEqual([trueCost]);
    },
  );

  it("when nobody reads", async () => {
    const { tracker, settlements } = await meter(whole, "close");
    await settled(tracker);
    expect(settlements).toEqual([trueCost]);
  });

  it.each(everyIndex)("when it is aborted after %i parts: the bound, unless the cost was known", async (index) => {
    const abort = new AbortController();
    const { tracker, stream, settlements } = await meter(whole.slice(0, index), "hang", abort.signal);
    await read(stream, index);
    abort.abort(new Error("stop"));
    await settled(tracker);
    expect(settlements).toEqual([index === whole.length ? trueCost : bound]);
  });

  it.each(everyIndex)(
    "when the connection is cut after %i parts: the bound, unless the cost was known",
    async (index) => {
      const { stream, settlements } = await meter(whole.slice(0, index), "cut");
      await expect(read(stream)).rejects.toThrow("ECONNRESET");
      expect(settlements).toEqual([index === whole.length ? trueCost : bound]);
    },
  );

  it.each(everyIndex)("when it ends after %i parts without a finish part", async (index) => {
    const { stream, settlements } = await meter(whole.slice(0, index), "close");
    await read(stream);
    expect(settlements).toEqual([index === whole.length ? trueCost : bound]);
  });

  it("after an error part: by what the provider told, else at the bound", async () => {
    const error: LanguageModelV4StreamPart = { type: "error", error: new Error("overloaded") };
    const told = await meter([...deltas, error, finish], "close");
    await read(told.stream);
    expect(told.settlements).toEqual([trueCost]);
    const silent = await meter([...deltas, error], "close");
    await read(silent.stream);
    expect(silent.settlements).toEqual([bound]);
  });

  it.each([0, 1])("at the bound after %i deltas and an error part that looks like a refusal", async (count) => {
    const refusal: LanguageModelV4StreamPart = { type: "error", error: { statusCode: 429 } };
    const { stream, settlements } = await meter([...deltas.slice(0, count), refusal], "close");
    await read(stream);
    // The status is none of HTTP: the answer had begun, and what was generated may not have been shown.
    expect(settlements).toEqual([bound]);
  });

  it("frees the hold when the provider package knows the error part for a refusal", async () => {
    const refusal = (_error: unknown, isInAnswer?: boolean) => (isInAnswer ? "no money" : undefined);
    const tracker = new CostTracker({ budget: "1" });
    const open = await openCall(
      { tracker, costs: { ...costs, refusal } },
      { surface: "stream", modelId: "m", request: {} },
    );
    await read(meterStream(source([{ type: "error", error: {} }], "close"), open, undefined).stream);
    await settled(tracker);
    expect(await tracker.getStats()).toMatchObject({ held: 0, totalCost: 0, callCount: 0 });
  });

  it("takes the usage of a raw chunk at the stream's end, even beside an error that would be a refusal", async () => {
    const refusal: LanguageModelV4StreamPart = { type: "error", error: { statusCode: 429 } };
    const { stream, settlements } = await meter([raw(null), raw(counted), refusal], "close");
    await read(stream);
    expect(settlements).toEqual([trueCost]);
  });

  it("takes none from a raw chunk in mid-stream, which may be a running count", async () => {
    const abort = new AbortController();
    const { stream, settlements } = await meter([raw(counted), ...deltas], "hang", abort.signal);
    await read(stream, 4);
    abort.abort(new Error("stop"));
    await expect.poll(() => settlements).toEqual([bound]);
    const cut = await meter([raw(counted), ...deltas], "cut");
    await expect(read(cut.stream)).rejects.toThrow("ECONNRESET");
    expect(cut.settlements).toEqual([bound]);
  });

  const choice = (finish_reason: string | null) => ({ ...counted, choices: [{ delta: {}, finish_reason }] });
  it.each<[string, unknown[], bigint]>([
    ["a running count, when the answer had not ended", [choice(null), choice(null)], bound],
    ["the count that comes with the reason to stop", [choice(null), choice("stop")], trueCost],
    [
      "the count that comes after it, beside an empty choice",
      [{ choices: [{ finish_reason: "stop" }] }, choice(null)],
      trueCost,
    ],
    ["the count that comes with no choice", [choice(null), { ...counted, choices: [] }], trueCost],
    ["the count that comes with an error", [{ ...choice(null), error: { code: 502 } }], trueCost],
  ])("by %s", async (_name, chunks, cost) => {
    // The finish part that the AI SDK makes of an early end has the last count that it saw.
    const { stream, settlements } = await meter([...deltas, ...chunks.map(raw), finish], "close");
    await read(stream);
    expect(settlements).toEqual([cost]);
  });

  it("when the signal was aborted before the stream began", async () => {
    const abort = new AbortController();
    const tracker = new CostTracker({ budget: "1" });
    const open = await openCall({ tracker, costs }, { surface: "stream", modelId: "m", request: {} });
    abort.abort(new Error("early"));
    const { stream } = meterStream(source(whole, "hang"), open, abort.signal);
    await expect(read(stream)).rejects.toThrow("early");
    await expect.poll(async () => (await tracker.getStats()).exact.spent.picoUsd).toBe(bound);
  });
});
