import type { CallResult } from "@autolabel/budget-core";
import { describe, expect, it } from "vitest";
import { readBody } from "./openai-body.ts";
import type { Endpoint } from "./openai-doors.ts";
import { watchResponse } from "./watch-response.ts";

const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
const data = (value: unknown) => `data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`;
const delta = { model: "m", choices: [{ delta: { content: "é" } }] };
const totals = { model: "m", choices: [], usage };

/** Passes a body in pieces of so many bytes and gives what the caller saw and what was recorded. */
async function pass(
  text: string,
  options: { endpoint?: Endpoint; type?: string; bytes?: number; asks?: boolean } = {},
) {
  const { endpoint = "/chat/completions", type = "text/event-stream", bytes = 7, asks = false } = options;
  const target = { path: "", deployment: undefined, isOpenAi: false };
  const body = { model: "m", stream: true, ...(asks ? { stream_options: { include_usage: true } } : {}) };
  const results: CallResult[] = [];
  let failures = 0;
  const watch = watchResponse(type, readBody(endpoint, JSON.stringify(body), target), {
    onResult: async (result) => {
      results.push(result);
    },
    onFailure: async () => {
      failures += 1;
    },
  });
  const whole = new TextEncoder().encode(text);
  const seen: Uint8Array[] = [];
  for (let from = 0; from < whole.length; from += bytes) seen.push(await watch.pass(whole.slice(from, from + bytes)));
  seen.push(await watch.end());
  return { seen: Buffer.concat(seen).toString(), first: results[0], failures };
}

describe("a watched stream of chat completions", () => {
  it.each([1, 3, 1000])("is the same for its caller but for the usage chunk, in pieces of %i bytes", async (bytes) => {
    const before = `: ping\n\n${data(delta)}`;
    const { seen, first } = await pass(`${before}${data(totals)}${data("[DONE]")}`, { bytes });
    expect(seen).toBe(`${before}${data("[DONE]")}`);
    expect(first).toEqual({ modelId: "m", body: { model: "m", usage } });
    const asked = await pass(`${before}${data(totals)}${data("[DONE]")}`, { bytes, asks: true });
    expect(asked.seen).toBe(`${before}${data(totals)}${data("[DONE]")}`);
  });

  it("takes a running usage for final only at the end mark", async () => {
    const running = data({ ...delta, usage: { ...usage, completion_tokens: 1, total_tokens: 4 } });
    expect((await pass(running)).first).toBeUndefined();
    const { first } = await pass(`${running}${data({ ...delta, usage })}${data("[DONE]")}`);
    expect(first?.body).toMatchObject({ usage });
  });

  it("keeps chunks without choices that are no usage chunks, such as Azure's first", async () => {
    const filters = data({ model: "", choices: [], prompt_filter_results: [], usage: null });
    expect((await pass(filters + data(totals))).seen).toBe(filters);
  });

  it("reads line ends of both kinds, and a last chunk that has none", async () => {
    const windows = data(totals).replaceAll("\n", "\r\n");
    expect(await pass(windows)).toMatchObject({ seen: "", first: { modelId: "m" } });
    expect(await pass(data(totals).trimEnd())).toMatchObject({ seen: "", first: { modelId: "m" } });
    expect(await pass('data: {"cut')).toMatchObject({ seen: 'data: {"cut', first: undefined, failures: 1 });
  });
});

describe("a watched stream of responses", () => {
  it.each(["response.completed", "response.incomplete", "response.failed"])("ends with %s", async (type) => {
    const response = { model: "m", service_tier: "default", usage: { input_tokens: 3, output_tokens: 2 } };
    const text = `event: ${type}\n${data({ type: "response.created", response: { usage: null } })}${data({ type, response })}`;
    const { seen, first } = await pass(text, { endpoint: "/responses" });
    expect(seen).toBe(text);
    expect(first).toEqual({ modelId: "m", body: response });
  });

  it("has no result after an error", async () => {
    const { first, failures } = await pass(data({ type: "error", message: "x" }), { endpoint: "/responses" });
    expect([first, failures]).toEqual([undefined, 1]);
  });
});

describe("a watched JSON body", () => {
  it("is read at its end", async () => {
    const text = JSON.stringify({ model: "m", usage, choices: ["é"] });
    const { seen, first } = await pass(text, { type: "application/json" });
    expect([seen, first?.body]).toEqual([text, { model: "m", usage }]);
    expect(await pass("<html>", { type: "text/html" })).toMatchObject({ first: undefined, failures: 1 });
  });
});
