import { InvalidAmountError } from "../errors/invalid-amount-error.ts";
import { type CompiledRow, compileRow } from "./compile-row.ts";
import type { PriceEntry } from "./price-row.ts";

/** An entry with its rows ready for arithmetic. */
export interface CompiledEntry extends Omit<PriceEntry, "rows" | "aliases"> {
  rows: readonly CompiledRow[];
}

/** One table of a price book. Layers are looked at in turn, so that a table that is not needed is never read. */
export interface PriceLayer {
  /** Stated by the user, refreshed at run time, or shipped with the package. The first that knows an id counts. */
  kind: "stated" | "live" | "snapshot";
  /** Identifies the contents. A getter: nobody pays for a hash that is not asked for. */
  readonly hash: string;
  /** Its entry for an exact id, or undefined. */
  find(provider: string, modelId: string): CompiledEntry | undefined;
  /** All ids of a provider, for the hint of an error. */
  ids(provider: string): string[];
  /** Why an id is left out on purpose, such as sources that disagree. */
  disputed?(provider: string, modelId: string): string | undefined;
}

/**
 * A layer of entries that are at hand.
 *
 * @throws InvalidAmountError for a price that is no decimal >= 0, or an id that two entries claim.
 */
export function entryLayer(kind: PriceLayer["kind"], entries: readonly PriceEntry[]): PriceLayer {
  const providers = new Map<string, Map<string, CompiledEntry>>();
  for (const entry of entries) {
    const compiled = compileEntry(entry);
    const models = providers.get(entry.provider) ?? new Map<string, CompiledEntry>();
    providers.set(entry.provider, models);
    for (const id of [entry.id, ...(entry.aliases ?? [])]) {
      if (models.has(id)) {
        throw new InvalidAmountError({ what: "The price of an id", given: `${entry.provider} ${id} twice` });
      }
      models.set(id, compiled);
    }
  }
  let hash: string | undefined;
  return {
    kind,
    get hash() {
      hash ??= fnv1a64(JSON.stringify(entries));
      return hash;
    },
    find: (provider, modelId) => providers.get(provider)?.get(modelId),
    ids: (provider) => [...(providers.get(provider)?.keys() ?? [])],
  };
}

/** @throws InvalidAmountError for a price that is no decimal >= 0. */
export function compileEntry({ aliases: _aliases, ...entry }: PriceEntry): CompiledEntry {
  return { ...entry, rows: entry.rows.map((row) => compileRow(entry, row)) };
}

/** 64-bit FNV-1a as hex: identifies contents without a dependency; not a signature. */
export function fnv1a64(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, "0");
}
