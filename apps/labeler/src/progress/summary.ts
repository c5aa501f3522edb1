import { relative, sep } from "node:path";
import {
  type BudgetExceededError,
  type CostStats,
  formatUsd,
  type Money,
  picoToDecimal,
  usd,
} from "@autolabel/budget-core";
import { standardStream } from "../data/data-format.ts";
import type { CostRange } from "../engine/cost-model.ts";
import type { Inclusion } from "../engine/inclusion.ts";
import type { RunOutcome } from "../engine/run-rows.ts";
import { doneRows, type RowCounts } from "../store/row.ts";
import { formatCount, rowsText } from "./bar.ts";
import { inclusionText } from "./inclusion-text.ts";
import { amountsFor, rangeText, type Style, wrapText } from "./layout.ts";
import type { SharedLimit } from "./run-money.ts";

/** What is said of a run that stopped. */
export interface RunEnd {
  /** Name of the run's own budget: a refusal by another one is told with that one's name. */
  ownScope: string;
  outcome: RunOutcome;
  counts: Readonly<RowCounts>;
  stats: CostStats;
  /** What the rows that are left will cost. */
  rest?: CostRange | undefined;
  /** Spent and unresolved of the budget that limits the run: its own, its pool's, or the shared one. */
  usedPicoUsd: bigint;
  /** The pool that the run draws on besides. */
  pool?: SharedLimit | undefined;
  /** How the rows were chosen, where some are left. */
  inclusion?: Inclusion | undefined;
  /** Where the rows were written. */
  output: string;
  /** The command that goes on, without budget: `autolabel resume run-1`. */
  resumeCommand: string;
}

const headings = {
  completed: { color: "green", text: "Done:" },
  budget: { color: "yellow", text: "Budget reached:" },
  credit: { color: "yellow", text: "Paused, the provider's credit is used up:" },
  "rate-limited": { color: "yellow", text: "Paused, the provider's rate limit is reached:" },
  interrupted: { color: "yellow", text: "Interrupted:" },
} as const;

const nameWidth = 12;

/** How a run ended, what it spent, where the rows are, and the command that goes on. */
export function summarize(end: RunEnd, width: number, style: Style): string {
  const { outcome, counts, stats } = end;
  const { budget, spent } = stats.exact;
  const amount = amountsFor(budget);
  const all = counts.labeled === counts.rows;
  const labeled = all ? `all ${rowsText(counts.rows)}` : `${formatCount(counts.labeled)} of ${rowsText(counts.rows)}`;
  const cost = `${amount(spent)}${budget ? ` of ${amount(budget)}` : ""}`;
  const { color, text } = headings[outcome.kind];
  const chosen = end.inclusion ? [["chosen", inclusionText(end.inclusion)]] : [];
  const lines = [...problems(end, amount), ["output", outputText(end)], ...chosen, ...wayOn(end, amount, style)];
  const body = lines.map(([name, said]) => {
    const wrapped = wrapText(said ?? "", width, " ".repeat(nameWidth + 2));
    return `  ${style("dim", (name ?? "").padEnd(nameWidth))}${wrapped}\n`;
  });
  return `${style([color, "bold"], text)} ${labeled} labeled for ${cost}.\n${body.join("")}`;
}

function problems(end: RunEnd, amount: (money: Money) => string): string[][] {
  const { outcome, counts, stats } = end;
  const { unresolved } = stats.exact;
  const lines: string[][] = [];
  if (outcome.kind === "credit" || outcome.kind === "rate-limited") lines.push(["refused", outcome.error.message]);
  if (outcome.kind === "budget" && counts.labeled === 0) lines.push(["refused", outcome.error.message]);
  if (counts.invalid > 0) {
    lines.push([
      "no label",
      `${rowsText(counts.invalid)}: the paid answer is outside the label set or was cut off; kept, and not asked again`,
    ]);
  }
  if (counts.errors > 0)
    lines.push(["failed", `${rowsText(counts.errors)}: see label_error in the output; a resume tries them again`]);
  if (unresolved.picoUsd > 0n) {
    lines.push([
      "unresolved",
      `${amount(unresolved)} for calls that were cut off in flight; what they did cost is not known, so they count at their upper bound until you resolve them: ${inspectCommand(end)}`,
    ]);
  }
  if (stats.overrun > 0) {
    lines.push([
      "overrun",
      `${formatUsd(stats.overrun)} above the budget: calls did cost more than the stated price allows; check the price`,
    ]);
  }
  if (stats.boundCallCount > 0) {
    lines.push([
      "at bound",
      `${formatCount(stats.boundCallCount)} calls whose cost the provider did not tell count at their upper bound`,
    ]);
  }
  return lines;
}

function inspectCommand({ resumeCommand }: RunEnd): string {
  return resumeCommand.replace(" resume ", " ledger inspect ");
}

function outputText({ output, counts }: RunEnd): string {
  const fromHere = relative(process.cwd(), output);
  const file = fromHere.startsWith(`..${sep}`) ? output : fromHere;
  const path = output === standardStream ? "standard output" : file;
  return counts.unpaid > 0 ? `${path} (rows not paid for yet have an empty label)` : path;
}

function wayOn(end: RunEnd, amount: (money: Money) => string, style: Style): string[][] {
  const { outcome, counts, rest, resumeCommand } = end;
  if (outcome.kind !== "budget") {
    const more = counts.unpaid > 0 || counts.errors > 0;
    return more ? [["go on", style("bold", resumeCommand)]] : [];
  }
  const left = counts.rows - doneRows(counts);
  const forecast = rest ? [["forecast", `the other ${rowsText(left)} need ${rangeText(rest, amount)} more`]] : [];
  const { error } = outcome;
  const more = usd(rest?.p90.toFixed(12) ?? 0).picoUsd + usd(error.required).picoUsd;
  const needed = roundUp(end.usedPicoUsd + more);
  const pool = /^pool\/(.*)$/s.exec(error.scope ?? "")?.[1];
  if (pool !== undefined) {
    const reached = `${formatUsd(error.budget)} of the pool "${pool}", which all its runs share`;
    const command = `${resumeCommand}${ownFlag(end, more)} --pool-budget ${needed}`;
    return [["reached", reached], ...forecast, ["go on", style("bold", command)]];
  }
  if (isShared(end, error)) {
    const reached = `LLM_BUDGET of ${formatUsd(error.budget)}, which all runs without a budget of their own share`;
    const command = `LLM_BUDGET=${needed} ${resumeCommand}${poolFlag(end, more)}`;
    return [["reached", reached], ...forecast, ["go on", style("bold", command)]];
  }
  return [...forecast, ["go on", style("bold", `${resumeCommand} --budget ${needed}${poolFlag(end, more)}`)]];
}

/** Raises the run's own budget too, where a higher pool alone would only bring the run to its end. */
function ownFlag({ stats }: RunEnd, morePicoUsd: bigint): string {
  const { spent, unresolved, budget } = stats.exact;
  const needed = spent.picoUsd + unresolved.picoUsd + morePicoUsd;
  return budget !== null && budget.picoUsd < needed ? ` --budget ${roundUp(needed)}` : "";
}

/** The same for the pool, of which other runs may have spent a part. */
function poolFlag({ pool }: RunEnd, morePicoUsd: bigint): string {
  if (!pool) return "";
  const needed = pool.spent.picoUsd + pool.unresolved.picoUsd + morePicoUsd;
  return pool.budget.picoUsd < needed ? ` --pool-budget ${roundUp(needed)}` : "";
}

function isShared({ ownScope }: RunEnd, { scope }: BudgetExceededError): boolean {
  return scope !== undefined && scope !== ownScope;
}

/** Five percent more, rounded up to two significant digits: an amount that a person would type. */
export function roundUp(picoUsd: bigint): string {
  const raised = (picoUsd * 105n) / 100n;
  const unit = 10n ** BigInt(Math.max(0, raised.toString().length - 2));
  return picoToDecimal(((raised + unit - 1n) / unit) * unit);
}
