import { describe, expect, it } from "vitest";
import { chat, get, post, simulate } from "./test-client.ts";

const model = "gpt-4o-mini";

interface ResponsesBody {
  id: string;
  status: string;
  output: { type: string; name?: string; arguments?: string; content?: { text: string }[] }[];
  usage: { input_tokens: number; output_tokens: number; input_tokens_details: { cached_tokens: number } } | null;
  incomplete_details: unknown;
}

interface ResponsesEvent {
  type: string;
  sequence_number: number;
  delta?: string;
  response?: ResponsesBody;
}

function eventsOf(text: string): ResponsesEvent[] {
  return text
    .split("\n\n")
    .filter(Boolean)
    .map((frame) => {
      const [name, data] = frame.split("\ndata: ");
      const event = JSON.parse(data ?? "") as ResponsesEvent;
      expect(name).toBe(`event: ${event.type}`);
      return event;
    });
}

describe("OpenAI's responses", () => {
  const path = "/v1/responses";

  it("answer texts and items, and bill what they report", async () => {
    const simulator = await simulate();
    const input = [{ role: "user", content: [{ type: "input_text", text: "hello" }] }];
    for (const body of [
      { model, input: "hello" },
      { model, instructions: "Be kind.", input },
    ]) {
      const reply = (await (await post(simulator, body, { path })).json()) as ResponsesBody;
      expect(reply).toMatchObject({ object: "response", status: "completed", service_tier: "default" });
      expect(reply.output[0]?.content?.[0]?.text.length).toBeGreaterThan(0);
      const line = simulator.invoice.lines.at(-1);
      expect(line?.id).toBe(reply.id);
      expect([line?.promptTokens, line?.completionTokens]).toEqual([
        reply.usage?.input_tokens,
        reply.usage?.output_tokens,
      ]);
    }
  });

  it("heed the cap, the schema, tools and the effort", async () => {
    const simulator = await simulate();
    const ask = async (rest: object) =>
      (await (await post(simulator, { model, input: "hello", ...rest }, { path })).json()) as ResponsesBody;
    const cut = await ask({ max_output_tokens: 2 });
    expect(cut).toMatchObject({ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } });
    expect(cut.usage?.output_tokens).toBe(2);
    const schema = { type: "object", properties: { label: { enum: ["a"] } } };
    const labeled = await ask({ text: { format: { type: "json_schema", name: "x", schema } } });
    expect(labeled.output[0]?.content?.[0]?.text).toBe('{"label":"a"}');
    const tools = [{ type: "function", name: "look", parameters: { properties: { q: { type: "string" } } } }];
    expect((await ask({ tools })).output[0]).toMatchObject({ type: "function_call", name: "look" });
    const done = [
      { role: "user", content: "x" },
      { type: "function_call", name: "look", arguments: "{}", call_id: "c" },
    ];
    const after = await ask({
      tools,
      input: [...done, { type: "function_call_output", call_id: "c", output: "found" }],
    });
    expect(after.output[0]?.type).toBe("message");
    const thought = await ask({ model: "gpt-5-mini", reasoning: { effort: "minimal" } });
    expect(thought.usage).toMatchObject({ output_tokens_details: { reasoning_tokens: 0 } });
  });

  it("stream numbered events that end with the usage", async () => {
    const simulator = await simulate();
    const body = { model, input: "hello", stream: true };
    const events = eventsOf(await (await post(simulator, body, { path })).text());
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_event, index) => index));
    expect([events[0]?.type, events.at(-1)?.type]).toEqual(["response.created", "response.completed"]);
    const last = events.at(-1)?.response;
    expect(events.map(({ delta }) => delta ?? "").join("")).toBe(last?.output[0]?.content?.[0]?.text);
    expect(last?.usage?.output_tokens).toBe(simulator.invoice.lines[0]?.completionTokens);
  });

  it("end in an error event, and tell errors in OpenAI's words", async () => {
    const simulator = await simulate({ faults: [{ kind: "error-chunk", times: 1 }] });
    const events = eventsOf(await (await post(simulator, { model, input: "x", stream: true }, { path })).text());
    expect(events.at(-1)).toMatchObject({ type: "error", code: "server_error" });
    expect(simulator.invoice.count).toBe(1);
    const refused = await post(simulator, { model: "gpt-9", input: "x" }, { path });
    expect([refused.status, await refused.json()]).toMatchObject([404, { error: { code: "model_not_found" } }]);
    expect((await post(simulator, { model, input: [1] }, { path })).status).toBe(400);
  });
});

describe("OpenAI's embeddings", () => {
  const path = "/v1/embeddings";
  const embed = async (body: object, simulator: Awaited<ReturnType<typeof simulate>>) =>
    (await (await post(simulator, { model: "text-embedding-3-small", ...body }, { path })).json()) as {
      data: { embedding: number[] | string }[];
      usage: { prompt_tokens: number; total_tokens: number };
    };

  it("are seeded vectors, and bill their input only", async () => {
    const simulator = await simulate();
    const one = await embed({ input: "hello you", dimensions: 4 }, simulator);
    const two = await embed({ input: ["hello you", "x"], dimensions: 4, encoding_format: "base64" }, simulator);
    expect(one.usage).toEqual({ prompt_tokens: 3, total_tokens: 3 });
    const bytes = Buffer.from(two.data[0]?.embedding as string, "base64");
    expect([...new Float32Array(new Uint8Array(bytes).buffer)]).toEqual(one.data[0]?.embedding);
    expect(simulator.invoice.lines.map((line) => line.completionTokens)).toEqual([0, 0]);
    expect(simulator.invoice.lines[0]?.costPicoUsd).toBe(3n * 20_000n);
  });

  it("count token ids one by one, and refuse what is no input", async () => {
    const simulator = await simulate();
    expect((await embed({ input: [1, 2, 3] }, simulator)).data).toHaveLength(1);
    expect((await embed({ input: [[1, 2], [3]] }, simulator)).usage.total_tokens).toBe(3);
    for (const input of [undefined, "", [], [""], [{}]]) {
      expect((await post(simulator, { model: "text-embedding-3-small", input }, { path })).status).toBe(400);
    }
    expect((await post(simulator, { model, input: "x" }, { path })).status).toBe(404);
    expect((await post(simulator, { input: "x" }, { path })).status).toBe(400);
  });
});

describe("Azure's paths", () => {
  it("name the deployment that serves and is billed", async () => {
    const simulator = await simulate();
    const path = "/openai/deployments/gpt-4.1-nano/chat/completions?api-version=1";
    const reply = await chat(simulator, { model: "gpt-4o", messages: [{ role: "user", content: "x" }] }, { path });
    expect([reply.model, simulator.invoice.lines[0]?.model]).toEqual(["gpt-4.1-nano", "gpt-4.1-nano"]);
    expect((await post(simulator, { model, input: "x" }, { path: "/openai/responses" })).status).toBe(200);
  });
});

describe("a company's gateway", () => {
  const path = "/gateway/v1/chat/completions";
  const messages = [{ role: "user", content: "hello" }];
  const models = { house: { promptUsdPerMillion: "1", completionUsdPerMillion: "1" } };

  it("serves any model for nothing, and a priced one at its price", async () => {
    const simulator = await simulate({ models });
    await chat(simulator, { model: "anything", messages }, { path });
    expect(simulator.invoice.totalPicoUsd).toBe(0n);
    const priced = await post(simulator, { model: "house", messages }, { path });
    expect(priced.headers.has("x-litellm-response-cost")).toBe(false);
    expect(simulator.invoice.totalPicoUsd).toBeGreaterThan(0n);
    expect(await get(simulator, "/v1/models")).toMatchObject({ object: "list" });
  });

  it("tells the cost in the body or in a header, as asked", async () => {
    const inBody = await simulate({ models, gatewayCost: "body" });
    const { usage } = await chat(inBody, { model: "house", messages }, { path });
    expect(usage.cost).toBe(Number(inBody.invoice.totalPicoUsd) / 1e12);
    const streamed = { model: "house", messages, stream: true, stream_options: { include_usage: true } };
    expect(await (await post(inBody, streamed, { path })).text()).toContain('"cost":');
    const inHeader = await simulate({ models, gatewayCost: "header" });
    const response = await post(inHeader, { model: "house", messages }, { path });
    expect(Number(response.headers.get("x-litellm-response-cost"))).toBe(usage.cost);
    expect((await post(inHeader, streamed, { path })).headers.has("x-litellm-response-cost")).toBe(false);
  });

  it.each(["400", "412"] as const)("refuses with %s in its own words", async (kind) => {
    const body = { error: { type: "budget_exceeded" } };
    const simulator = await simulate({ faults: [{ kind, body }] });
    const response = await post(simulator, { model: "x", messages }, { path });
    expect([response.status, await response.json()]).toEqual([Number(kind), body]);
  });
});

describe("OpenRouter's completions", () => {
  it("answer a prompt by a text, streamed or not, and tell the cost that they bill", async () => {
    const simulator = await simulate({ answer: () => "one two" });
    const path = "/api/v1/completions";
    const body = { model: "openai/gpt-4o-mini", prompt: "hello" };
    const reply = await chat(simulator, body, { path });
    expect(reply.choices[0]).toMatchObject({ text: "one two", finish_reason: "stop" });
    const frames = await (await post(simulator, { ...body, stream: true }, { path })).text();
    expect(frames.match(/"text":"[^"]+"/g)).toEqual(['"text":"one"', '"text":" two"']);
    expect(frames.endsWith("data: [DONE]\n\n")).toBe(true);
    const [first, second] = simulator.invoice.lines;
    expect(BigInt(Math.round((reply.usage.cost ?? 0) * 1e12))).toBe(first?.costPicoUsd);
    expect(second?.costPicoUsd).toBe(first?.costPicoUsd);
  });
});

describe("embeddings elsewhere", () => {
  it.each([
    ["/api/v1/embeddings", "openai/text-embedding-3-small", 40_000n],
    ["/gateway/v1/embeddings", "any-model", 0n],
  ])("%s", async (path, embeddingModel, costPicoUsd) => {
    const simulator = await simulate();
    const reply = await chat(simulator, { model: embeddingModel, input: ["one", "two"] }, { path });
    expect(reply).toMatchObject({ object: "list", usage: { prompt_tokens: 2 } });
    expect(simulator.invoice.lines).toMatchObject([{ promptTokens: 2, completionTokens: 0, costPicoUsd }]);
    const told = reply.usage.cost === undefined ? 0n : BigInt(Math.round(reply.usage.cost * 1e12));
    expect(told).toBe(costPicoUsd);
  });
});
