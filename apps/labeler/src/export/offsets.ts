import type { LabelValue } from "../store/row.ts";

/** What the places of mentions are counted in. */
export const offsetUnits = ["utf16", "codepoint", "byte"] as const;

/** UTF-16 units as JavaScript counts, code points as Python counts, or bytes of UTF-8. */
export type OffsetUnit = (typeof offsetUnits)[number];

/** A mention as the task `entities` keeps it, in UTF-16 units. */
export interface Mention {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly label: string;
}

/** The mentions in a label of the task `entities`, counted in another unit. */
export function mentionsIn(label: LabelValue, text: string, unit: OffsetUnit): Mention[] {
  const at = counter(text, unit);
  return (label as unknown as readonly Mention[]).map((mention) => ({
    ...mention,
    start: at(mention.start),
    end: at(mention.end),
  }));
}

function counter(text: string, unit: OffsetUnit): (index: number) => number {
  if (unit === "utf16") return (index) => index;
  if (unit === "byte") return (index) => Buffer.byteLength(text.slice(0, index));
  return (index) => {
    let points = 0;
    for (const _point of text.slice(0, index)) points++;
    return points;
  };
}
