import type { PriceEntry, PriceRow, TokenRate } from "../../packages/budget-core/src/prices/price-row.ts";

/** Largest price of 1M tokens that any provider asks (o1-pro: 600). */
const mostPerMillion = 1000;
/** Dollars for one search or one request. */
const mostPerPiece = 1;

/**
 * Rules that every row must pass, from errors that were live in public price tables for months: prices of 1M tokens
 * given per token (100,000 times too high), cache writes at 0.4 or 24 times the input price, priority at 50 times.
 *
 * Returns the broken rules by name, with figures.
 */
export function brokenRules(entry: PriceEntry): string[] {
  const base = entry.rows.find((row) => row.above === undefined && row.serviceTier === undefined);
  if (!base) return ["no standard price"];
  return entry.rows
    .flatMap((row) => (row.boundOnly ? [] : rulesOfRow(row, entry.id)))
    .concat(entry.rows.flatMap((row) => rulesBetween(row, baseOf(entry.rows, row) ?? base)));
}

function rulesOfRow(row: PriceRow, id: string): string[] {
  const [isFree, isEmbedding, storesCache] = [id.endsWith(":free"), /embed/.test(id), /gemini/.test(id)];
  const tokens = tokenRates(row);
  const [input, output] = [Number(row.input), Number(row.output)];
  const broken: string[] = [];
  const require = (rule: string, holds: boolean) => {
    if (!holds) broken.push(rule);
  };
  const isSoldByPiece = row.audioSecond !== undefined || row.character !== undefined;
  const mayBeZero = (unit: TokenRate) => isFree || isSoldByPiece || (isEmbedding && unit === "output");
  for (const [unit, price] of tokens) {
    require(`${unit} is finite and above 0`, Number.isFinite(price) && (price > 0 || mayBeZero(unit)));
    require(`${unit} is at most $${mostPerMillion}`, price <= mostPerMillion);
    require(`${unit} has at most 12 digits`, significantDigits(String(row[unit])) <= 12);
  }
  for (const fee of ["audioSecond", "character"] as const) {
    require(`${fee} is above 0 and at most $0.01`, row[fee] === undefined ||
      (Number(row[fee]) > 0 && Number(row[fee]) <= 0.01));
  }
  for (const fee of ["request", "webSearch", "fileSearch"] as const) {
    require(`${fee} is at most $${mostPerPiece}`, Number(row[fee] ?? 0) <= mostPerPiece);
  }
  require(`output (${output}) >= input (${input})`, isEmbedding || output >= input);
  const ratio = (unit: TokenRate, least: number, most: number) => {
    if (row[unit] === undefined || input === 0) return;
    const factor = Number(row[unit]) / input;
    require(`${unit} / input (${factor.toFixed(3)}) in ${least}..${most}`, factor >= least && factor <= most);
  };
  ratio("cacheRead", 0, 1);
  // Five minutes of storage, as Google bills it through OpenRouter, can cost more than cheap input does.
  ratio("cacheWrite", 1, storesCache ? 2.2 : 1.25);
  ratio("cacheWrite1h", Math.max(1, Number(row.cacheWrite ?? 0) / input || 1), 2);
  return broken;
}

/** How far long requests and service tiers may be from the plain price. */
function rulesBetween(row: PriceRow, base: PriceRow): string[] {
  const [rule, least, most] =
    row.serviceTier === "batch" || row.serviceTier === "flex"
      ? [row.serviceTier, 0.4, 0.7]
      : row.serviceTier === "priority"
        ? ["priority", 1, 2.6]
        : ["long requests", 1, 2];
  if (row === base || row.boundOnly || row.utc) return [];
  return tokenRates(row).flatMap(([unit, price]) => {
    const plain = Number(base[unit] ?? Number.NaN);
    if (!(plain > 0)) return [];
    const factor = price / plain;
    // Not every provider sells cached input cheaper still in a batch.
    const atMost = /cache/i.test(unit) ? Math.max(most, 1) : most;
    return factor >= least - 1e-9 && factor <= atMost + 1e-9
      ? []
      : [`${rule}: ${unit} / plain (${factor.toFixed(3)}) in ${least}..${most}`];
  });
}

/** The row that a tier or a length is a variant of: the standard one of the same length, and of the same period if any. */
function baseOf(rows: readonly PriceRow[], row: PriceRow): PriceRow | undefined {
  const isTier = row.serviceTier !== undefined;
  const same = rows.filter((base) => base.serviceTier === undefined && !base.boundOnly && base.utc === undefined);
  const isUndated = row.from === undefined && row.to === undefined;
  const period = same.filter((base) => (isTier && isUndated) || (base.from === row.from && base.to === row.to));
  return period.findLast((base) => base.above === (isTier ? row.above : undefined));
}

function tokenRates(row: PriceRow): [TokenRate, number][] {
  const fees = new Set([
    "request",
    "webSearch",
    "fileSearch",
    "audioSecond",
    "character",
    "from",
    "to",
    "utc",
    "above",
    "serviceTier",
    "boundOnly",
  ]);
  return Object.entries(row)
    .filter(([key]) => !fees.has(key))
    .map(([key, value]) => [key as TokenRate, Number(value)]);
}

function significantDigits(text: string): number {
  return text.replace(/e.*$/i, "").replace(".", "").replace(/^0+/, "").replace(/0+$/, "").length;
}
