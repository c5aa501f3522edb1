import { styleText } from "node:util";
import { formatUsd, type Money, picoToDecimal, usd } from "@autolabel/budget-core";
import type { LabelingRun } from "../engine/labeling-run.ts";
import type { RunOutcome } from "../engine/run-rows.ts";
import { formatCount, rowsText } from "../progress/bar.ts";
import { forecastRest, showRun } from "../progress/run-view.ts";
import type { CommandIo } from "./command-io.ts";

/** Exit codes of label and resume. */
const exitCodes = {
  completed: 0,
  error: 1,
  usage: 2,
  budget: 3,
  rowErrors: 4,
  credit: 5,
  interrupted: 130,
} as const;

/** Labels what is pending, shows it, writes the output and says how it ended. @returns the exit code. */
export async function finishRun(run: LabelingRun, io: CommandIo, resumeFlags: string): Promise<number> {
  const output = run.get("output") as string;
  try {
    const outcome = await watched(run, io);
    await run.writeTo(output);
    io.stdout.write(await summary(run, outcome, { output, resumeFlags, stream: io.stdout }));
    return exitCode(run, outcome);
  } finally {
    await run.close();
  }
}

async function watched(run: LabelingRun, io: CommandIo): Promise<RunOutcome> {
  const view = await showRun(run, io.stderr);
  const stopListening = io.onInterrupt(() => {
    view.note("Stopping: calls in flight are finished and kept. Ctrl-C again stops at once.");
    run.stop();
  });
  try {
    return await run.finish();
  } finally {
    stopListening();
    await view.end();
  }
}

function exitCode(run: LabelingRun, outcome: RunOutcome): number {
  if (outcome.kind !== "completed") return exitCodes[outcome.kind];
  return run.counts.failed > 0 ? exitCodes.rowErrors : exitCodes.completed;
}

async function summary(
  run: LabelingRun,
  outcome: RunOutcome,
  options: { output: string; resumeFlags: string; stream: NodeJS.WriteStream },
): Promise<string> {
  const { counts } = run;
  const { exact, boundCallCount } = await run.stats();
  const { budget, spent, unresolved } = exact;
  const style = (format: Parameters<typeof styleText>[0], text: string) =>
    styleText(format, text, { stream: options.stream });
  const labeled =
    counts.labeled === counts.rows
      ? `all ${rowsText(counts.rows)}`
      : `${formatCount(counts.labeled)} of ${rowsText(counts.rows)}`;
  const cost = `${formatUsd(spent)}${budget ? ` of ${formatUsd(budget)}` : ""}`;
  const resume = (flag = "") => `autolabel resume ${run.id}${flag}${options.resumeFlags}`;
  const line = (name: string, text: string) => `  ${style("dim", name.padEnd(12))}${text}\n`;

  let text = "";
  const heading = headings[outcome.kind];
  text += `${style([heading.color, "bold"], heading.text)} ${labeled} labeled for ${cost}.\n`;
  if ("error" in outcome && outcome.kind === "credit") text += line("refused", outcome.error.message);
  if (outcome.kind === "budget" && counts.labeled === 0) text += line("refused", outcome.error.message);
  if (counts.failed > 0)
    text += line("no label", `${rowsText(counts.failed)}: see label_status and label_error in the output`);
  if (unresolved.picoUsd > 0n) {
    text += line(
      "unresolved",
      `${formatUsd(unresolved)} for calls that a crash cut off; counted until their cost is known`,
    );
  }
  if (boundCallCount > 0) {
    text += line(
      "at bound",
      `${formatCount(boundCallCount)} calls whose cost the provider did not tell count at their upper bound`,
    );
  }
  text += line("output", `${options.output}${counts.unpaid > 0 ? " (rows not paid for yet have an empty label)" : ""}`);
  const rest = forecastRest(counts, spent);
  if (outcome.kind === "budget" && budget) {
    const needed = roundUp(usd.pico((rest ?? exact.budget ?? budget).picoUsd + used(exact)));
    if (rest)
      text += line(
        "forecast",
        `the other ${rowsText(counts.rows - counts.labeled)} need about ${formatUsd(rest)} more`,
      );
    text += line("go on", style("bold", resume(` --budget ${needed}`)));
  } else if (outcome.kind !== "completed" || counts.failed > 0) {
    text += line("go on", style("bold", resume()));
  }
  return text;
}

const headings = {
  completed: { color: "green", text: "Done:" },
  budget: { color: "yellow", text: "Budget reached:" },
  credit: { color: "yellow", text: "Paused, the provider's credit is used up:" },
  interrupted: { color: "yellow", text: "Interrupted:" },
} as const;

function used({ spent, unresolved }: { spent: Money; unresolved: Money }): bigint {
  return spent.picoUsd + unresolved.picoUsd;
}

/** Five percent more, rounded up to two significant digits: an amount that a person would type. */
function roundUp(amount: Money): string {
  const raised = (amount.picoUsd * 105n) / 100n;
  const unit = 10n ** BigInt(Math.max(0, raised.toString().length - 2));
  return picoToDecimal(((raised + unit - 1n) / unit) * unit);
}
