import { ceilDiv, parsePicoUsd, picoToDecimal } from "../../packages/budget-core/src/money.ts";
import type { Fee, PriceEntry, PriceRow, TokenRate } from "../../packages/budget-core/src/prices/price-row.ts";
import type { ProviderRule } from "./providers.ts";
import { movedThreshold } from "./reviewed.ts";
import {
  exactIds,
  type GenaiConstraint,
  type GenaiModel,
  type GenaiPrice,
  type GenaiPrices,
  genaiDate,
  matches,
} from "./sources.ts";

/** Units that we can price, by their names in genai-prices, and how many of them a price is for (in 1M tokens or pieces). */
const units: Readonly<Record<string, { unit: TokenRate | Fee; per: bigint }>> = {
  input_mtok: { unit: "input", per: 1n },
  output_mtok: { unit: "output", per: 1n },
  cache_read_mtok: { unit: "cacheRead", per: 1n },
  cache_write_mtok: { unit: "cacheWrite", per: 1n },
  cache_write_1h_mtok: { unit: "cacheWrite1h", per: 1n },
  output_reasoning_mtok: { unit: "reasoning", per: 1n },
  input_audio_mtok: { unit: "audioInput", per: 1n },
  output_audio_mtok: { unit: "audioOutput", per: 1n },
  cache_audio_read_mtok: { unit: "audioCacheRead", per: 1n },
  input_image_mtok: { unit: "imageInput", per: 1n },
  output_image_mtok: { unit: "imageOutput", per: 1n },
  cache_image_read_mtok: { unit: "imageCacheRead", per: 1n },
  requests_kcount: { unit: "request", per: 1000n },
  web_searches_kcount: { unit: "webSearch", per: 1000n },
  storage_searches_kcount: { unit: "fileSearch", per: 1000n },
};

/** A model of genai-prices as an entry, or undefined when it is not sold by the token, or by units that we do not count. */
export function entryOf(rule: ProviderRule, model: GenaiModel): PriceEntry | undefined {
  const { provider, skip, cachesOnRequest } = rule;
  const declared = [...(matches(model.match, model.id) ? [model.id] : []), ...exactIds(model.match)];
  const ids = [...new Set(declared)].filter((name) => !/-$|^ft:|\s|\|/.test(name) && !skip?.test(name));
  const [id, ...aliases] = ids;
  const rows = rowsOf(provider, model, id ?? "")?.map((row) =>
    rule.storesCache?.test(id ?? "") ? withStorage(row) : row,
  );
  if (id === undefined || rows === undefined || rows.length === 0) return undefined;
  return {
    provider,
    id,
    aliases,
    rows,
    ...(model.context_window === undefined ? {} : { maxInputTokens: model.context_window }),
    ...(cachesOnRequest?.test(id) ? { cachesOnRequest: true } : {}),
    source: rule.source,
    checked: genaiDate,
  };
}

function rowsOf(provider: string, { prices }: GenaiModel, id: string): PriceRow[] | undefined {
  const list = isList(prices) ? prices : [{ prices }];
  const starts = list.flatMap(({ constraint }) => (constraint?.type === "start_date" ? [constraint.start_date] : []));
  const rows: PriceRow[] = [];
  for (const [index, { constraint, prices: period }] of list.entries()) {
    // A time of the day belongs to the period that is written before it; there the source applies it to all of history.
    const begun = list.slice(0, index + 1).filter((item) => item.constraint?.type === "start_date").length;
    const from = starts[begun - 1];
    const to = starts[begun];
    const condition = { ...(from ? { from } : {}), ...(to ? { to } : {}), ...windowOf(constraint) };
    for (const row of tiersOf(provider, period, id) ?? []) rows.push({ ...condition, ...row });
    if (tiersOf(provider, period, id) === undefined) return undefined;
  }
  return rows;
}

/** One row per length of input at which any price changes. */
function tiersOf(provider: string, prices: GenaiPrices, id: string): PriceRow[] | undefined {
  const told = Object.entries(prices).filter((pair): pair is [string, GenaiPrice] => pair[1] !== undefined);
  if (told.length === 0 && id.endsWith(":free")) return [{ input: "0", output: "0" }];
  const hour = priceOfHour(provider, prices);
  if (hour !== undefined) return [{ input: "0", output: "0", audioSecond: decimal(hour, 3600n) }];
  const isCountable = told.every(([key, price]) => units[key] || isSameVideo(key, price, prices));
  if (!isCountable || prices.input_mtok === undefined) return undefined;
  if (prices.output_mtok === undefined && !/embed/.test(id)) return undefined;
  const starts = told.flatMap(([, price]) => (typeof price === "number" ? [] : price.tiers.map(({ start }) => start)));
  const lengths = [undefined, ...[...new Set(starts)].sort((a, b) => a - b)];
  return lengths.map((above) => {
    const priced = told.flatMap(([key, price]) => {
      const known = units[key];
      return known ? [[known.unit, decimal(at(price, above), known.per)]] : [];
    });
    const row = { output: "0", ...Object.fromEntries(priced) } as PriceRow;
    return above === undefined ? row : { above: thresholdOf(provider, above), ...row };
  });
}

/** What an hour of audio costs, for models that are sold by it. Others than OpenAI bill a least length too, which no unit of ours holds. */
function priceOfHour(provider: string, prices: GenaiPrices): number | undefined {
  const { audio_hours: all, input_audio_hours: heard, ...others } = prices;
  const isSoldByHour = typeof heard === "number" && heard === all && Object.keys(others).length === 0;
  return provider === "openai" && isSoldByHour ? heard : undefined;
}

function thresholdOf(provider: string, start: number): number {
  return provider === movedThreshold.provider && start === movedThreshold.from ? movedThreshold.to : start;
}

function at(price: GenaiPrice, above: number | undefined): number {
  if (typeof price === "number") return price;
  const reached = price.tiers.filter(({ start }) => above !== undefined && start <= above);
  return reached.reduce((last, tier) => (tier.start >= last.start ? tier : last), { start: -1, price: price.base })
    .price;
}

/** Exact decimal text. Twelve digits hold every real price; what is past them is an artefact of floats. */
function decimal(value: number, per: bigint): string {
  return picoToDecimal(ceilDiv(parsePicoUsd(Number(value.toPrecision(12))), per));
}

/** Some rows of the source hold input plus storage already: those are at least the input price. */
function withStorage(row: PriceRow): PriceRow {
  if (row.cacheWrite === undefined || Number(row.cacheWrite) >= Number(row.input)) return row;
  return { ...row, cacheWrite: picoToDecimal(roundUp(parsePicoUsd(row.cacheWrite) + parsePicoUsd(row.input))) };
}

/** Storage is priced in twelfths, which no decimal holds: up to a whole micro-USD per 1M tokens. */
function roundUp(picoUsd: bigint): bigint {
  return ceilDiv(picoUsd, 1_000_000n) * 1_000_000n;
}

/** We count video as images, which is right only where both cost the same. */
function isSameVideo(key: string, price: GenaiPrice, prices: GenaiPrices): boolean {
  return key === "input_video_mtok" && price === prices.input_image_mtok;
}

function windowOf(constraint: GenaiConstraint | undefined): Pick<PriceRow, "utc"> {
  if (constraint?.type !== "time_of_date") return {};
  return { utc: [constraint.start_time.slice(0, 5), constraint.end_time.slice(0, 5)] };
}

function isList(prices: GenaiModel["prices"]): prices is Extract<GenaiModel["prices"], readonly unknown[]> {
  return Array.isArray(prices);
}
