import { usd } from "@autolabel/budget-core";
import { assertWritable } from "../data/write-rows.ts";
import type { LabelingRun } from "../engine/labeling-run.ts";
import { planRun, type RunPlan } from "../engine/plan-run.ts";
import type { RunOutcome } from "../engine/run-rows.ts";
import { startRun } from "../engine/start-run.ts";
import { type LimitLeft, limitsLeft } from "../ledger/limits-left.ts";
import { styleFor } from "../progress/layout.ts";
import { type ProbeReport, planJson, planTable } from "../progress/plan-view.ts";
import { roundUp } from "../progress/summary.ts";
import { doneRows } from "../store/row.ts";
import { UsageError } from "../usage-error.ts";
import type { CommandIo } from "./command-io.ts";
import { exitCodes, resumeCommandOf, watched } from "./finish-run.ts";
import { assertLimited, explainPrice, type LabelOptions, readLabelInput } from "./label.ts";

/** Flags of `autolabel plan`: those of label, and its own. */
export interface PlanOptions extends LabelOptions {
  probe?: number;
  json?: boolean;
}

/**
 * `autolabel plan [DATA]`: what labeling a file would cost. Free, unless some rows are bought to measure it. @returns the
 * exit code.
 */
export async function plan(dataPath: string | undefined, options: PlanOptions, io: CommandIo): Promise<number> {
  const input = await readLabelInput(dataPath, options);
  const { config, settings } = input;
  const limits = await limitsLeft(config, settings);
  const show = (known: { plan: RunPlan; probe?: ProbeReport }) => {
    const told = { ...known, limits, name: input.name };
    const width = io.stdout.columns ?? Number.POSITIVE_INFINITY;
    io.stdout.write(options.json ? `${JSON.stringify(planJson(told))}\n` : planTable(told, width, styleFor(io.stdout)));
  };
  if (options.probe === undefined) {
    show({ plan: await explainPrice(() => planRun(input)) });
    return 0;
  }
  assertLimited(input, options);
  assertWritable(input.facts.output, { force: options.force, format: input.facts.outputFormat });
  const run = await explainPrice(() =>
    startRun({
      ...input,
      facts: { ...input.facts, stage: "probed" },
      whenKnown: ({ id, isProbe }) => {
        if (isProbe) return "continue";
        throw new UsageError(`The run ${id} labels these rows already: go on with ${io.command} resume ${id}`);
      },
    }),
  );
  try {
    const known = await planRun({ config, settings, rows: run.rows() });
    const goOn = resumeCommandOf(run.id, io, options);
    const more = Math.max(0, options.probe - doneRows(run.counts));
    const goal = doneRows(run.counts) + more;
    const outcome = await watched(run, io, { resumeCommand: goOn, goal, work: () => run.probe(more) });
    show({ plan: known, probe: await reportOf(run, { known, goOn, outcome, limits }) });
    return exitCodes[outcome.kind];
  } finally {
    await run.close();
  }
}

async function reportOf(
  run: LabelingRun,
  { known, goOn, outcome, limits }: { known: RunPlan; goOn: string; outcome: RunOutcome; limits: readonly LimitLeft[] },
): Promise<ProbeReport> {
  const { spent } = (await run.stats()).exact;
  const rest = run.forecast();
  const before = Number(spent.toString());
  const report = { runId: run.id, rows: doneRows(run.counts), spent, outcome: outcome.kind };
  if (!rest) return { ...report, goOn };
  const whole = { p10: before + rest.p10, p50: before + rest.p50, p90: before + rest.p90 };
  // One call more than the forecast: the last one, too, must fit with its bound.
  const needed = usd(whole.p90.toFixed(12)).picoUsd + boundOfOne(known);
  const budget = run.config.budget === undefined ? "" : ` --budget ${roundUp(needed)}`;
  return { ...report, whole, goOn: `${goOn}${budget}${poolFlag(limits, needed)}` };
}

/** Raises a pool that does not hold what the run needs, by what other runs have spent of it. */
function poolFlag(limits: readonly LimitLeft[], neededPicoUsd: bigint): string {
  const pool = limits.find(({ kind }) => kind === "pool");
  if (!pool || pool.left.picoUsd >= neededPicoUsd) return "";
  return ` --pool-budget ${roundUp(pool.limit.picoUsd - pool.left.picoUsd + neededPicoUsd)}`;
}

function boundOfOne({ costs, texts }: RunPlan): bigint {
  return costs.upper.picoUsd / BigInt(Math.max(1, texts));
}
