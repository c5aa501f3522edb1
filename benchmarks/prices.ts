import type { Call } from "../packages/budget-core/src/index.ts";
import { PriceBook, priceUsage, quoteCall, readSdkUsage } from "../packages/budget-core/src/prices/index.ts";
import { bundledPriceBook } from "../packages/budget-core/src/prices/snapshot.ts";

/*
 * What prices and quotes cost in time. Run with
 *
 *   node --conditions=@autolabel/source benchmarks/prices.ts
 */

const at = new Date("2026-11-23T12:00:00Z");

/** Median of 15 rounds, in ns per call. The result is summed, so that nothing is optimised away. */
function nsPerCall(run: () => unknown, calls: number): number {
  let kept = 0;
  const rounds = Array.from({ length: 15 }, () => {
    const start = process.hrtime.bigint();
    for (let call = 0; call < calls; call++) if (run() !== undefined) kept += 1;
    return Number(process.hrtime.bigint() - start) / calls;
  });
  if (kept === 0) throw new Error("nothing ran");
  return rounds.sort((a, b) => a - b)[7] as number;
}

function callOf(text: string): Call {
  const prompt = [
    { role: "system", content: "You label texts." },
    { role: "user", content: [{ type: "text", text }] },
  ];
  return { surface: "generate", modelId: "gpt-4o-mini", request: { prompt, temperature: 0 }, maxOutputTokens: 64 };
}

function measure(): Record<string, string>[] {
  const firstStart = process.hrtime.bigint();
  const book = bundledPriceBook();
  const price = book.find("openai", "gpt-4o-mini", at);
  const firstNs = Number(process.hrtime.bigint() - firstStart);
  const own = book.with("openai", { "my-model": { input: "1", output: "2" } });
  const usage = { inputTokens: 12_000, outputTokens: 300, cacheReadTokens: 8_000, reasoningTokens: 100 };
  const claude = book.find("anthropic", "claude-sonnet-4-5", at);
  const english = "The quick brown fox jumps over the lazy dog. ";
  const chinese = "敏捷的棕色狐狸跳过了懒狗。";
  const texts = {
    "4 kB ASCII": english.repeat(91),
    "4 kB Chinese": chinese.repeat(105),
    "100 kB ASCII": english.repeat(2276),
    "100 kB Chinese": chinese.repeat(2626),
  };
  const raw = { prompt_tokens: 12_000, completion_tokens: 300, prompt_tokens_details: { cached_tokens: 8_000 } };
  const sdk = { inputTokens: { total: 12_000 }, outputTokens: { total: 300 }, raw };
  const rows: [string, number][] = [
    ["first price of the process (reads the table)", firstNs],
    ["price of a listed id", nsPerCall(() => book.find("openai", "gpt-4o-mini", at), 20_000)],
    ["price of a stated id", nsPerCall(() => own.find("openai", "my-model", at), 20_000)],
    ["a book with one stated price", nsPerCall(() => book.with("openai", { m: { input: 1, output: 2 } }), 5_000)],
    ["cost of a usage, gpt-4o-mini", nsPerCall(() => priceUsage(price, usage), 20_000)],
    ["cost of a usage, claude-sonnet-4-5", nsPerCall(() => priceUsage(claude, usage), 20_000)],
    ["read an AI SDK usage", nsPerCall(() => readSdkUsage(sdk), 20_000)],
    ...Object.entries(texts).map(([name, text]): [string, number] => {
      const call = callOf(text);
      return [
        `quote of ${name}`,
        nsPerCall(() => quoteCall(call, price, book.hash), text.length > 20_000 ? 200 : 5_000),
      ];
    }),
  ];
  return rows.map(([what, ns]) => ({
    what,
    time: ns < 10_000 ? `${ns.toFixed(0)} ns` : `${(ns / 1000).toFixed(1)} µs`,
  }));
}

if (!(bundledPriceBook() instanceof PriceBook)) throw new Error("no bundled prices");
console.table(measure());
