import type { ReactNode } from "react";
import type { LabelValue } from "../../../src/store/row.ts";

/** The whole text of a row, with its mentions marked where its label is of them. */
export function RowText({ text, label }: { text: string; label: LabelValue | null }) {
  const parts: ReactNode[] = [];
  let end = 0;
  for (const mention of mentionsIn(label)) {
    // Of mentions within each other the outer one is marked.
    if (mention.start < end) continue;
    parts.push(
      text.slice(end, mention.start),
      <mark key={mention.start}>
        {text.slice(mention.start, mention.end)}
        <small>{mention.label}</small>
      </mark>,
    );
    end = mention.end;
  }
  return (
    <p className="full-text" dir="auto">
      {parts}
      {text.slice(end)}
    </p>
  );
}

interface Mention {
  start: number;
  end: number;
  label: string;
}

function mentionsIn(label: LabelValue | null): Mention[] {
  if (!Array.isArray(label)) return [];
  const mentions = (label as unknown[]).filter(
    (each): each is Mention => typeof each === "object" && each !== null && "start" in each && "end" in each,
  );
  return mentions.sort((a, b) => a.start - b.start || b.end - a.end);
}
