import { formatCount } from "../../progress/bar.ts";
import { type Confusion, confusedPairs, shownPlaces } from "../../quality/confusion.ts";
import { html, type Markup } from "./markup.ts";

/** Beyond so many labels the map holds those that are confused most. */
const mostLabels = 120;
const mostPairs = 20;

/** Which labels were given for which: the worst pairs, and the whole map. */
export function confusionPart(confusion: Confusion): Markup {
  const pairs = confusedPairs(confusion);
  const most = pairs[0]?.rows ?? 1;
  const rows = pairs
    .slice(0, mostPairs)
    .map(
      ({ gold, given, rows: count }) =>
        html`<tr><td class="n">${formatCount(count)}</td><td class="bar" aria-hidden="true"><i class="bad" style="width:${((100 * count) / most).toFixed(1)}%"></i></td><th scope="row">${gold}</th><td>${given}</td></tr>`,
    );
  const table = html`<div class="scroll" tabindex="0" role="region" aria-label="Pairs of labels that are confused"><table><thead><tr><th class="n">rows</th><th class="bar"></th><th>true</th><th>given</th></tr></thead><tbody>${rows}</tbody></table></div>`;
  const which = pairs.length > mostPairs ? `The ${mostPairs} most frequent of ${formatCount(pairs.length)} pairs.` : "";
  return html`<section><h2>Confusion</h2>${pairs.length === 0 ? html`<p>No label was given for another.</p>` : html`<p class="soft">${which}</p>${table}`}<h3>Map</h3>${map(confusion)}</section>`;
}

function map(confusion: Confusion): Markup {
  const { labels, matrix, unlabeled } = confusion;
  const places = shownPlaces(confusion, mostLabels);
  const hasGaps = places.some((place) => (unlabeled[place] ?? 0) > 0);
  const top = Math.max(
    1,
    ...places.flatMap((row) => places.map((column) => (row === column ? 0 : cellOf(matrix, row, column)))),
  );
  const head = places.map((place) => html`<th scope="col"><span>${labels[place]}</span></th>`);
  const rows = places.map((row) => {
    const support = matrix[row]?.reduce((sum, count) => sum + count, unlabeled[row] ?? 0) ?? 0;
    const cells = places.map((column) => cell(cellOf(matrix, row, column), { isRight: row === column, support, top }));
    const gap = unlabeled[row] ?? 0;
    const none = html`<td class="u" style="--h:${gap === 0 ? 0 : strength(gap, support, 55)}%">${gap === 0 ? null : gap}</td>`;
    return html`<tr><th scope="row" title="${labels[row]}">${labels[row]}</th>${cells}${hasGaps ? none : null}</tr>\n`;
  });
  const part =
    places.length < labels.length
      ? html` The ${places.length} labels of ${formatCount(labels.length)} that are confused most.`
      : null;
  return html`<p class="soft">A line is a true label, a column what was given for it.${part}</p>
<div class="scroll" tabindex="0" role="region" aria-label="Confusion map" style="max-height:820px"><table class="map"><thead><tr><th>true ↓ given →</th>${head}${hasGaps ? html`<th scope="col"><span>(no label)</span></th>` : null}</tr></thead><tbody>${rows}</tbody></table></div>
<ul class="key"><li><i style="background:rgb(var(--good) / .75)"></i>right</li><li><i style="background:rgb(var(--bad) / .75)"></i>given for another</li>${hasGaps ? html`<li><i style="background:var(--soft);opacity:.5"></i>no label</li>` : null}</ul>`;
}

function cell(count: number, { isRight, support, top }: { isRight: boolean; support: number; top: number }): Markup {
  if (count === 0) return html`<td></td>`;
  const shade = isRight ? strength(count, support, 80) : strength(count, top, 90);
  return html`<td class="${isRight ? "y" : "x"}" style="--h:${(shade / 100).toFixed(2)}">${count}</td>`;
}

/** How dark a cell is, in percent: never so pale that it is lost. */
function strength(count: number, of: number, most: number): number {
  return Math.round(12 + (most - 12) * Math.min(1, count / Math.max(1, of)));
}

function cellOf(matrix: Confusion["matrix"], row: number, column: number): number {
  return matrix[row]?.[column] ?? 0;
}
