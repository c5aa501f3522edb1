import { startSharedLedger } from "../shared-ledger.ts";
import { runSchedule, type ScheduleReport } from "./spend-schedule.ts";

/** What came of many schedules. */
export interface SpendSummary {
  schedules: number;
  /** Labeling runs, and calls that were billed, in all of them. */
  runs: number;
  calls: number;
  mostInFlight: number;
  overshootPicoUsd: bigint;
  /** Shares of the budget that were used where rows were left, the smallest first. */
  used: number[];
  failures: string[];
}

/**
 * Runs so many schedules, from a seed on, two at a time.
 *
 * @param options.engine where the budget is a pool in a ledger of that engine. Default: it is LLM_BUDGET.
 */
export async function runSchedules(options: {
  schedules: number;
  seed: number;
  budgetCalls: number;
  engine?: string | undefined;
}): Promise<SpendSummary> {
  const { schedules, seed, budgetCalls, engine } = options;
  const ledger = engine === undefined ? undefined : await startSharedLedger(engine);
  const reports: ScheduleReport[] = [];
  const failures: string[] = [];
  let next = 0;
  const lane = async () => {
    while (next < schedules) {
      const own = seed * 100_000 + next++;
      const report = await runSchedule({ seed: own, budgetCalls, ledger });
      reports.push(report);
      failures.push(...report.failures.map((failure) => `seed ${own}: ${failure}`));
      if (report.overshootPicoUsd > 0n)
        failures.push(`seed ${own}: ${report.overshootPicoUsd} pico-USD beyond the budget`);
    }
  };
  try {
    await Promise.all([lane(), lane()]);
  } finally {
    await ledger?.stop();
  }
  const sum = (amount: (report: ScheduleReport) => number) => reports.reduce((all, report) => all + amount(report), 0);
  return {
    schedules: reports.length,
    runs: sum(({ runs }) => runs),
    calls: sum(({ calls }) => calls),
    mostInFlight: Math.max(...reports.map(({ concurrency }) => concurrency)),
    overshootPicoUsd: reports.reduce((all, { overshootPicoUsd }) => all + overshootPicoUsd, 0n),
    used: reports.flatMap(({ used }) => (used === undefined ? [] : [used])).sort((a, b) => a - b),
    failures,
  };
}
