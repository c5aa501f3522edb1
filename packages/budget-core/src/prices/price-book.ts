import { InvalidAmountError } from "../errors/invalid-amount-error.ts";
import { UnpricedModelError } from "../errors/unpriced-model-error.ts";
import { parsePicoUsd } from "../money.ts";
import { nearestIds } from "./nearest-ids.ts";

/** Prices of one period, as decimal text in USD per 1M tokens (`request`: USD per request). */
export interface PriceRow {
  /** First instant of the price, ISO 8601, inclusive. Absent: since ever. */
  from?: string;
  /** End of the price, ISO 8601, exclusive. Absent: still valid. A row that ends is closed, never deleted. */
  to?: string;
  input: string | number;
  output: string | number;
  /** Input read from the prompt cache. Absent: the input price. */
  cacheRead?: string | number;
  /** Input written to the prompt cache (five minutes). Absent: the input price. */
  cacheWrite?: string | number;
  /** Input written to the prompt cache for an hour. Absent: the price of `cacheWrite`. */
  cacheWrite1h?: string | number;
  /** Fee per request. */
  request?: string | number;
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
  /** Where the price was read. */
  source: string;
  /** When it was read, `YYYY-MM-DD`. */
  checked: string;
}

/** Rates of one model at one instant: pico-USD per 1M tokens, so that a cost is rounded once, at its end. */
export interface ModelPrice {
  modelId: string;
  rates: Readonly<Record<RateKey, bigint>>;
  /** pico-USD per request. */
  requestPicoUsd: bigint;
  maxOutputTokens: number | undefined;
}

/** What a token can be billed as. */
export type RateKey = "input" | "output" | "cacheRead" | "cacheWrite" | "cacheWrite1h";

/** A price that a user states: one row that holds at any time. */
export type StatedPrice = Omit<PriceRow, "from" | "to"> & { maxOutputTokens?: number };

/**
 * Prices by exact provider and model id. A lookup gives an exact entry, a declared alias, or an error; never a guess.
 */
export class PriceBook {
  /** Identifies the contents: equal for equal prices. Kept with every hold, so that its bound can be recomputed. */
  readonly hash: string;
  readonly #entries = new Map<string, readonly Period[]>();

  /** @throws InvalidAmountError for a price that is no decimal >= 0, or an id that two entries claim. */
  constructor(entries: readonly PriceEntry[]) {
    for (const entry of entries) {
      const periods = entry.rows.map((row) => readRow(entry, row));
      for (const id of [entry.id, ...(entry.aliases ?? [])]) {
        const key = keyOf(entry.provider, id);
        if (this.#entries.has(key)) throw new InvalidAmountError({ what: "The price of an id", given: `${key} twice` });
        this.#entries.set(key, periods);
      }
    }
    this.hash = fnv1a64(JSON.stringify(entries));
  }

  /** A book in which the stated prices of `provider` stand before this one's. */
  with(provider: string, stated: Readonly<Record<string, StatedPrice>> | undefined): PriceBook {
    if (!stated || Object.keys(stated).length === 0) return this;
    const own = Object.entries(stated).map(([id, { maxOutputTokens, ...row }]): PriceEntry => {
      const known = this.#entries.get(keyOf(provider, id))?.[0]?.price.maxOutputTokens;
      const cap = maxOutputTokens ?? known;
      return { provider, id, rows: [row], source: "stated", checked: "", ...(cap ? { maxOutputTokens: cap } : {}) };
    });
    const book = new PriceBook(own);
    for (const [key, periods] of this.#entries) if (!book.#entries.has(key)) book.#entries.set(key, periods);
    return Object.assign(book, { hash: fnv1a64(this.hash + book.hash) });
  }

  /**
   * The price of a model at an instant.
   *
   * @throws UnpricedModelError when the id is not listed, or not for that instant; it names the nearest listed ids.
   */
  find(provider: string, modelId: string, at: Date): ModelPrice {
    const periods = this.#entries.get(keyOf(provider, modelId));
    if (!periods) {
      const prefix = keyOf(provider, "");
      const ids = [...this.#entries.keys()]
        .filter((key) => key.startsWith(prefix))
        .map((key) => key.slice(prefix.length));
      throw new UnpricedModelError({ provider, modelId, nearest: nearestIds(modelId, ids) });
    }
    const time = at.getTime();
    const period = periods.find(({ fromMs, toMs }) => fromMs <= time && time < toMs);
    if (!period) {
      throw new UnpricedModelError({
        provider,
        modelId,
        reason: `no price is known for ${at.toISOString().slice(0, 10)}`,
      });
    }
    return period.price;
  }
}

interface Period {
  fromMs: number;
  toMs: number;
  price: ModelPrice;
}

function readRow(entry: PriceEntry, row: PriceRow): Period {
  const rate = (key: keyof PriceRow, value: string | number | undefined) =>
    value === undefined ? undefined : parsePicoUsd(value, `The ${key} price of ${entry.provider} ${entry.id}`);
  const input = rate("input", row.input ?? Number.NaN) as bigint;
  const cacheWrite = rate("cacheWrite", row.cacheWrite) ?? input;
  return {
    fromMs: row.from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(row.from),
    toMs: row.to === undefined ? Number.POSITIVE_INFINITY : Date.parse(row.to),
    price: {
      modelId: entry.id,
      rates: {
        input,
        output: rate("output", row.output ?? Number.NaN) as bigint,
        cacheRead: rate("cacheRead", row.cacheRead) ?? input,
        cacheWrite,
        cacheWrite1h: rate("cacheWrite1h", row.cacheWrite1h) ?? cacheWrite,
      },
      requestPicoUsd: rate("request", row.request) ?? 0n,
      maxOutputTokens: entry.maxOutputTokens,
    },
  };
}

function keyOf(provider: string, modelId: string): string {
  return `${provider}\n${modelId}`;
}

/** 64-bit FNV-1a as hex: identifies contents without a dependency; not a signature. */
function fnv1a64(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, "0");
}
