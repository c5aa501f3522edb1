import { parseArgs } from "node:util";
import { crashLabeler } from "../tests/labeler-crashes/crash-labeler.ts";

const { values } = parseArgs({
  options: {
    engine: { type: "string" },
    kills: { type: "string", default: "300" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});

/** Kills labeling runs at random moments and around commits: `pnpm crashes:labeler --kills 300 --seed 7`. With `--engine postgres` (sqlite, redis) in a pool. */
const { engine, kills, seed } = { engine: values.engine, kills: Number(values.kills), seed: Number(values.seed) };
const { killed, runs, rows, billed, unresolved, failures } = await crashLabeler({ engine, kills, seed });
console.log(
  `${engine ?? "run file"}, seed ${seed}: ${killed.time + killed.commit + killed.request} processes of ${runs} runs killed (${killed.commit} around a commit, ${killed.request} around a request, ${killed.time} at any time); ${rows} rows, ${billed} calls billed, ${unresolved} unresolved, ${failures.length} failures`,
);
for (const failure of failures) console.error(`  ${failure}`);
if (failures.length > 0) process.exitCode = 1;
