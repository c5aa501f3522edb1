import type { CSSProperties } from "react";
import { formatCount } from "../../../src/progress/bar.ts";
import { type Confusion, shownPlaces } from "../../../src/quality/confusion.ts";
import { ScrollBox } from "./scroll-box.tsx";

/** More labels than these are no longer seen as a whole. */
const mostLabels = 100;

/** So few leave room for something beside them. */
const fewLabels = 12;

/** Which labels were given for which. */
export function ConfusionTable({ confusion }: { confusion: Confusion }) {
  const places = shownPlaces(confusion, mostLabels);
  const { labels, matrix, unlabeled } = confusion;
  const hasGaps = places.some((place) => (unlabeled[place] ?? 0) > 0);
  const support = (place: number) => matrix[place]?.reduce((sum, count) => sum + count, unlabeled[place] ?? 0) ?? 0;
  return (
    <section className={places.length > fewLabels ? "whole" : ""}>
      <h2 id="confusion">Confusion</h2>
      <p className="soft">
        A line is a true label, a column what was given for it.
        {places.length < labels.length &&
          ` The ${places.length} of ${formatCount(labels.length)} labels that occur${places.length === mostLabels ? ", with most mistakes" : ""}.`}
      </p>
      <ScrollBox labelledBy="confusion" className="map-box">
        <table className="map">
          <thead>
            <tr>
              <th scope="col">true ↓ given →</th>
              {places.map((place) => (
                <th key={place} scope="col">
                  <span>{labels[place]}</span>
                </th>
              ))}
              {hasGaps && (
                <th scope="col">
                  <span>(no label)</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {places.map((row) => (
              <tr key={row}>
                <th scope="row">{labels[row]}</th>
                {places.map((column) => (
                  <Cell
                    key={column}
                    count={matrix[row]?.[column] ?? 0}
                    support={support(row)}
                    kind={row === column ? "right" : "other"}
                  />
                ))}
                {hasGaps && <Cell count={unlabeled[row] ?? 0} support={support(row)} kind="none" />}
              </tr>
            ))}
          </tbody>
        </table>
      </ScrollBox>
    </section>
  );
}

/** A cell as strong as its share of the true label; never so pale that it is lost. */
function Cell({ count, support, kind }: { count: number; support: number; kind: "right" | "other" | "none" }) {
  if (count === 0) return <td />;
  const share = count / Math.max(1, support);
  return (
    <td className={kind} style={{ "--share": `${Math.round(14 + 46 * share)}%` } as CSSProperties}>
      {formatCount(count)}
    </td>
  );
}
