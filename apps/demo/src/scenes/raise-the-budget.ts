import type { Invoice, Simulator } from "@autolabel/simulator";
import { showBooks } from "../books.ts";
import type { Show } from "../show.ts";
import { columns, messagesFile, offlineSettings, supportLabeler } from "../support-data.ts";
import { moneyOf, watchRun } from "../watch-run.ts";
import { goldText } from "./label-to-the-cap.ts";

const budget = "0.012";

/** Scene 3: the same run again with more money. Only what is missing is bought. */
export async function raiseTheBudget(show: Show, simulator: Simulator): Promise<void> {
  const { stage, checks, scratch } = show;
  stage.heading("3  The budget is raised");
  stage.say(`The same run again with $${budget} in all. Rows that have a label are not asked again.`);
  stage.code([`autolabel resume --budget ${budget}`]);
  stage.line();
  await stage.pause(1300);

  const { invoice } = simulator;
  const billedBefore = invoice.count;
  const labeler = supportLabeler({ settings: offlineSettings(simulator.openRouterUrl, scratch.folder), budget });
  const run = await labeler.start({ rows: messagesFile, column: columns.text });
  try {
    const missing = run.counts.unpaid;
    const outcome = await watchRun(stage, run);
    const rows = await Array.fromAsync(run.rows());
    const { spent, budget: cap } = await moneyOf(run);
    stage.line(stage.style("dim", goldText(rows)));
    stage.line();
    showBooks(stage, [
      ["budget", cap],
      ["provider's invoice", invoice.totalPicoUsd],
      ["our ledger", spent],
    ]);
    const { labeled } = run.counts;
    checks.add(
      "all rows have a label",
      outcome.kind === "completed" && labeled === rows.length,
      `${labeled} of ${rows.length}`,
    );
    const bought = invoice.count - billedBefore;
    checks.add("only the missing rows were bought", bought === missing, `${missing} missing, ${bought} bought`);
    const twice = boughtTwice(invoice);
    checks.add(
      "no prompt is on the invoice twice",
      twice === 0 && invoice.count === rows.length,
      `${invoice.count} lines, ${invoice.count - twice} different prompts`,
    );
    checks.add("ledger = invoice, and under the cap", spent === invoice.totalPicoUsd && spent <= cap, "over both runs");
  } finally {
    await run.close();
  }
}

function boughtTwice({ lines, count }: Invoice): number {
  return count - new Set(lines.map(({ promptHash }) => promptHash)).size;
}
