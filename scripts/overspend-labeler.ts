import { parseArgs } from "node:util";
import { runSchedules } from "../tests/labeler-budgets/spend-schedules.ts";

const { values } = parseArgs({
  options: {
    engine: { type: "string" },
    schedules: { type: "string", default: "1000" },
    calls: { type: "string", default: "40" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});

/** Labeling runs against one budget, many of them: `pnpm overspend:labeler --schedules 40 --calls 1500 --seed 7`. With `--engine postgres` (sqlite, redis) it is a pool. */
const options = {
  engine: values.engine,
  schedules: Number(values.schedules),
  budgetCalls: Number(values.calls),
  seed: Number(values.seed),
};
const { schedules, runs, calls, mostInFlight, overshootPicoUsd, used, failures } = await runSchedules(options);
const percent = (share: number | undefined) => (share === undefined ? "-" : `${(share * 100).toFixed(3)} %`);
console.log(
  `${options.engine ?? "LLM_BUDGET"}, seed ${options.seed}: ${schedules} schedules of ${options.budgetCalls} calls' money, ${runs} runs, up to ${mostInFlight} in flight, ${calls} calls billed; ${overshootPicoUsd} pico-USD beyond the budget; used where rows were left (${used.length}): least ${percent(used[0])}, median ${percent(used[Math.floor(used.length / 2)])}; ${failures.length} failures`,
);
for (const failure of failures.slice(0, 20)) console.error(`  ${failure}`);
if (failures.length > 0) process.exitCode = 1;
