import type { LabelValue, RowStatus } from "../store/row.ts";

/** A row that was judged wrong, or has no label, to look at. */
export interface WrongRow {
  rowId: string;
  /** Its text, cut after 300 characters. */
  text: string;
  /** What is true; undefined where that is not known. */
  gold?: LabelValue;
  /** What the run says; null where it says nothing. */
  label: LabelValue | null;
  status: RowStatus;
  confidence: number | null;
  /** Why there is no label. */
  error: string | null;
}

/** Rows that are wrong in the same way: the same gold label and the same answer, or the same state without a label. */
export interface WrongGroup {
  rows: number;
  /** The first few. */
  examples: WrongRow[];
}

const longestText = 300;
const examplesPerGroup = 3;
const mostGroups = 5000;

/** Gathers examples of wrong rows by the way in which they are wrong. */
export class WrongRows {
  readonly #groups = new Map<string, WrongGroup>();

  add(row: WrongRow): void {
    const said = row.label === null ? `${row.status} ${kindOfError(row.error)}` : JSON.stringify(row.label);
    const key = `${row.label === null ? "" : JSON.stringify(row.gold)} ${said}`;
    const group = this.#groups.get(key) ?? { rows: 0, examples: [] };
    // Free answers are all different: what is kept must not grow with the data.
    if (group.rows === 0 && this.#groups.size >= mostGroups) return;
    group.rows++;
    if (group.examples.length < examplesPerGroup) {
      const text = row.text.length > longestText ? `${row.text.slice(0, longestText)}…` : row.text;
      group.examples.push({ ...row, text });
    }
    this.#groups.set(key, group);
  }

  /** The largest groups first. */
  groups(most: number): WrongGroup[] {
    return [...this.#groups.values()].sort((a, b) => b.rows - a.rows).slice(0, most);
  }
}

/** An error without what it quotes and counts: what many rows have in common. */
export function kindOfError(error: string | null): string {
  return (error ?? "").replace(/"(?:[^"\\]|\\.)*"/g, "…").replace(/\d+/g, "n");
}
