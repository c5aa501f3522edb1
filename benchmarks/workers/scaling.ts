import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import { withBench } from "./bench.ts";
import { options } from "./options.ts";

/*
 * One run on a PostgreSQL whose commits reach the disk, labeled by 1, 2 and 4 worker processes. The provider answers after
 * a fixed time and costs next to nothing; the ideal is calls in flight divided by that time. All share this machine.
 */

const microsecondsPerTick = 10_000;
const mostTables = 4;

/** What one round told. */
interface Round {
  rowsPerSecond: number;
  workerCpu: number;
  postgresCpu: number;
  commitsPerRow: number;
  /** By table. */
  bytesPerRow: ReadonlyMap<string, number>;
}

/** Prints rows/s and efficiency by the number of workers, and what a row takes of them and of PostgreSQL. */
export async function measureScaling(): Promise<void> {
  const { latencyMs, concurrency } = options;
  console.log(`rows/s of one run on PostgreSQL, ${latencyMs} ms a call, ${concurrency} in flight a worker\n`);
  console.log(
    "| workers | rows/s | of the ideal | of one worker, times workers | us CPU a row: workers | PostgreSQL | commits a row | bytes a row |",
  );
  console.log("|---|---|---|---|---|---|---|---|");
  let ofOne = Number.NaN;
  let largest: [string, number][] = [];
  for (const workers of options.workers) {
    const round = await measure(workers);
    if (Number.isNaN(ofOne)) ofOne = round.rowsPerSecond / workers;
    const ideal = (workers * concurrency * 1000) / latencyMs;
    const cells = [
      workers,
      round.rowsPerSecond.toFixed(0),
      `${((100 * round.rowsPerSecond) / ideal).toFixed(0)} %`,
      `${((100 * round.rowsPerSecond) / (workers * ofOne)).toFixed(0)} %`,
      round.workerCpu.toFixed(0),
      round.postgresCpu.toFixed(0),
      round.commitsPerRow.toFixed(2),
      [...round.bytesPerRow.values()].reduce((sum, bytes) => sum + bytes, 0).toFixed(0),
    ];
    console.log(`| ${cells.join(" | ")} |`);
    largest = [...round.bytesPerRow].sort(([, a], [, b]) => b - a).slice(0, mostTables);
  }
  console.log(`\nof these bytes: ${largest.map(([table, bytes]) => `${table} ${bytes.toFixed(0)}`).join(", ")}\n`);
}

function measure(workers: number): Promise<Round> {
  return withBench(async ({ pool, start, queue }) => {
    await queue(Math.ceil((workers * options.concurrency * 1000 * options.seconds) / options.latencyMs));
    const commits = await commitsOf(pool);
    const cpuBefore = cpuOf(await postmasterOf(pool));
    const started = Array.from({ length: workers }, () => start("worker", "-j", String(options.concurrency)));
    try {
      while ((await openChunks(pool)) > 0) await sleep(200);
      const { rows: told } = await pool.query<{ calls: string; seconds: string }>(
        "SELECT count(*) AS calls, extract(epoch FROM max(at) - min(at)) AS seconds FROM autolabel_runs.attempts",
      );
      const calls = Number(told[0]?.calls);
      const { rows: tables } = await pool.query<{ name: string; bytes: string }>(
        `SELECT relname AS name, pg_total_relation_size(c.oid) AS bytes FROM pg_class c
         JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname IN ('autolabel', 'autolabel_runs') AND relkind = 'r'`,
      );
      return {
        rowsPerSecond: calls / Number(told[0]?.seconds),
        workerCpu: started.reduce((sum, { pid }) => sum + cpuOf(Number(pid)), 0) / calls,
        postgresCpu: (cpuOf(await postmasterOf(pool)) - cpuBefore) / calls,
        commitsPerRow: ((await commitsOf(pool)) - commits) / calls,
        bytesPerRow: new Map(tables.map(({ name, bytes }) => [name, Number(bytes) / calls])),
      };
    } finally {
      for (const worker of started) worker.kill("SIGTERM");
      await Promise.all(started.map((worker) => once(worker, "exit")));
    }
  });
}

async function openChunks(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ left: string }>("SELECT sum(chunks_left) AS left FROM autolabel_runs.sessions");
  return Number(rows[0]?.left);
}

async function commitsOf(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ commits: string }>(
    "SELECT xact_commit AS commits FROM pg_stat_database WHERE datname = current_database()",
  );
  return Number(rows[0]?.commits);
}

/** The process that all others of a server are children of. */
async function postmasterOf(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
  return parentOf(Number(rows[0]?.pid));
}

function statOf(pid: number): number[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
}

function parentOf(pid: number): number {
  return statOf(pid)[1] ?? 0;
}

/** CPU time of a process and its children, dead ones included, in microseconds. Linux tells it in ticks. */
function cpuOf(pid: number): number {
  const ticks = (of: number) => statOf(of).slice(11, 15);
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8")
    .trim()
    .split(" ")
    .filter(Boolean)
    .map(Number);
  const own = ticks(pid).reduce((sum, each) => sum + each, 0);
  const theirs = children.flatMap(ticks).reduce((sum, each) => sum + each, 0);
  return (own + theirs) * microsecondsPerTick;
}
