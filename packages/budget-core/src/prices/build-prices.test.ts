import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { buildSnapshot } from "../../../../scripts/build-prices.ts";
import { handWritten } from "../../../../scripts/prices/hand-written.ts";
import { mergeHistory } from "../../../../scripts/prices/history.ts";
import { providers } from "../../../../scripts/prices/providers.ts";
import { reviews } from "../../../../scripts/prices/reviewed.ts";
import { brokenRules } from "../../../../scripts/prices/sanity-gate.ts";
import { tierRows } from "../../../../scripts/prices/service-tiers.ts";
import { readSources, type Sources } from "../../../../scripts/prices/sources.ts";
import { fnv1a64 } from "./price-layer.ts";
import type { PriceEntry, PriceRow } from "./price-row.ts";
import { snapshot } from "./snapshot.generated.ts";
import { readEntries } from "./snapshot-format.ts";

const committed = readFileSync(new URL("./snapshot.generated.ts", import.meta.url), "utf8");
const sources = await readSources();

describe("the committed snapshot", () => {
  it("is what the generator makes of the pinned packages", () => {
    expect(buildSnapshot(sources, committed).file).toBe(committed);
  });

  it("carries the hash of its text, computed when it was made", () => {
    expect(snapshot.hash).toBe(fnv1a64(snapshot.text.slice(1)));
  });

  it("stays small", () => {
    expect(committed.length).toBeLessThan(70_000);
  });

  it("passes the sanity gate with every row, those of the 50 % rule too", () => {
    const waived = new Map(reviews.map((review) => [`${review.provider} ${review.id}`, review.waive ?? []]));
    for (const entry of readEntries(snapshot.text, { batch: true })) {
      const broken = brokenRules(entry).filter((rule) => !waived.get(`${entry.provider} ${entry.id}`)?.includes(rule));
      expect(broken, `${entry.provider} ${entry.id}`).toEqual([]);
    }
  });

  it("has a source and a date for everything that was written by hand", () => {
    const batches = providers.flatMap(({ batch }) => (batch ? [batch] : []));
    for (const { source, checked } of [...tierRows, ...reviews, ...batches, ...handWritten]) {
      expect(source).toMatch(/^https:\/\//);
      expect(checked).toMatch(/^2026-\d{2}-\d{2}$/);
    }
  });

  it("uses every row that was written by hand", () => {
    const entries = readEntries(snapshot.text, { batch: false });
    const of = (provider: string, id: string) =>
      entries.find((entry) => entry.provider === provider && entry.id === id);
    for (const { provider, id, tier } of tierRows) {
      expect(
        of(provider, id)?.rows.some(({ serviceTier }) => serviceTier === tier),
        id,
      ).toBe(true);
    }
    for (const { provider, id } of [...reviews, ...handWritten]) expect(of(provider, id), id).toBeDefined();
  });
});

/** The sources with one price multiplied. */
function corrupted(providerId: string, modelId: string, factor: number): Sources {
  const genai = structuredClone(sources.genai) as unknown as {
    id: string;
    models: { id: string; prices: unknown }[];
  }[];
  const model = genai.find(({ id }) => id === providerId)?.models.find(({ id }) => id === modelId);
  const scale = (value: unknown): unknown => {
    if (typeof value === "number") return value * factor;
    if (Array.isArray(value)) return value.map(scale);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, key === "start" ? item : scale(item)]));
  };
  if (!model) throw new Error(`no ${modelId}`);
  model.prices = scale(model.prices);
  return { ...sources, genai: genai as unknown as Sources["genai"] };
}

describe("the generator", () => {
  it.each([
    ["openai", "gpt-4o-mini"],
    ["anthropic", "claude-opus-4-1"],
    ["google", "gemini-2.5-flash"],
    ["mistral", "codestral-2508"],
    ["x-ai", "grok-4.3"],
    ["groq", "llama-3.3-70b-versatile"],
    ["openrouter", "openai/gpt-4o-mini"],
    ["openrouter", "deepseek/deepseek-chat"],
  ])("fails for a price of %s %s that is 50 times off, up or down", (provider, model) => {
    expect(() => buildSnapshot(corrupted(provider, model, 50), committed)).toThrow(
      /moved too far or lost their evidence/,
    );
    expect(() => buildSnapshot(corrupted(provider, model, 0.02), committed)).toThrow(
      /moved too far or lost their evidence/,
    );
  });

  it("leaves out a new price that another source contradicts, and reports it", () => {
    const built = buildSnapshot(corrupted("anthropic", "claude-fable-5", 15), "");
    expect(built.report.join("\n")).toMatch(
      /anthropic claude-fable-5: left out, the sources disagree on its price \(input 150 or 10/,
    );
    expect(built.file).toContain("\n?claude-fable-5 the sources disagree");
  });

  it("leaves out an id that two models claim", () => {
    const rival = {
      id: "gpt-4o-rival",
      match: { or: [{ equals: "gpt-4o-rival" }, { equals: "gpt-4.5-x" }, { equals: "o1-pro" }] },
    };
    const genai = sources.genai.map((provider) =>
      provider.id === "openai"
        ? { ...provider, models: [...provider.models, { ...rival, prices: { input_mtok: 1, output_mtok: 2 } }] }
        : provider,
    );
    const { file } = buildSnapshot({ ...sources, genai }, "");
    expect(file).toContain("\n?o1-pro two models claim the id");
    expect(file).toContain("\no1-pro-2025-03-19|");
    expect(file).toContain("\ngpt-4o-rival gpt-4.5-x|");
  });

  it("closes a price that changed, and keeps it", () => {
    const { file } = buildSnapshot(corrupted("openrouter", "openai/gpt-4.1-nano", 2), committed);
    const text = file.split("`")[1] ?? "";
    const entry = readEntries(text, { batch: false }).find(({ id }) => id === "openai/gpt-4.1-nano");
    expect(entry?.rows).toEqual([
      { to: "2026-09-23", input: "0.1", output: "0.4", cacheRead: "0.025" },
      { from: "2026-09-23", input: "0.2", output: "0.8", cacheRead: "0.05" },
    ]);
    expect(buildSnapshot(corrupted("openrouter", "openai/gpt-4.1-nano", 2), file).file).toBe(file);
  });

  it("keeps an id that the sources dropped", () => {
    const genai = sources.genai.map((provider) =>
      provider.id === "anthropic"
        ? { ...provider, models: provider.models.filter(({ id }) => id !== "claude-3-opus-latest") }
        : provider,
    );
    const { file } = buildSnapshot({ ...sources, genai }, committed);
    expect(file.split("\n").filter((line) => line.startsWith("claude-3-opus-latest"))).toHaveLength(1);
  });
});

describe("mergeHistory", () => {
  const entry = (id: string, input: string, more: Partial<PriceEntry> = {}): PriceEntry => ({
    provider: "p",
    id,
    rows: [{ input, output: "9" }],
    source: "",
    checked: "",
    ...more,
  });
  const context = { disputes: new Map<string, string>(), reviews: [], seen: "2026-12-01" };

  it("lets a change past its limits through when a person accepted it", () => {
    const accept = { provider: "p", id: "m", acceptChange: true, why: "", source: "", checked: "" };
    expect(() => mergeHistory([entry("m", "1")], [entry("m", "5")], context)).toThrow(/p m: input 1 -> 5/);
    expect(mergeHistory([entry("m", "1")], [entry("m", "5")], { ...context, reviews: [accept] })[0]?.rows).toHaveLength(
      2,
    );
  });

  it("leaves the history that a source gives by itself, and takes aliases that moved away from a kept entry", () => {
    const rows = [
      { to: "2026-01-01", input: "2", output: "9" },
      { from: "2026-01-01", input: "1", output: "9" },
    ];
    expect(mergeHistory([entry("m", "1")], [entry("m", "1", { rows })], context)[0]?.rows).toEqual(rows);
    const kept = mergeHistory(
      [entry("old", "1", { aliases: ["a", "b"] })],
      [entry("m", "1", { aliases: ["a"] })],
      context,
    );
    expect(kept.map(({ id, aliases }) => [id, aliases])).toEqual([
      ["m", ["a"]],
      ["old", ["b"]],
    ]);
  });
});

describe("the sanity gate", () => {
  const gate = (id: string, ...rows: PriceRow[]) => brokenRules({ provider: "p", id, rows, source: "", checked: "" });
  const plain: PriceRow = { input: "1", output: "4", cacheRead: "0.1", cacheWrite: "1.25", cacheWrite1h: "2" };

  it("lets sound prices pass", () => {
    expect(gate("m", plain)).toEqual([]);
    expect(gate("m", plain, { ...plain, above: 200_000, input: "2", cacheWrite: "2.5", cacheWrite1h: "4" })).toEqual(
      [],
    );
    expect(gate("m:free", { input: "0", output: "0" })).toEqual([]);
    expect(gate("text-embedding", { input: "0.02", output: "0" })).toEqual([]);
    expect(gate("m", plain, { utc: ["01:00", "02:00"], input: "3", output: "12" })).toEqual([]);
    expect(gate("m", plain, { boundOnly: true, input: "99", output: "1" })).toEqual([]);
  });

  // Each of these was live in a public price table.
  it.each<[string, PriceRow[], RegExp]>([
    ["a price per token taken for one per million", [{ input: "15000", output: "15000" }], /at most \$1000/],
    ["zero for unknown", [{ input: "0", output: "0" }], /above 0/],
    ["a price that is no number", [{ input: "x", output: "1" }], /finite/],
    ["input dearer than output", [{ input: "2", output: "1" }], /output \(1\) >= input \(2\)/],
    ["a cache read dearer than input", [{ ...plain, cacheRead: "1.25" }], /cacheRead \/ input/],
    ["a cache write of 24 times the input", [{ ...plain, cacheWrite1h: "24" }], /cacheWrite1h \/ input/],
    ["a cache write of 0.4 times the input", [{ ...plain, cacheWrite1h: "0.4" }], /cacheWrite1h \/ input/],
    ["an hour cheaper than five minutes", [{ ...plain, cacheWrite1h: "1.1" }], /cacheWrite1h \/ input/],
    ["a five-minute write of twice the input", [{ ...plain, cacheWrite: "2" }], /cacheWrite \/ input/],
    ["priority at 50 times", [plain, { serviceTier: "priority", input: "50", output: "4" }], /priority: input/],
    ["batch at a twelfth", [plain, { serviceTier: "batch", input: "0.0833", output: "2" }], /batch: input/],
    ["flex at the full price", [plain, { serviceTier: "flex", input: "1", output: "2" }], /flex: input/],
    ["long requests at three times", [plain, { above: 200_000, input: "3", output: "12" }], /long requests: input/],
    ["a float's artefact", [{ input: "0.30001999999999996", output: "4" }], /12 digits/],
    ["a fee of $10", [{ ...plain, webSearch: "10" }], /webSearch is at most/],
    ["no standard price", [{ serviceTier: "flex", input: "1", output: "2" }], /no standard price/],
  ])("refuses %s", (_what, rows, problem) => {
    expect(gate("m", ...rows).join("; ")).toMatch(problem);
  });
});
