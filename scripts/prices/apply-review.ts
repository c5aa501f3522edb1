import type { PriceEntry, PriceRow } from "../../packages/budget-core/src/prices/price-row.ts";
import type { Review } from "./reviewed.ts";
import type { TierRow } from "./service-tiers.ts";

/** The entry as a person decided it. A price that a decision replaces still lifts bounds. */
export function applyReview(entry: PriceEntry, review: Review | undefined): PriceEntry {
  if (!review) return entry;
  const { units, from, aliases = [], maxOutputTokens } = review;
  const rows = entry.rows.map((row): PriceRow => {
    if (row.boundOnly || row.serviceTier) return row;
    return { ...(from && row.from === undefined ? { from } : {}), ...row, ...units };
  });
  const replaced = entry.rows.filter(
    (row) => !row.boundOnly && Object.keys(units ?? {}).some((unit) => row[unit as keyof PriceRow] !== undefined),
  );
  const kept = replaced.map((row): PriceRow => ({ boundOnly: true, ...row }));
  return {
    ...entry,
    aliases: [...new Set([...(entry.aliases ?? []), ...aliases])].filter((id) => id !== entry.id),
    rows: [...rows, ...kept],
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
  };
}

/** The entry with its hand-written service-tier rows; cheaper search is sold by no tier, so fees stay. */
export function addTiers(entry: PriceEntry, tierRows: readonly TierRow[]): PriceEntry {
  const own = tierRows.filter(({ provider, id }) => provider === entry.provider && id === entry.id);
  const rows = own.map(({ tier, row }): PriceRow => {
    const standard = entry.rows.findLast((base) => !base.boundOnly && base.serviceTier === undefined);
    const { webSearch, fileSearch } = standard ?? {};
    return {
      serviceTier: tier,
      ...row,
      ...(webSearch === undefined ? {} : { webSearch }),
      ...(fileSearch === undefined ? {} : { fileSearch }),
    };
  });
  return { ...entry, rows: [...entry.rows, ...rows] };
}
