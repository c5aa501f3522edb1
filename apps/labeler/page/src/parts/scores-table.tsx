import { formatCount } from "../../../src/progress/bar.ts";
import type { LabelScore, ScoreTable } from "../../../src/quality/label-scores.ts";
import { score } from "../../../src/report/words.ts";
import { ScrollBox } from "./scroll-box.tsx";

/** How well each label was given, the worst first. */
export function ScoresTable({ labels, macro }: { labels: readonly LabelScore[]; macro: ScoreTable["macro"] }) {
  const seen = labels
    .filter(({ f1 }) => f1 !== null)
    .sort((a, b) => (a.f1 ?? 0) - (b.f1 ?? 0) || b.support - a.support);
  return (
    <section>
      <h2 id="scores">By label, the worst first</h2>
      <ScrollBox labelledBy="scores">
        <table>
          <thead>
            <tr>
              <th scope="col">Label</th>
              <th scope="col" className="n">
                Precision
              </th>
              <th scope="col" className="n">
                Recall
              </th>
              <th scope="col" className="n">
                F1
              </th>
              <th scope="col" className="n">
                True
              </th>
            </tr>
          </thead>
          <tbody>
            {seen.map(({ label, precision, recall, f1, support }) => (
              <tr key={label}>
                <th scope="row">{label}</th>
                <td className="n">{score(precision)}</td>
                <td className="n">{score(recall)}</td>
                <td className="n">
                  <b>{score(f1)}</b>
                </td>
                <td className="n soft">{formatCount(support)}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">mean of the labels</th>
              <td className="n">{score(macro.precision)}</td>
              <td className="n">{score(macro.recall)}</td>
              <td className="n">{score(macro.f1)}</td>
              <td />
            </tr>
          </tfoot>
        </table>
      </ScrollBox>
    </section>
  );
}
