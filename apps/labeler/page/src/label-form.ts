import type { LabelValue } from "../../src/store/row.ts";
import type { ReviewQueue, ReviewRow } from "../../src/ui/api.ts";
import { labelText } from "./format.ts";

/** How a person writes a label that is no choice among a few. */
export interface LabelForm {
  name: string;
  hint: string | null;
  isLong: boolean;
  /** What stands in the field at first. */
  text: string;
  /** @throws Error that says what is wrong. */
  read: (text: string) => LabelValue;
}

/** A mention as the server tells it. */
interface Mention {
  readonly text: string;
  readonly label: string;
  readonly [field: string]: LabelValue;
}

/** An answer is written as it is, mentions as lines, and the fields of an extraction as JSON. */
export function labelForm(
  { task, choices, fields }: Pick<ReviewQueue, "task" | "choices" | "fields">,
  { label }: Pick<ReviewRow, "label">,
): LabelForm {
  if (task === "entities") {
    const kinds = (choices ?? []).map(({ name }) => name);
    const known = (Array.isArray(label) ? label : []) as readonly Mention[];
    return {
      name: "Mentions",
      hint: `One a line, as its kind, a colon and its words. Kinds: ${kinds.join(", ")}.`,
      isLong: true,
      text: known.map((mention) => `${mention.label}: ${wordsOf(mention)}`).join("\n"),
      read: (text) => readMentions(text, kinds, known),
    };
  }
  if (task === "extraction") {
    const empty = Object.fromEntries((fields ?? []).map((field) => [field, null]));
    return {
      name: "Fields as JSON",
      hint: null,
      isLong: true,
      text: JSON.stringify(label ?? empty, undefined, 2),
      read: readJson,
    };
  }
  return {
    name: "Answer",
    hint: null,
    isLong: false,
    text: label === null ? "" : labelText(label),
    read: (text) => text,
  };
}

function readJson(text: string): LabelValue {
  try {
    return JSON.parse(text) as LabelValue;
  } catch {
    throw new Error("This is no JSON.");
  }
}

/** A mention keeps its place, unless its words are now mentioned more often than before: then the server looks for them. */
function readMentions(text: string, kinds: readonly string[], known: readonly Mention[]): LabelValue {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const said = lines.map((line) => readMention(line.trim(), kinds));
  const used = new Map<string, number>();
  return said.map((mention) => {
    const isLike = (other: Mention) => other.label === mention.label && wordsOf(other) === mention.text;
    const before = known.filter(isLike);
    if (before.length < said.filter(isLike).length) return mention;
    const key = JSON.stringify(mention);
    const place = used.get(key) ?? 0;
    used.set(key, place + 1);
    return before[place] ?? mention;
  });
}

function readMention(line: string, kinds: readonly string[]): Mention {
  const byLength = [...kinds].sort((a, b) => b.length - a.length);
  const label = byLength.find((kind) => line.toLowerCase().startsWith(`${kind.toLowerCase()}:`));
  if (label === undefined) throw new Error(`A line begins with a kind and a colon: ${line}`);
  return { text: line.slice(label.length + 1).trim(), label };
}

/** On one line; the server finds them in the text however wide its blanks are. */
function wordsOf({ text }: Mention): string {
  return text.trim().replace(/\s+/g, " ");
}
