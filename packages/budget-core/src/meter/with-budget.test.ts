import { describe, expect, it } from "vitest";
import type { Call, CostExtractor } from "../costs.ts";
import { UnboundedRequestError } from "../errors/unbounded-request-error.ts";
import { UpstreamBudgetError } from "../errors/upstream-budget-error.ts";
import { CostTracker } from "../tracker/cost-tracker.ts";
import { budgetEmbeddingMiddleware, budgetImageMiddleware } from "./middleware.ts";
import { coverage, withBudget } from "./with-budget.ts";

function metering(budget = "1") {
  const quoted: Call[] = [];
  const seen: unknown[] = [];
  const costs: CostExtractor = {
    provider: "test",
    quote: (call) => {
      quoted.push(call);
      return { boundPicoUsd: 10n };
    },
    receipt: ({ result }) => {
      seen.push(result?.usage);
      return { costPicoUsd: 3n };
    },
  };
  return { tracker: new CostTracker({ budget }), costs, quoted, seen };
}

/** A model with private state, as real providers have, whose methods answer with what they were sent. */
class FakeModel {
  readonly modelId = "m";
  readonly provider = "fake";
  readonly settings = { user: "u" };
  #calls = 0;
  get calls() {
    return this.#calls;
  }
  count() {
    this.#calls++;
    return { usage: { tokens: 7 }, response: { modelId: "served" } };
  }
}
class LanguageModel extends FakeModel {
  doGenerate = async (_params: object) => ({ ...this.count(), content: [], finishReason: { unified: "stop" } });
  doStream = async (_params: object) => {
    this.count();
    return { stream: new ReadableStream({ start: (controller) => controller.close() }) };
  };
}
class EmbeddingModel extends FakeModel {
  async doEmbed(_params: { values: string[] }) {
    return { embeddings: [[1]], ...this.count() };
  }
}
class ImageModel extends FakeModel {
  readonly maxImagesPerCall = 1;
  async doGenerate(_params: { prompt: string }) {
    return { images: [], ...this.count() };
  }
}
class DecisionModel extends FakeModel {
  async doDecide(_params: object) {
    return this.count();
  }
  async doSomethingNew(_params: object) {
    return this.count();
  }
}

function makeProvider() {
  const provider = (_modelId: string) => new LanguageModel();
  return Object.assign(provider, {
    specificationVersion: "v4",
    chat: (_modelId: string) => new LanguageModel(),
    textEmbeddingModel: (_modelId: string) => new EmbeddingModel(),
    imageModel: (_modelId: string) => new ImageModel(),
    decisionModel: (_modelId: string) => new DecisionModel(),
    files: () => "uploaded",
  });
}

describe("withBudget", () => {
  it("meters every model that a provider makes, and keeps their own fields and types", async () => {
    const given = metering();
    const provider = withBudget(makeProvider(), given);
    const models = [
      provider("x"),
      provider.chat("x"),
      provider.textEmbeddingModel("x"),
      provider.imageModel("x"),
    ] as const;
    await models[0].doGenerate({});
    await models[1].doStream({});
    await models[2].doEmbed({ values: ["a"] });
    await models[3].doGenerate({ prompt: "a cat" });
    await provider.decisionModel("x").doDecide({ question: 1 });
    expect(given.quoted.map(({ surface }) => surface)).toEqual(["generate", "stream", "embed", "image", "decision"]);
    expect(given.quoted[2]).toMatchObject({ modelId: "m", request: { values: ["a"] }, settings: { user: "u" } });
    expect(given.seen[2]).toMatchObject({ inputTokens: 7, outputTokens: 0 });
    expect((await given.tracker.getStats()).callCount).toBe(5);
    expect(models[2].calls).toBe(1);
    expect(provider.specificationVersion).toBe("v4");
  });

  it("sends nothing once the budget is spent, whatever the door", async () => {
    const provider = withBudget(makeProvider(), metering("0"));
    const [language, embedding] = [provider("x"), provider.textEmbeddingModel("x")];
    await expect(language.doGenerate({})).rejects.toMatchObject({ code: "budget_exceeded" });
    await expect(embedding.doEmbed({ values: [] })).rejects.toMatchObject({ code: "budget_exceeded" });
    expect([language.calls, embedding.calls]).toEqual([0, 0]);
  });

  it("refuses doors it cannot meter, unless told to leave them open", async () => {
    const strict = withBudget(makeProvider(), metering());
    expect(() => strict.files()).toThrow(/what "files" costs is not metered/);
    expect(() => strict.decisionModel("x").doSomethingNew({})).toThrow(/doSomethingNew/);
    const open = withBudget(makeProvider(), { ...metering(), strict: false });
    expect(open.files()).toBe("uploaded");
    await expect(open.decisionModel("x").doSomethingNew({})).resolves.toBeDefined();
  });

  it("lists its doors", () => {
    expect(coverage(withBudget(makeProvider(), metering()))).toEqual([
      { name: "()", status: "metered" },
      { name: "chat", status: "metered" },
      { name: "textEmbeddingModel", status: "metered" },
      { name: "imageModel", status: "metered" },
      { name: "decisionModel", status: "metered" },
      { name: "files", status: "refused" },
    ]);
    expect(coverage(withBudget(new DecisionModel(), { ...metering(), strict: false }))).toEqual([
      { name: "doDecide", status: "metered" },
      { name: "doSomethingNew", status: "open" },
    ]);
    expect(() => coverage({})).toThrow(/withBudget\(\) made/);
  });

  it("refuses kinds of calls that the costs cannot bound, and says so", async () => {
    const given = metering();
    const costs: CostExtractor = { ...given.costs, surfaces: ["generate", "embed"] };
    const provider = withBudget(makeProvider(), { ...given, costs });
    expect(coverage(provider)).toEqual([
      { name: "()", status: "metered" },
      { name: "chat", status: "metered" },
      { name: "textEmbeddingModel", status: "metered" },
      { name: "imageModel", status: "refused" },
      { name: "decisionModel", status: "refused" },
      { name: "files", status: "refused" },
    ]);
    expect(() => provider.imageModel("x")).toThrow(UnboundedRequestError);
    expect(coverage(provider.chat("x"))).toEqual([
      { name: "doGenerate", status: "metered" },
      { name: "doStream", status: "refused" },
    ]);
    expect(() => provider.chat("x").doStream({})).toThrow(UnboundedRequestError);
    await provider("x").doGenerate({});
    const image = new ImageModel();
    const asked = { model: image, params: {}, doGenerate: () => image.doGenerate({ prompt: "a cat" }) };
    await expect(budgetImageMiddleware({ ...given, costs }).wrapGenerate(asked)).rejects.toThrow('kind "image"');
    expect([image.calls, given.quoted.length]).toEqual([0, 1]);
    const open = withBudget(makeProvider(), { ...given, costs, strict: false });
    expect(coverage(open)[3]).toEqual({ name: "imageModel", status: "open" });
    await open.imageModel("x").doGenerate({ prompt: "a cat" });
    expect(given.quoted.length).toBe(1);
  });

  it("knows a model by what it is, whatever the method that made it is called", async () => {
    const given = metering();
    const makers = { image: () => new EmbeddingModel(), chat: () => "no model", speechModel: () => new ImageModel() };
    const provider = withBudget(makers, given);
    await provider.image().doEmbed({ values: [] });
    await provider.speechModel().doGenerate({ prompt: "a cat" });
    expect(given.quoted.map(({ surface }) => surface)).toEqual(["embed", "image"]);
    expect(() => provider.chat()).toThrow(UnboundedRequestError);
    expect(withBudget(makers, { ...given, strict: false }).chat()).toBe("no model");
  });

  it("leaves no way around it: functions of functions, objects of functions, constructors", async () => {
    const given = metering();
    const realtime = Object.assign((_modelId: string) => "session", { getToken: () => "token", label: "beta" });
    const beta = { chat: (_modelId: string) => new LanguageModel(), agents: () => "agent" };
    class Session {}
    const tools = { search: () => "tool" };
    const provider = withBudget({ realtime, beta, Session, tools, settings: { retries: 2 } }, given);
    expect(() => provider.realtime("x")).toThrow('"realtime"');
    expect(() => provider.realtime.getToken()).toThrow('"realtime.getToken"');
    expect(provider.realtime.label).toBe("beta");
    expect(() => new provider.Session()).toThrow(UnboundedRequestError);
    expect(() => provider.beta.agents()).toThrow(UnboundedRequestError);
    await provider.beta.chat("x").doGenerate({});
    expect((await given.tracker.getStats()).callCount).toBe(1);
    expect([provider.tools.search(), provider.settings.retries]).toEqual(["tool", 2]);
    expect(coverage(provider)).toEqual([
      { name: "realtime", status: "refused" },
      { name: "Session", status: "refused" },
      { name: "beta.chat", status: "metered" },
      { name: "beta.agents", status: "refused" },
    ]);
  });

  it("takes nothing that is under a budget already, which would be counted twice", () => {
    const given = metering();
    const provider = withBudget(makeProvider(), given);
    for (const metered of [provider, provider.chat("m"), provider.textEmbeddingModel("m")]) {
      expect(() => withBudget(metered, metering())).toThrow(/metered already/);
    }
  });

  it("refuses models that are metered already, whoever makes them, instead of counting each call twice", () => {
    const own = withBudget(makeProvider(), metering());
    const others = withBudget({ languageModel: () => own.chat("m") }, metering());
    expect(() => others.languageModel()).toThrow(/metered already/);
  });

  it("makes no unmetered model for `new`, which some providers allow", () => {
    const given = metering();
    class Provider extends LanguageModel {}
    const made = withBudget(Object.assign(Provider, { chat: () => new LanguageModel() }), given);
    expect(() => new made()).toThrow(UnboundedRequestError);
  });

  it("takes a model alone, and settles a call that throws", async () => {
    const given = metering();
    const model = new EmbeddingModel();
    model.doEmbed = () => Promise.reject(Object.assign(new Error("limited"), { statusCode: 429 }));
    await expect(withBudget(model, given).doEmbed({ values: [] })).rejects.toThrow("limited");
    expect(await given.tracker.getStats()).toMatchObject({ callCount: 0, held: 0 });
    expect(() => withBudget({}, given)).toThrow(TypeError);
    // One for speech looks like one for transcription; a provider's method tells them apart.
    const speech = Object.assign(new FakeModel(), { doGenerate: async (_params: object) => ({}) });
    expect(() => withBudget(speech, given)).toThrow("whose kind can be told");
    await withBudget({ speechModel: () => speech }, given)
      .speechModel()
      .doGenerate({});
    expect(given.quoted.at(-1)?.surface).toBe("speech");
  });
});

describe("middleware of other models", () => {
  it("tells its caller the provider's own refusal for money by its name, in streams as their error", async () => {
    const { tracker, costs } = metering();
    const refusal = Object.assign(new Error("Payment required"), { statusCode: 402 });
    const named = new UpstreamBudgetError({ provider: "test", statusCode: 402, message: "No credit", cause: refusal });
    const budgetError = (error: unknown) => (error === refusal ? named : undefined);
    const broke = (_params: object) => Promise.reject(refusal);
    const errorPart = new ReadableStream({
      start: (controller) => {
        controller.enqueue({ type: "error", error: refusal });
        controller.close();
      },
    });
    const chat = (doStream: (params: object) => Promise<{ stream: ReadableStream }>) =>
      Object.assign(new LanguageModel(), { supportedUrls: {}, doGenerate: broke, doStream });
    const embedding = Object.assign(new EmbeddingModel(), { doEmbed: broke });
    const options = { tracker, costs: { ...costs, budgetError } };
    await expect(withBudget(embedding, options).doEmbed({ values: ["a"] })).rejects.toBe(named);
    await expect(withBudget(chat(broke), options).doGenerate({})).rejects.toBe(named);
    for (const doStream of [broke, async () => ({ stream: errorPart })]) {
      const { stream } = await withBudget(chat(doStream), options).doStream({});
      const parts = await Array.fromAsync(stream as unknown as AsyncIterable<{ type: string; error?: unknown }>);
      expect(parts.find(({ type }) => type === "error")?.error).toBe(named);
    }
    // What an open stream says is no proof that nothing was charged.
    expect(await tracker.getStats()).toMatchObject({ held: 0, callCount: 1 });
  });

  it("meters embeddings and images", async () => {
    const given = metering();
    const [embedding, image] = [new EmbeddingModel(), new ImageModel()];
    const [embedParams, imageParams] = [{ values: ["a"] }, { prompt: "a cat" }];
    const doEmbed = () => embedding.doEmbed(embedParams);
    const doGenerate = () => image.doGenerate(imageParams);
    await budgetEmbeddingMiddleware(given).wrapEmbed({ model: embedding, params: embedParams, doEmbed });
    await budgetImageMiddleware(given).wrapGenerate({ model: image, params: imageParams, doGenerate });
    expect([embedding.calls, image.calls]).toEqual([1, 1]);
    expect(given.quoted.map(({ surface }) => surface)).toEqual(["embed", "image"]);
  });
});
