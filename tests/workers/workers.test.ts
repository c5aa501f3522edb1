import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seedFromEnvironment } from "@autolabel/budget-core/testing";
import { type Simulator, startSimulator } from "@autolabel/simulator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CliFolder, labelArgs } from "../../apps/labeler/src/testing/run-cli.ts";
import { type PostgresServer, startPostgres } from "../servers/start-postgres.ts";
import { workUnderFire } from "./work-under-fire.ts";

const seed = seedFromEnvironment(process.env);

let postgres: PostgresServer;
let simulator: Simulator;
let cli: CliFolder;
beforeEach(async () => {
  const folder = mkdtempSync(join(tmpdir(), "workers-"));
  [postgres, simulator] = await Promise.all([startPostgres(), startSimulator({ latencyMs: 50 })]);
  cli = new CliFolder(folder, simulator);
});
afterEach(async () => {
  await Promise.all([postgres.stop(), simulator.close()]);
  rmSync(cli.folder, { recursive: true });
});

describe("workers of one run in PostgreSQL", () => {
  it(`label every row once, killed or cut off from the database at random (FUZZ_SEED=${seed})`, {
    timeout: 240_000,
  }, async () => {
    cli.writeData("data.csv", 1200);
    const queued = await cli.run([...labelArgs("data.csv"), "--budget", "1"], { AUTOLABEL_STORE: postgres.url });
    expect(queued).toMatchObject({ code: 0, stdout: expect.stringContaining("Queued: 1,200 rows of the run data-1") });
    const fire = { workers: 4, concurrency: 8, kills: 3, cuts: 2, everyMs: 1000, seed };
    const after = await workUnderFire({ ...fire, cli, simulator, postgres, run: "data-1" });
    expect(after).toMatchObject({ outcome: "completed", rows: 1200, labeled: 1200, keptTwice: 0 });
    expect(after.kills + after.cuts).toBeGreaterThan(1);
    expect(after.spentPicoUsd).toBe(after.recordedPicoUsd);
    // What was billed and is not in the books was in flight at a kill: its bound is still held, or unresolved.
    expect(after.invoicePicoUsd).toBeGreaterThanOrEqual(after.spentPicoUsd);
    expect(after.invoicePicoUsd - after.spentPicoUsd).toBeLessThanOrEqual(after.unresolvedPicoUsd);
    const { code, stdout } = await cli.run(["ledger", "verify"], { AUTOLABEL_STORE: postgres.url });
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("Sound") });
    await cli.run(["export", "data-1", "--to", "csv", "-o", "out.csv"], { AUTOLABEL_STORE: postgres.url });
    const rows = cli.output("out.csv");
    expect(rows.map(({ label_status: status }) => status)).toEqual(Array.from({ length: 1200 }, () => "labeled"));
  });
});
