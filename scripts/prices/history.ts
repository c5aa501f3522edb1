import type { PriceEntry, PriceRow } from "../../packages/budget-core/src/prices/price-row.ts";
import { encodeRow } from "./encode-snapshot.ts";
import type { Review } from "./reviewed.ts";

/** A price may fall to half or rise to four times between two snapshots; past that a person has to look. */
const drift = { least: 0.5, most: 4 };

/**
 * The prices that count now, with the history that the committed snapshot holds: a price that changed is closed at the day
 * on which the change was seen, an id that the sources dropped is kept.
 *
 * @throws Error for a price that moved too far, and for a priced id that the sources now contradict.
 */
export function mergeHistory(
  committed: readonly PriceEntry[],
  next: readonly PriceEntry[],
  context: { disputes: ReadonlyMap<string, string>; reviews: readonly Review[]; seen: string },
): PriceEntry[] {
  const { disputes, reviews, seen } = context;
  const byId = new Map(next.flatMap((entry) => [entry.id, ...(entry.aliases ?? [])].map((id) => [id, entry] as const)));
  const problems: string[] = [];
  const kept: PriceEntry[] = [];
  const older = new Map<PriceEntry, PriceEntry>();
  for (const old of committed) {
    const entry = byId.get(old.id);
    const dispute = disputes.get(old.id);
    if (entry) older.set(entry, old);
    else if (dispute) problems.push(`${old.provider} ${old.id}: ${dispute}`);
    else kept.push({ ...old, aliases: (old.aliases ?? []).filter((id) => !byId.has(id)) });
  }
  const merged = next.map((entry) => {
    const old = older.get(entry);
    if (!old) return entry;
    const isAccepted = reviews.some(
      ({ id, provider, acceptChange }) => acceptChange && id === entry.id && provider === entry.provider,
    );
    if (!isAccepted) problems.push(...tooFar(old, entry));
    return closeChanged(old, entry, seen);
  });
  if (problems.length > 0) {
    throw new Error(`These prices moved too far or lost their evidence; review them:\n${problems.join("\n")}`);
  }
  return [...merged, ...kept];
}

function tooFar(old: PriceEntry, entry: PriceEntry): string[] {
  const [was, is] = [current(old.rows), current(entry.rows)];
  if (!was || !is) return [];
  return (["input", "output", "cacheRead"] as const).flatMap((unit) => {
    const factor = Number(is[unit]) / Number(was[unit]);
    const isFar = was[unit] !== undefined && is[unit] !== undefined && (factor < drift.least || factor > drift.most);
    return isFar ? [`${entry.provider} ${entry.id}: ${unit} ${was[unit]} -> ${is[unit]}`] : [];
  });
}

/** Undated prices that changed get a day: the old ones end where the new ones begin. */
function closeChanged(old: PriceEntry, entry: PriceEntry, seen: string): PriceEntry {
  const standard = (row: PriceRow) => row.serviceTier === undefined && !row.boundOnly;
  const closed = old.rows.filter((row) => standard(row) && row.to !== undefined);
  const open = old.rows.filter((row) => standard(row) && row.to === undefined);
  const fresh = entry.rows.filter(standard);
  const others = entry.rows.filter((row) => !standard(row));
  const text = (rows: readonly PriceRow[]) => rows.map(({ from: _from, ...row }) => encodeRow(row)).join();
  const isDated = fresh.some((row) => row.to !== undefined);
  if (isDated) return entry;
  if (text(open) === text(fresh)) return { ...entry, rows: [...closed, ...open, ...others] };
  return {
    ...entry,
    rows: [
      ...closed,
      ...open.map((row) => ({ ...row, to: seen })),
      ...fresh.map((row) => ({ ...row, from: seen })),
      ...others,
    ],
  };
}

function current(rows: readonly PriceRow[]): PriceRow | undefined {
  return rows.findLast((row) => row.serviceTier === undefined && !row.boundOnly && row.above === undefined && !row.utc);
}
