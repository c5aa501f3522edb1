import { setTimeout as sleep } from "node:timers/promises";
import { Logger, makeWorkerUtils, run } from "graphile-worker";
import { Pool, type PoolClient } from "pg";
import { PgBoss } from "pg-boss";
import { startPostgres } from "../../tests/servers/start-postgres.ts";
import { median, options } from "./options.ts";

/*
 * What the queue is asked for here: chunks of rows go in with the transaction of their session, are taken one by one by
 * several takers, and end. Both engines on one PostgreSQL whose commits reach the disk, in turn.
 */

const takers = 4;
/** So long is waited for the job of a dead worker. */
const patienceMs = 30_000;

/** A queue as this work uses it. */
interface Engine {
  /** Puts so many jobs in, in one transaction. */
  add(jobs: number): Promise<void>;
  /** Takes and ends all of them. */
  drain(jobs: number): Promise<void>;
  /** Takes the only job as a worker does that dies then, and waits until another has it. */
  takeOver(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** Prints how many jobs a second go in and come out, pg-boss beside graphile-worker. */
export async function measureQueues(): Promise<void> {
  const postgres = await startPostgres({ fsync: true });
  const pool = new Pool({ connectionString: postgres.url, max: takers + 2 });
  pool.on("error", () => undefined).on("connect", (client) => client.on("error", () => undefined));
  const engines: Record<string, Engine> = { "pg-boss": await bossOn(pool), "graphile-worker": await graphileOn(pool) };
  const rates = Object.fromEntries(
    Object.keys(engines).map((name) => [name, { add: [] as number[], drain: [] as number[] }]),
  );
  const takenOver: Record<string, string> = {};
  try {
    for (let round = 0; round < options.rounds; round++)
      for (const [name, engine] of Object.entries(engines)) {
        rates[name]?.add.push(await rateOf(() => engine.add(options.jobs)));
        rates[name]?.drain.push(await rateOf(() => engine.drain(options.jobs)));
      }
    for (const [name, engine] of Object.entries(engines)) takenOver[name] = await secondsToTakeOver(engine);
  } finally {
    for (const engine of Object.values(engines)) await engine.close();
    await pool.end();
    await postgres.stop();
  }
  console.log(`${options.jobs} jobs, medians of ${options.rounds} rounds\n`);
  console.log(
    `| queue | jobs/s put in, in one transaction | jobs/s taken one by one and ended, ${takers} takers | s until another has the job of a dead worker |\n|---|---|---|---|`,
  );
  for (const [name, { add, drain }] of Object.entries(rates))
    console.log(`| ${name} | ${median(add).toFixed(0)} | ${median(drain).toFixed(0)} | ${takenOver[name]} |`);
  console.log();
}

async function rateOf(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return (options.jobs * 1000) / (performance.now() - began);
}

async function secondsToTakeOver(engine: Engine): Promise<string> {
  await engine.add(1);
  const began = performance.now();
  const signal = AbortSignal.timeout(patienceMs);
  await engine.takeOver(signal);
  return signal.aborted ? `more than ${patienceMs / 1000}` : ((performance.now() - began) / 1000).toFixed(1);
}

async function bossOn(pool: Pool): Promise<Engine> {
  const boss = new PgBoss({
    db: { executeSql: (text, values) => pool.query(text, values) },
    schedule: false,
    superviseIntervalSeconds: 1,
    monitorIntervalSeconds: 1,
  });
  await boss.start();
  await boss.createQueue("rows", { heartbeatSeconds: 10, retryLimit: 100 });
  return {
    add: (jobs) =>
      inTransaction(pool, async (client) => {
        const db = { executeSql: (text: string, values?: unknown[]) => client.query(text, values) };
        await boss.insert(
          "rows",
          Array.from({ length: jobs }, (_, chunk) => ({ data: { chunk } })),
          { db },
        );
      }),
    drain: async () => {
      const take = async () => {
        for (;;) {
          const [job] = await boss.fetch("rows");
          if (!job) return;
          await boss.complete("rows", job.id);
        }
      };
      await Promise.all(Array.from({ length: takers }, take));
    },
    takeOver: async (signal) => {
      await boss.fetch("rows");
      while (!signal.aborted && (await boss.fetch("rows")).length === 0) await sleep(100);
    },
    close: () => boss.stop({ graceful: false }),
  };
}

const silent = new Logger(() => () => {});

async function graphileOn(pool: Pool): Promise<Engine> {
  const utils = await makeWorkerUtils({ pgPool: pool, logger: silent });
  await utils.migrate();
  await utils.release();
  /** Works until `ended` says so. */
  const work = async (ended: (finish: () => void) => void, task: () => void) => {
    const isEnded = new Promise<void>(ended);
    const taskList = { rows: async () => task() };
    const runner = await run({ pgPool: pool, concurrency: takers, noHandleSignals: true, logger: silent, taskList });
    await isEnded;
    await runner.stop();
  };
  return {
    add: (jobs) =>
      inTransaction(pool, async (client) => {
        const specs = Array.from({ length: jobs }, (_, chunk) => ({ identifier: "rows", payload: { chunk } }));
        await client.query(
          "SELECT FROM graphile_worker.add_jobs(ARRAY(SELECT json_populate_recordset(NULL::graphile_worker.job_spec, $1)))",
          [JSON.stringify(specs)],
        );
      }),
    drain: async (jobs) => {
      let left = jobs;
      let finish = () => {};
      await work(
        (ended) => {
          finish = ended;
        },
        () => {
          left--;
          if (left === 0) finish();
        },
      );
    },
    takeOver: async (signal) => {
      // What its workers write when they take a job.
      const lock =
        "UPDATE graphile_worker._private_jobs SET locked_at = clock_timestamp(), locked_by = 'a dead worker'";
      if ((await pool.query(lock)).rowCount !== 1) throw new Error("There is no job to take");
      let finish = () => {};
      await work(
        (ended) => {
          finish = ended;
          signal.addEventListener("abort", ended);
        },
        () => finish(),
      );
    },
    close: async () => {},
  };
}

async function inTransaction(pool: Pool, work: (client: PoolClient) => Promise<void>) {
  const client = await pool.connect();
  try {
    await client.query("BEGIN");
    await work(client);
    await client.query("COMMIT");
  } finally {
    client.release();
  }
}
