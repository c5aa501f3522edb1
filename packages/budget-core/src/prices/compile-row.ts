import { InvalidAmountError } from "../errors/invalid-amount-error.ts";
import { ceilDiv, parsePicoUsd } from "../money.ts";
import type { Fee, PriceEntry, PriceRow, ServiceTier, TokenRate } from "./price-row.ts";

/** Rates in pico-USD per 1M tokens, so that a cost is rounded once, at its end. Undefined: cannot be priced. */
export type Rates = Readonly<Record<"input" | "output", bigint> & Record<TokenRate, bigint | undefined>>;

/** A {@link PriceRow} ready for arithmetic, with the rules for units that it leaves out applied. */
export interface CompiledRow {
  fromMs: number;
  toMs: number;
  /** Minutes of the UTC day, end exclusive. */
  utcMinutes: readonly [start: number, end: number] | undefined;
  above: number;
  serviceTier: ServiceTier;
  boundOnly: boolean;
  rates: Rates;
  /** Whether a price for cache writes is stated, which means that the provider bills them. */
  billsCacheWrites: boolean;
  /** pico-USD per piece. */
  fees: Readonly<{ request: bigint } & Record<Fee, bigint | undefined>>;
}

/** @throws InvalidAmountError for a price that is no decimal >= 0, or a time that cannot be read. */
export function compileRow({ provider, id }: Pick<PriceEntry, "provider" | "id">, row: PriceRow): CompiledRow {
  const read = (key: TokenRate | Fee) =>
    row[key] === undefined ? undefined : parsePicoUsd(row[key], `The ${key} price of ${provider} ${id}`);
  const must = (key: "input" | "output") => parsePicoUsd(row[key], `The ${key} price of ${provider} ${id}`);
  const input = must("input");
  const cacheWrite = read("cacheWrite");
  const writeRate = cacheWrite ?? ceilDiv(input * 5n, 4n);
  const audioInput = read("audioInput");
  const imageInput = read("imageInput") ?? input;
  return {
    fromMs: instant(row.from, Number.NEGATIVE_INFINITY),
    toMs: instant(row.to, Number.POSITIVE_INFINITY),
    utcMinutes: row.utc && [minuteOfDay(row.utc[0]), minuteOfDay(row.utc[1])],
    above: row.above ?? -1,
    serviceTier: row.serviceTier ?? "standard",
    boundOnly: row.boundOnly ?? false,
    billsCacheWrites: cacheWrite !== undefined,
    rates: {
      input,
      output: must("output"),
      cacheRead: read("cacheRead") ?? input,
      cacheWrite: writeRate,
      cacheWrite1h: read("cacheWrite1h") ?? larger(writeRate, input * 2n),
      reasoning: read("reasoning") ?? must("output"),
      audioInput,
      audioOutput: read("audioOutput"),
      audioCacheRead: read("audioCacheRead") ?? audioInput,
      imageInput,
      imageOutput: read("imageOutput"),
      imageCacheRead: read("imageCacheRead") ?? imageInput,
    },
    fees: {
      request: read("request") ?? 0n,
      webSearch: read("webSearch"),
      fileSearch: read("fileSearch"),
      audioSecond: read("audioSecond"),
      character: read("character"),
    },
  };
}

/** Whether the price holds at some instant from `fromMs` to `toMs`, both inclusive. */
export function holdsWithin(row: CompiledRow, fromMs: number, toMs: number): boolean {
  // Written so that an invalid date is in no period.
  if (!(row.fromMs <= toMs && fromMs < row.toMs)) return false;
  if (row.utcMinutes === undefined) return true;
  const dayMs = 86_400_000;
  if (toMs - fromMs >= dayMs) return true;
  const [start, end] = row.utcMinutes.map((minute) => minute * 60_000) as [number, number];
  const lengthMs = (end - start + dayMs) % dayMs || dayMs;
  // Time since the window last opened; the window is open now, or opens again within the span.
  const sinceOpenMs = (((fromMs - start) % dayMs) + dayMs) % dayMs;
  return sinceOpenMs < lengthMs || sinceOpenMs + (toMs - fromMs) >= dayMs;
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function instant(text: string | undefined, absent: number): number {
  if (text === undefined) return absent;
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new InvalidAmountError({ what: "The date of a price", given: text });
  return ms;
}

function minuteOfDay(text: string): number {
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (!match) throw new InvalidAmountError({ what: "The time of day of a price", given: text });
  return Number(match[1]) * 60 + Number(match[2]);
}
