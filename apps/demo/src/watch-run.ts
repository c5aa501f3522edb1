import type { LabelingRun, RunOutcome } from "@autolabel/labeler";
import { type Money, moneyLine, progressLine } from "./bars.ts";
import type { Stage } from "./stage.ts";

/** Labels what is pending and shows it. @returns why it stopped. */
export async function watchRun(stage: Stage, run: LabelingRun): Promise<RunOutcome> {
  const startedAt = performance.now();
  return await stage.watch(run.finish(), async () => {
    const { rows, labeled } = run.counts;
    const rate = run.finishedNow / ((performance.now() - startedAt) / 1000);
    return [
      progressLine(stage, {
        name: "rows",
        done: labeled,
        total: rows,
        text: `${labeled} of ${rows} labeled  ${stage.style("dim", `${rate.toFixed(0)} rows/s`)}`,
      }),
      moneyLine(stage, await moneyOf(run)),
    ];
  });
}

/** The books of a run that has a budget. */
export async function moneyOf(run: LabelingRun): Promise<Required<Money>> {
  const { budget, spent, held, unresolved } = (await run.stats()).exact;
  return {
    budget: budget?.picoUsd ?? 0n,
    spent: spent.picoUsd,
    held: held.picoUsd,
    unresolved: unresolved.picoUsd,
  };
}
