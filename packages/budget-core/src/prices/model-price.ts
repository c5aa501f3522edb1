import type { CompiledRow, Rates } from "./compile-row.ts";

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
