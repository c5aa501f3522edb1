import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Usage } from "../usage.ts";
import type { ModelPrice } from "./model-price.ts";
import { PriceBook } from "./price-book.ts";
import { type BillingReach, priceBound } from "./price-bound.ts";
import type { PriceEntry, PriceRow, ServiceTier } from "./price-row.ts";
import { priceUsage } from "./price-usage.ts";
import { snapshot } from "./snapshot.generated.ts";
import { bundledPriceBook } from "./snapshot.ts";
import { readEntries } from "./snapshot-format.ts";

const seed = 88_172_645;
const now = Date.parse("2026-11-23T12:00:00Z");
const entries = readEntries(snapshot.text, { batch: true });
const changing = entries.filter(({ rows }) => rows.some(({ utc, from }) => utc || (from && Date.parse(from) > now)));
const book = bundledPriceBook();

const call = fc.record({
  // Prices that change with time are few, so they are drawn more often.
  entry: fc.oneof(fc.constantFrom(...entries), fc.constantFrom(...changing)),
  hoursAway: fc.integer({ min: 0, max: 24 * 90 }),
  ttlMs: fc.integer({ min: 0, max: 7_200_000 }),
  laterMs: fc.integer({ min: 0, max: 7_200_000 }),
  inputTokens: fc.oneof(fc.nat(2_000), fc.nat(500_000), fc.constantFrom(128_000, 200_000, 271_999, 272_000, 272_001)),
  outputTokens: fc.nat(130_000),
  split: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 9, maxLength: 9 }),
  choices: fc.integer({ min: 1, max: 4 }),
  searches: fc.nat(5),
  cacheWrites: fc.constantFrom("none" as const, "5m" as const, "1h" as const, undefined),
  media: fc.boolean(),
  serviceTier: fc.constantFrom<ServiceTier>("standard", "batch", "flex", "priority"),
});

describe("priceBound", () => {
  it(`is never below what a call within its caps costs, over all rows (seed ${seed})`, () => {
    let billed = 0;
    fc.assert(
      fc.property(call, (drawn) => {
        const { entry, ttlMs, choices, searches, serviceTier } = drawn;
        const at = new Date(now + drawn.hoursAway * 3_600_000);
        const price = book.find(entry.provider, entry.id, at);
        const reach: BillingReach = {
          ttlMs,
          choices,
          maxWebSearches: searches,
          maxAudioSeconds: searches * 600,
          maxCharacters: searches * 800,
          media: drawn.media,
          serviceTiers: [serviceTier],
          ...(drawn.cacheWrites ? { cacheWrites: drawn.cacheWrites } : {}),
        };
        const bound = priceBound(price, drawn.inputTokens, drawn.outputTokens, reach);
        const served = book.find(entry.provider, entry.id, new Date(at.getTime() + Math.min(drawn.laterMs, ttlMs)));
        const usage = usageWithin(drawn, { price, choices, searches, serviceTier });
        const cost = priceUsage(served, usage);
        if (cost === undefined) return;
        billed += 1;
        expect(bound).toBeGreaterThanOrEqual(cost);
      }),
      { numRuns: 30_000, seed },
    );
    expect(billed).toBeGreaterThan(15_000);
  });

  const entry = (rows: readonly PriceRow[], more: Partial<PriceEntry> = {}): ModelPrice =>
    new PriceBook([{ provider: "p", id: "m", rows, source: "", checked: "", ...more }]).find("p", "m", new Date(now));

  it("counts a price that begins before the call is billed, and one that another source gives", () => {
    const rows = [
      { input: "1", output: "1" },
      { from: "2026-11-23T12:30:00Z", input: "2", output: "2" },
      { boundOnly: true, input: "1.5", output: "3" },
    ];
    expect(priceBound(entry(rows), 1_000_000, 0)).toBe(2n * 10n ** 12n);
    expect(priceBound(entry(rows), 1_000_000, 0, { ttlMs: 60_000 })).toBe(15n * 10n ** 11n);
    expect(priceBound(entry(rows), 0, 1_000_000)).toBe(3n * 10n ** 12n);
  });

  it("counts a time of day that comes within the span, over midnight too", () => {
    const rows = (start: string, end: string): PriceRow[] => [
      { input: "1", output: "1" },
      { utc: [start, end], input: "2", output: "1" },
    ];
    const bound = (start: string, end: string, ttlMs: number) =>
      priceBound(entry(rows(start, end)), 1_000_000, 0, { ttlMs }) / 10n ** 12n;
    expect(bound("12:30", "13:00", 3_600_000)).toBe(2n);
    expect(bound("12:30", "13:00", 60_000)).toBe(1n);
    expect(bound("23:00", "01:00", 3_600_000)).toBe(1n);
    expect(bound("23:00", "01:00", 12 * 3_600_000)).toBe(2n);
    expect(bound("23:00", "01:00", 86_400_000)).toBe(2n);
    expect(bound("11:00", "12:00", 60_000)).toBe(1n);
    expect(bound("00:00", "00:00", 60_000)).toBe(2n);
  });

  it("counts the long price from a token before its threshold, and not for shorter requests", () => {
    const rows = [
      { input: "1", output: "1" },
      { above: 1000, input: "2", output: "2" },
    ];
    expect(priceBound(entry(rows), 998, 0)).toBe(998n * 10n ** 6n);
    expect(priceBound(entry(rows), 999, 0)).toBe(2n * 999n * 10n ** 6n);
  });

  it("counts cache writes that are asked for, and those that a provider bills unasked", () => {
    const rows = [{ input: "1", output: "1", cacheWrite: "1.25", cacheWrite1h: "2" }];
    const bound = (price: ModelPrice, cacheWrites?: "none" | "5m" | "1h") =>
      priceBound(price, 1_000_000, 0, cacheWrites ? { cacheWrites } : {}) / 10n ** 10n;
    expect(bound(entry(rows, { cachesOnRequest: true }), "none")).toBe(100n);
    expect(bound(entry(rows), "none")).toBe(125n);
    expect(bound(entry(rows), "5m")).toBe(125n);
    expect(bound(entry(rows))).toBe(200n);
    expect(bound(entry([{ input: "1", output: "1" }]), "5m")).toBe(125n);
    expect(bound(entry([{ input: "1", output: "1" }]), "1h")).toBe(200n);
  });

  it("counts tiers that may serve, fees and every answer", () => {
    const rows: PriceRow[] = [
      { input: "1", output: "1", request: "0.01", webSearch: "0.02", fileSearch: "0.03" },
      { serviceTier: "priority", input: "2", output: "2" },
      { serviceTier: "flex", input: "0.5", output: "0.5" },
    ];
    const price = entry(rows);
    expect(priceBound(price, 1_000_000, 0)).toBe(2_010_000_000_000n);
    expect(priceBound(price, 1_000_000, 0, { serviceTiers: ["standard"] })).toBe(1_010_000_000_000n);
    expect(priceBound(price, 1_000_000, 0, { serviceTiers: ["flex"] })).toBe(500_000_000_000n);
    expect(priceBound(price, 1_000_000, 0, { serviceTiers: ["batch"] })).toBe(1_010_000_000_000n);
    const reach = { serviceTiers: ["standard"] as const, maxWebSearches: 2, maxFileSearches: 1, choices: 3 };
    expect(priceBound(price, 0, 1_000_000, reach)).toBe(3_080_000_000_000n);
  });

  it("bounds what is sold by the second or the character only with a length", () => {
    const [whisper, speech] = [
      book.find("openai", "whisper-1", new Date(now)),
      book.find("openai", "tts-1", new Date(now)),
    ];
    expect(priceBound(whisper, 500, 0, { maxAudioSeconds: 61 })).toBe(6_100_000_000n);
    expect(priceBound(speech, 500, 0, { maxCharacters: 4_095 })).toBe(61_425_000_000n);
    expect(priceBound(speech, 500, 0, { maxCharacters: 0 })).toBe(0n);
    expect(() => priceBound(whisper, 500, 0)).toThrow(/"whisper-1" is billed by the second of audio/);
    expect(() => priceBound(speech, 500, 0, { maxAudioSeconds: 1 })).toThrow(/"tts-1" is billed by the character/);
    expect(priceUsage(whisper, { inputTokens: 0, outputTokens: 0, audioSeconds: 61 })).toBe(6_100_000_000n);
    for (const price of [whisper, speech])
      expect(priceUsage(price, { inputTokens: 9, outputTokens: 9 })).toBeUndefined();
    const tokens = entry([{ input: "1", output: "1" }]);
    expect(priceUsage(tokens, { inputTokens: 9, outputTokens: 9, audioSeconds: 1 })).toBeUndefined();
  });
});

/** A usage that respects the caps of a call: no more tokens, searches or cache writes than were asked for. */
function usageWithin(
  drawn: {
    inputTokens: number;
    outputTokens: number;
    split: readonly number[];
    cacheWrites: "none" | "5m" | "1h" | undefined;
    media: boolean;
  },
  limits: { price: ModelPrice; choices: number; searches: number; serviceTier: ServiceTier },
): Usage {
  const { split, cacheWrites, media } = drawn;
  const { price, choices, searches, serviceTier } = limits;
  const billsWrites = price.rows.some((row) => row.billsCacheWrites);
  const share = (index: number) => split[index] ?? 0;
  let left = Math.floor(drawn.inputTokens * (0.5 + share(0) / 2));
  const inputTokens = left;
  const take = (part: number, isPossible: boolean) => {
    const taken = isPossible ? Math.floor(left * part) : 0;
    left -= taken;
    return taken;
  };
  const unasked = billsWrites && (!price.cachesOnRequest || cacheWrites === undefined);
  const cacheWriteTokens = take(share(1), cacheWrites === "5m" || cacheWrites === "1h" || unasked);
  const cacheWrite1hTokens = take(share(2), cacheWrites === "1h" || (cacheWrites === undefined && billsWrites));
  const audioInputTokens = take(share(3), media && price.rates.audioInput !== undefined);
  const imageInputTokens = take(share(4), media);
  const cacheReadTokens = take(share(5), true);
  const outputTokens = Math.floor(drawn.outputTokens * choices * (0.5 + share(6) / 2));
  return {
    inputTokens,
    outputTokens,
    cacheReadTokens,
    cacheWriteTokens,
    cacheWrite1hTokens,
    audioInputTokens,
    imageInputTokens,
    reasoningTokens: Math.floor(outputTokens * share(7) * 0.5),
    imageOutputTokens: price.rates.imageOutput === undefined ? 0 : Math.floor(outputTokens * share(8) * 0.5),
    webSearchCount: Math.min(searches, Math.floor(share(8) * 6)),
    ...(price.rows.some(({ fees }) => fees.audioSecond) ? { audioSeconds: Math.floor(searches * 600 * share(0)) } : {}),
    ...(price.rows.some(({ fees }) => fees.character) ? { characterCount: Math.floor(searches * 800 * share(0)) } : {}),
    serviceTier,
  };
}
