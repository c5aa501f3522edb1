import { formatCount, rowsText } from "../progress/bar.ts";
import { wrapText } from "../progress/layout.ts";
import { confusedPairs } from "../quality/confusion.ts";
import type { LabelScore, Scores, ScoreTable } from "../quality/label-scores.ts";
import { moneyText } from "./money-text.ts";
import type { Quality, RunReport } from "./run-report.ts";
import { number, type Page, paragraph, section } from "./text-page.ts";
import { textTable } from "./text-table.ts";
import { dollars, interval, percent, score, selectionText } from "./words.ts";

const mostLabels = 15;
const mostPairs = 10;

/** The report for a terminal. */
export function reportText(report: RunReport, page: Page): string {
  const { quality, selection, money } = report;
  const parts = [
    headline(report, page),
    section(
      "Selection",
      selectionText(selection)
        .map((line) => paragraph(line, page))
        .join(""),
      page,
    ),
    ...(quality ? qualityText(quality, page) : []),
    ...moneyText(report, page),
    ...(quality || money.calls.calls === 0
      ? []
      : [paragraph("Accuracy needs true labels: name their column with --gold, or a file with --gold-file.", page)]),
  ];
  return parts.join("\n");
}

function headline({ run, rows, quality, money }: RunReport, page: Page): string {
  const { style } = page;
  const title = [run.task, run.model, rowsText(rows.rows), run.createdAt?.slice(0, 10)].filter(Boolean).join(" · ");
  const { budget } = money;
  const limit =
    budget?.limitPicoUsd != null ? ` of ${dollars(budget.limitPicoUsd)}${budget.isShared ? " shared" : ""}` : "";
  const named: [string, string, string][] = [];
  if (quality) {
    const { ofAll, ofLabeled } = quality;
    named.push(
      [
        "Accuracy",
        percent(ofAll.share),
        `of all ${formatCount(ofAll.total)} rows with a gold label (95 %: ${interval(ofAll)}); no label counts as wrong`,
      ],
      [
        "",
        percent(ofLabeled.share),
        `of the ${formatCount(ofLabeled.total)} that have a label (95 %: ${interval(ofLabeled)})`,
      ],
    );
  }
  named.push(
    ["Labeled", percent(rows.rows === 0 ? null : rows.labeled / rows.rows), stateText(rows)],
    [
      "Spent",
      dollars(money.spentPicoUsd),
      `${limit ? `${limit.trim()}, ` : ""}${dollars(money.per1000RowsPicoUsd)} per 1,000 rows`,
    ],
  );
  if (quality) named.push(["", dollars(money.perCorrectLabelPicoUsd), "per correct label"]);
  const amountWidth = Math.max(...named.map(([, amount]) => amount.length));
  const lines = named.map(([name, amount, text]) => {
    const indent = " ".repeat(2 + 10 + amountWidth + 2);
    return `  ${style("dim", name.padEnd(10))}${style("bold", amount.padStart(amountWidth))}  ${wrapText(text, page.width, indent)}\n`;
  });
  const running =
    run.callsInFlight > 0
      ? paragraph(`${formatCount(run.callsInFlight)} calls are in flight: this is how the run stands now.`, page)
      : "";
  return `${style("bold", run.id)}  ${style("dim", wrapText(title, page.width, "  "))}\n${lines.join("")}${running}`;
}

function stateText({ rows, labeled, invalid, errors, unpaid }: RunReport["rows"]): string {
  const parts = [
    `${formatCount(labeled)} of ${rowsText(rows)}`,
    ...(invalid > 0 ? [`${formatCount(invalid)} paid without a label`] : []),
    ...(errors > 0 ? [`${formatCount(errors)} failed`] : []),
    ...(unpaid > 0 ? [`${formatCount(unpaid)} not asked for`] : []),
  ];
  return parts.join(", ");
}

function qualityText(quality: Quality, page: Page): string[] {
  const { details, calibration } = quality;
  const parts: string[] = [];
  if ("labels" in details) parts.push(labelsText(details, page));
  if (details.kind === "classification") parts.push(confusionText(details, page));
  if (details.kind === "extraction") {
    const rows = details.fields.map(({ field, accuracy }) => [field, percent(accuracy.share), interval(accuracy)]);
    parts.push(
      section(
        "Fields",
        textTable([{ heading: "field" }, number("right"), number("95 %")], rows, page.width, page.style),
        page,
      ),
    );
  }
  if (calibration) {
    const rows = calibration.bins.map((bin) => [
      `${bin.from.toFixed(1)}–${bin.to.toFixed(1)}`,
      formatCount(bin.rows),
      percent(bin.meanConfidence),
      percent(bin.accuracy),
    ]);
    const table = textTable(
      [{ heading: "stated" }, number("rows"), number("mean confidence"), number("right")],
      rows,
      page.width,
      page.style,
    );
    parts.push(
      section(
        "Calibration",
        paragraph(`Stated confidence is off by ${percent(calibration.expectedError)} on average (ECE).`, page) + table,
        page,
      ),
    );
  }
  const notes = notesOf(quality);
  if (notes.length > 0) parts.push(notes.map((note) => paragraph(note, page)).join(""));
  return parts;
}

function labelsText({ labels, macro, micro }: ScoreTable, page: Page): string {
  const seen = labels.filter(({ ofLabeled }) => ofLabeled.f1 !== null).sort(worstFirst);
  const shown = seen.slice(0, mostLabels);
  const scores = ({ precision, recall, f1 }: Scores) => [score(precision), score(recall), score(f1)];
  const isPart = labels.some(({ support, labeled }) => labeled < support);
  const rows = [
    ...shown.map(({ label, support, labeled, given, ofLabeled }) => [
      label,
      ...[support, labeled, given].map(formatCount),
      ...scores(ofLabeled),
    ]),
    ["macro mean", "", "", "", ...scores(macro.ofLabeled)],
    ["micro mean", "", "", "", ...scores(micro.ofLabeled)],
    ...(isPart ? [["macro mean, all rows", "", "", "", ...scores(macro)]] : []),
  ];
  const columns = [{ heading: "label" }, ...["true", "labeled", "given", "precision", "recall", "F1"].map(number)];
  const among = isPart ? " of the rows that have one" : "";
  const which =
    seen.length > shown.length ? `: the ${shown.length} worst of ${seen.length} (all with --json or --html)` : "";
  return section(`Labels${among}${which}`, textTable(columns, rows, page.width, page.style), page);
}

function confusionText({ confusion }: Extract<Quality["details"], { kind: "classification" }>, page: Page): string {
  const pairs = confusedPairs(confusion);
  const rows = pairs.slice(0, mostPairs).map(({ gold, given, rows: count }) => [formatCount(count), gold, given]);
  const columns = [number("rows"), { heading: "true" }, { heading: "given" }];
  const body =
    rows.length === 0
      ? paragraph("No label was given for another.", page)
      : textTable(columns, rows, page.width, page.style);
  const which =
    pairs.length > rows.length ? `: the ${rows.length} most frequent of ${formatCount(pairs.length)} pairs` : "";
  return section(`Confused${which}`, body, page);
}

/** What a reader must know of the gold labels. */
export function notesOf({ details, unreadableGold, isReviewed, goldRows }: Quality): string[] {
  const outside = "goldOutsideLabels" in details ? details.goldOutsideLabels : [];
  return [
    ...(isReviewed
      ? [
          `Judged by people, on ${rowsText(goldRows)} that were picked for review, the doubtful ones first: this tells how right the model is on these rows, not on all.`,
        ]
      : []),
    ...(unreadableGold > 0
      ? [`${rowsText(unreadableGold)} were not judged: their gold label cannot be read as one of the task.`]
      : []),
    ...(outside.length > 0
      ? [
          `Gold labels outside the label set, which no answer can match: ${outside
            .slice(0, 5)
            .map((label) => JSON.stringify(label))
            .join(", ")}${outside.length > 5 ? ` and ${outside.length - 5} more` : ""}.`,
        ]
      : []),
  ];
}

/** The label that needs most work first: lowest F1 of the rows that have a label; those that are true of none come last. */
export function worstFirst(a: LabelScore, b: LabelScore): number {
  const f1 = ({ labeled, ofLabeled }: LabelScore) => (labeled === 0 ? 2 : (ofLabeled.f1 ?? 2));
  return f1(a) - f1(b) || b.support - a.support || a.label.localeCompare(b.label);
}
