import { formatCount } from "../../progress/bar.ts";
import type { Calibration } from "../../quality/calibration.ts";
import type { Scores, ScoreTable } from "../../quality/label-scores.ts";
import type { Proportion } from "../../quality/proportion.ts";
import { notesOf, worstFirst } from "../report-text.ts";
import type { Quality, RunReport } from "../run-report.ts";
import { interval, percent, score } from "../words.ts";
import { confusionPart } from "./confusion-part.ts";
import { html, type Markup } from "./markup.ts";

/** How right the labels are: accuracy, labels, confusion, calibration. */
export function qualityParts({ quality, selection }: RunReport): Markup[] {
  if (!quality) return [];
  const { details, calibration } = quality;
  const accuracies: [string, Proportion][] = [
    ["of all rows", quality.ofAll],
    ["of rows with a label", quality.ofLabeled],
    ...(selection.estimate ? [["estimate, were all labeled", selection.estimate] as [string, Proportion]] : []),
  ];
  return [
    html`<section><h2>Accuracy</h2><p class="soft">Gold labels: ${quality.gold}, for ${formatCount(quality.goldRows)} rows. The lines are 95 % Wilson intervals.</p>
${notesOf(quality).map((note) => html`<p class="warn">${note}</p>`)}${intervals(accuracies)}</section>`,
    ...("labels" in details ? [labelsPart(details)] : []),
    ...(details.kind === "extraction" ? [fieldsPart(details.fields)] : []),
    ...(details.kind === "classification" ? [confusionPart(details.confusion)] : []),
    ...(calibration ? [calibrationPart(calibration)] : []),
  ];
}

const barLeft = 190;
const barWidth = 560;

/** Bars from 0 to 100 % with the ends of their intervals. */
function intervals(rows: readonly (readonly [string, Proportion])[]): Markup {
  const at = (value: number) => (barLeft + value * barWidth).toFixed(1);
  const bottom = 10 + 36 * rows.length;
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(
    (tick) =>
      html`<line class="grid" x1="${at(tick)}" x2="${at(tick)}" y1="4" y2="${bottom}"/><text x="${at(tick)}" y="${bottom + 16}" text-anchor="middle">${100 * tick} %</text>`,
  );
  const bars = rows.map(([name, { share, low, high }], index) => {
    if (share === null || low === null || high === null) return null;
    const y = 12 + 36 * index;
    const ends = [low, high].map(
      (end) => html`<line class="whisker" x1="${at(end)}" x2="${at(end)}" y1="${y + 5}" y2="${y + 17}"/>`,
    );
    return html`<text x="${barLeft - 12}" y="${y + 15}" text-anchor="end">${name}</text><rect class="fill" x="${barLeft}" y="${y}" width="${(share * barWidth).toFixed(1)}" height="22" rx="3" opacity=".75"/>
<line class="whisker" x1="${at(low)}" x2="${at(high)}" y1="${y + 11}" y2="${y + 11}"/>${ends}<text class="strong" x="${barLeft + barWidth + 14}" y="${y + 15}">${percent(share)}</text>`;
  });
  const told = rows.map(([name, each]) => `${percent(each.share)} ${name} (${interval(each)})`).join("; ");
  return html`<div class="wide"><svg viewBox="0 0 830 ${bottom + 24}" role="img" aria-label="Accuracy: ${told}" style="min-width:560px">${ticks}${bars}</svg></div>`;
}

function labelsPart({ labels, macro, micro }: ScoreTable): Markup {
  const seen = labels.filter(({ f1 }) => f1 !== null).sort(worstFirst);
  const cells = ({ precision, recall, f1 }: Scores) =>
    [precision, recall, f1].map((value) => html`<td class="n">${score(value)}</td>`);
  const rows = seen.map(
    ({ label, support, labeled, given, ofLabeled }) =>
      html`<tr><th scope="row">${label}</th>${[support, labeled, given].map((count) => html`<td class="n">${formatCount(count)}</td>`)}${cells(ofLabeled)}<td class="bar" aria-hidden="true"><i style="width:${(100 * (ofLabeled.f1 ?? 0)).toFixed(1)}%"></i></td></tr>`,
  );
  const means = (
    [
      ["macro mean", macro.ofLabeled],
      ["micro mean", micro.ofLabeled],
      ["macro mean, all rows", macro],
      ["micro mean, all rows", micro],
    ] as const
  ).map(
    ([name, scores]) =>
      html`<tr><th scope="row">${name}</th><td></td><td></td><td></td>${cells(scores)}<td class="bar"></td></tr>`,
  );
  return html`<section><h2>Labels</h2><p class="soft">The label that needs most work first. Scores are over the rows that have a label; the last two lines are over all rows, where no label counts as missed.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Scores of the labels"><table><thead><tr><th>label</th><th class="n">true</th><th class="n">labeled</th><th class="n">given</th><th class="n">precision</th><th class="n">recall</th><th class="n">F1</th><th class="bar"></th></tr></thead><tbody>${rows}</tbody><tfoot>${means}</tfoot></table></div></section>`;
}

function fieldsPart(fields: Extract<Quality["details"], { kind: "extraction" }>["fields"]): Markup {
  const bars = fields.map(({ field, accuracy }) => [field, accuracy] as const);
  const rows = fields.map(
    ({ field, accuracy }) =>
      html`<tr><th scope="row">${field}</th><td class="n">${formatCount(accuracy.count)}</td><td class="n">${percent(accuracy.share)}</td><td class="n">${interval(accuracy)}</td></tr>`,
  );
  return html`<section><h2>Fields</h2>${intervals(bars)}<table><thead><tr><th>field</th><th class="n">right</th><th class="n">share</th><th class="n">95 %</th></tr></thead><tbody>${rows}</tbody></table></section>`;
}

const side = 300;
const corner = { x: 52, y: 14 };

/** Accuracy by stated confidence: on the diagonal a model that knows how sure it may be. */
function calibrationPart({ bins, rows, expectedError }: Calibration): Markup {
  const x = (value: number) => (corner.x + value * side).toFixed(1);
  const y = (value: number) => (corner.y + (1 - value) * side).toFixed(1);
  const most = Math.max(...bins.map((bin) => bin.rows));
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1].map(
    (tick) =>
      html`<line class="grid" x1="${x(0)}" x2="${x(1)}" y1="${y(tick)}" y2="${y(tick)}"/><text x="${corner.x - 8}" y="${Number(y(tick)) + 4}" text-anchor="end">${Math.round(100 * tick)}</text><text x="${x(tick)}" y="${corner.y + side + 18}" text-anchor="middle">${Math.round(100 * tick)}</text>`,
  );
  const counts = bins.map(
    ({ from, to, rows: count }) =>
      html`<rect class="pale" x="${x(from + 0.008)}" width="${((to - from - 0.016) * side).toFixed(1)}" y="${y((0.25 * count) / most)}" height="${((0.25 * count * side) / most).toFixed(1)}"/>`,
  );
  const path = bins
    .map((bin, index) => `${index === 0 ? "M" : "L"}${x(bin.meanConfidence)} ${y(bin.accuracy)}`)
    .join("");
  const points = bins.map(
    (bin) => html`<circle class="fill" cx="${x(bin.meanConfidence)}" cy="${y(bin.accuracy)}" r="4.5"/>`,
  );
  const cells = bins.map(
    (bin) =>
      html`<tr><th scope="row">${bin.from.toFixed(1)}–${bin.to.toFixed(1)}</th><td class="n">${formatCount(bin.rows)}</td><td class="n">${percent(bin.meanConfidence)}</td><td class="n">${percent(bin.accuracy)}</td></tr>`,
  );
  return html`<section><h2>Calibration</h2><p class="soft">Stated confidence is off by ${percent(expectedError)} on average (expected calibration error over ${formatCount(rows)} rows). Above the dashed line the model is right more often than it says; the pale bars are rows.</p>
<div class="two"><svg viewBox="0 0 ${corner.x + side + 20} ${corner.y + side + 44}" role="img" aria-label="Accuracy by stated confidence; the table beside it holds the same figures" style="max-width:440px">${counts}${ticks}<line class="ideal" x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}"/><path class="line" d="${path}"/>${points}<text x="${corner.x + side / 2}" y="${corner.y + side + 38}" text-anchor="middle">stated confidence, %</text><text transform="translate(13 ${corner.y + side / 2}) rotate(-90)" text-anchor="middle">right, %</text></svg>
<table><thead><tr><th>stated</th><th class="n">rows</th><th class="n">mean confidence</th><th class="n">right</th></tr></thead><tbody>${cells}</tbody></table></div></section>`;
}
