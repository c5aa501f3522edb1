import { type Money, usd } from "@autolabel/budget-core";
import type { CostRange } from "../engine/cost-model.ts";
import type { RunProblem } from "../engine/run-problems.ts";
import { doneRows, type RowCounts } from "../store/row.ts";
import { bar, formatCount, formatDuration, partedBar, rowsText } from "./bar.ts";
import { amountsFor, joinParts, oneLine, rangeText, type Style } from "./layout.ts";
import type { RunMoney, SharedLimit } from "./run-money.ts";

/** What a view shows of a run at one moment. */
export interface RunState {
  id: string;
  model: string;
  counts: Readonly<RowCounts>;
  /** Rows after which this work ends; absent: all. */
  goal?: number | undefined;
  money: RunMoney;
  /** What the rows that are left will cost. */
  rest?: CostRange | undefined;
  /** How many rows the limit that leaves the least will reach, if no other run draws on it. */
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
  const { counts, money, goal = counts.rows, isEnded } = state;
  const { budget, spent, shared } = money;
  const done = doneRows(counts);
  const told = `${formatCount(done)} of ${rowsText(goal)}`;
  const limits = [...(budget ? [{ ...money, budget }] : []), ...shared];
  const room = width - indent.length - 2 - Math.max(told.length, ...limits.map((limit) => usedText(limit).length));
  const cells = Math.max(shortestBar, Math.min(longestBar, room));
  const line = (name: string, parts: readonly string[]) =>
    `${style("dim", name.padEnd(indent.length))}${joinParts(parts, width, indent)}`;
  const limitText = (limit: Limit) => `${moneyBar(limit, { cells, style })}  ${usedText(limit, style)}`;
  const own = style("bold", amountsOf(state)(spent));
  const unlimited = shared.length > 0 ? `${own} by this run` : `${own}, ${style("dim", "unlimited budget")}`;
  return [
    line("rows", [`${style("cyan", bar(done, goal, cells))}  ${told}`, ...(isEnded ? [] : speedParts(state, style))]),
    budget ? line("budget", [limitText({ ...money, budget })]) : line("spent", [unlimited]),
    ...(isEnded ? [] : [`${indent}${joinParts(moneyParts(state, width, style), width, indent)}`]),
    ...shared.map((limit) =>
      line(limit.kind, [
        limitText(limit),
        style("dim", oneLine(`all runs of ${limit.name.replace(/^the pool /, "")}`, width - indent.length)),
      ]),
    ),
  ];
}

type Limit = Pick<SharedLimit, "spent" | "held" | "unresolved" | "budget">;

/** `$0.1000 of $0.2500 spent`. */
export function usedText({ spent, budget }: Limit, style: Style = (_format, text) => text): string {
  const amount = amountsFor(budget);
  return `${style("bold", amount(spent))} of ${amount(budget)} spent`;
}

/** Where a budget is: spent, unresolved, held, and free. */
function moneyBar(
  { spent, unresolved, held, budget }: Limit,
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

function moneyParts(state: RunState, width: number, style: Style): string[] {
  const { held, unresolved, free, tightest, shared } = state.money;
  const amount = amountsOf(state);
  // Of several limits it must be said which one leaves so little.
  const whose = shared.length > 0 && free ? `, by ${tightest}` : "";
  return [
    `${amount(held)} held`,
    ...(unresolved.picoUsd > 0n ? [style("yellow", `${amount(unresolved)} unresolved`)] : []),
    ...(free ? [oneLine(`${amount(free)} free${whose}`, width - indent.length)] : []),
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
  const { counts, rest, reached, money } = state;
  if (doneRows(counts) >= counts.rows) return [];
  const isShort = reached !== undefined && reached < counts.rows;
  const fitting = (text: string) => oneLine(text, width - indent.length);
  const parts = [
    rest
      ? `${rangeText(rest, amountsOf(state), money.spent)} for all ${rowsText(counts.rows)}`
      : style("dim", "after a few rows"),
    ...(isShort ? [style("yellow", fitting(`ends at about row ${formatCount(reached)}, by ${money.tightest}`))] : []),
    ...(money.tightest !== undefined && reached !== undefined && !isShort
      ? [style("green", fitting(`within ${money.tightest}`))]
      : []),
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
function amountsOf({ money, rest }: RunState): (amount: Money) => string {
  const { budget, spent } = money;
  return amountsFor(budget ?? usd.pico(spent.picoUsd + usd((rest?.p50 ?? 0).toFixed(12)).picoUsd));
}
