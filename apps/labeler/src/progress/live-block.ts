import { type Money, usd } from "@autolabel/budget-core";
import type { CostRange } from "../engine/cost-model.ts";
import type { RunProblem } from "../engine/run-problems.ts";
import { doneRows, type RowCounts } from "../store/row.ts";
import { bar, formatCount, formatDuration, partedBar, rowsText } from "./bar.ts";
import { amountsFor, joinParts, oneLine, rangeText, type Style } from "./layout.ts";

/** What a view shows of a run at one moment. */
export interface RunState {
  id: string;
  model: string;
  counts: Readonly<RowCounts>;
  /** Rows after which this work ends; absent: all. */
  goal?: number | undefined;
  spent: Money;
  held: Money;
  unresolved: Money;
  available: Money | null;
  budget: Money | null;
  /** What the rows that are left will cost. */
  rest?: CostRange | undefined;
  /** How many rows the budget will reach. */
  reached?: number | undefined;
  /** Rows finished per second of late. */
  rate: number;
  /** How long the provider has us wait yet. */
  waitMs: number;
  /** What went wrong, the latest first. */
  problems: readonly RunProblem[];
  /** Now, in ms since 1970. */
  nowMs: number;
  isEnded: boolean;
}

const indent = "        ";
const longestBar = 40;
const shortestBar = 6;
/** A wait shorter than this is only the pace. */
const tellableWaitMs = 1500;
/** From so many seconds on the time of day is easier to plan by. */
const longSeconds = 600;

/** The block for terminals: rows, budget, forecast, waits and errors; no line is wider than `width`. */
export function liveBlock(state: RunState, width: number, style: Style): string {
  const { id, model, isEnded } = state;
  const head =
    `${id}  ${model}`.length <= width
      ? `${style("bold", id)}  ${style("dim", model)}`
      : style("bold", oneLine(id, width));
  const details = isEnded ? [] : [...totalLines(state, width, style), ...troubleLines(state, width, style)];
  return [head, ...barLines(state, width, style), ...details].join("\n");
}

function barLines(state: RunState, width: number, style: Style): string[] {
  const { counts, budget, spent, goal = counts.rows, isEnded } = state;
  const amount = amountsOf(state);
  const done = doneRows(counts);
  const told = `${formatCount(done)} of ${rowsText(goal)}`;
  const used = budget ? `${amount(spent)} of ${amount(budget)} spent` : "";
  const room = width - indent.length - 2 - Math.max(told.length, used.length);
  const cells = Math.max(shortestBar, Math.min(longestBar, room));
  const rowParts = [`${style("cyan", bar(done, goal, cells))}  ${told}`, ...(isEnded ? [] : speedParts(state, style))];
  const money = isEnded ? [] : moneyParts(state, amount, style);
  const moneyLine = money.length > 0 ? [`${indent}${joinParts(money, width, indent)}`] : [];
  return [
    `${style("dim", "rows    ")}${joinParts(rowParts, width, indent)}`,
    budget
      ? `${style("dim", "budget  ")}${moneyBar(state, budget, { cells, style })}  ${style("bold", amount(spent))} of ${amount(budget)} spent`
      : `${style("dim", "spent   ")}${style("bold", amount(spent))}, ${style("dim", "unlimited budget")}`,
    ...moneyLine,
  ];
}

/** Where a budget is: spent, unresolved, held, and free. */
function moneyBar(
  { spent, unresolved, held }: RunState,
  budget: Money,
  { cells, style }: { cells: number; style: Style },
): string {
  const share = (money: Money) => Number(money.picoUsd) / Number(budget.picoUsd || 1n);
  const parts = [
    { share: share(spent), fill: "█", paint: (text: string) => style(share(spent) > 0.9 ? "yellow" : "green", text) },
    { share: share(unresolved), fill: "▒", paint: (text: string) => style("yellow", text) },
    { share: share(held), fill: "▓", paint: (text: string) => style("blue", text) },
  ];
  return partedBar(parts, cells);
}

function moneyParts(state: RunState, amount: (money: Money) => string, style: Style): string[] {
  const { held, unresolved, available } = state;
  return [
    `${amount(held)} held`,
    ...(unresolved.picoUsd > 0n ? [style("yellow", `${amount(unresolved)} unresolved`)] : []),
    ...(available ? [`${amount(available)} free`] : []),
  ];
}

function speedParts(state: RunState, style: Style): string[] {
  const { counts, rate, nowMs } = state;
  const end = Math.min(state.reached ?? counts.rows, state.goal ?? counts.rows);
  const seconds = rate > 0 ? (end - doneRows(counts)) / rate : 0;
  const until = new Date(nowMs + seconds * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const parts = [
    `${rate < 10 ? rate.toFixed(1) : formatCount(Math.round(rate))} rows/s`,
    ...(seconds >= 1 ? [`${formatDuration(seconds)} left${seconds >= longSeconds ? `, until ${until}` : ""}`] : []),
  ];
  const without = counts.invalid + counts.errors;
  const failed = without > 0 ? [style("yellow", `${formatCount(without)} without a label`)] : [];
  return [...parts.map((part) => style("dim", part)), ...failed];
}

/** What all rows will cost, and how far the budget goes. */
function totalLines(state: RunState, width: number, style: Style): string[] {
  const { counts, rest, spent, reached, budget } = state;
  if (doneRows(counts) >= counts.rows) return [];
  const isShort = reached !== undefined && reached < counts.rows;
  const parts = [
    rest
      ? `${rangeText(rest, amountsOf(state), spent)} for all ${rowsText(counts.rows)}`
      : style("dim", "after a few rows"),
    ...(isShort ? [style("yellow", `the budget ends at about row ${formatCount(reached)}`)] : []),
    ...(budget && reached !== undefined && !isShort ? [style("green", "within the budget")] : []),
  ];
  return [`${style("dim", "total   ")}${joinParts(parts, width, indent)}`];
}

function troubleLines({ waitMs, problems }: RunState, width: number, style: Style): string[] {
  const wait = `${formatDuration(waitMs / 1000)}: the provider said so`;
  const waits = waitMs >= tellableWaitMs ? [`${style("dim", "waits   ")}${style("yellow", wait)}`] : [];
  const lines = problems.map(
    ({ kind, message, count }) => `${formatCount(count)} x ${kind}${message ? `: ${message}` : ""}`,
  );
  const told = lines.map((text, index) => {
    const name = index === 0 ? style("dim", "errors  ") : indent;
    return `${name}${style("yellow", oneLine(text, width - indent.length))}`;
  });
  return [...waits, ...told];
}

/** Without a budget, what all rows will cost says how fine amounts must be. */
function amountsOf({ budget, spent, rest }: RunState): (amount: Money) => string {
  return amountsFor(budget ?? usd.pico(spent.picoUsd + usd((rest?.p50 ?? 0).toFixed(12)).picoUsd));
}
