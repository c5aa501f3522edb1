import { formatCount, rowsText } from "../../progress/bar.ts";
import type { RunReport } from "../run-report.ts";
import type { CallSpend } from "../spend.ts";
import { bookLines, booksVerdict, dollars, evidenceNames, exactDollars, purposeNames } from "../words.ts";
import { html, type Markup } from "./markup.ts";

/** What was paid, for what, to whom, and whether the books agree. */
export function moneyParts(report: RunReport): Markup[] {
  const { money, books } = report;
  if (money.calls.calls === 0) return books ? [booksPart(report)] : [];
  return [
    html`<section><h2>Money</h2>${burnChart(money)}<div class="two"><div><h3>What calls were for</h3>${split(["answers", "repairs", "failed", "boughtAgain"], purposeNames, money.calls.byPurpose)}</div>
<div><h3>How their cost is known</h3>${split(["reported", "computed", "bound"], evidenceNames, money.calls.byEvidence)}</div></div>${notes(money)}${modelsTable(report)}${errorsTable(report)}</section>`,
    ...(books ? [booksPart(report)] : []),
  ];
}

const box = { left: 74, top: 18, width: 900, height: 190 };

function burnChart({ calls, budget }: RunReport["money"]): Markup {
  const { burn } = calls;
  const limit = budget && !budget.isShared ? budget.limitPicoUsd : null;
  // A limit far above the spend would press the line to the ground.
  const shown = limit !== null && limit <= calls.costPicoUsd * 4n ? limit : null;
  const top = Number(shown !== null && shown > calls.costPicoUsd ? shown : calls.costPicoUsd) * 1.06 || 1;
  const x = (count: number) => (box.left + (count / calls.calls) * box.width).toFixed(1);
  const y = (picoUsd: bigint) => (box.top + (1 - Number(picoUsd) / top) * box.height).toFixed(1);
  const bottom = box.top + box.height;
  const path = [`M${x(0)} ${bottom}`, ...burn.map((point) => `L${x(point.calls)} ${y(point.costPicoUsd)}`)].join("");
  const ticks = [0n, 1n, 2n, 3n, 4n]
    .map((quarter) => (calls.costPicoUsd * quarter) / 4n)
    .map(
      (amount) =>
        html`<line class="grid" x1="${box.left}" x2="${box.left + box.width}" y1="${y(amount)}" y2="${y(amount)}"/><text x="${box.left - 8}" y="${Number(y(amount)) + 4}" text-anchor="end">${dollars(amount)}</text>`,
    );
  const counts = [0, 0.25, 0.5, 0.75, 1].map(
    (part) =>
      html`<text x="${x(part * calls.calls)}" y="${bottom + 18}" text-anchor="${part === 1 ? "end" : "middle"}">${formatCount(Math.round(part * calls.calls))}</text>`,
  );
  const line =
    shown === null
      ? null
      : html`<line class="limit" x1="${box.left}" x2="${box.left + box.width}" y1="${y(shown)}" y2="${y(shown)}"/><text class="strong" x="${box.left + 8}" y="${Number(y(shown)) - 5}">budget ${dollars(shown)}</text>`;
  return html`<div class="wide"><svg viewBox="0 0 ${box.left + box.width + 16} ${bottom + 44}" role="img" aria-label="The spend as it grew, to ${dollars(calls.costPicoUsd)} after ${formatCount(calls.calls)} calls" style="min-width:620px">${ticks}<path class="area" d="${path}L${x(calls.calls)} ${bottom}Z"/><path class="line" d="${path}"/>${line}${counts}<text x="${box.left + box.width / 2}" y="${bottom + 38}" text-anchor="middle">charged calls</text></svg></div>`;
}

/** Parts of one sum, as one bar and its key. */
function split<Key extends string>(
  keys: readonly Key[],
  names: Readonly<Record<Key, string>>,
  spends: Readonly<Record<Key, CallSpend>>,
): Markup {
  const parts = keys
    .map((key, place) => ({ name: names[key], spend: spends[key], shade: `a${place + 1}` }))
    .filter(({ spend }) => spend.calls > 0);
  const total = parts.reduce((sum, { spend }) => sum + Number(spend.costPicoUsd), 0) || 1;
  const bar = parts.map(
    ({ spend, shade }) =>
      html`<i class="${shade}" style="width:${((100 * Number(spend.costPicoUsd)) / total).toFixed(2)}%"></i>`,
  );
  const rows = parts.map(
    ({ name, spend, shade }) =>
      html`<tr><th scope="row"><span class="key" style="display:inline"><i class="${shade}"></i></span>${name}</th><td class="n">${formatCount(spend.calls)}</td><td class="n">${dollars(spend.costPicoUsd)}</td></tr>`,
  );
  return html`<div class="split" aria-hidden="true">${bar}</div><table><thead><tr><th></th><th class="n">calls</th><th class="n">cost</th></tr></thead><tbody>${rows}</tbody></table>`;
}

function notes({ calls, budget }: RunReport["money"]): (Markup | null)[] {
  const { dedupe } = calls;
  return [
    dedupe.rows > 0
      ? html`<p>${rowsText(dedupe.rows)} got the answer of a row of the same text, which saved ${dollars(dedupe.savedPicoUsd)}.</p>`
      : null,
    budget && budget.unresolvedPicoUsd > 0n
      ? html`<p class="warn">${formatCount(budget.unresolvedCalls)} calls were cut off in flight: they count at their upper bound of ${dollars(budget.unresolvedPicoUsd)} together until they are resolved.</p>`
      : null,
    budget && budget.overrunPicoUsd > 0n
      ? html`<p class="warn">${dollars(budget.overrunPicoUsd)} beyond the budget: calls did cost more than the stated price allows.</p>`
      : null,
  ];
}

function modelsTable({ money, quality }: RunReport): Markup {
  const { byModel } = money.calls;
  const most = Number(byModel[0]?.costPicoUsd ?? 0n) || 1;
  const rows = byModel.map((model) => {
    const perCorrect = model.correct === 0 ? null : model.costPicoUsd / BigInt(model.correct);
    const judgedCells = quality
      ? html`<td class="n">${formatCount(model.correct)}</td><td class="n">${dollars(perCorrect)}</td>`
      : null;
    return html`<tr><th scope="row">${model.modelId ?? "not told"}</th><td class="bar" aria-hidden="true"><i style="width:${((100 * Number(model.costPicoUsd)) / most).toFixed(1)}%"></i></td><td class="n">${dollars(model.costPicoUsd)}</td><td class="n">${formatCount(model.calls)}</td><td class="n">${formatCount(model.labeled)}</td>${judgedCells}</tr>`;
  });
  const judged = quality ? html`<th class="n">right</th><th class="n">per right label</th>` : null;
  return html`<h3>By the model that served</h3><div class="wide"><table><thead><tr><th>model</th><th class="bar"></th><th class="n">cost</th><th class="n">calls</th><th class="n">labels</th>${judged}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

function errorsTable({ money }: RunReport): Markup | null {
  const { byError } = money.calls;
  if (byError.length === 0) return null;
  const rows = byError
    .slice(0, 20)
    .map(
      ({ status, error, rows: count, costPicoUsd }) =>
        html`<tr><th scope="row">${status}</th><td class="n">${formatCount(count)}</td><td class="n">${dollars(costPicoUsd)}</td><td>${error}</td></tr>`,
    );
  return html`<h3>Rows that were asked for and have no label</h3><div class="wide"><table><thead><tr><th>state</th><th class="n">rows</th><th class="n">cost</th><th>why</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function booksPart({ books, provider }: RunReport): Markup {
  if (!books) return html``;
  const { isSound, text } = booksVerdict(books);
  const rows = bookLines(books).map(({ name, calls, picoUsd, isSum }) => {
    const line = html`<th scope="row">${isSum ? html`<strong>= ${name}</strong>` : name}</th><td class="n">${calls === null ? null : formatCount(calls)}</td><td class="n">${exactDollars(picoUsd)}</td>`;
    return html`<tr>${line}</tr>`;
  });
  const asked = provider
    ? html`<p>OpenRouter's own records of ${formatCount(provider.comparedCount)} calls: ${provider.drifted.length === 0 ? "all as booked" : `${formatCount(provider.drifted.length)} differ, by ${exactDollars(provider.driftPicoUsd)} together`}${provider.missing.length > 0 ? `; ${formatCount(provider.missing.length)} more are not in its records` : ""}.</p>`
    : null;
  return html`<section><h2>Reconciliation</h2><p><span class="${isSound ? "sound" : "unsound"}">${isSound ? "Sound." : "Not sound."}</span> ${text}</p>${asked}<div class="wide"><table><thead><tr><th>books</th><th class="n">calls</th><th class="n">cost in USD, exact</th></tr></thead><tbody>${rows}</tbody></table></div></section>`;
}
