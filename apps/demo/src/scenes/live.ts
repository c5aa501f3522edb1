import { readFileSync } from "node:fs";
import { formatUsd, type Money } from "@autolabel/budget-core";
import { type DataRow, Settings } from "@autolabel/labeler";
import { parse } from "csv-parse/sync";
import { showBooks } from "../books.ts";
import { showRows } from "../row-table.ts";
import type { Show } from "../show.ts";
import { columns, messagesFile, supportLabeler } from "../support-data.ts";
import { moneyOf, watchRun } from "../watch-run.ts";
import { goldText } from "./label-to-the-cap.ts";

const rowCount = 12;

/** Settings for the real service; undefined without a key. */
export function liveSettings(store: string): Settings | undefined {
  const settings = new Settings({ store });
  return settings.openrouterApiKey === undefined ? undefined : settings;
}

/** A dozen rows against the real service. */
export async function labelLive(show: Show, settings: Settings, budget: Money): Promise<void> {
  const { stage, checks } = show;
  stage.heading(`Live: ${rowCount} rows on OpenRouter, ${formatUsd(budget)} at most`);
  stage.say(
    "There is no second witness here: the figures are ours, taken from the usage.cost that OpenRouter reports.",
  );
  stage.line();

  const rows = parse<DataRow>(readFileSync(messagesFile), { columns: true }).slice(0, rowCount);
  const run = await supportLabeler({ settings, budget: budget.toString(), concurrency: 4 }).start({
    rows,
    column: columns.text,
  });
  try {
    const outcome = await watchRun(stage, run);
    const labeled = await Array.fromAsync(run.rows());
    stage.line();
    showRows(stage, labeled);
    stage.line(stage.style("dim", goldText(labeled)));
    const failure = labeled.find(({ error }) => error !== null);
    if (failure) stage.say(`row ${failure.rowId}: ${failure.error}`, "red");
    if ("error" in outcome) stage.say(outcome.error.message, "yellow");
    stage.line();
    const { spent, unresolved, budget: cap } = await moneyOf(run);
    showBooks(stage, [
      ["budget", cap],
      ["our ledger", spent],
    ]);
    checks.add("spend stays under the cap", spent + unresolved <= cap, `${run.counts.labeled} rows labeled`);
    const isExpected = outcome.kind === "completed" || outcome.kind === "budget";
    checks.add(
      "every row labeled, or the budget ended",
      isExpected && run.counts.labeled + run.counts.unpaid === run.counts.rows,
      outcome.kind,
    );
    stage.line();
  } finally {
    await run.close();
  }
}
