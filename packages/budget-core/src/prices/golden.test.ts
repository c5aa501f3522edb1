import fc from "fast-check";
import { expect, it } from "vitest";
import type { Usage } from "../usage.ts";
import { priceUsage } from "./price-usage.ts";
import { snapshot } from "./snapshot.generated.ts";
import { bundledPriceBook } from "./snapshot.ts";

/*
 * An oracle that shares nothing with the code under test: it reads the snapshot's text by itself and computes with
 * fractions of digits. A vector is (model, usage, tier, instant) -> pico-USD.
 */

const seed = 20_261_123;
const noon = Date.UTC(2026, 10, 23, 12);

interface Fraction {
  top: bigint;
  /** Digits behind the point. */
  places: number;
}

function fraction(text: string): Fraction {
  const [whole = "0", behind = ""] = text.split(".");
  return { top: BigInt(whole + behind), places: behind.length };
}

/** count x price per 1M tokens, in units of 10^-30 USD. */
function billed(count: number, price: Fraction, perMillion: boolean): bigint {
  return BigInt(count) * price.top * 10n ** BigInt(30 - price.places - (perMillion ? 6 : 0));
}

function dearer(a: Fraction, b: Fraction): Fraction {
  return billed(1, a, false) > billed(1, b, false) ? a : b;
}

interface OracleRow {
  marks: Record<string, string>;
}

function parse(text: string): OracleRow {
  return { marks: Object.fromEntries(text.split(" ").map((token) => [token[0], token.slice(1)])) };
}

function rowFor(rows: readonly OracleRow[], usage: Usage): OracleRow | undefined {
  const isoNow = new Date(noon).toISOString();
  return rows
    .filter(({ marks }) => !("?" in marks) && (marks["!"] ?? "standard") === (usage.serviceTier ?? "standard"))
    .filter(({ marks }) => !marks["@"] || marks["@"] <= isoNow)
    .filter(({ marks }) => !marks["<"] || isoNow < marks["<"])
    .filter(({ marks }) => !marks["~"] || (marks["~"].slice(0, 5) <= "12:00" && "12:00" < marks["~"].slice(6)))
    .filter(({ marks }) => !marks[">"] || usage.inputTokens > Number(marks[">"]))
    .at(-1);
}

/** Undefined: the oracle has no price. */
function oracle(row: OracleRow, usage: Required<Omit<Usage, "serviceTier">>): bigint | undefined {
  const { marks } = row;
  const price = (letter: string) => (marks[letter] === undefined ? undefined : fraction(marks[letter]));
  const input = price("i") as Fraction;
  const times = ({ top, places }: Fraction, by: string) => {
    const factor = fraction(by);
    return { top: top * factor.top, places: places + factor.places };
  };
  const write = price("w") ?? times(input, "1.25");
  const plain = usage.cacheReadTokens - usage.audioCacheReadTokens - usage.imageCacheReadTokens;
  const sums: [number, Fraction | undefined, boolean][] = [
    [plain, price("r") ?? input, true],
    [usage.cacheWriteTokens, write, true],
    [usage.cacheWrite1hTokens, price("h") ?? dearer(write, times(input, "2")), true],
    [usage.audioInputTokens - usage.audioCacheReadTokens, price("a"), true],
    [usage.audioCacheReadTokens, price("b") ?? price("a"), true],
    [usage.imageInputTokens - usage.imageCacheReadTokens, price("m") ?? input, true],
    [usage.imageCacheReadTokens, price("n") ?? price("m") ?? input, true],
    [usage.reasoningTokens, price("t") ?? price("o"), true],
    [usage.audioOutputTokens, price("A"), true],
    [usage.imageOutputTokens, price("M"), true],
    [usage.webSearchCount, price("s"), false],
    [usage.fileSearchCount, price("f"), false],
    [usage.audioSeconds, price("d"), false],
    [usage.characterCount, price("c"), false],
  ];
  const special = usage.reasoningTokens + usage.audioOutputTokens + usage.imageOutputTokens;
  const fresh =
    usage.inputTokens -
    plain -
    usage.cacheWriteTokens -
    usage.cacheWrite1hTokens -
    usage.audioInputTokens -
    usage.imageInputTokens;
  sums.push([fresh, input, true], [usage.outputTokens - special, price("o"), true]);
  if (sums.some(([count, rate]) => count > 0 && !rate)) return undefined;
  const total = sums.reduce(
    (sum, [count, rate, perMillion]) => (rate ? sum + billed(count, rate, perMillion) : sum),
    0n,
  );
  const unit = 10n ** 18n;
  return total / unit + (total % unit === 0n ? 0n : 1n);
}

/** Usages that add up: the parts are drawn first, the totals are their sums. */
const usages = fc
  .record({
    fresh: fc.oneof(fc.nat(2_000), fc.nat(400_000)),
    text: fc.oneof(fc.nat(500), fc.nat(200_000)),
    parts: fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(100_000)), {
      minLength: 10,
      maxLength: 10,
    }),
    searches: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(20)),
  })
  .map(({ fresh, text, parts, searches }) => {
    const [read, write, hour, audio, audioRead, image, imageRead, reasoning, audioOut, imageOut] = parts as [
      ...Array<number>,
    ] as [number, number, number, number, number, number, number, number, number, number];
    return {
      inputTokens: fresh + read + write + hour + audio + audioRead + image + imageRead,
      outputTokens: text + reasoning + audioOut + imageOut,
      cacheReadTokens: read + audioRead + imageRead,
      cacheWriteTokens: write,
      cacheWrite1hTokens: hour,
      audioInputTokens: audio + audioRead,
      audioCacheReadTokens: audioRead,
      imageInputTokens: image + imageRead,
      imageCacheReadTokens: imageRead,
      reasoningTokens: reasoning,
      audioOutputTokens: audioOut,
      imageOutputTokens: imageOut,
      webSearchCount: searches,
      fileSearchCount: 0,
      audioSeconds: 0,
      characterCount: 0,
    };
  });

const textOnly = {
  audioInputTokens: 0,
  audioCacheReadTokens: 0,
  imageOutputTokens: 0,
  audioOutputTokens: 0,
  webSearchCount: 0,
};

it(`bills at least 10,000 usages as an independent oracle does, to the pico-USD (seed ${seed})`, () => {
  const book = bundledPriceBook();
  const drawn = fc.sample(usages, { numRuns: 400, seed });
  let vectors = 0;
  let priced = 0;
  let provider = "";
  for (const line of snapshot.text.split("\n")) {
    if (line.startsWith("@")) provider = line.slice(1).split(" ")[0] ?? "";
    if (line === "" || line.startsWith("@") || line.startsWith("?")) continue;
    const [names = "", , ...texts] = line.split("|");
    const rows = texts.map(parse);
    for (const id of names.split(" ")) {
      const price = book.find(provider, id, new Date(noon));
      for (let turn = 0; turn < 9; turn++) {
        const whole = drawn[vectors % drawn.length] as Required<Omit<Usage, "serviceTier">>;
        const tokens = turn % 3 === 0 ? whole : { ...whole, ...cut(whole), ...textOnly };
        const [audioSeconds, characterCount] = [/ d0/.test(line) ? vectors : 0, / c0/.test(line) ? vectors : 0];
        const usage = { ...tokens, audioSeconds, characterCount };
        const serviceTier = turn === 1 ? "priority" : turn === 2 ? "flex" : undefined;
        const tiered = serviceTier ? { ...usage, serviceTier } : usage;
        const row = rowFor(rows, tiered as Usage) ?? (turn === 2 ? rowFor(rows, usage) : undefined);
        const expected = row && oracle(row, usage);
        const actual = priceUsage(price, tiered as Usage);
        if (actual !== expected) expect({ id, usage: tiered, actual }).toEqual({ id, usage: tiered, actual: expected });
        vectors += 1;
        if (expected !== undefined) priced += 1;
      }
    }
  }
  expect(vectors).toBeGreaterThan(10_000);
  expect(priced).toBeGreaterThan(5_000);
});

/** Takes the tokens that `textOnly` drops out of their totals. */
function cut(
  usage: Required<Omit<Usage, "serviceTier">>,
): Pick<Usage, "inputTokens" | "outputTokens" | "cacheReadTokens"> {
  return {
    inputTokens: usage.inputTokens - usage.audioInputTokens,
    outputTokens: usage.outputTokens - usage.audioOutputTokens - usage.imageOutputTokens,
    cacheReadTokens: usage.cacheReadTokens - usage.audioCacheReadTokens,
  };
}
