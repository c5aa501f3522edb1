import { formatUsd, type LedgerReport, picoToDecimal, usd } from "@autolabel/budget-core";
import type { LedgerDifference } from "@autolabel/budget-core/audit";
import type { Style } from "../progress/layout.ts";

/** More than this are no table for a person: a limit for each row makes an account a row. */
const mostAccounts = 50;

/** The books as tables for a person. */
export function reportText(name: string, report: LedgerReport, style: Style): string {
  const version = report.schemaVersion > 0 ? `, schema ${report.schemaVersion}` : "";
  const accounts = report.accounts
    .slice(0, mostAccounts)
    .map((account) => [
      account.scope,
      account.window,
      money(account.spentPicoUsd),
      money(account.heldPicoUsd),
      money(account.unresolvedPicoUsd),
      String(account.callCount),
      String(account.boundCallCount),
    ]);
  const open = report.open.map(({ id, state, ageMs, amountPicoUsd, modelId, accounts: drawn }) => [
    id,
    state,
    ageText(ageMs),
    money(amountPicoUsd),
    modelId ?? "",
    drawn.map(({ scope }) => scope).join(" "),
  ]);
  const more = report.accounts.length - accounts.length;
  const parts = [
    `${style("bold", name)}${version}\n`,
    table(["account", "window", "spent", "held", "unresolved", "calls", "at bound"], accounts, style) +
      (more > 0 ? `and ${more} more accounts: --json lists them all\n` : ""),
    open.length === 0
      ? "No open reservations.\n"
      : table(["reservation", "state", "age", "amount", "model", "accounts"], open, style),
  ];
  return parts.join("\n");
}

/** What does not add up, a line each; or that all does. */
export function verdictText(report: LedgerReport, differences: readonly LedgerDifference[], style: Style): string {
  const count = report.accounts.length;
  if (differences.length === 0) {
    const accounts = `${count} account${count === 1 ? "" : "s"}`;
    return `${style("green", "Sound:")} ${accounts}, balances equal journal and open reservations to the last pico-USD.\n`;
  }
  const lines = differences.map(({ scope, window, field, shown, expected, source }) => {
    return `  ${scope} ${window}: ${field} is ${shown}, by its ${source} it is ${expected}\n`;
  });
  return `${style("red", "The books do not add up:")}\n${lines.join("")}`;
}

/** The books as JSON data; money as decimal text in USD. */
export function reportJson(name: string, report: LedgerReport): Record<string, unknown> {
  return {
    ledger: name,
    schemaVersion: report.schemaVersion,
    at: new Date(report.atMs).toISOString(),
    accounts: report.accounts.map(({ scope, window, callCount, boundCallCount, ...account }) => ({
      scope,
      window,
      spentUsd: picoToDecimal(account.spentPicoUsd),
      heldUsd: picoToDecimal(account.heldPicoUsd),
      unresolvedUsd: picoToDecimal(account.unresolvedPicoUsd),
      callCount,
      boundCallCount,
      byModel: Object.fromEntries(
        Object.entries(account.byModel).map(([modelId, model]) => [
          modelId,
          { callCount: model.callCount, spentUsd: picoToDecimal(model.spentPicoUsd) },
        ]),
      ),
    })),
    open: report.open.map(({ amountPicoUsd, ...open }) => ({ ...open, amountUsd: picoToDecimal(amountPicoUsd) })),
  };
}

/** What does not add up as JSON data; amounts in pico-USD as text, counts as numbers. */
export function verdictJson(name: string, report: LedgerReport, differences: readonly LedgerDifference[]) {
  const inJson = (value: bigint | number) => (typeof value === "bigint" ? String(value) : value);
  return {
    ledger: name,
    sound: differences.length === 0,
    accounts: report.accounts.length,
    open: report.open.length,
    differences: differences.map(({ shown, expected, ...rest }) => {
      return { ...rest, shown: inJson(shown), expected: inJson(expected) };
    }),
  };
}

function money(picoUsd: bigint): string {
  return formatUsd(usd.pico(picoUsd));
}

/** The largest unit of which there are two at least. */
function ageText(ageMs: number): string {
  const seconds = Math.max(0, Math.floor(ageMs / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86_400)} d`;
}

function table(headings: readonly string[], rows: readonly (readonly string[])[], style: Style): string {
  const widths = headings.map((heading, column) =>
    Math.max(...[headings, ...rows].map((row) => row[column]?.length ?? heading.length)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd();
  return [style("dim", line(headings)), ...rows.map(line)].map((text) => `${text}\n`).join("");
}
