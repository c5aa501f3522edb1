/** A bar of `width` cells: how much is done, in eighths of a cell. */
export function bar(done: number, total: number, width: number): string {
  const eighths = total === 0 ? 0 : Math.floor((Math.min(done, total) / total) * width * 8);
  const partial = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8] ?? "";
  return `${"█".repeat(Math.floor(eighths / 8))}${partial}`.padEnd(width, "░");
}

/** What a bar is made of, from its left. */
export interface BarPart {
  /** Part of the whole, from 0 to 1. */
  share: number;
  /** One character that fills it. */
  fill: string;
  paint: (text: string) => string;
}

/** A bar of `width` cells in several parts; what is left is empty. A part that is not nothing has a cell, if there is one. */
export function partedBar(parts: readonly BarPart[], width: number): string {
  let left = width;
  const painted = parts.map(({ share, fill, paint }) => {
    const cells = share > 0 ? Math.min(left, Math.max(1, Math.round(share * width))) : 0;
    left -= cells;
    return cells === 0 ? "" : paint(fill.repeat(cells));
  });
  return `${painted.join("")}${"░".repeat(left)}`;
}

/** `1,234`. */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

/** `1 row`, `2 rows`. */
export function rowsText(count: number): string {
  return `${formatCount(count)} ${count === 1 ? "row" : "rows"}`;
}

/** `42 s`, `3 min`, `2.5 h`. */
export function formatDuration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
