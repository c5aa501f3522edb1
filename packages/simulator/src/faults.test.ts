import { describe, expect, it } from "vitest";
import { type Fault, FaultPlan } from "./faults.ts";
import { chat, eventually, framesOf, post, type StreamChunk, simulate, userBody } from "./test-client.ts";

const WORDS = "one two three four five six";
const choice = {
  response_format: {
    type: "json_schema",
    json_schema: { name: "r", schema: { type: "object", properties: { result: { enum: ["yes", "no"] } } } },
  },
};

describe("which request a fault hits", () => {
  it.each<[Omit<Fault, "kind">, number[]]>([
    [{}, [1, 2, 3, 4, 5, 6]],
    [{ at: 2 }, [2]],
    [{ at: [1, 5] }, [1, 5]],
    [{ every: 3 }, [3, 6]],
    [{ times: 2 }, [1, 2]],
    [{ promptIncludes: "row 4" }, [4]],
    [{ rate: 0 }, []],
    [{ rate: 1, at: [2, 3], times: 1 }, [2]],
  ])("%o", (conditions, expected) => {
    const plan = new FaultPlan("seed", [{ kind: "500", ...conditions }]);
    const indices = [1, 2, 3, 4, 5, 6];
    expect(indices.filter((index) => plan.strike({ index, promptText: `row ${index}` }))).toEqual(expected);
  });

  it("is the same share for the same seed", () => {
    const hitsOf = (seed: string) => {
      const plan = new FaultPlan(seed, [{ kind: "500", rate: 0.3 }]);
      return Array.from({ length: 1000 }, (_, index) => plan.strike({ index, promptText: "" }) !== undefined);
    };
    expect(hitsOf("a")).toEqual(hitsOf("a"));
    expect(hitsOf("a")).not.toEqual(hitsOf("b"));
    expect(Math.abs(hitsOf("a").filter(Boolean).length - 300)).toBeLessThan(60);
  });
});

describe("faults that are not billed", () => {
  it.each(["401", "402", "429", "500", "502", "503"] as const)("status %s on both wires", async (kind) => {
    const simulator = await simulate({ faults: [{ kind, retryAfter: 7, times: 2 }] });
    const response = await post(simulator, userBody("x"));
    expect([response.status, response.headers.get("retry-after")]).toEqual([Number(kind), "7"]);
    expect(await response.json()).toMatchObject({ error: { code: Number(kind) } });
    const openAi = await post(simulator, userBody("x", { model: "gpt-4o" }), { path: "/v1/chat/completions" });
    expect(openAi.status).toBe(Number(kind));
    expect((await post(simulator, userBody("x"))).status).toBe(200);
    expect([simulator.requests, simulator.invoice.count]).toEqual([3, 1]);
  });

  it("a body of one's own", async () => {
    const simulator = await simulate({ faults: [{ kind: "502", body: "<html>bad gateway</html>" }] });
    expect(await (await post(simulator, userBody("x"))).text()).toBe("<html>bad gateway</html>");
  });

  it("disconnect", async () => {
    const simulator = await simulate({ faults: [{ kind: "disconnect" }] });
    await expect(post(simulator, userBody("x"))).rejects.toThrow();
    expect([simulator.requests, simulator.invoice.count]).toEqual([1, 0]);
  });

  it("timeout, held until the client leaves", async () => {
    const simulator = await simulate({ faults: [{ kind: "timeout" }] });
    const leave = new AbortController();
    const asked = post(simulator, userBody("x"), { signal: leave.signal });
    await eventually(() => simulator.inFlight === 1);
    leave.abort();
    await expect(asked).rejects.toThrow();
    await eventually(() => simulator.inFlight === 0);
    expect(simulator.invoice.count).toBe(0);
  });

  it("setFaults changes them between requests", async () => {
    const simulator = await simulate();
    simulator.setFaults([{ kind: "500", times: 1 }]);
    expect((await post(simulator, userBody("x"))).status).toBe(500);
    simulator.setFaults([]);
    expect((await post(simulator, userBody("x"))).status).toBe(200);
  });
});

describe("faults that are billed", () => {
  it.each([true, false])("cut in mid-body (stream: %s)", async (stream) => {
    const simulator = await simulate({ faults: [{ kind: "cut", afterChunks: 2 }], answer: () => WORDS });
    const response = await post(simulator, userBody("x", { stream }));
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
    expect(simulator.invoice.lines).toMatchObject([{ outcome: "cut", completionTokens: 7 }]);
  });

  it("cut, billed only as far as it came when billing stops with the client", async () => {
    const options = { answer: () => WORDS, billsAfterAbort: false };
    const simulator = await simulate({ ...options, faults: [{ kind: "cut", afterChunks: 2 }] });
    const response = await post(simulator, userBody("x", { stream: true }));
    await expect(response.text()).rejects.toThrow();
    expect(simulator.invoice.lines).toMatchObject([{ outcome: "cut", promptTokens: 4, completionTokens: 2 }]);
  });

  it.each([true, false])("stall, silent from mid-body on until the client leaves (stream: %s)", async (stream) => {
    const simulator = await simulate({ faults: [{ kind: "stall", afterChunks: 2 }], answer: () => WORDS });
    const leave = new AbortController();
    const response = await post(simulator, userBody("x", { stream }), { signal: leave.signal });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const wanted = stream ? "two" : '"object"';
    for (let text = ""; !text.includes(wanted); ) text += (await reader?.read())?.value ?? "";
    expect(simulator.inFlight).toBe(1);
    leave.abort();
    await eventually(() => simulator.inFlight === 0);
    expect(simulator.invoice.lines).toMatchObject([{ outcome: "aborted", completionTokens: 7 }]);
  });

  it.each([
    [true, 0],
    [true, 6],
    [false, 2],
  ])("stall, and then go on as if nothing had been (stream: %s, after %i)", async (stream, afterChunks) => {
    const simulator = await simulate({ faults: [{ kind: "stall", afterChunks, at: 1 }], answer: () => WORDS });
    const response = await post(simulator, userBody("x", { stream }));
    simulator.resume();
    const other = await post(simulator, userBody("x", { stream }));
    const words = (text: string) => text.match(/"content":"[^"]+"/g);
    expect(words(await response.text())).toEqual(words(await other.text()));
    expect(simulator.invoice.lines.map(({ outcome }) => outcome)).toEqual(["completed", "completed"]);
  });

  it.each([
    [true, 0, 0],
    [true, 3, 3],
    [false, 0, 0],
  ])("eof, a body that ends early without an error (stream: %s, after %i)", async (stream, afterChunks, count) => {
    const simulator = await simulate({ faults: [{ kind: "eof", afterChunks }], answer: () => WORDS });
    const text = await (await post(simulator, userBody("x", { stream }))).text();
    expect(framesOf(text)).toHaveLength(count);
    if (!stream) expect(text).toBe("");
    expect(simulator.invoice.lines).toMatchObject([{ outcome: "cut", completionTokens: 7 }]);
  });

  it("error-chunk in mid-stream, with the usage that is billed", async () => {
    const simulator = await simulate({ faults: [{ kind: "error-chunk", afterChunks: 3 }], answer: () => WORDS });
    const frames = framesOf(await (await post(simulator, userBody("x", { stream: true }))).text()) as StreamChunk[];
    expect(frames).toHaveLength(4);
    expect(frames[3]).toMatchObject({ error: { code: 502 }, choices: [{ finish_reason: "error" }] });
    expect(frames[3]?.usage).toMatchObject({ completion_tokens: 4 });
    expect(simulator.invoice.lines).toMatchObject([{ outcome: "error", completionTokens: 4 }]);
  });

  it.each([
    ["/api/v1/chat/completions", "openai/gpt-4o-mini"],
    ["/v1/chat/completions", "gpt-4o-mini"],
    ["/v1/responses", "gpt-4o-mini"],
  ])("error-chunk with an error of one's own: %s", async (path, model) => {
    const simulator = await simulate({ faults: [{ kind: "error-chunk", body: { code: 429, message: "Slow down" } }] });
    const body = { ...userBody("x", { model, stream: true }), input: "x" };
    const text = await (await post(simulator, body, { path })).text();
    expect(text.split("\n\n").at(-2)).toMatch(/"code":429,"message":"Slow down"/);
  });

  it("error inside an unstreamed 200", async () => {
    const simulator = await simulate({ faults: [{ kind: "error-chunk" }] });
    const reply = await chat(simulator, userBody("x"));
    expect(reply.error.code).toBe(502);
    expect(simulator.invoice.totalPicoUsd).toBe(BigInt(Math.round((reply.usage.cost ?? 0) * 1e12)));
  });

  it.each([true, false])("bad-json (stream: %s)", async (stream) => {
    const simulator = await simulate({ faults: [{ kind: "bad-json" }] });
    const text = await (await post(simulator, userBody("x", { stream }))).text();
    expect(() => JSON.parse(text.split("data: ").at(-1) ?? "") as unknown).toThrow(SyntaxError);
    expect(simulator.invoice.lines).toMatchObject([{ outcome: "error" }]);
  });

  it.each([true, false])("bad-schema, with its usage (stream: %s)", async (stream) => {
    const simulator = await simulate({ faults: [{ kind: "bad-schema" }] });
    const text = await (await post(simulator, userBody("x", { stream }))).text();
    expect(text).toContain('"choices":"?"');
    expect(text).toContain('"cost":');
    expect(simulator.invoice.lines).toMatchObject([{ outcome: "error" }]);
  });

  it("a status after generation, with its usage unless it has a body of its own", async () => {
    const body = { error: { code: "content_filter" } };
    const billed = [
      { kind: "500", isBilled: true, at: 1 },
      { kind: "400", isBilled: true, body },
    ] as const;
    const simulator = await simulate({ faults: billed });
    const told = await post(simulator, userBody("x"));
    expect(told.status).toBe(500);
    expect(await told.json()).toMatchObject({ error: { code: 500 }, usage: { prompt_tokens: 4 } });
    expect(await (await post(simulator, userBody("x"))).json()).toEqual(body);
    expect(simulator.invoice.lines).toMatchObject([{ outcome: "error" }, { outcome: "error" }]);
  });

  it("empty-choices", async () => {
    const simulator = await simulate({ faults: [{ kind: "empty-choices" }] });
    expect((await chat(simulator, userBody("x"))).choices).toEqual([]);
    expect(simulator.invoice.count).toBe(1);
  });

  it("invalid-label", async () => {
    const simulator = await simulate({ faults: [{ kind: "invalid-label", at: 1 }] });
    const reply = await chat(simulator, userBody("x", choice));
    expect(reply.choices[0]?.message.content).toBe('{"result":"not_a_label"}');
    expect(simulator.invoice.lines).toMatchObject([{ outcome: "completed" }]);
  });

  it("slow, answered properly in the end", async () => {
    const simulator = await simulate({ faults: [{ kind: "slow", ms: 30 }] });
    const before = performance.now();
    expect((await post(simulator, userBody("x"))).status).toBe(200);
    expect(performance.now() - before).toBeGreaterThan(25);
  });
});

describe("clients that leave", () => {
  it.each([
    [true, 7],
    [false, 0],
  ])("while waiting for the answer (billsAfterAbort: %s)", async (billsAfterAbort, completionTokens) => {
    let isGenerating = false;
    const answer = () => {
      isGenerating = true;
      return WORDS;
    };
    const simulator = await simulate({ latencyMs: 60_000, billsAfterAbort, answer });
    const leave = new AbortController();
    const asked = post(simulator, userBody("x"), { signal: leave.signal });
    await eventually(() => isGenerating);
    leave.abort();
    await expect(asked).rejects.toThrow();
    await eventually(() => simulator.invoice.count === 1);
    expect(simulator.invoice.lines).toMatchObject([{ outcome: "aborted", promptTokens: 4, completionTokens }]);
  });

  it.each([true, false])("in mid-stream, and can ask for the cost later (billsAfterAbort: %s)", async (bills) => {
    const simulator = await simulate({ chunkDelayMs: 20, billsAfterAbort: bills, answer: () => "word ".repeat(200) });
    const leave = new AbortController();
    const response = await post(simulator, userBody("x", { stream: true }), { signal: leave.signal });
    const reader = response.body?.getReader();
    await reader?.read();
    leave.abort();
    await eventually(() => simulator.invoice.count === 1);
    const [line] = simulator.invoice.lines;
    expect(line?.outcome).toBe("aborted");
    if (bills) expect(line?.completionTokens).toBe(200);
    else expect(line?.completionTokens).toBeLessThan(100);
    const id = response.headers.get("x-generation-id");
    const told = await (await fetch(`${simulator.openRouterUrl}/generation?id=${id}`)).json();
    expect(told).toMatchObject({ data: { cancelled: true, tokens_completion: line?.completionTokens } });
  });

  it("right after the end mark were served completely", async () => {
    const simulator = await simulate();
    const leave = new AbortController();
    const response = await post(simulator, userBody("x", { stream: true }), { signal: leave.signal });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = ""; !text.includes("[DONE]"); ) text += (await reader?.read())?.value ?? "";
    leave.abort();
    await eventually(() => simulator.inFlight === 0);
    expect(simulator.invoice.lines).toMatchObject([{ outcome: "completed" }]);
  });

  it("because the simulator closes are billed as aborted", async () => {
    const simulator = await simulate({ latencyMs: 60_000 });
    const response = await post(simulator, userBody("x", { stream: true }));
    await simulator.close();
    await expect(response.text()).rejects.toThrow();
    expect(simulator.invoice.lines).toMatchObject([{ outcome: "aborted" }]);
  });
});

describe("rate limits", () => {
  it("refuse with 429, say when to come again, and let through after a minute", async () => {
    let nowMs = 1_000_000;
    const simulator = await simulate({ limits: { requestsPerMinute: 2 }, now: () => nowMs });
    expect((await post(simulator, userBody("x"))).headers.get("x-ratelimit-remaining-requests")).toBe("1");
    nowMs += 20_000;
    expect((await post(simulator, userBody("x"))).status).toBe(200);
    const refused = await post(simulator, userBody("x"));
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "40"]);
    nowMs += 40_000;
    expect((await post(simulator, userBody("x"))).status).toBe(200);
    expect(simulator.invoice.count).toBe(3);
  });

  it("count prompt tokens", async () => {
    const simulator = await simulate({ limits: { tokensPerMinute: 6 } });
    expect((await post(simulator, userBody("x"))).headers.get("x-ratelimit-remaining-tokens")).toBe("2");
    expect((await post(simulator, userBody("x"))).status).toBe(429);
  });

  it("count requests at the same time", async () => {
    const simulator = await simulate({ limits: { maxConcurrent: 3 }, latencyMs: 50 });
    const replies = await Promise.all(Array.from({ length: 5 }, () => post(simulator, userBody("x"))));
    expect(replies.filter((reply) => reply.status === 200).length).toBeGreaterThanOrEqual(3);
    expect(replies.filter((reply) => reply.status === 429).length).toBeGreaterThan(0);
  });
});
