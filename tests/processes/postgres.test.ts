import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { parsePicoUsd } from "@autolabel/budget-core";
import { verifyLedger } from "@autolabel/budget-core/audit";
import { PostgresLedger } from "@autolabel/budget-core/ledgers/postgres";
import { type Simulator, startSimulator } from "@autolabel/simulator";
import { Pool } from "pg";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../servers/start-postgres.ts";
import type { WorkerReport, WorkerTask } from "./postgres-worker.ts";

const shared = [{ scope: "shared", window: "all" }];
const processCount = 8;
/** Calls a process; more with PROCESS_CALLS. */
const callsPerProcess = Number(process.env.PROCESS_CALLS ?? 100);

let server: PostgresServer;
let simulator: Simulator;
let pool: Pool;
beforeEach(async () => {
  [server, simulator] = await Promise.all([startPostgres(), startSimulator()]);
  pool = new Pool({ connectionString: server.url });
});
afterEach(async () => {
  await pool.end();
  await Promise.all([server.stop(), simulator.close()]);
});

function startWorker(task: Pick<WorkerTask, "budget" | "calls">): { child: ChildProcess; reports: WorkerReport[] } {
  const given = { databaseUrl: server.url, openRouterUrl: simulator.openRouterUrl, concurrency: 8, ...task };
  const child = fork(join(import.meta.dirname, "postgres-worker.ts"), [JSON.stringify(given)], {
    execArgv: ["--conditions=@autolabel/source"],
  });
  const reports: WorkerReport[] = [];
  child.on("message", (report) => reports.push(report as WorkerReport));
  return { child, reports };
}

it("keeps many processes within one budget to the last cent, and uses it up", async () => {
  // A call costs about 14 millionths of a dollar: the processes ask for more than there is.
  const budget = `${(processCount * callsPerProcess * 11) / 1_000_000}`;
  const workers = Array.from({ length: processCount }, () => startWorker({ budget, calls: callsPerProcess }));
  const codes = await Promise.all(workers.map(async ({ child }) => (await once(child, "exit"))[0] as unknown));
  expect(codes).toEqual(Array.from({ length: processCount }, () => 0));

  const reports = workers.flatMap((worker) => worker.reports);
  const limit = parsePicoUsd(budget);
  const { totalPicoUsd, count } = simulator.invoice;
  console.log(
    `${count} calls of ${reports.length} were made; ${Number((totalPicoUsd * 10_000n) / limit) / 100} % used`,
  );
  expect(reports).toHaveLength(processCount * callsPerProcess);
  expect(reports.filter((report) => "settled" in report)).toHaveLength(count);
  expect(count).toBeLessThan(reports.length);
  expect(totalPicoUsd).toBeLessThanOrEqual(limit);
  expect(totalPicoUsd).toBeGreaterThanOrEqual((limit * 99n) / 100n);
  const ledger = new PostgresLedger(pool);
  expect(await ledger.read(shared)).toMatchObject([{ spentPicoUsd: totalPicoUsd, heldPicoUsd: 0n, callCount: count }]);
  expect(verifyLedger(await ledger.inspect())).toEqual([]);
});

it("loses no spend and frees no call that was sent when processes are killed", async () => {
  const ledger = new PostgresLedger(pool);
  for (let kills = 1; kills <= 4; kills++) {
    const { child, reports } = startWorker({ budget: "1", calls: 1_000_000 });
    await expect.poll(() => reports.length, { interval: 2, timeout: 30_000 }).toBeGreaterThan(10 * kills);
    child.kill("SIGKILL");
    await once(child, "exit");
  }
  // Calls that were on their way are billed even though nobody waits for them.
  await expect.poll(() => simulator.inFlight).toBe(0);
  const unresolved = await ledger.recover({ abandonedScope: "shared" });
  expect(verifyLedger(await ledger.inspect())).toEqual([]);

  const { rows } = await pool.query<{ id: string; state: string; cost: string }>(
    "SELECT id, state, cost_pico_usd::text AS cost FROM autolabel.reservations",
  );
  const known = new Map(rows.map((row) => [row.id, row]));
  const mayOwe = new Set(unresolved.map(({ id }) => id));
  for (const { apiKey, costPicoUsd } of simulator.invoice.lines) {
    const call = known.get(apiKey);
    if (call?.state === "settled") expect(BigInt(call.cost)).toBe(costPicoUsd);
    else expect(mayOwe).toContain(apiKey);
  }
  const [balance] = await ledger.read(shared);
  expect(balance?.heldPicoUsd).toBe(0n);
  expect((balance?.spentPicoUsd ?? 0n) + (balance?.unresolvedPicoUsd ?? 0n)).toBeGreaterThanOrEqual(
    simulator.invoice.totalPicoUsd,
  );
  // At most what a process had in flight when it was killed.
  expect(unresolved.length).toBeLessThanOrEqual(4 * 8);
});
