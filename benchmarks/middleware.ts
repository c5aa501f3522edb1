/*
 * What a budget on a model costs in time, side by side in one run: the model alone, behind a middleware that does
 * nothing, and behind ours; bare and inside generateText and streamText. The model answers at once, so all time is ours
 * and the SDK's. Run with
 *
 *   node --conditions=@autolabel/source benchmarks/middleware.ts
 */
import { generateText, type LanguageModelMiddleware, streamText, wrapLanguageModel } from "ai";
import { budgetMiddleware, type CostExtractor, CostTracker } from "../packages/budget-core/src/index.ts";
import { bundledPriceBook, priceUsage, quoteCall, readSdkUsage } from "../packages/budget-core/src/prices/index.ts";

const rounds = 9;
const prompt = "The quick brown fox jumps over the lazy dog. ".repeat(91).slice(0, 4096);
const usage = {
  inputTokens: { total: 900, noCache: 900, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 5, text: 5, reasoning: 0 },
};
const finishReason = { unified: "stop", raw: "stop" } as const;

const model: Parameters<typeof wrapLanguageModel>[0]["model"] = {
  specificationVersion: "v4",
  provider: "none",
  modelId: "gpt-4o-mini",
  supportedUrls: {},
  doGenerate: async () => ({ content: [{ type: "text", text: "Yes." }], finishReason, usage, warnings: [] }),
  doStream: async () => ({
    stream: new ReadableStream({
      start(controller) {
        controller.enqueue({ type: "stream-start", warnings: [] });
        controller.enqueue({ type: "text-start", id: "0" });
        for (let part = 0; part < 50; part++) controller.enqueue({ type: "text-delta", id: "0", delta: "word " });
        controller.enqueue({ type: "text-end", id: "0" });
        controller.enqueue({ type: "finish", finishReason, usage });
        controller.close();
      },
    }),
  }),
};

const priced = () => bundledPriceBook().find("openai", "gpt-4o-mini", new Date());
const costs: CostExtractor = {
  provider: "openai",
  quote: (call) => quoteCall(call, priced(), "benchmark"),
  receipt: ({ result, quote }) => {
    const read = readSdkUsage(result?.usage);
    return { costPicoUsd: (read && priceUsage(priced(), read)) ?? quote.boundPicoUsd };
  },
};
const noop: LanguageModelMiddleware = {
  specificationVersion: "v4",
  wrapGenerate: ({ doGenerate }) => doGenerate(),
  wrapStream: ({ doStream }) => doStream(),
};
const budget = budgetMiddleware({ tracker: new CostTracker({ budget: 1_000_000 }), costs });
const models = {
  "model alone": model,
  "no-op middleware": wrapLanguageModel({ model, middleware: noop }),
  "budget middleware": wrapLanguageModel({ model, middleware: budget }),
};
const asked: Parameters<ReturnType<typeof wrapLanguageModel>["doGenerate"]>[0] = {
  prompt: [{ role: "user", content: [{ type: "text", text: prompt }] }],
  maxOutputTokens: 100,
};

const subjects = Object.entries(models).flatMap(([name, subject]) => [
  { name: `${name}, bare, 4 kB`, calls: 3000, run: async () => void (await subject.doGenerate(asked)) },
  {
    name: `${name}, generateText, 4 kB`,
    calls: 1000,
    run: async () => void (await generateText({ model: subject, prompt, maxOutputTokens: 100 })),
  },
  {
    name: `${name}, streamText of 50 parts`,
    calls: 100,
    run: async () => void (await streamText({ model: subject, prompt, maxOutputTokens: 100 }).text),
  },
]);

const times = new Map<string, number[]>();
for (let round = 0; round <= rounds; round++) {
  for (const { name, calls, run } of subjects) {
    const each: number[] = [];
    for (let call = 0; call < calls; call++) {
      const start = performance.now();
      await run();
      each.push((performance.now() - start) * 1000);
    }
    // The first round warms up.
    if (round > 0) times.set(name, [...(times.get(name) ?? []), median(each)]);
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

const rows = subjects.map(({ name }) => ({ what: name, "p50 µs": Number(median(times.get(name) ?? []).toFixed(2)) }));
console.table(rows.toSorted((a, b) => a.what.split(", ")[1]?.localeCompare(b.what.split(", ")[1] ?? "") ?? 0));
