import { type Money, usd } from "@autolabel/budget-core";
import type { CostRange } from "../engine/cost-model.ts";
import type { LabelingRun } from "../engine/labeling-run.ts";
import { doneRows, type RowCounts } from "../store/row.ts";
import { bar, formatCount, formatDuration, rowsText } from "./bar.ts";
import { amountsFor, joinParts, rangeText, type Style, styleFor, wrapText } from "./layout.ts";

/** Shows a run while it goes on; ends with the last state on the screen. */
export interface RunView {
  /** Shows a line below the numbers until the end. */
  note(text: string): void;
  /** Stops refreshing. */
  end(): Promise<void>;
}

/** What a view shows of a run at one moment. */
export interface RunState {
  id: string;
  model: string;
  counts: Readonly<RowCounts>;
  spent: Money;
  unresolved: Money;
  budget: Money | null;
  /** What the rows that are left will cost. */
  rest?: CostRange | undefined;
  /** How many rows the budget will reach. */
  reached?: number | undefined;
  /** Rows finished per second since this process began. */
  rate: number;
  held: Money;
  available: Money | null;
  isEnded: boolean;
}

const refreshMs = 100;
const plainLineMs = 2000;
const indent = "        ";

/** Shows the run on a terminal as a live block, elsewhere as a plain line every two seconds. */
export async function showRun(run: LabelingRun, stream: NodeJS.WriteStream): Promise<RunView> {
  const startedAt = performance.now();
  let isEnded = false;
  const state = async (): Promise<RunState> => {
    const seconds = (performance.now() - startedAt) / 1000;
    const { spent, held, unresolved, available, budget } = (await run.stats()).exact;
    const { id, counts, finishedNow } = run;
    const rate = seconds > 0 ? finishedNow / seconds : 0;
    // What is held now will be spent or free soon: most of it can still pay for rows.
    const usable = available && usd.pico(available.picoUsd + held.picoUsd);
    const [rest, reached] = [run.forecast(), run.rowsReached(usable)];
    const amounts = { spent, held, unresolved, available, budget };
    return { id, model: run.config.model, counts, rate, ...amounts, rest, reached, isEnded };
  };
  if (!stream.isTTY) return plainView(async () => plainLine(await state()), stream);
  const { createLogUpdate } = await import("log-update");
  const block = createLogUpdate(stream);
  const style = styleFor(stream);
  let note = "";
  const draw = async () => {
    const width = stream.columns ?? 80;
    const noted = note && !isEnded ? `\n${indent}${wrapText(note, width, indent)}` : "";
    block(`${liveBlock(await state(), width, style)}${noted}`);
  };
  await draw();
  const timer = setInterval(() => void draw(), refreshMs);
  return {
    note: (text) => {
      note = text;
    },
    end: async () => {
      isEnded = true;
      clearInterval(timer);
      await draw();
      block.done();
    },
  };
}

function plainView(line: () => Promise<string>, stream: NodeJS.WriteStream): RunView {
  const timer = setInterval(() => void line().then((text) => stream.write(`${text}\n`)), plainLineMs);
  return {
    note: (text) => void stream.write(`${text}\n`),
    end: async () => {
      clearInterval(timer);
      stream.write(`${await line()}\n`);
    },
  };
}

/** One line for pipes and logs. */
export function plainLine({ counts, rate, spent, budget }: RunState): string {
  const amount = amountsFor(budget);
  const limit = budget ? ` of ${amount(budget)}` : "";
  const without = counts.invalid + counts.errors;
  const failed = without > 0 ? `  ${formatCount(without)} without a label` : "";
  return `${formatCount(doneRows(counts))}/${rowsText(counts.rows)}  ${rate.toFixed(0)} rows/s  ${amount(spent)}${limit} spent${failed}`;
}

/** The block for terminals: rows, budget, and where the money is; no line is wider than `width`. */
export function liveBlock(state: RunState, width: number, style: Style): string {
  const { id, model, counts, budget, spent } = state;
  const amount = amountsFor(budget);
  const done = doneRows(counts);
  const told = `${formatCount(done)} of ${rowsText(counts.rows)}  ${speed(state)}`;
  const ofBudget = budget ? `${amount(spent)} of ${amount(budget)} spent` : "";
  const cells = Math.max(6, Math.min(40, width - indent.length - 2 - Math.max(told.length, ofBudget.length)));
  const used = budget ? Number(spent.picoUsd) / Number(budget.picoUsd || 1n) : 0;
  const rows = `${formatCount(done)} of ${rowsText(counts.rows)}  ${style("dim", speed(state))}`;
  const lines = [
    `${style("bold", id)}  ${style("dim", model)}`,
    `rows    ${style("cyan", bar(done, counts.rows, cells))}  ${rows}`,
    budget
      ? `budget  ${style(used > 0.9 ? "yellow" : "green", bar(used, 1, cells))}  ${style("bold", amount(spent))} of ${amount(budget)} spent`
      : `budget  ${style("bold", amount(spent))} spent, ${style("dim", "unlimited")}`,
  ];
  const money = state.isEnded ? [] : moneyParts(state, amount, style);
  return [...lines, ...(money.length > 0 ? [`${indent}${joinParts(money, width, indent)}`] : [])].join("\n");
}

function speed(state: RunState): string {
  const { counts, rate, isEnded } = state;
  if (isEnded) return "";
  const left = (state.reached ?? counts.rows) - doneRows(counts);
  return `${rate.toFixed(0)} rows/s${rate > 0 && left > 0 ? `  ${formatDuration(left / rate)} left` : ""}`;
}

function moneyParts(state: RunState, amount: (money: Money) => string, style: Style): string[] {
  const { counts, held, unresolved, available, reached, rest, spent } = state;
  const without = counts.invalid + counts.errors;
  return [
    `${amount(held)} held`,
    ...(available ? [`${amount(available)} free`] : []),
    ...(unresolved.picoUsd > 0n ? [style("yellow", `${amount(unresolved)} unresolved`)] : []),
    ...(rest && doneRows(counts) < counts.rows ? [`all rows ${rangeText(rest, amount, spent)}`] : []),
    ...(reached !== undefined && reached < counts.rows ? [`reaches about row ${formatCount(reached)}`] : []),
    ...(without > 0 ? [style("yellow", `${formatCount(without)} without a label`)] : []),
  ];
}
