import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { formatUsd, usd } from "@autolabel/budget-core";
import { startSimulator } from "@autolabel/simulator";
import { CliFolder, labelArgs } from "../apps/labeler/src/testing/run-cli.ts";
import { startPostgres } from "../tests/servers/start-postgres.ts";
import { workUnderFire } from "../tests/workers/work-under-fire.ts";

const { values } = parseArgs({
  options: {
    rows: { type: "string", default: "12000" },
    kills: { type: "string", default: "30" },
    cuts: { type: "string", default: "15" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});

/** Kills four workers of one run at random and crashes their database: `pnpm crashes:workers --kills 30 --cuts 15 --seed 7`. */
const [rows, kills, cuts, seed] = [values.rows, values.kills, values.cuts, values.seed].map(Number) as [
  number,
  number,
  number,
  number,
];
const budget = "1";
const [postgres, simulator] = await Promise.all([startPostgres(), startSimulator({ latencyMs: 150 })]);
const cli = new CliFolder(mkdtempSync(join(tmpdir(), "kill-workers-")), simulator);
try {
  cli.writeData("data.csv", rows);
  await cli.run([...labelArgs("data.csv"), "--budget", budget], { AUTOLABEL_STORE: postgres.url });
  const fire = { workers: 4, concurrency: 8, kills, cuts, everyMs: 1500, seed, run: "data-1" };
  const after = await workUnderFire({ ...fire, cli, simulator, postgres });
  const { code } = await cli.run(["ledger", "verify"], { AUTOLABEL_STORE: postgres.url });
  const [billed, spent, unresolved] = [after.invoicePicoUsd, after.spentPicoUsd, after.unresolvedPicoUsd];
  const wrong: Record<string, boolean> = {
    "the run did not end": after.outcome !== "completed",
    "rows have no label": after.labeled !== rows,
    "a row's answer was kept twice": after.keptTwice !== 0,
    "run and ledger differ": spent !== after.recordedPicoUsd,
    "the books have more than was billed": billed < spent,
    "something was billed that the books do not know": billed > spent + unresolved,
    "more than the budget was billed": billed > usd(budget).picoUsd,
    "the books are not sound": code !== 0,
  };
  const failures = Object.keys(wrong).filter((what) => wrong[what]);
  const money = [billed, spent, unresolved].map((amount) => formatUsd(usd.pico(amount)));
  console.log(
    `seed ${seed}: ${after.kills} workers killed, ${after.cuts} crashes of the database; ${after.labeled} of ${rows} rows labeled, ${after.billedCalls} calls billed for ${money[0]}, ${money[1]} in the books and ${money[2]} unresolved; ${failures.length} failures`,
  );
  for (const failure of failures) console.error(`  ${failure}`);
  if (failures.length > 0) process.exitCode = 1;
} finally {
  await Promise.all([postgres.stop(), simulator.close()]);
  rmSync(cli.folder, { recursive: true });
}
