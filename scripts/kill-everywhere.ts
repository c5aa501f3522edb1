import { parseArgs } from "node:util";
import { runCrashes } from "../tests/crashes/crash-run.ts";
import { enginesHere } from "../tests/engines.ts";

const { values } = parseArgs({
  options: {
    engine: { type: "string", multiple: true, default: enginesHere() },
    kills: { type: "string", default: "1000" },
    seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
  },
});

/** Kills processes at every point of a call, on every engine: `pnpm crashes --kills 250 --engine sqlite --seed 7`. */
for (const engine of values.engine) {
  const { killed, points, pointNames, billedPicoUsd, unresolved, failures } = await runCrashes({
    engine,
    kills: Number(values.kills),
    seed: Number(values.seed),
  });
  console.log(
    `${engine}: ${killed} processes killed at ${points} points (${pointNames.size} kinds), seed ${values.seed}; ${billedPicoUsd} pico-USD billed, ${unresolved} calls unresolved, ${failures.length} failures`,
  );
  for (const failure of failures) console.error(`  ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
}
