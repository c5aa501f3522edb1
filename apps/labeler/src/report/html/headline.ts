import { formatCount, rowsText } from "../../progress/bar.ts";
import { rightMeans } from "../../quality/measure.ts";
import type { RunReport } from "../run-report.ts";
import { dollars, interval, percent, selectionText } from "../words.ts";
import { html, type Markup } from "./markup.ts";

/** Title and tiles: the answer before the reasons. */
export function headline(report: RunReport): Markup {
  const { run, rows, quality, money } = report;
  const meta = [
    run.task,
    run.model,
    rowsText(rows.rows),
    run.source,
    run.createdAt?.slice(0, 16).replace("T", " "),
  ].filter(Boolean);
  const running =
    run.callsInFlight > 0
      ? html`<p class="warn">${formatCount(run.callsInFlight)} calls are in flight: this is how the run stood.</p>`
      : null;
  return html`<header><h1>${run.id}</h1><p class="soft meta">${meta.join(" · ")}</p>${running}</header>
<dl class="tiles">${quality ? qualityTiles(quality) : null}
${tile("Rows labeled", percent(share(rows.labeled, rows.rows)), stateText(rows), share(rows.labeled, rows.rows))}
${spentTile(money)}
${tile("Per 1,000 rows", dollars(money.per1000RowsPicoUsd), `${dollars(money.perLabelPicoUsd)} per label`)}
${quality ? tile("Per correct label", dollars(money.perCorrectLabelPicoUsd), `${formatCount(quality.ofAll.count)} labels are right`) : null}</dl>`;
}

/** Which rows were asked for, and what that does to what is said of all of them. */
export function selectionPart({ selection }: RunReport): Markup {
  const { kind, strata } = selection;
  const [first, ...rest] = selectionText(selection);
  const table =
    strata.length === 0
      ? null
      : html`<div class="scroll"><table><thead><tr><th>${selection.order.kind === "stratified" ? selection.order.column : ""}</th><th class="n">rows</th><th class="n">asked for</th><th class="n">share</th></tr></thead><tbody>${strata.map(
          (stratum) =>
            html`<tr><th scope="row">${stratum.value}</th><td class="n">${formatCount(stratum.rows)}</td><td class="n">${formatCount(stratum.reached)}</td><td class="n">${percent(stratum.share)}</td></tr>`,
        )}</tbody></table></div>`;
  return html`<section><h2>Which rows were asked for</h2><p>${first}</p>${rest.map((line) => html`<p class="${kind === "prefix" || kind === "mixed" ? "warn" : ""}">${line}</p>`)}${table}</section>`;
}

function qualityTiles({ ofAll, ofLabeled, details }: NonNullable<RunReport["quality"]>): Markup {
  const right = `Right: ${rightMeans[details.kind]}.`;
  return html`${tile("Accuracy, all rows", percent(ofAll.share), `95 %: ${interval(ofAll)}. No label counts as wrong.`)}
${tile("Accuracy, labeled rows", percent(ofLabeled.share), `95 %: ${interval(ofLabeled)}. ${right}`)}`;
}

function spentTile({ spentPicoUsd, budget, calls }: RunReport["money"]): Markup {
  const counted = `${formatCount(calls.calls)} calls`;
  if (budget?.limitPicoUsd == null) return tile("Spent", dollars(spentPicoUsd), `${counted}, no limit`);
  const used = budget.limitPicoUsd === 0n ? 1 : Number((budget.spentPicoUsd * 10_000n) / budget.limitPicoUsd) / 10_000;
  const over = budget.overrunPicoUsd > 0n ? `, ${dollars(budget.overrunPicoUsd)} over it` : "";
  return tile(
    "Spent",
    dollars(spentPicoUsd),
    `of ${dollars(budget.limitPicoUsd)}${budget.isShared ? " shared by runs" : ""}${over}; ${counted}`,
    used,
  );
}

function tile(name: string, figure: string, note: string, filled?: number): Markup {
  const width = `width:${(100 * Math.min(1, filled ?? 0)).toFixed(2)}%`;
  const meter = filled === undefined ? null : html`<div class="meter"><i style="${width}"></i></div>`;
  return html`<div class="tile"><dt>${name}</dt><dd class="figure">${figure}</dd><dd class="note">${meter}${note}</dd></div>`;
}

function stateText({ rows, labeled, invalid, errors, unpaid }: RunReport["rows"]): string {
  return [
    `${formatCount(labeled)} of ${formatCount(rows)}`,
    ...(invalid > 0 ? [`${formatCount(invalid)} paid without a label`] : []),
    ...(errors > 0 ? [`${formatCount(errors)} failed`] : []),
    ...(unpaid > 0 ? [`${formatCount(unpaid)} not asked for`] : []),
  ].join(", ");
}

function share(count: number, of: number): number {
  return of === 0 ? 0 : count / of;
}
