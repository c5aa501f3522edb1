import { formatCount, rowsText } from "../progress/bar.ts";
import type { RunReport } from "./run-report.ts";
import { number, type Page, paragraph, section } from "./text-page.ts";
import { textTable } from "./text-table.ts";
import { bookLines, booksVerdict, dollars, evidenceNames, exactDollars, purposeNames } from "./words.ts";

const mostErrors = 8;

/** What the run did cost, for a terminal. */
export function moneyText(report: RunReport, page: Page): string[] {
  const { books, provider } = report;
  return [
    spendText(report, page),
    modelsText(report, page),
    ...errorsText(report, page),
    ...(books
      ? [booksText(books, page)]
      : [paragraph("The run drew on a tracker that it was given: its ledger is not here to compare with.", page)]),
    ...(provider ? [providerText(provider, page)] : []),
  ];
}

function spendText({ money }: RunReport, page: Page): string {
  const { calls, budget } = money;
  const purposes = (["answers", "repairs", "failed", "boughtAgain"] as const).map(
    (key) => [purposeNames[key], calls.byPurpose[key]] as const,
  );
  const evidences = (["reported", "computed", "bound"] as const).map(
    (key) => [evidenceNames[key], calls.byEvidence[key]] as const,
  );
  const rows = [...purposes, ...evidences]
    .filter(([, spend]) => spend.calls > 0)
    .map(([name, spend]) => [name, formatCount(spend.calls), dollars(spend.costPicoUsd)]);
  const table = textTable([{ heading: "calls" }, number("count"), number("cost")], rows, page.width, page.style);
  const { dedupe } = calls;
  const notes = [
    ...(dedupe.rows > 0
      ? [
          `${rowsText(dedupe.rows)} got the answer of a row of the same text, which saved ${dollars(dedupe.savedPicoUsd)}.`,
        ]
      : []),
    ...(budget && budget.unresolvedPicoUsd > 0n
      ? [
          `${formatCount(budget.unresolvedCalls)} calls were cut off in flight: they count at their upper bound of ${dollars(budget.unresolvedPicoUsd)} together until they are resolved.`,
        ]
      : []),
    ...(budget && budget.overrunPicoUsd > 0n
      ? [`${dollars(budget.overrunPicoUsd)} beyond the budget: calls did cost more than the stated price allows.`]
      : []),
  ];
  return section("Money", table + notes.map((note) => paragraph(note, page)).join(""), page);
}

function modelsText({ money, quality }: RunReport, page: Page): string {
  const rows = money.calls.byModel.map((model) => [
    model.modelId ?? "not told",
    formatCount(model.calls),
    dollars(model.costPicoUsd),
    formatCount(model.labeled),
    ...(quality ? [formatCount(model.correct)] : []),
  ]);
  const columns = [
    { heading: "model served" },
    number("calls"),
    number("cost"),
    number("labels"),
    ...(quality ? [number("right")] : []),
  ];
  return textTable(columns, rows, page.width, page.style);
}

function errorsText({ money }: RunReport, page: Page): string[] {
  const { byError } = money.calls;
  if (byError.length === 0) return [];
  const rows = byError
    .slice(0, mostErrors)
    .map(({ status, error, rows: count, costPicoUsd }) => [status, formatCount(count), dollars(costPicoUsd), error]);
  const columns = [{ heading: "no label" }, number("rows"), number("cost"), { heading: "why" }];
  return [textTable(columns, rows, page.width, page.style)];
}

function booksText(books: NonNullable<RunReport["books"]>, page: Page): string {
  const rows = bookLines(books).map(({ name, calls, picoUsd, isSum }) => [
    isSum ? `= ${name}` : `  ${name}`,
    calls === null ? "" : formatCount(calls),
    exactDollars(picoUsd),
  ]);
  const { isSound, text } = booksVerdict(books);
  const said = page.style(isSound ? "green" : "red", isSound ? "Sound:" : "Not sound:");
  const table = textTable([{ heading: "books" }, number("calls"), number("cost")], rows, page.width, page.style);
  return section("Reconciliation", `${table}${paragraph(`${said} ${text}`, page)}`, page);
}

function providerText(provider: NonNullable<RunReport["provider"]>, page: Page): string {
  const { comparedCount, missing, driftPicoUsd, drifted } = provider;
  const missed = missing.length > 0 ? ` ${formatCount(missing.length)} more are not in its records.` : "";
  const said =
    drifted.length === 0
      ? "all as booked"
      : `${formatCount(drifted.length)} differ, by ${exactDollars(driftPicoUsd)} together (billed less booked)`;
  return paragraph(`OpenRouter's own records of ${formatCount(comparedCount)} calls: ${said}.${missed}`, page);
}
