import { styleText } from "node:util";
import { formatUsd, type Money, usd } from "@autolabel/budget-core";
import type { LabelingRun } from "../engine/labeling-run.ts";
import { bar, formatCount, formatDuration, rowsText } from "./bar.ts";

/** Shows a run while it goes on; ends with the last state on the screen. */
export interface RunView {
  /** Shows a line below the numbers until the end. */
  note(text: string): void;
  /** Stops refreshing. */
  end(): Promise<void>;
}

const refreshMs = 100;
const plainLineMs = 2000;

/** Shows the run on a terminal as a live block, elsewhere as a plain line every two seconds. */
export async function showRun(run: LabelingRun, stream: NodeJS.WriteStream): Promise<RunView> {
  const startedAt = performance.now();
  const doneBefore = run.counts.labeled + run.counts.failed;
  const state = async () => {
    const seconds = (performance.now() - startedAt) / 1000;
    const { counts } = run;
    const done = counts.labeled + counts.failed;
    const rate = seconds > 0 ? (done - doneBefore) / seconds : 0;
    return {
      counts,
      done,
      rate,
      leftSeconds: rate > 0 ? (counts.rows - done) / rate : undefined,
      ...(await run.stats()).exact,
    };
  };
  if (!stream.isTTY) return plainView(async () => plainLine(await state()), stream);
  const { createLogUpdate } = await import("log-update");
  const block = createLogUpdate(stream);
  let note = "";
  const draw = async () => block(`${liveBlock(await state(), run, stream)}${note && `\n        ${note}`}`);
  await draw();
  const timer = setInterval(() => void draw(), refreshMs);
  return {
    note: (text) => {
      note = text;
    },
    end: async () => {
      note = "";
      clearInterval(timer);
      await draw();
      block.done();
    },
  };
}

interface RunState {
  counts: LabelingRun["counts"];
  done: number;
  rate: number;
  leftSeconds: number | undefined;
  spent: Money;
  held: Money;
  unresolved: Money;
  available: Money | null;
  budget: Money | null;
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

function plainLine(state: RunState): string {
  const { counts, done, rate, spent, budget } = state;
  const limit = budget ? ` of ${formatUsd(budget)}` : "";
  return `${formatCount(done)}/${rowsText(counts.rows)}  ${rate.toFixed(0)} rows/s  ${formatUsd(spent)}${limit} spent`;
}

function liveBlock(state: RunState, run: LabelingRun, stream: NodeJS.WriteStream): string {
  const { counts, done, rate, leftSeconds, spent, held, unresolved, available, budget } = state;
  const style = (format: Parameters<typeof styleText>[0], text: string) => styleText(format, text, { stream });
  const width = Math.max(10, Math.min(40, (stream.columns ?? 80) - 50));
  const left = leftSeconds === undefined || done === counts.rows ? "" : `${formatDuration(leftSeconds)} left`;
  const rows = `${formatCount(done)} of ${rowsText(counts.rows)}`;
  const money = [
    `${style("bold", formatUsd(spent))} spent`,
    `${formatUsd(held)} held`,
    ...(unresolved.picoUsd > 0n ? [style("yellow", `${formatUsd(unresolved)} unresolved`)] : []),
    ...(available ? [`${formatUsd(available)} free${enoughFor(state)}`] : []),
    ...(counts.failed > 0 ? [style("yellow", `${rowsText(counts.failed)} without a label`)] : []),
  ];
  const used = budget ? Number(spent.picoUsd) / Number(budget.picoUsd || 1n) : 0;
  return [
    `${style("bold", run.id)}  ${style("dim", run.config.model)}`,
    `rows    ${style("cyan", bar(done, counts.rows, width))}  ${rows}  ${style("dim", `${rate.toFixed(0)} rows/s  ${left}`)}`,
    budget
      ? `budget  ${style(used > 0.9 ? "yellow" : "green", bar(used, 1, width))}  ${formatUsd(spent)} of ${formatUsd(budget)}`
      : `budget  ${style("dim", "unlimited")}`,
    `        ${money.join(style("dim", " · "))}`,
  ].join("\n");
}

/** How many rows the budget will probably reach for, where that is not all of them. */
function enoughFor({ counts, done, spent, budget }: RunState): string {
  if (!budget || done === 0 || spent.picoUsd === 0n) return "";
  const affordable = Number((budget.picoUsd * BigInt(done)) / spent.picoUsd);
  return affordable >= counts.rows ? "" : `, enough for about ${rowsText(affordable)}`;
}

/** What the rows that are left will probably cost, by the mean of those paid for. Undefined before the first. */
export function forecastRest(counts: LabelingRun["counts"], spent: Money): Money | undefined {
  const paid = counts.rows - counts.unpaid;
  const left = counts.rows - counts.labeled;
  return paid === 0 ? undefined : usd.pico((spent.picoUsd * BigInt(left)) / BigInt(paid));
}
