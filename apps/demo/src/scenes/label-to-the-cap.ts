import type { LabeledRow } from "@autolabel/labeler";
import type { Simulator } from "@autolabel/simulator";
import { showBooks } from "../books.ts";
import { showRows } from "../row-table.ts";
import type { Show } from "../show.ts";
import { columns, messagesFile, offlineSettings, supportLabeler } from "../support-data.ts";
import { moneyOf, watchRun } from "../watch-run.ts";

/** Pays for about half of the rows. */
const budget = "0.005";

/** Scene 2: a data set is labeled until its budget ends. */
export async function labelToTheCap(show: Show, simulator: Simulator): Promise<void> {
  const { stage, checks, scratch } = show;
  stage.heading("2  A data person labels a data set");
  stage.say(
    `240 messages to a shop's support, six labels, and a budget of $${budget} for about half of them. ` +
      "Done from code here. As a command:",
  );
  stage.code([
    "autolabel label support-messages.csv --text-column text \\",
    `  --labels billing,… --model openrouter:openai/gpt-4o-mini --budget ${budget}`,
  ]);
  stage.line();
  await stage.pause(1300);

  const labeler = supportLabeler({ settings: offlineSettings(simulator.openRouterUrl, scratch.folder), budget });
  const run = await labeler.start({ rows: messagesFile, column: columns.text });
  try {
    const outcome = await watchRun(stage, run);
    const rows = await Array.fromAsync(run.rows());
    const { labeled, unpaid } = run.counts;
    stage.line();
    stage.line(`Stopped: ${stage.style("yellow", outcome.kind)}. What was paid for is there, the other rows wait:`);
    showRows(stage, excerpt(rows));
    stage.line(stage.style("dim", goldText(rows)));
    stage.line();

    const { spent, held, budget: cap } = await moneyOf(run);
    const { invoice } = simulator;
    showBooks(stage, [
      ["budget", cap],
      ["provider's invoice", invoice.totalPicoUsd],
      ["our ledger", spent],
    ]);
    checks.add(
      "it stopped at the cap, not above it",
      outcome.kind === "budget" && invoice.totalPicoUsd <= cap,
      `${share(spent, cap)} of the budget used`,
    );
    checks.add("ledger = invoice, to the last pico-USD", spent === invoice.totalPicoUsd && held === 0n, "");
    const costs = rows.reduce((sum, row) => sum + row.cost.picoUsd, 0n);
    checks.add(
      "every paid answer is a labeled row",
      labeled > 0 && unpaid > 0 && labeled === invoice.count && costs === spent,
      `${invoice.count} answers, ${labeled} labels`,
    );
  } finally {
    await run.close();
  }
}

/** How many labels are the ones that a person gave. */
export function goldText(rows: readonly LabeledRow[]): string {
  const labeled = rows.filter(({ label }) => label !== null);
  const right = labeled.filter(({ label, input }) => label === input[columns.gold]);
  return `${right.length} of ${labeled.length} labels are what a person chose`;
}

/** The first rows, and those around the place where the money ended. */
function excerpt(rows: readonly LabeledRow[]): LabeledRow[] {
  const end = rows.findIndex(({ label }) => label === null);
  return [...rows.slice(0, 3), ...rows.slice(Math.max(3, end - 2), end + 2)];
}

function share(part: bigint, whole: bigint): string {
  return `${((Number(part) / Number(whole)) * 100).toFixed(1)} %`;
}
