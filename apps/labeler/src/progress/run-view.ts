import type { LabelingRun } from "../engine/labeling-run.ts";
import { doneRows } from "../store/row.ts";
import { formatCount, rowsText } from "./bar.ts";
import { amountsFor, styleFor, wrapText } from "./layout.ts";
import { liveBlock, type RunState, usedText } from "./live-block.ts";
import { moneyOf } from "./run-money.ts";

/** Shows a run while it goes on; ends with the last state on the screen. */
export interface RunView {
  /** Shows a line below the numbers until the end. */
  note(text: string): void;
  /** Stops refreshing. */
  end(): Promise<void>;
}

const refreshMs = 100;
const plainLineMs = 2000;
const shownProblems = 3;
/** The rate is that of so many ms before. */
const rateMs = 20_000;
const indent = "        ";

/**
 * Shows the run on a terminal as a live block, elsewhere as a plain line every two seconds.
 *
 * @param goal rows after which this work ends; absent: all.
 */
export async function showRun(run: LabelingRun, stream: NodeJS.WriteStream, goal?: number): Promise<RunView> {
  const rate = recentRate(run);
  const state = async (isEnded: boolean): Promise<RunState> => {
    const money = await moneyOf(run);
    return {
      id: run.id,
      model: run.config.model,
      counts: run.counts,
      goal,
      money,
      rest: run.forecast(),
      reached: run.rowsReached(money.usable),
      rate: rate(),
      waitMs: run.waitMs,
      problems: run.problems(shownProblems),
      nowMs: Date.now(),
      isEnded,
    };
  };
  return stream.isTTY ? await liveView(state, stream) : plainView(async () => plainLine(await state(false)), stream);
}

type ReadState = (isEnded: boolean) => Promise<RunState>;

async function liveView(state: ReadState, stream: NodeJS.WriteStream): Promise<RunView> {
  const { createLogUpdate } = await import("log-update");
  const block = createLogUpdate(stream);
  const style = styleFor(stream);
  let note = "";
  let drawing = Promise.resolve();
  let isDrawing = false;
  const draw = async (isEnded: boolean) => {
    const seen = await state(isEnded);
    const width = stream.columns ?? 80;
    const noted = note && !isEnded ? `\n${indent}${wrapText(note, width, indent)}` : "";
    block(`${liveBlock(seen, width, style)}${noted}`);
  };
  const redraw = () => {
    // A ledger that answers slowly must not have two pictures drawn at once.
    if (isDrawing) return;
    isDrawing = true;
    drawing = draw(false).finally(() => {
      isDrawing = false;
    });
  };
  redraw();
  const timer = setInterval(redraw, refreshMs);
  return {
    note: (text) => {
      note = text;
    },
    end: async () => {
      clearInterval(timer);
      await drawing;
      await draw(true);
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

/** Rows a second that were finished of late: a pause shows, and so does its end. */
function recentRate(run: LabelingRun): () => number {
  const seen = [{ atMs: performance.now(), finished: run.finishedNow }];
  return () => {
    const now = { atMs: performance.now(), finished: run.finishedNow };
    seen.push(now);
    while (seen.length > 2 && (seen[1]?.atMs ?? 0) < now.atMs - rateMs) seen.shift();
    const [first = now] = seen;
    const seconds = (now.atMs - first.atMs) / 1000;
    return seconds > 0 ? (now.finished - first.finished) / seconds : 0;
  };
}

/** One line for pipes and logs. */
export function plainLine(state: RunState): string {
  const { counts, goal = counts.rows, rate, money, waitMs, problems } = state;
  const { spent, budget, shared } = money;
  const amount = amountsFor(budget);
  const limit = budget ? ` of ${amount(budget)}` : "";
  const without = counts.invalid + counts.errors;
  const [latest] = problems;
  return [
    `${formatCount(doneRows(counts))}/${rowsText(goal)}`,
    `${rate.toFixed(0)} rows/s`,
    `${amount(spent)}${limit} spent`,
    ...shared.map((each) => `${usedText(each)} of ${each.name}`),
    ...(without > 0 ? [`${formatCount(without)} without a label`] : []),
    ...(waitMs >= plainLineMs ? [`waiting ${Math.ceil(waitMs / 1000)} s: the provider said so`] : []),
    ...(latest ? [`last error: ${latest.kind} (${formatCount(latest.count)} x)`] : []),
  ].join("  ");
}
