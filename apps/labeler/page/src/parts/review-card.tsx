import { formatCount } from "../../../src/progress/bar.ts";
import type { ReviewRow } from "../../../src/ui/api.ts";
import { Confidence } from "./confidence.tsx";
import { Label } from "./label.tsx";
import { Pairs } from "./pairs.tsx";
import { RowText } from "./row-text.tsx";
import { ScrollBox } from "./scroll-box.tsx";

const reasons: Readonly<Record<ReviewRow["why"], string>> = {
  invalid: "no label came of it",
  disagrees: "unlike its true label",
  doubtful: "the model is not sure",
};

/** A longer text would push what is said of it out of sight. */
const longText = 1000;

/** A row that waits for a person: its text, and what is known of it. */
export function ReviewCard({ row }: { row: ReviewRow }) {
  const text = <RowText text={row.fullText} label={row.modelLabel} />;
  return (
    <article className="card" aria-label={`Row ${formatCount(row.position + 1)}`} aria-live="polite">
      <p className="soft" id="why-it-waits">
        Row {formatCount(row.position + 1)} · {reasons[row.why]}
      </p>
      {row.fullText.length > longText ? (
        <ScrollBox labelledBy="why-it-waits" className="text-box">
          {text}
        </ScrollBox>
      ) : (
        text
      )}
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
