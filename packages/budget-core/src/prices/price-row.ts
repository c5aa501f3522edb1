/** What a token can be billed as. */
export type TokenRate =
  | "input"
  | "output"
  | "cacheRead"
  | "cacheWrite"
  | "cacheWrite1h"
  | "reasoning"
  | "audioInput"
  | "audioOutput"
  | "audioCacheRead"
  | "imageInput"
  | "imageOutput"
  | "imageCacheRead";

/** What is billed by the piece, not by the token. */
export type Fee = "request" | "webSearch" | "fileSearch" | "audioSecond" | "character";

/** Class of service that a provider sells at its own price. A call is billed by the tier that served it. */
export type ServiceTier = "standard" | "batch" | "flex" | "priority";

/** A price: decimal text, or a number that counts as its shortest decimal text. */
export type Decimal = string | number;

/**
 * Prices under one condition, in USD per 1M tokens (fees: USD per piece). Of the rows that match a call, the last
 * counts. A row that ends is closed with `to`, never deleted.
 */
export interface PriceRow extends Partial<Record<TokenRate | Fee, Decimal>> {
  /** First instant of the price, ISO 8601, inclusive. Absent: since ever. */
  from?: string;
  /** End of the price, ISO 8601, exclusive. Absent: still valid. */
  to?: string;
  /** Holds only between two times of the day, UTC, `HH:MM`, end exclusive; may pass midnight. */
  utc?: readonly [start: string, end: string];
  /** Holds only for requests with more input tokens than this, and then for all of their tokens. */
  above?: number;
  /** The tier that serves at this price. Absent: standard. */
  serviceTier?: ServiceTier;
  /** True for a price that one source of several gives: it lifts bounds, and no cost is computed with it. */
  boundOnly?: boolean;
  input: Decimal;
  output: Decimal;
  /** Input read from the prompt cache. Absent: the input price. */
  cacheRead?: Decimal;
  /** Input written to the prompt cache for five minutes. Absent: 1.25 x input. */
  cacheWrite?: Decimal;
  /** Input written to the prompt cache for an hour. Absent: 2 x input, or `cacheWrite` if that is more. */
  cacheWrite1h?: Decimal;
  /** Output spent on reasoning. Absent: the output price. */
  reasoning?: Decimal;
  /** Absent: audio tokens cannot be priced; they cost several times what text does. */
  audioInput?: Decimal;
  /** Absent: audio tokens cannot be priced. */
  audioOutput?: Decimal;
  /** Audio read from the prompt cache. Absent: the audio input price. */
  audioCacheRead?: Decimal;
  /** Absent: the input price. */
  imageInput?: Decimal;
  /** Absent: image tokens cannot be priced. */
  imageOutput?: Decimal;
  /** Images read from the prompt cache. Absent: the image input price. */
  imageCacheRead?: Decimal;
  /** Fee per request. */
  request?: Decimal;
  /** Fee per web search that the provider runs. Absent: searches cannot be priced. */
  webSearch?: Decimal;
  /** Fee per file search that the provider runs. Absent: searches cannot be priced. */
  fileSearch?: Decimal;
  /** Fee per second of audio that is heard. A model with this price is billed by the second, and never without a length. */
  audioSecond?: Decimal;
  /** Fee per character of text that is spoken. A model with this price is billed by the character, and never without a count. */
  character?: Decimal;
}

/** What is known of one model, with its evidence. */
export interface PriceEntry {
  /** Who sells it: `openai`, `openrouter`, … */
  provider: string;
  /** The exact id. */
  id: string;
  /** Other exact ids of the same model at the same price, such as dated snapshots. */
  aliases?: readonly string[];
  rows: readonly PriceRow[];
  /** The model's longest answer in tokens; the bound where a call sets none. */
  maxOutputTokens?: number;
  /** The model's longest input in tokens; the bound where a request's size does not tell. */
  maxInputTokens?: number;
  /** True when the cache is written only by requests that mark what to cache. Otherwise a priced write can befall any. */
  cachesOnRequest?: boolean;
  /** Where the price was read. */
  source: string;
  /** When it was read, `YYYY-MM-DD`. */
  checked: string;
}

/** A price that a user states: one row that holds at any time, for requests of any length. */
export type StatedPrice = Omit<PriceRow, "from" | "to" | "utc" | "above" | "serviceTier" | "boundOnly"> & {
  maxOutputTokens?: number;
  maxInputTokens?: number;
};
