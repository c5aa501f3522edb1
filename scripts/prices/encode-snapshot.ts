import type { PriceEntry, PriceRow } from "../../packages/budget-core/src/prices/price-row.ts";
import { type SnapshotHeader, unitLetters } from "../../packages/budget-core/src/prices/snapshot-format.ts";

/** A provider's part of the snapshot as text. See `snapshot-format.ts` for the format. */
export function encodeProvider(
  header: SnapshotHeader,
  entries: readonly PriceEntry[],
  disputes: ReadonlyMap<string, string>,
): string {
  const batch = header.batchUnits ? ` batch=${header.batchUnits}` : "";
  const lines = [...disputes].map(([id, reason]) => ({ id, line: `?${id} ${reason}` }));
  for (const entry of entries) lines.push({ id: entry.id, line: encodeEntry(entry) });
  lines.sort((a, b) => (a.id < b.id ? -1 : 1));
  return [`@${header.provider} ${header.source} ${header.checked}${batch}`, ...lines.map(({ line }) => line)].join(
    "\n",
  );
}

function encodeEntry(entry: PriceEntry): string {
  const facts = [
    ...(entry.maxOutputTokens === undefined ? [] : [`out=${entry.maxOutputTokens}`]),
    ...(entry.maxInputTokens === undefined ? [] : [`in=${entry.maxInputTokens}`]),
    ...(entry.cachesOnRequest ? ["cache=asked"] : []),
  ];
  return [[entry.id, ...(entry.aliases ?? [])].join(" "), facts.join(" "), ...entry.rows.map(encodeRow)].join("|");
}

/** A row as text: equal for equal rows. */
export function encodeRow(row: PriceRow): string {
  const conditions = [
    ...(row.boundOnly ? ["?"] : []),
    ...(row.serviceTier ? [`!${row.serviceTier}`] : []),
    ...(row.from ? [`@${row.from}`] : []),
    ...(row.to ? [`<${row.to}`] : []),
    ...(row.utc ? [`~${row.utc.join("-")}`] : []),
    ...(row.above === undefined ? [] : [`>${row.above}`]),
  ];
  const units = Object.entries(unitLetters).flatMap(([letter, unit]) => {
    const price = row[unit];
    return price === undefined ? [] : [`${letter}${price}`];
  });
  return [...conditions, ...units].join(" ");
}
