import { formatCount } from "../../../src/progress/bar.ts";
import type { ReviewRow } from "../../../src/ui/api.ts";
import { Confidence } from "./confidence.tsx";
import { Label } from "./label.tsx";
import { Pairs } from "./pairs.tsx";
import { RowText } from "./row-text.tsx";

const reasons: Readonly<Record<ReviewRow["why"], string>> = {
  invalid: "no label came of it",
  disagrees: "unlike its true label",
  doubtful: "the model is not sure",
};

/** A row that waits for a person: its text, and what is known of it. */
export function ReviewCard({ row }: { row: ReviewRow }) {
  return (
    <article className="card" aria-label={`Row ${formatCount(row.position + 1)}`} aria-live="polite">
      <p className="soft" id="why-it-waits">
        Row {formatCount(row.position + 1)} · {reasons[row.why]}
      </p>
      <RowText text={row.fullText} label={row.modelLabel} labelledBy="why-it-waits" />
      <Pairs
        pairs={[
          ["model says", row.modelLabel === null ? "nothing" : <Label key="label" value={row.modelLabel} />],
          ["confidence", <Confidence key="confidence" value={row.confidence} />],
          ...(row.gold === null ? [] : [["true label", <Label key="gold" value={row.gold} />] as const]),
        ]}
      />
      {row.explanation !== null && (
        <p className="quote" dir="auto">
          {row.explanation}
        </p>
      )}
    </article>
  );
}
