import { describe, expect, it } from "vitest";
import { chat, get, post, simulate, userBody } from "./test-client.ts";

const twoEndpoints = {
  "my/model": {
    promptUsdPerMillion: "1",
    completionUsdPerMillion: "2",
    provider: "Cheap",
    endpoints: [{ provider: "Dear", tag: "dear/fp8", promptUsdPerMillion: "10", completionUsdPerMillion: "20" }],
  },
};

interface Pricing {
  readonly data: { readonly endpoints: readonly { tag: string; pricing: { prompt: string } }[] };
}

describe("OpenRouter's catalog", () => {
  it("answers 304 to a client that has it, and whole once a price changed", async () => {
    const simulator = await simulate({ models: twoEndpoints });
    const ask = (etag = "") =>
      fetch(`${simulator.openRouterUrl}/models`, { headers: etag ? { "if-none-match": etag } : {} });
    const etag = (await ask()).headers.get("etag") ?? "";
    expect((await ask(etag)).status).toBe(304);
    simulator.setModels({ "my/model": { promptUsdPerMillion: "3", completionUsdPerMillion: "4" } });
    const changed = await ask(etag);
    expect(changed.status).toBe(200);
    const { data } = (await changed.json()) as { data: { id: string; pricing: object }[] };
    expect(data.find(({ id }) => id === "my/model")?.pricing).toMatchObject({ prompt: "0.000003" });
  });

  it("lists every endpoint of a model at its own price", async () => {
    const simulator = await simulate({ models: twoEndpoints });
    const { data } = await get<Pricing>(simulator, "/api/v1/models/my/model/endpoints");
    expect(data.endpoints.map(({ tag, pricing }) => [tag, pricing.prompt])).toEqual([
      ["cheap", "0.000001"],
      ["dear/fp8", "0.00001"],
    ]);
  });
});

describe("OpenRouter's routing", () => {
  it.each([
    [{}, "Cheap"],
    [{ only: ["dear"] }, "Dear"],
    [{ only: ["dear/fp8"] }, "Dear"],
    [{ ignore: ["Cheap"] }, "Dear"],
    [{ order: ["dear"] }, "Dear"],
    [{ order: ["nobody"] }, "Cheap"],
    [{ order: ["dear"], max_price: { prompt: 5 } }, "Cheap"],
  ])("has %j served, and billed, by %s", async (provider, served) => {
    const simulator = await simulate({ models: twoEndpoints });
    const { usage } = await chat(simulator, userBody("hello", { model: "my/model", provider }));
    const [line] = simulator.invoice.lines;
    expect(line?.provider).toBe(served);
    const factor = served === "Dear" ? 10n : 1n;
    const tokens = BigInt(usage.prompt_tokens) + 2n * BigInt(usage.completion_tokens);
    expect(line?.costPicoUsd).toBe(tokens * factor * 1_000_000n);
  });

  it("refuses where nobody is left", async () => {
    const simulator = await simulate({ models: twoEndpoints });
    const provider = { order: ["nobody"], allow_fallbacks: false };
    const response = await post(simulator, userBody("hello", { model: "my/model", provider }));
    expect([response.status, simulator.invoice.count]).toEqual([404, 0]);
  });
});

describe("OpenRouter's other answers", () => {
  it("tell a generation's record after as many misses as asked for", async () => {
    const simulator = await simulate({ lookupMisses: 2 });
    const { id } = await chat(simulator, userBody("hello"));
    const ask = async () => (await fetch(`${simulator.openRouterUrl}/generation?id=${id}`)).status;
    expect([await ask(), await ask(), await ask()]).toEqual([404, 404, 200]);
  });

  it("tell the exact cost of an embedding, and refuse a spent key with 403", async () => {
    const simulator = await simulate({ faults: [{ kind: "403", at: 2 }] });
    const body = { model: "openai/text-embedding-3-small", input: ["some text", "more"] };
    const response = await post(simulator, body, { path: "/api/v1/embeddings" });
    const { usage, data } = (await response.json()) as { usage: { cost: number }; data: unknown[] };
    expect(data).toHaveLength(2);
    expect(BigInt(Math.round(usage.cost * 1e12))).toBe(simulator.invoice.totalPicoUsd);
    const refused = await chat(simulator, userBody("hello"));
    expect(refused.error).toMatchObject({ code: 403, message: expect.stringContaining("Key limit exceeded") });
  });
});
