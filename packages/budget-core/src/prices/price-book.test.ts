import { describe, expect, it } from "vitest";
import { UnpricedModelError } from "../errors/unpriced-model-error.ts";
import { picoToDecimal } from "../money.ts";
import { PriceBook } from "./price-book.ts";
import { priceBound } from "./price-bound.ts";
import type { PriceLayer } from "./price-layer.ts";
import { priceUsage } from "./price-usage.ts";
import { snapshot } from "./snapshot.generated.ts";
import { bundledPriceBook, generatedAt } from "./snapshot.ts";
import { readEntries } from "./snapshot-format.ts";

const today = new Date("2026-11-23");
const cost = (modelId: string, inputTokens: number, outputTokens: number) =>
  picoToDecimal(priceUsage(bundledPriceBook().find("openai", modelId, today), { inputTokens, outputTokens }) ?? -1n);

describe("bundled prices", () => {
  it.each([
    ["gpt-4o-mini", 1000, 500, "0.00045"],
    ["gpt-4o-mini", 10_000, 5000, "0.0045"],
    ["gpt-4o", 1000, 500, "0.0075"],
    ["gpt-3.5-turbo", 2000, 1000, "0.0025"],
    ["gpt-4o", 0, 0, "0"],
    ["gpt-4o-2024-08-06", 1000, 500, "0.0075"],
    ["gpt-4o-2024-05-13", 1000, 500, "0.0125"],
    ["gpt-4o", 1_000_000, 1_000_000, "12.5"],
    ["gpt-4o-mini", 1_000_000, 1_000_000, "0.75"],
    ["gpt-4o-mini-2024-07-18", 1_000_000, 1_000_000, "0.75"],
    ["gpt-4", 1_000_000, 1_000_000, "90"],
    ["gpt-4-32k", 1_000_000, 1_000_000, "180"],
    ["gpt-4-turbo", 1_000_000, 1_000_000, "40"],
    ["gpt-3.5-turbo-16k", 1_000_000, 1_000_000, "2"],
  ])("%s: %d in, %d out costs $%s", (modelId, input, output, usd) => {
    expect(cost(modelId, input, output)).toBe(usd);
  });

  it.each(["unknown-model-v1", "gpt-4o-mni", "gpt-4o-2030-01-01", "GPT-4o", "openai/gpt-4o"])(
    "never guesses: %s is refused",
    (modelId) => {
      expect(() => bundledPriceBook().find("openai", modelId, today)).toThrow(UnpricedModelError);
    },
  );

  it("names what is near", () => {
    expect(() => bundledPriceBook().find("openai", "gpt-4o-mni", today)).toThrow(/Did you mean gpt-4o-mini/);
  });

  it("knows no price before its first day", () => {
    expect(() => bundledPriceBook().find("openai", "gpt-4o-mini", new Date("2024-01-01"))).toThrow(/2024-01-01/);
  });
});

describe("PriceBook", () => {
  const book = new PriceBook([
    {
      provider: "p",
      id: "m",
      rows: [
        { to: "2026-01-01", input: "1", output: "2" },
        { from: "2026-01-01", input: "3", output: "4", cacheRead: "0.3", cacheWrite: "3.75", cacheWrite1h: "6" },
      ],
      source: "test",
      checked: "2026-01-01",
    },
  ]);

  it("uses the row of the instant, its start included", () => {
    expect(book.find("p", "m", new Date("2025-12-31T23:59:59.999Z")).rates.input).toBe(1n * 10n ** 12n);
    expect(book.find("p", "m", new Date("2026-01-01T00:00:00Z")).rates.input).toBe(3n * 10n ** 12n);
  });

  it("bills each token once, at the rate of its class", () => {
    const price = book.find("p", "m", today);
    const usage = {
      inputTokens: 1000,
      outputTokens: 10,
      cacheReadTokens: 500,
      cacheWriteTokens: 200,
      cacheWrite1hTokens: 100,
    };
    // 200 x 3 + 500 x 0.3 + 200 x 3.75 + 100 x 6 + 10 x 4 micro-USD
    expect(priceUsage(price, usage)).toBe(2_140_000_000n);
    expect(priceUsage(price, { inputTokens: 10, outputTokens: 0, cacheReadTokens: 11 })).toBeUndefined();
    expect(priceBound(price, 1000, 10)).toBe(6_040_000_000n);
  });

  it("lets stated prices stand before its own, and changes its hash", () => {
    const stated = book.with("p", { m: { input: 0.1, output: 0.2 }, n: { input: "1", output: "1" } });
    expect(stated.find("p", "m", today).rates.input).toBe(10n ** 11n);
    expect(stated.find("p", "n", today).rates.input).toBe(10n ** 12n);
    expect(stated.hash).not.toBe(book.hash);
    expect(book.with("p", {})).toBe(book);
  });

  it.each([{ input: "-1", output: "1" }, { input: Number.NaN, output: 1 }, { input: "1" }])(
    "refuses the price %o",
    (row) => {
      expect(() => book.with("p", { x: row as { input: string; output: string } })).toThrow(/must be a finite amount/);
    },
  );

  it("refuses an id that two entries claim", () => {
    const entry = { provider: "p", id: "m", rows: [], source: "", checked: "" };
    expect(() => new PriceBook([entry, { ...entry, id: "n", aliases: ["m"] }])).toThrow(/twice/);
  });

  it.each([
    { input: 1, output: 1, from: "soon" },
    { input: 1, output: 1, utc: ["25:00", "01:00"] as const },
  ])("refuses a time that cannot be read: %o", (row) => {
    const entries = [{ provider: "p", id: "m", rows: [row], source: "", checked: "" }];
    expect(() => new PriceBook(entries)).toThrow(/of a price must be/);
  });

  it("bills no count that it has no price for, and none that is no count", () => {
    const price = book.find("p", "m", today);
    const bill = (more: object) => priceUsage(price, { inputTokens: 10, outputTokens: 10, ...more });
    expect(bill({ webSearchCount: 0 })).toBe(70_000_000n);
    expect(bill({ webSearchCount: 1 })).toBeUndefined();
    expect(bill({ fileSearchCount: 1 })).toBeUndefined();
    expect(bill({ audioInputTokens: 1 })).toBeUndefined();
    expect(bill({ audioOutputTokens: 1 })).toBeUndefined();
    expect(bill({ imageOutputTokens: 1 })).toBeUndefined();
    expect(bill({ imageInputTokens: 1 })).toBe(70_000_000n);
    expect(bill({ videoTokens: 1 })).toBeUndefined();
    expect(bill({ toString: 1 })).toBeUndefined();
    expect(bill({ inputTokens: -1 })).toBeUndefined();
    expect(bill({ inputTokens: 0.5 })).toBeUndefined();
    expect(bill({ serviceTier: "priority" })).toBeUndefined();
    expect(bill({ serviceTier: "batch" })).toBe(70_000_000n);
    expect(() => new PriceBook([]).find("p", "m", today)).toThrow(UnpricedModelError);
  });

  it("says that a date is invalid", () => {
    expect(() => book.find("p", "m", new Date("never"))).toThrow(/an invalid date/);
  });
});

describe("layers", () => {
  const entry = (input: string, checked = "2026-11-20") => ({
    provider: "p",
    id: "m",
    rows: [{ input, output: "9" }],
    maxOutputTokens: 100,
    maxInputTokens: 1000,
    source: "test",
    checked,
  });
  const rateOf = (book: PriceBook) => Number(book.find("p", "m", today).rates.input / 10n ** 12n);

  it("lets a stated price stand before a live one, and that before the shipped one, in any order", () => {
    const shipped = new PriceBook([entry("1")]);
    expect(rateOf(shipped)).toBe(1);
    expect(rateOf(shipped.withLive([entry("2")]))).toBe(2);
    expect(rateOf(shipped.withLive([entry("2")]).withLive([entry("3")]))).toBe(3);
    expect(rateOf(shipped.with("p", { m: { input: 4, output: 9 } }).withLive([entry("2")]))).toBe(4);
    const forOneCall = shipped.with("p", { m: { input: 4, output: 9 } }).with("p", { m: { input: 5, output: 9 } });
    expect(rateOf(forOneCall)).toBe(5);
  });

  it("reads the shipped table only when a stated price is missing", () => {
    const unread = (): never => {
      throw new Error("the table was read");
    };
    const table: PriceLayer = { kind: "snapshot", hash: "h", find: unread, ids: unread };
    const stated = new PriceBook({ layers: [table] }).with("p", { m: { input: 1, output: 2, maxOutputTokens: 5 } });
    expect(stated.find("p", "m", today).maxOutputTokens).toBe(5);
    expect(stated.hash).toMatch(/^[0-9a-f]{16}$/);
    expect(() => stated.find("p", "n", today)).toThrow("the table was read");
  });

  it("takes the limits that a stated price leaves out from the layers below", () => {
    const price = new PriceBook([entry("1")]).with("p", { m: { input: 1, output: 2 } }).find("p", "m", today);
    expect([price.maxOutputTokens, price.maxInputTokens]).toEqual([100, 1000]);
    const own = { m: { input: 1, output: 2, maxInputTokens: 7 }, n: { input: 1, output: 2 } };
    const stated = new PriceBook([entry("1")]).with("p", own);
    expect(stated.find("p", "m", today).maxInputTokens).toBe(7);
    expect(stated.find("p", "n", today).maxInputTokens).toBeUndefined();
  });

  it("refuses or tells of prices that are too old, never of stated ones", () => {
    const old = new PriceBook([entry("1", "2026-01-01")]);
    expect(rateOf(old)).toBe(1);
    expect(rateOf(old.withStaleness({ maxAgeDays: 400 }))).toBe(1);
    const strict = old.withStaleness({ maxAgeDays: 30 });
    expect(() => rateOf(strict)).toThrow(/checked 326 days ago, and 30 are allowed.*prices: \{ "m"/);
    expect(rateOf(strict.with("p", { m: { input: 3, output: 9 } }))).toBe(3);
    const told: unknown[] = [];
    expect(rateOf(old.withStaleness({ maxAgeDays: 30, onStale: (stale) => told.push(stale) }))).toBe(1);
    expect(told).toEqual([{ provider: "p", modelId: "m", checked: "2026-01-01", ageDays: 326 }]);
  });

  it("gives equal hashes to equal prices", () => {
    expect(new PriceBook([entry("1")]).hash).toBe(new PriceBook([entry("1")]).hash);
    expect(new PriceBook([entry("1")]).hash).not.toBe(new PriceBook([entry("2")]).hash);
    expect(new PriceBook([entry("1")]).with("p", { m: { input: 4, output: 9 } }).hash).toBe(
      new PriceBook([entry("1")]).with("p", { m: { input: 4, output: 9 } }).hash,
    );
  });
});

describe("ids", () => {
  const entries = readEntries(snapshot.text, { batch: false });
  const listed = new Set(
    entries.flatMap(({ provider, id, aliases = [] }) => [id, ...aliases].map((name) => `${provider} ${name}`)),
  );

  it("are exact, or declared aliases, or refused: no mutation of any id finds a price", () => {
    const mutations = [
      (id: string) => `${id}-2030-01-01`,
      (id: string) => `${id}:thinking-hard`,
      (id: string) => `${id} `,
      (id: string) => `x${id}`,
      (id: string) => id.slice(0, -1),
      (id: string) => id.slice(1),
      (id: string) => id.toUpperCase(),
      (id: string) => `models/${id}`,
      (id: string) => id.replace("-", "_"),
      (id: string) => id.split("/").at(-1) ?? "",
      () => "",
      () => "__proto__",
    ];
    const book = bundledPriceBook();
    let refused = 0;
    for (const [index, name] of [...listed].entries()) {
      const [provider = "", ...rest] = name.split(" ");
      // A refusal looks for near ids among all of a provider; of OpenRouter's many, each id takes its turn.
      const turn = index % mutations.length;
      for (const mutate of provider === "openrouter" ? mutations.slice(turn, turn + 2) : mutations) {
        const mutated = mutate(rest.join(" "));
        const find = () => book.find(provider, mutated, today);
        if (listed.has(`${provider} ${mutated}`)) {
          expect(find().provider).toBe(provider);
          continue;
        }
        refused += 1;
        expect(isRefused(find), `${provider} ${mutated}`).toBe(true);
      }
    }
    expect(refused).toBeGreaterThan(5_000);
  });

  it("that lack their maker are told the whole id, and texts that are no ids nothing", () => {
    expect(() => bundledPriceBook().find("openrouter", "gpt-4o-mini", today)).toThrow(
      /Did you mean openai\/gpt-4o-mini/,
    );
    expect(() => bundledPriceBook().find("openrouter", "x".repeat(1e6), today)).toThrow(
      /no price is known\. To use it/,
    );
  });

  it("of a provider that nobody lists have no neighbours", () => {
    expect(() => bundledPriceBook().find("nobody", "gpt-4o", today)).toThrow(/no price is known\. To use it/);
  });

  it("on which the sources disagree are refused, with what they say", () => {
    expect(() => bundledPriceBook().find("mistral", "mistral-large-latest", today)).toThrow(
      /the sources disagree on its price \(input 2 or 0\.5, output 6 or 1\.5\)/,
    );
    expect(bundledPriceBook().find("mistral", "mistral-large-2512", today).rates.input).toBe(5n * 10n ** 11n);
  });

  it.each([
    "openai/gpt-4o",
    "openai/gpt-4o-mini",
    "openai/gpt-4.1",
    "openai/gpt-4.1-mini",
    "openai/gpt-4.1-nano",
    "openai/gpt-3.5-turbo",
    "anthropic/claude-sonnet-4.5",
    "google/gemini-2.5-flash",
  ])("of OpenRouter have a price and an output limit: %s", (id) => {
    const price = bundledPriceBook().find("openrouter", id, today);
    expect(price.rates.output).toBeGreaterThan(0n);
    expect(price.maxOutputTokens).toBeGreaterThan(4000);
  });

  it("carry where and when their price was read", () => {
    const { source, checked } = bundledPriceBook().find("anthropic", "claude-opus-4-1", today);
    expect(source).toMatch(/^https:\/\//);
    expect(checked).toBe(generatedAt);
    expect(() => bundledPriceBook({ maxAgeDays: 10 }).find("openai", "gpt-4o", today)).toThrow(/61 days ago/);
  });
});

function isRefused(find: () => unknown): boolean {
  try {
    find();
    return false;
  } catch (error) {
    return UnpricedModelError.isInstance(error);
  }
}
