import type { ReactNode } from "react";
import type { LabelValue } from "../../../src/store/row.ts";
import { ScrollBox } from "./scroll-box.tsx";

/** A longer text would push what is said of it out of sight. */
const longText = 1000;

interface Props {
  text: string;
  label: LabelValue | null;
  labelledBy: string;
}

/** The whole text of a row, in a box of its own where it is long. */
export function RowText({ text, label, labelledBy }: Props) {
  const marked = <MarkedText text={text} label={label} />;
  if (text.length <= longText) return marked;
  return (
    <ScrollBox labelledBy={labelledBy} className="text-box">
      {marked}
    </ScrollBox>
  );
}

/** With its mentions marked where its label is of them. */
function MarkedText({ text, label }: Pick<Props, "text" | "label">) {
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
