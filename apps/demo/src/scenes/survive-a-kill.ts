import { type UnresolvedReservation, usd } from "@autolabel/budget-core";
import type { LabelingRun } from "@autolabel/labeler";
import { type Simulator, startSimulator } from "@autolabel/simulator";
import { moneyLine, progressLine, usdText } from "../bars.ts";
import { showBooks } from "../books.ts";
import { type KilledWorker, startAndKill, until } from "../killed-worker.ts";
import { RowBills } from "../row-bills.ts";
import type { Show } from "../show.ts";
import { columns, messagesFile, offlineSettings, supportLabeler } from "../support-data.ts";
import { moneyOf, watchRun } from "../watch-run.ts";

const job = { name: "killed", budget: "0.015", concurrency: 16 };
const cap = usd(job.budget).picoUsd;
const killAfterRows = 90;
const allRows = 240;

/** A run that has been opened again after its process was killed. */
interface Revived {
  run: LabelingRun;
  simulator: Simulator;
  /** Calls that were sent and have no answer on file. */
  unresolved: readonly UnresolvedReservation[];
  /** Texts of the rows whose answer is on file. */
  kept: readonly string[];
}

/** Scene 4: the process is killed with calls in flight, and the run goes on. */
export async function surviveAKill(show: Show): Promise<void> {
  const { stage, scratch } = show;
  const bills = new RowBills();
  const simulator = await startSimulator({ seed: 4, latencyMs: { median: 160, p99: 350 }, answer: bills.note });
  try {
    stage.heading("4  kill -9");
    stage.say(
      `Another run, in a process of its own, with ${job.concurrency} calls in flight. ` +
        `It is killed after ${killAfterRows} rows and has no time to clean up.`,
    );
    stage.line();
    await stage.pause(1000);
    const task = { ...job, openrouterBaseUrl: simulator.openRouterUrl, store: scratch.folder };
    const worker = startAndKill(task, killAfterRows, scratch);
    const signal = await watchWorker(show, worker);
    await until(() => simulator.inFlight === 0);
    stage.line(stage.style(["red", "bold"], signal ?? "The process ended by itself."));
    stage.line();
    await stage.pause(1000);

    const settings = offlineSettings(simulator.openRouterUrl, scratch.folder);
    const run = await supportLabeler({ settings, ...job }).start({ rows: messagesFile, column: columns.text });
    try {
      const unresolved = await run.tracker.recover();
      const kept = (await Array.fromAsync(run.rows())).filter(({ attempts }) => attempts > 0).map(({ text }) => text);
      await lookBack(show, { run, simulator, unresolved, kept }, worker);
      await stage.pause(2000);
      stage.line();
      stage.say("The run goes on:");
      await watchRun(stage, run);
      await lookAtTheEnd(show, { run, simulator, unresolved, kept }, bills);
    } finally {
      await run.close();
    }
  } finally {
    await simulator.close();
  }
}

async function watchWorker({ stage }: Show, worker: KilledWorker): Promise<NodeJS.Signals | null> {
  return await stage.watch(worker.ended, async () => {
    const { size } = worker.reported;
    const { spent = 0n, held = 0n } = worker.last ?? {};
    return [
      progressLine(stage, { name: "rows", done: size, total: allRows, text: `${size} of ${allRows} labeled` }),
      moneyLine(stage, { budget: cap, spent, held }),
    ];
  });
}

/** What the run file tells right after the crash. */
async function lookBack({ stage, checks }: Show, revived: Revived, worker: KilledWorker): Promise<void> {
  const { run, unresolved, kept } = revived;
  const { invoice } = revived.simulator;
  const money = await moneyOf(run);
  stage.say(
    `On file: ${kept.length} answers, and ${unresolved.length} calls that were sent and never answered to us. ` +
      "What those cost is not known here, so each counts at its upper bound until it is:",
  );
  for (const { id, amountPicoUsd, modelId = "" } of unresolved.slice(0, 3)) {
    const bound = stage.style("red", `unresolved, at most ${usdText(amountPicoUsd)}`);
    stage.line(`${stage.style("dim", id.slice(0, 8))}  ${modelId}  ${bound}`);
  }
  if (unresolved.length > 3) stage.line(stage.style("dim", `… and ${unresolved.length - 3} more`));
  stage.line();
  showBooks(stage, [
    ["provider's invoice", invoice.totalPicoUsd],
    ["our ledger, spent", money.spent],
    ["our ledger, unresolved", money.unresolved],
  ]);
  const onFile = new Set(kept);
  const ids = (await Array.fromAsync(run.rows())).filter(({ text }) => onFile.has(text)).map(({ rowId }) => rowId);
  const lost = worker.reported.size - ids.filter((rowId) => worker.reported.has(rowId)).length;
  checks.add(
    "no answer that was reported is lost",
    lost === 0 && worker.reported.size >= killAfterRows,
    `${worker.reported.size} reported, ${kept.length} on file`,
  );
  checks.add(
    "spent + unresolved >= invoice",
    money.spent + money.unresolved >= invoice.totalPicoUsd,
    `${usdText(money.spent + money.unresolved)} >= ${usdText(invoice.totalPicoUsd)}`,
  );
}

async function lookAtTheEnd({ stage, checks }: Show, revived: Revived, bills: RowBills): Promise<void> {
  const { run, unresolved, kept } = revived;
  const { invoice } = revived.simulator;
  const { spent, unresolved: unknown } = await moneyOf(run);
  const { rows, labeled } = run.counts;
  stage.line();
  showBooks(stage, [
    ["budget", cap],
    ["our ledger, spent + unresolved", spent + unknown],
    ["provider's invoice", invoice.totalPicoUsd],
  ]);
  checks.add("all rows have a label", run.outcome?.kind === "completed" && labeled === rows, `${labeled} of ${rows}`);
  const once = kept.filter((text) => bills.count(invoice, text) === 1).length;
  checks.add("no answer on file was bought again", once === kept.length, `${kept.length} kept, ${once} billed once`);
  const twice = invoice.count - rows;
  checks.add(
    "only calls in flight were bought again",
    twice <= unresolved.length && unresolved.length <= job.concurrency,
    `${twice}, and at most ${job.concurrency} can be`,
  );
  checks.add(
    "invoice <= spent + unresolved <= budget",
    invoice.totalPicoUsd <= spent + unknown && spent + unknown <= cap,
    "",
  );
}
