import { setTimeout as sleep } from "node:timers/promises";
import { usd } from "@autolabel/budget-core";
import type { Simulator } from "@autolabel/simulator";
import { Pool } from "pg";
import type { CliFolder } from "../../apps/labeler/src/testing/run-cli.ts";
import { Seeded } from "../seeded.ts";
import type { PostgresServer } from "../servers/start-postgres.ts";

/** A run whose workers are killed and whose database is cut off while they work. */
export interface Fire {
  cli: CliFolder;
  simulator: Simulator;
  postgres: PostgresServer;
  run: string;
  workers: number;
  concurrency: number;
  /** At least so many kills and cuts, one of them every so many ms. */
  kills: number;
  cuts: number;
  everyMs: number;
  seed: number;
}

/** What came of it, by the provider's own invoice and by the tables of the store. */
export interface Aftermath {
  kills: number;
  cuts: number;
  rows: number;
  labeled: number;
  invoicePicoUsd: bigint;
  spentPicoUsd: bigint;
  unresolvedPicoUsd: bigint;
  /** What the store's calls did cost, all together. */
  recordedPicoUsd: bigint;
  /** Calls that were billed, and calls that the store knows. */
  billedCalls: number;
  recordedCalls: number;
  /** Answers of one row beyond the first that count: bought and kept twice. */
  keptTwice: number;
  outcome: unknown;
}

/** Works on a queued run until it ends. */
export async function workUnderFire(fire: Fire): Promise<Aftermath> {
  const { cli, postgres, run, everyMs } = fire;
  const env = { AUTOLABEL_STORE: postgres.url };
  const random = new Seeded(fire.seed);
  const start = () => cli.start(["worker", "-j", String(fire.concurrency)], env);
  const workers = Array.from({ length: fire.workers }, start);
  const done = { kills: 0, cuts: 0 };
  let status: Record<string, unknown> = {};
  for (;;) {
    await sleep(everyMs * (0.5 + random.fraction()));
    status = await cli.json(["status", run], env);
    if (status.isWorking !== true) break;
    if (done.cuts < fire.cuts && random.fraction() < fire.cuts / (fire.kills + fire.cuts)) {
      await postgres.restart();
      done.cuts++;
    } else if (done.kills < fire.kills) {
      const index = Math.floor(random.fraction() * workers.length);
      workers[index]?.kill("SIGKILL");
      workers[index] = start();
      done.kills++;
    }
  }
  for (const worker of workers) worker.kill("SIGTERM");
  const ends = await Promise.all(workers.map(({ done: ended }) => ended));
  // One that has just been started may not listen yet.
  const failed = ends.find(({ code }) => code !== 0 && code !== null);
  if (failed) throw new Error(`a worker ended with ${failed.code}: ${failed.stderr}`);
  return { ...done, ...(await countAftermath(fire, status)) };
}

async function countAftermath({ cli, simulator, postgres, run }: Fire, before: Record<string, unknown>) {
  // Leases of dead workers have to run out before what they had is unresolved; until then it is held.
  const status = await cli.json(["status", run], { AUTOLABEL_STORE: postgres.url });
  const pool = new Pool({ connectionString: postgres.url });
  try {
    const { rows } = await pool.query<{ calls: string; cost: string; kept_twice: string }>(
      `SELECT count(*) AS calls, coalesce(sum(cost_pico_usd), 0)::text AS cost,
         count(*) FILTER (WHERE answer IS NOT NULL) - count(DISTINCT position) FILTER (WHERE answer IS NOT NULL) AS kept_twice
       FROM autolabel_runs.attempts`,
    );
    const [recorded] = rows;
    const open = [status.heldUsd, status.unresolvedUsd].map((amount) => usd((amount as string | null) ?? "0").picoUsd);
    return {
      rows: Number(status.rows),
      labeled: Number(status.labeled),
      invoicePicoUsd: simulator.invoice.totalPicoUsd,
      spentPicoUsd: usd(String(status.spentUsd)).picoUsd,
      unresolvedPicoUsd: open.reduce((sum, amount) => sum + amount, 0n),
      recordedPicoUsd: BigInt(recorded?.cost ?? 0),
      billedCalls: simulator.invoice.lines.length,
      recordedCalls: Number(recorded?.calls),
      keptTwice: Number(recorded?.kept_twice),
      outcome: before.lastOutcome,
    };
  } finally {
    await pool.end();
  }
}
