import type { StoredRow } from "./stored-row.ts";

/**
 * PostgreSQL's texts hold any character but U+0000, and UTF-8 no surrogate that stands alone. They are written as this
 * character, which has no meaning of its own, and four hex digits; so is the character itself.
 */
const mark = "\uE000";
const marked = /\uE000([0-9A-F]{4})/g;

/** A text as PostgreSQL can store it. */
export function storable(text: string): string {
  return text.replace(/[\0\uE000\p{Surrogate}]/gu, markOf);
}

/** A stored text as it was. */
export function restored(text: string): string {
  return text.replace(marked, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** A JSON text as PostgreSQL can store it, and take it for JSON. */
export function storableJson(json: string): string {
  return json
    .replaceAll(mark, markOf)
    .replace(/\\\\|\\u(0000|d[89a-f][0-9a-f]{2})/gi, (escaped, hex?: string) =>
      hex === undefined ? escaped : mark + hex.toUpperCase(),
    );
}

/** A stored JSON text as it was, or one that the server made of stored texts. */
export function restoredJson(json: string): string {
  return json.replace(marked, (_, hex: string) => (hex === "E000" ? mark : `\\u${hex}`));
}

function markOf(character: string): string {
  return mark + character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
}

/** Values with their texts as PostgreSQL can store them. */
export function storableTexts<Texts extends object>(texts: Texts): Texts {
  const stored = Object.entries(texts).map(([name, value]) => [
    name,
    typeof value === "string" ? storable(value) : value,
  ]);
  return Object.fromEntries(stored) as Texts;
}

const jsonColumns = new Set(["input", "label", "review", "answers"]);

/** A row of the database with its texts as they were. */
export function asItWas(row: StoredRow): StoredRow {
  const cells = Object.entries(row).map(([name, cell]) => {
    if (typeof cell !== "string") return [name, cell];
    return [name, jsonColumns.has(name) ? restoredJson(cell) : restored(cell)];
  });
  return Object.fromEntries(cells) as StoredRow;
}
