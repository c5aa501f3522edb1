import { hash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { parsePicoUsd } from "./pico-usd.ts";
import { chat, framesOf, get, post, type StreamChunk, simulate, userBody } from "./test-client.ts";

const openAi = { path: "/v1/chat/completions" };

describe("the invoice", () => {
  it("has one line per billed request and sums to what the responses report, to the pico-USD", async () => {
    const simulator = await simulate({ latencyMs: { median: 2, p99: 8 } });
    const models = ["openai/gpt-4o-mini", "openai/gpt-4.1-nano", "anthropic/claude-haiku-4.5", "openai/gpt-5-mini"];
    const texts = await Promise.all(
      Array.from({ length: 60 }, async (_, row) => {
        const response = await post(simulator, userBody(`row ${row}`, { model: models[row % models.length] }));
        return response.text();
      }),
    );
    const reported = texts.map((text) => /"cost":([\d.]+),/.exec(text)?.[1] ?? "");
    expect(reported.every((cost) => /^\d+\.\d+$/.test(cost))).toBe(true);
    expect(simulator.invoice.count).toBe(60);
    expect(simulator.invoice.totalPicoUsd).toBe(reported.reduce((sum, cost) => sum + parsePicoUsd(cost), 0n));
    expect(new Set(simulator.invoice.lines.map((line) => line.promptHash)).size).toBe(60);
    expect(simulator.requests).toBe(60);
    expect(simulator.inFlight).toBe(0);
    expect(simulator.maxInFlight).toBeGreaterThan(1);
  });

  it("tells what was bought, and by whom", async () => {
    const simulator = await simulate();
    const messages = [{ role: "user", content: "hello there" }];
    const reply = await chat(simulator, { model: "openai/gpt-4o", messages }, { key: "sk-1" });
    expect(simulator.invoice.lines[0]).toMatchObject({
      id: reply.id,
      model: "openai/gpt-4o",
      promptTokens: 7,
      completionTokens: reply.usage.completion_tokens,
      apiKey: "sk-1",
      promptHash: hash("sha256", JSON.stringify(messages)),
      streamed: false,
      outcome: "completed",
    });
  });

  it("can be read and reset by another process", async () => {
    const simulator = await simulate();
    await chat(simulator, userBody("hello", { max_tokens: 1 }), { key: "a-long-secret-key" });
    const invoice = await get<{ lines: { costUsd: string; apiKey: string }[] }>(simulator, "/invoice");
    expect(invoice).toMatchObject({ count: 1, totalUsd: "0.00000135", totalPicoUsd: "1350000" });
    expect(invoice.lines[0]).toMatchObject({ costUsd: "0.00000135", costPicoUsd: "1350000", apiKey: "…-key" });
    await post(simulator, "", { path: "/invoice/reset" });
    expect([simulator.invoice.count, simulator.invoice.totalPicoUsd, simulator.requests]).toEqual([0, 0n, 0]);
  });
});

describe("OpenRouter's chat completions", () => {
  it("report usage with cost, and the upstream cost repeats it", async () => {
    const simulator = await simulate();
    const response = await post(simulator, userBody("hello"));
    const text = await response.text();
    const { id, usage } = JSON.parse(text) as Awaited<ReturnType<typeof chat>>;
    expect(id).toMatch(/^gen-/);
    expect(response.headers.get("x-generation-id")).toBe(id);
    expect(usage).toMatchObject({ is_byok: false, prompt_tokens: 5 });
    expect(usage.cost_details.upstream_inference_cost).toBe(usage.cost);
    expect(text).not.toMatch(/\de-\d/);
  });

  it("with BYOK report cost 0 and bill the upstream cost", async () => {
    const simulator = await simulate({ byok: true });
    const { usage } = await chat(simulator, userBody("hello"));
    expect([usage.cost, usage.is_byok]).toEqual([0, true]);
    expect(BigInt(Math.round(usage.cost_details.upstream_inference_cost * 1e12))).toBe(simulator.invoice.totalPicoUsd);
  });

  it("leave out cost or usage when told to, and bill all the same", async () => {
    const noCost = await simulate({ costField: "omitted" });
    expect((await chat(noCost, userBody("hello"))).usage).not.toHaveProperty("cost");
    const noUsage = await simulate({ usageField: "omitted" });
    expect(await chat(noUsage, userBody("hello"))).not.toHaveProperty("usage");
    expect(await (await post(noUsage, userBody("hello", { stream: true }))).text()).not.toContain("usage");
    expect(noUsage.invoice.count).toBe(2);
  });

  it("stream a keep-alive, word chunks, usage in the last chunk and the end mark", async () => {
    const simulator = await simulate();
    const text = await (await post(simulator, userBody("hello", { stream: true }))).text();
    expect(text.startsWith(": OPENROUTER PROCESSING\n\n")).toBe(true);
    const frames = framesOf(text);
    expect(frames.at(-1)).toBe("[DONE]");
    const chunks = frames.slice(0, -1) as StreamChunk[];
    const whole = await chat(simulator, userBody("hello"));
    expect(chunks.map((chunk) => chunk.choices?.[0]?.delta.content ?? "").join("")).toBe(
      whole.choices[0]?.message.content,
    );
    expect(chunks.at(-2)?.choices?.[0]?.finish_reason).toBe("stop");
    expect(chunks.at(-1)?.usage).toEqual(whole.usage);
    expect(simulator.invoice.lines.map((line) => [line.outcome, line.streamed])).toEqual([
      ["completed", true],
      ["completed", false],
    ]);
  });

  it("cut the answer at the cap and charge only that", async () => {
    const simulator = await simulate({ answer: () => "one two three four five" });
    for (const cap of [{ max_tokens: 2 }, { max_completion_tokens: 2 }, { max_tokens: 9, max_completion_tokens: 2 }]) {
      const reply = await chat(simulator, userBody("count", cap));
      expect(reply.choices[0]).toMatchObject({ message: { content: "one two" }, finish_reason: "length" });
      expect(reply.usage.completion_tokens).toBe(2);
    }
    const exact = await chat(simulator, userBody("count", { max_tokens: 6 }));
    expect(exact.choices[0]?.finish_reason).toBe("stop");
  });

  it("charge every one of n answers", async () => {
    const simulator = await simulate({ answer: () => "one two" });
    const reply = await chat(simulator, userBody("count", { n: 3 }));
    expect([reply.choices.length, reply.usage.completion_tokens]).toEqual([3, 6]);
  });

  it("count reasoning in the output and let it use up the cap", async () => {
    const simulator = await simulate();
    const model = "openai/gpt-5-mini";
    const capped = await chat(simulator, userBody("think", { model, max_tokens: 10 }));
    expect(capped.choices[0]).toMatchObject({ message: { content: "" }, finish_reason: "length" });
    expect(capped.usage).toMatchObject({ completion_tokens: 10, completion_tokens_details: { reasoning_tokens: 10 } });
    const quick = await chat(simulator, userBody("think", { model, reasoning: { effort: "minimal" } }));
    expect(quick.usage.completion_tokens_details.reasoning_tokens).toBe(0);
  });

  it("read a repeated prefix from the cache, and write it first where writing has a price", async () => {
    const simulator = await simulate();
    const system = { role: "system", content: "word ".repeat(1500) };
    const ask = async (model: string, content: string, rest: object = {}) => {
      const reply = await chat(simulator, { model, messages: [system, { role: "user", content }], ...rest });
      const { cached_tokens, cache_write_tokens } = reply.usage.prompt_tokens_details;
      return [cached_tokens, cache_write_tokens];
    };
    expect(await ask("openai/gpt-4o-mini", "a")).toEqual([0, 0]);
    expect(await ask("openai/gpt-4o-mini", "b")).toEqual([1408, 0]);
    expect(await ask("anthropic/claude-haiku-4.5", "a")).toEqual([0, 0]);
    const control = { cache_control: { type: "ephemeral" } };
    expect(await ask("anthropic/claude-haiku-4.5", "a", control)).toEqual([0, 1408]);
    expect(await ask("anthropic/claude-haiku-4.5", "b", control)).toEqual([1408, 0]);
    expect(simulator.invoice.lines[1]?.cachedTokens).toBe(1408);
  });

  it.each([
    ["{", 400, "could not parse"],
    [{ model: "openai/gpt-4o" }, 400, "messages"],
    [userBody("x", { model: undefined }), 400, "model"],
    [userBody("x", { max_tokens: 0 }), 400, "max_tokens"],
    [userBody("x", { model: "openai/gpt-9" }), 400, "openai/gpt-9 is not a valid model ID"],
    [userBody("x", { model: "gpt-4o" }), 400, "gpt-4o is not a valid model ID"],
    [userBody("word ".repeat(17_000), { model: "openai/gpt-3.5-turbo" }), 400, "maximum context length"],
    [userBody("x", { provider: { max_price: { prompt: 0.1 } } }), 404, "No allowed providers"],
    [userBody("x", { provider: { max_price: { completion: "0.59" } } }), 404, "No allowed providers"],
  ])("refuse bad request %#", async (body, status, message) => {
    const simulator = await simulate();
    const response = await post(simulator, body);
    expect(response.status).toBe(status);
    expect(((await response.json()) as { error: object }).error).toMatchObject({
      code: status,
      message: expect.stringContaining(message),
    });
    expect([simulator.invoice.count, simulator.requests]).toEqual([0, 1]);
  });

  it("serve the first fallback within max_price", async () => {
    const simulator = await simulate();
    const provider = { max_price: { prompt: 0.15, completion: 0.6 } };
    const models = ["openai/gpt-9", "openai/gpt-4o-mini"];
    expect(await chat(simulator, userBody("x", { model: "openai/gpt-4o", models, provider }))).toMatchObject({
      model: "openai/gpt-4o-mini",
    });
  });
});

describe("OpenAI's chat completions", () => {
  const model = "gpt-4o-mini";

  it("report usage without cost, echo the tier and carry a request id", async () => {
    const simulator = await simulate();
    const response = await post(simulator, userBody("hello", { model, service_tier: "flex" }), openAi);
    const body = (await response.json()) as Awaited<ReturnType<typeof chat>>;
    expect(response.headers.get("x-request-id")).toMatch(/^req_/);
    expect(body).toMatchObject({ service_tier: "flex", choices: [{ message: { refusal: null } }] });
    expect(body.id).toMatch(/^chatcmpl-/);
    expect(body.usage).not.toHaveProperty("cost");
    expect(simulator.invoice.lines[0]?.id).toBe(body.id);
  });

  it("stream usage only to those who ask", async () => {
    const simulator = await simulate();
    const without = await (await post(simulator, userBody("hello", { model, stream: true }), openAi)).text();
    expect(without).not.toContain("usage");
    const asked = { model, stream: true, stream_options: { include_usage: true } };
    const frames = framesOf(await (await post(simulator, userBody("hello", asked), openAi)).text());
    expect(frames.at(-2)).toMatchObject({ choices: [], usage: { prompt_tokens: 5 } });
    expect(frames[0]).toMatchObject({ usage: null });
    const [first, second] = simulator.invoice.lines;
    expect(first?.costPicoUsd).toBe(second?.costPicoUsd);
  });

  it("answer errors in OpenAI's words", async () => {
    const simulator = await simulate({ creditPicoUsd: 0n });
    const unknown = await post(simulator, userBody("x", { model: "gpt-9" }), openAi);
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ error: { code: "model_not_found", type: "invalid_request_error" } });
    const broke = await post(simulator, userBody("x", { model }), openAi);
    expect(broke.status).toBe(429);
    expect(await broke.json()).toMatchObject({ error: { code: "insufficient_quota" } });
  });
});

describe("the account", () => {
  it("lists models with prices per token as decimal texts", async () => {
    const simulator = await simulate({
      models: { "my/model": { promptUsdPerMillion: "0.01", completionUsdPerMillion: "1", contextLength: 4000 } },
    });
    const { data } = await get<{ data: { id: string }[] }>(simulator, "/api/v1/models");
    const byId = new Map(data.map((model) => [model.id, model]));
    expect(byId.get("openai/gpt-4o-mini")).toMatchObject({
      pricing: { prompt: "0.00000015", completion: "0.0000006", input_cache_read: "0.000000075" },
      top_provider: { max_completion_tokens: 16384 },
    });
    expect(byId.get("my/model")).toMatchObject({ context_length: 4000, pricing: { prompt: "0.00000001" } });
    expect(byId.has("gpt-4o-mini")).toBe(false);
    const path = "/api/v1/models/meta-llama/llama-3.3-70b-instruct:free/endpoints";
    expect(await get(simulator, path)).toMatchObject({ data: { endpoints: [{ pricing: { prompt: "0" } }] } });
    expect(await get(simulator, "/v1/models")).toMatchObject({ object: "list" });
  });

  it("tells the cost of a generation, and nothing of an unknown one", async () => {
    const simulator = await simulate();
    const { id, usage } = await chat(simulator, userBody("hello"));
    expect(await get(simulator, `/api/v1/generation?id=${id}`)).toMatchObject({
      data: { id, total_cost: usage.cost, tokens_prompt: 5, is_byok: false, streamed: false, cancelled: false },
    });
    expect((await fetch(`${simulator.openRouterUrl}/generation?id=gen-0`)).status).toBe(404);
  });

  it("refuses with 402 once the credit is used up, and says so in /key", async () => {
    const simulator = await simulate({ creditPicoUsd: 1_350_000n });
    expect((await post(simulator, userBody("hello", { max_tokens: 1 }))).status).toBe(200);
    expect((await post(simulator, userBody("hello", { max_tokens: 1 }))).status).toBe(402);
    expect(await get(simulator, "/api/v1/key")).toMatchObject({
      data: { limit: 0.00000135, usage: 0.00000135, limit_remaining: 0 },
    });
    simulator.reset();
    expect((await post(simulator, userBody("hello"))).status).toBe(200);
  });

  it("accepts only the listed keys when keys are listed", async () => {
    const simulator = await simulate({ apiKeys: ["good"] });
    expect((await post(simulator, userBody("x"), { key: "good" })).status).toBe(200);
    expect((await post(simulator, userBody("x"), { key: "bad" })).status).toBe(401);
    expect((await fetch(`${simulator.openRouterUrl}/key`)).status).toBe(401);
    expect(simulator.invoice.count).toBe(1);
  });

  it("answers health, and 404 in JSON for what it does not know", async () => {
    const simulator = await simulate();
    expect(await get(simulator, "/health")).toEqual({ status: "ok" });
    expect(await get(simulator, "/api/v1/nothing")).toMatchObject({ error: { code: 404 } });
    expect(await get(simulator, "/api/v1/chat/completions")).toMatchObject({ error: { code: 404 } });
  });

  it("tells of an error in a scripted answer and bills nothing", async () => {
    const simulator = await simulate({
      answer: () => {
        throw new Error("my script is broken");
      },
    });
    const response = await post(simulator, userBody("x"));
    expect([response.status, await response.text()]).toEqual([500, expect.stringContaining("my script is broken")]);
    expect(simulator.invoice.count).toBe(0);
  });
});
