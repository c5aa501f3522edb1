import { UnpricedModelError } from "../errors/unpriced-model-error.ts";
import { type CompiledRow, holdsWithin } from "./compile-row.ts";
import { FoundPrice, type ModelPrice } from "./model-price.ts";
import { nearestIds } from "./nearest-ids.ts";
import { type CompiledEntry, entryLayer, fnv1a64, type PriceLayer } from "./price-layer.ts";
import type { PriceEntry, StatedPrice } from "./price-row.ts";

const dayMs = 86_400_000;

/** What a book does with shipped prices that have grown old. Prices that a user states never do. */
export interface Staleness {
  /** Age in days past which a shipped or refreshed price counts as stale. */
  maxAgeDays: number;
  /** `"refuse"` (default) treats a stale price as unknown; a function is told of each use, and the price is used. */
  onStale?: "refuse" | ((stale: { provider: string; modelId: string; checked: string; ageDays: number }) => void);
}

/**
 * Prices by exact provider and model id. A lookup gives an exact entry, a declared alias, or an error; never a guess.
 *
 * A book is a stack of layers: what the user states stands before what was refreshed at run time, and that before what
 * ships with the package.
 */
export class PriceBook {
  readonly #layers: readonly PriceLayer[];
  readonly #staleness: Staleness | undefined;
  #hash: string | undefined;

  /** @throws InvalidAmountError for a price that is no decimal >= 0, or an id that two entries claim. */
  constructor(entries: readonly PriceEntry[] | { layers: readonly PriceLayer[]; staleness?: Staleness | undefined }) {
    if ("layers" in entries) {
      this.#layers = entries.layers;
      this.#staleness = entries.staleness;
    } else {
      this.#layers = [entryLayer("snapshot", entries)];
    }
  }

  /** Identifies the contents: equal for equal prices. Kept with every hold, so that its bound can be recomputed. */
  get hash(): string {
    const [only, ...more] = this.#layers;
    this.#hash ??= only && more.length === 0 ? only.hash : fnv1a64(this.#layers.map((layer) => layer.hash).join());
    return this.#hash;
  }

  /**
   * A book in which the stated prices of `provider` stand before this one's. For one call, state its price and quote
   * with the book that this returns.
   */
  with(provider: string, stated: Readonly<Record<string, StatedPrice>> | undefined): PriceBook {
    if (!stated || Object.keys(stated).length === 0) return this;
    const entries = Object.entries(stated).map(([id, { maxOutputTokens, maxInputTokens, ...row }]) => ({
      provider,
      id,
      rows: [row],
      source: "stated",
      checked: "",
      ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
      ...(maxInputTokens === undefined ? {} : { maxInputTokens }),
    }));
    return this.#stack([entryLayer("stated", entries), ...this.#layers]);
  }

  /** A book in which prices that were refreshed at run time stand before the shipped ones, and behind stated ones. */
  withLive(entries: readonly PriceEntry[]): PriceBook {
    const stated = this.#layers.filter(({ kind }) => kind === "stated");
    const others = this.#layers.filter(({ kind }) => kind !== "stated");
    return this.#stack([...stated, entryLayer("live", entries), ...others]);
  }

  /** The same prices, of which those that are too old are refused or told of. */
  withStaleness(staleness: Staleness): PriceBook {
    return new PriceBook({ layers: this.#layers, staleness });
  }

  /**
   * The price of a model at an instant.
   *
   * @throws UnpricedModelError when the id is not listed, or not for that instant, or its price is stale or disputed; it
   * names the nearest listed ids.
   */
  find(provider: string, modelId: string, at: Date): ModelPrice {
    const depth = this.#layers.findIndex((layer) => layer.find(provider, modelId) !== undefined);
    const layer = this.#layers[depth];
    const entry = layer?.find(provider, modelId);
    if (!layer || !entry) throw this.#unpriced(provider, modelId);
    if (layer.kind !== "stated") this.#refuseStale(entry, modelId, at);
    const row = rowAt(entry, at.getTime());
    if (row) return new FoundPrice({ entry, row, atMs: at.getTime(), modelId, below: this.#layers.slice(depth + 1) });
    const day = Number.isNaN(at.getTime()) ? "an invalid date" : at.toISOString().slice(0, 10);
    throw new UnpricedModelError({ provider, modelId, reason: `no price is known for ${day}` });
  }

  #refuseStale({ provider, checked }: CompiledEntry, modelId: string, at: Date): void {
    if (!this.#staleness) return;
    const { maxAgeDays, onStale = "refuse" } = this.#staleness;
    const ageDays = Math.floor((at.getTime() - Date.parse(checked)) / dayMs);
    if (ageDays <= maxAgeDays) return;
    if (onStale !== "refuse") {
      onStale({ provider, modelId, checked, ageDays });
      return;
    }
    const reason = `its price was checked ${ageDays} days ago, and ${maxAgeDays} are allowed`;
    throw new UnpricedModelError({ provider, modelId, reason });
  }

  #unpriced(provider: string, modelId: string): UnpricedModelError {
    const dispute = this.#layers.map((layer) => layer.disputed?.(provider, modelId)).find(Boolean);
    if (dispute) return new UnpricedModelError({ provider, modelId, reason: dispute });
    const ids = new Set(this.#layers.flatMap((layer) => layer.ids(provider)));
    return new UnpricedModelError({ provider, modelId, nearest: nearestIds(modelId, [...ids]) });
  }

  #stack(layers: readonly PriceLayer[]): PriceBook {
    return new PriceBook({ layers, staleness: this.#staleness });
  }
}

/** The standard price of a short request at an instant. */
function rowAt({ rows }: CompiledEntry, atMs: number): CompiledRow | undefined {
  return rows.findLast(
    (row) => row.serviceTier === "standard" && !row.boundOnly && row.above < 0 && holdsWithin(row, atMs, atMs),
  );
}
