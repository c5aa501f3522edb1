import { formatCount } from "../../../src/progress/bar.ts";
import type { ReviewRow } from "../../../src/ui/api.ts";
import { labelText } from "../format.ts";
import { Confidence } from "./confidence.tsx";
import { Pairs } from "./pairs.tsx";

const reasons: Readonly<Record<ReviewRow["why"], string>> = {
  invalid: "no label came of it",
  disagrees: "unlike its true label",
  doubtful: "the model is not sure",
};

/** A row that waits for a person: its text, and what is known of it. */
export function ReviewCard({ row }: { row: ReviewRow }) {
  return (
    <article className="card" aria-label={`Row ${formatCount(row.position + 1)}`} aria-live="polite">
      <p className="soft">
        Row {formatCount(row.position + 1)} · {reasons[row.why]}
      </p>
      <p className="full-text">{row.fullText}</p>
      <Pairs
        pairs={[
          ["model says", row.modelLabel === null ? "nothing" : <b key="label">{labelText(row.modelLabel)}</b>],
          ["confidence", <Confidence key="confidence" value={row.confidence} />],
          ...(row.gold === null ? [] : [["true label", <b key="gold">{labelText(row.gold)}</b>] as const]),
        ]}
      />
      {row.explanation !== null && <p className="quote">{row.explanation}</p>}
    </article>
  );
}
