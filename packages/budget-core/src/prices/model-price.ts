import type { CompiledRow, Rates } from "./compile-row.ts";
import type { CompiledEntry, PriceLayer } from "./price-layer.ts";

/** All that a price book knows of one model, resolved for one instant. */
export interface ModelPrice {
  provider: string;
  /** The listed id that gave the price; an alias shows the id that it stands for. */
  modelId: string;
  /** The instant that costs are computed for, in ms since 1970. */
  atMs: number;
  /** Rates of the standard tier for short requests at that instant. */
  rates: Rates;
  /** Every row of the model: costs and bounds choose among them. */
  rows: readonly CompiledRow[];
  /** See `PriceEntry.cachesOnRequest`. */
  cachesOnRequest: boolean;
  /** Longest answer in tokens, if known. */
  readonly maxOutputTokens: number | undefined;
  /** Longest input in tokens, if known. */
  readonly maxInputTokens: number | undefined;
  /** Where the price was read. */
  source: string;
  /** When it was read, `YYYY-MM-DD`; empty for a stated price. */
  checked: string;
}

interface Found {
  entry: CompiledEntry;
  /** The row that gives the plain rates. */
  row: CompiledRow;
  atMs: number;
  /** The id that was asked for. */
  modelId: string;
  /** The layers behind the one that knows the id. */
  below: readonly PriceLayer[];
}

/** What a lookup gives. */
export class FoundPrice implements ModelPrice {
  readonly provider: string;
  readonly modelId: string;
  readonly atMs: number;
  readonly rates: Rates;
  readonly rows: readonly CompiledRow[];
  readonly cachesOnRequest: boolean;
  readonly source: string;
  readonly checked: string;
  readonly #found: Found;

  constructor(found: Found) {
    const { entry, row, atMs } = found;
    this.provider = entry.provider;
    this.modelId = entry.id;
    this.atMs = atMs;
    this.rates = row.rates;
    this.rows = entry.rows;
    this.cachesOnRequest = entry.cachesOnRequest ?? false;
    this.source = entry.source;
    this.checked = entry.checked;
    this.#found = found;
  }

  get maxOutputTokens(): number | undefined {
    return this.#limit("maxOutputTokens");
  }

  get maxInputTokens(): number | undefined {
    return this.#limit("maxInputTokens");
  }

  /** A user who states a price need not state the limits too; they are looked up when somebody asks for them. */
  #limit(key: "maxOutputTokens" | "maxInputTokens"): number | undefined {
    const { entry, modelId, below } = this.#found;
    if (entry[key] !== undefined) return entry[key];
    for (const layer of below) {
      const known = layer.find(entry.provider, modelId)?.[key];
      if (known !== undefined) return known;
    }
    return undefined;
  }
}
