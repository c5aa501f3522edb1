import { picoToDecimal } from "@autolabel/budget-core";
import type { PriceRow } from "@autolabel/budget-core/prices";
import { asRecord, asText, readAmount } from "./exact-json.ts";

/** OpenRouter's names of what a token of text is billed as, in USD per token, and ours. */
const tokenUnits = {
  input: "prompt",
  output: "completion",
  cacheRead: "input_cache_read",
  cacheWrite: "input_cache_write",
  cacheWrite1h: "input_cache_write_1h",
  reasoning: "internal_reasoning",
  audioInput: "audio",
  audioOutput: "audio_output",
  audioCacheRead: "input_audio_cache",
  imageInput: "image_token",
  imageOutput: "image_output",
} as const;
/** What is billed by the piece, in USD. */
const fees = { request: "request", webSearch: "web_search" } as const;

/** What one unit costs: tokens in pico-USD per 1M, fees in pico-USD apiece. */
export type Unit = keyof typeof tokenUnits | keyof typeof fees;

/** Prices under one condition. */
export interface ListedRow {
  /** Holds only for requests with more input tokens than this. */
  above?: number;
  /** Holds only between two times of the day, UTC. */
  utc?: readonly [start: string, end: string];
  /** Holds at a time that we cannot read: it lifts bounds, and no cost is computed with it. */
  boundOnly?: true;
  units: ReadonlyMap<Unit, bigint>;
}

/** The largest price of 1M tokens that any provider asks is $600 (o1-pro); of one request or search some cents. */
const mostPerMillion = 1000n * 10n ** 12n;
const mostPerPiece = 10n ** 12n;

/**
 * Reads a `pricing` object of `/models` or `/endpoints`: the plain prices first, then those of long requests and of times
 * of the day, each whole. `discount` is left out, since a bound must hold without it.
 *
 * A text says why prices are refused: a router's -1 (its price is that of whom it picks), no number, more than any
 * provider asks, or nothing for a model that is not offered as free.
 */
export function readPricing(pricing: unknown, modelId: string): readonly ListedRow[] | string {
  const listed = asRecord(pricing);
  if (!listed) return "it has no prices";
  const base = readUnits(listed);
  if (typeof base === "string") return base;
  const wrong = lacking(base, modelId);
  if (wrong !== undefined) return wrong;
  const rows: ListedRow[] = [{ units: base }];
  const overrides = Array.isArray(listed.overrides) ? listed.overrides.map(asRecord) : [];
  for (const override of overrides) {
    const units = override ? readUnits(override) : "an override is no object";
    if (typeof units === "string") return units;
    const condition = override ? readCondition(override) : {};
    // What an override leaves out it takes from those before it that hold whenever it does.
    const inherited = rows.filter((row) => holdsWith(row, condition)).flatMap((row) => [...row.units]);
    rows.push({ ...condition, units: new Map([...inherited, ...units]) });
  }
  return rows;
}

/** The row for a price book. */
export function toPriceRow({ units, ...condition }: ListedRow): PriceRow {
  const prices = Object.fromEntries([...units].map(([unit, pico]) => [unit, picoToDecimal(pico)]));
  const [input, output] = [units.get("input") ?? 0n, units.get("output") ?? 0n];
  return { ...condition, ...prices, input: picoToDecimal(input), output: picoToDecimal(output) };
}

function readUnits(listed: Record<string, unknown>): Map<Unit, bigint> | string {
  const units = new Map<Unit, bigint>();
  const add = (unit: Unit, name: string, isFee: boolean) => {
    const price = listed[name];
    if (price === undefined || price === null) return undefined;
    const pico = isFee ? readAmount(price) : perMillion(price);
    if (pico === undefined) return `its "${name}" price is ${JSON.stringify(price)}`;
    if (pico > (isFee ? mostPerPiece : mostPerMillion))
      return `its "${name}" price of ${JSON.stringify(price)} is absurd`;
    // A zero of anything but input and output says that it is not billed apart, not that it is free.
    if (pico > 0n || unit === "input" || unit === "output") units.set(unit, pico);
    return undefined;
  };
  const problems = [
    ...Object.entries(tokenUnits).map(([unit, name]) => add(unit as Unit, name, false)),
    ...Object.entries(fees).map(([unit, name]) => add(unit as Unit, name, true)),
  ];
  return problems.find((problem) => problem !== undefined) ?? units;
}

function lacking(units: ReadonlyMap<Unit, bigint>, modelId: string): string | undefined {
  const [input, output] = [units.get("input"), units.get("output")];
  if (input === undefined || output === undefined) return "it lacks a price of input or output";
  if (modelId.endsWith(":free")) return undefined;
  const hasOutput = !/embed/.test(modelId);
  return input === 0n || (output === 0n && hasOutput)
    ? "a price of 0 is no price, as it is not offered as free"
    : undefined;
}

/** USD per token -> pico-USD per 1M tokens, rounded up. */
function perMillion(price: unknown): bigint | undefined {
  const text = typeof price === "number" ? String(price) : price;
  const match = typeof text === "string" ? /^(\d*\.?\d+)(?:e([+-]?\d+))?$/i.exec(text) : null;
  if (!match) return undefined;
  const [, digits = "", exponent = "0"] = match;
  // More digits than a double has are what is left of arithmetic with doubles, such as 0.00000100000000000000015.
  const cleaned = digits.replace(/^[0.]+/, "").length > 15 ? Number(digits).toPrecision(15) : digits;
  const [mantissa, own = "0"] = cleaned.split("e");
  return readAmount(`${mantissa}e${Number(own) + Number(exponent) + 6}`);
}

type Condition = Omit<ListedRow, "units">;

/** Conditions of an override; all of them must hold. Source: `overrides` of OpenRouter's `/models`. */
function readCondition(override: Record<string, unknown>): Condition {
  const { min_prompt_tokens: least, utc_start, utc_end } = override;
  const threshold = least === undefined || least === null ? 0 : Number(least);
  if (!Number.isSafeInteger(threshold)) return { boundOnly: true };
  const above = threshold > 0 ? { above: threshold - 1 } : {};
  if (utc_start === undefined && utc_end === undefined) return above;
  const [start, end] = [asText(utc_start)?.slice(0, 5), asText(utc_end)?.slice(0, 5)];
  const isTime = (text: string | undefined): text is string => /^([01]\d|2[0-3]):[0-5]\d$/.test(text ?? "");
  return isTime(start) && isTime(end) ? { ...above, utc: [start, end] } : { ...above, boundOnly: true };
}

/** Whether `row` holds whenever `condition` does. */
function holdsWith(row: ListedRow, condition: Condition): boolean {
  if (row.boundOnly || (row.above ?? -1) > (condition.above ?? -1)) return false;
  return row.utc === undefined || row.utc.join() === condition.utc?.join();
}
