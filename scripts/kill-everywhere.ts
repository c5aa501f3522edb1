import { parseArgs } from "node:util";
import { kindOf, runCrashes } from "../tests/crashes/crash-run.ts";
import { enginesHere } from "../tests/engines.ts";

const { values } = parseArgs({
  options: {
    engine: { type: "string", multiple: true, default: enginesHere() },
    kills: { type: "string", default: "1000" },
    calls: { type: "string", default: "24" },
    seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
  },
});

/** Kills processes at every point of their calls, on every engine: `pnpm crashes --kills 300 --engine sqlite --seed 7`. */
for (const engine of values.engine) {
  const { killedAt, points, billedPicoUsd, unresolved, failures } = await runCrashes({
    engine,
    kills: Number(values.kills),
    calls: Number(values.calls),
    seed: Number(values.seed),
  });
  console.log(
    `${engine}: ${killedAt.length} processes killed at ${new Set(killedAt).size} of ${points.length} points, seed ${values.seed}; ${billedPicoUsd} pico-USD billed, ${unresolved} calls unresolved, ${failures.length} failures`,
  );
  const steps = killedAt.map((point) => kindOf(point).split(" ")[1]);
  const killsIn = (step: string | undefined) => `${step} ${steps.filter((each) => each === step).length}`;
  console.log(`  ${[...new Set(steps)].map(killsIn).join(", ")}`);
  for (const failure of failures) console.error(`  ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
}
