import type { Style } from "../progress/layout.ts";

/** One column of a {@link textTable}. */
export interface TextColumn {
  heading: string;
  /** Numbers stand on the right. Default left. */
  align?: "left" | "right";
}

const gap = "  ";
const narrowest = 8;

/**
 * Rows in columns, indented by two. Where they are wider than the terminal the widest columns on the left are cut, because numbers must
 * not be.
 */
export function textTable(
  columns: readonly TextColumn[],
  rows: readonly (readonly string[])[],
  width: number,
  style: Style,
): string {
  const headings = columns.map(({ heading }) => heading);
  const widths = columns.map((_column, place) =>
    Math.max(...[headings, ...rows].map((row) => row[place]?.length ?? 0)),
  );
  const texts = columns.flatMap(({ align }, place) => (align === "right" ? [] : [place]));
  const total = () => widths.reduce((sum, each) => sum + each, gap.length * columns.length);
  while (total() > width) {
    const widest = texts.reduce(
      (best, place) => ((widths[place] ?? 0) > (widths[best] ?? 0) ? place : best),
      texts[0] ?? 0,
    );
    if ((widths[widest] ?? 0) <= narrowest) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  const line = (row: readonly string[]) =>
    columns
      .map(({ align }, place) => {
        const cell = cut(row[place] ?? "", widths[place] ?? 0);
        return align === "right" ? cell.padStart(widths[place] ?? 0) : cell.padEnd(widths[place] ?? 0);
      })
      .join(gap)
      .trimEnd();
  return [style("dim", line(headings)), ...rows.map(line)].map((text) => `${gap}${text}\n`).join("");
}

/** A text in so many characters, the last one an ellipsis where more is left out. Control characters become blanks. */
export function cut(text: string, width: number): string {
  const plain = text.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ");
  return plain.length > width ? `${plain.slice(0, Math.max(0, width - 1))}…` : plain;
}
