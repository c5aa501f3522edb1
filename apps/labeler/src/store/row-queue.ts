import type { Pool, PoolClient } from "pg";
import type { PgBoss } from "pg-boss";
import { loadDriver } from "../ledger/load-driver.ts";
import { inTransaction } from "./run-database.ts";

/** Rows of a run that one worker takes at once: those that wait from a turn on, and before another. */
export interface Chunk {
  run: string;
  session: number;
  fromTurn: number;
  beforeTurn: number;
}

/** A chunk that a worker has. */
export interface TakenChunk extends Chunk {
  /** The job, and the attempt at it: what is said of another attempt has no effect. */
  readonly job: { id: string; retryCount: number };
}

/** Without a sign of life for so long, a worker's chunks go to others. */
export const chunkLeaseMs = 10_000;

const queue = "rows";
const schema = "autolabel_jobs";
/** Chunks that are handed out again and again belong to workers that are killed, not to rows that cannot work. */
const mostRetries = 100_000;
const dayS = 86_400;

/** The chunks of all runs in a database: which wait, and which workers have. */
export class RowQueue {
  readonly #pool: Pool;
  readonly #boss: PgBoss;

  private constructor(pool: Pool, boss: PgBoss) {
    this.#pool = pool;
    this.#boss = boss;
  }

  /**
   * Opens the queue; its tables are created and upgraded.
   *
   * @param options.supervise whether this process looks for chunks of dead workers; one of all workers does at a time.
   */
  static async open(pool: Pool, { supervise }: { supervise: boolean }): Promise<RowQueue> {
    const { PgBoss } = await loadDriver("pg-boss", "A store in PostgreSQL", () => import("pg-boss"));
    const boss = new PgBoss({
      db: { executeSql: (text, values) => pool.query(text, values) },
      schema,
      schedule: false,
      supervise,
      superviseIntervalSeconds: 1,
      monitorIntervalSeconds: 1,
    });
    // What it does by itself it tries again by itself.
    boss.on("error", () => undefined);
    // Of several that make the tables at once some would fail.
    await inTransaction(pool, async (client) => {
      await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [`autolabel queue in ${schema}`]);
      await boss.start();
      await boss.createQueue(queue, {
        retryLimit: mostRetries,
        heartbeatSeconds: chunkLeaseMs / 1000,
        // Heartbeats tell who is alive.
        expireInSeconds: dayS,
        retentionSeconds: 365 * dayS,
        deleteAfterSeconds: dayS,
      });
    });
    return new RowQueue(pool, boss);
  }

  /** Adds chunks, in the transaction of a client. */
  async add(client: PoolClient, chunks: readonly Chunk[]): Promise<void> {
    // The first chunks of all runs go first: a small run does not wait for the end of a large one.
    const jobs = chunks.map((data, index) => ({ data, group: { id: sessionOf(data) }, priority: -index }));
    if (jobs.length > 0) await this.#boss.insert(queue, jobs, { db: dbOf(client) });
  }

  /** The next chunk, if one waits. @param ignored sessions of which none is wanted now, by {@link sessionOf}. */
  async take(ignored: string[] = []): Promise<TakenChunk | undefined> {
    const [job] = await this.#boss.fetch<Chunk>(queue, { ignoreGroups: ignored });
    return job && { ...job.data, job: { id: job.id, retryCount: job.retryCount } };
  }

  /** Says that the worker of these chunks is alive. */
  async touch(chunks: readonly TakenChunk[]): Promise<void> {
    if (chunks.length > 0) await this.#boss.touch(queue, chunks.map(jobOf));
  }

  /** Ends a chunk, in the transaction of a client. @returns false when it is another worker's by now. */
  async end(client: PoolClient, chunk: TakenChunk): Promise<boolean> {
    const response = await this.#boss.complete(queue, jobOf(chunk), null, { db: dbOf(client) });
    return (response as { affected?: number }).affected === 1;
  }

  /** Lets another worker have a chunk. */
  async giveBack(chunk: TakenChunk): Promise<void> {
    await this.#boss.fail(queue, jobOf(chunk));
  }

  /** Whether a worker has a chunk of this session now. */
  async isTaken({ run, session }: Pick<Chunk, "run" | "session">): Promise<boolean> {
    await this.#boss.supervise(queue);
    const { rows } = await this.#pool.query(
      `SELECT FROM ${schema}.job WHERE name = $1 AND group_id = $2 AND state = 'active' LIMIT 1`,
      [queue, sessionOf({ run, session })],
    );
    return rows.length > 0;
  }

  async close(): Promise<void> {
    await this.#boss.stop({ graceful: false });
  }
}

const jobOf = ({ job }: TakenChunk) => job;

/** Names the session of a chunk. */
export function sessionOf({ run, session }: Pick<Chunk, "run" | "session">): string {
  return `${run}/${session}`;
}

function dbOf(client: PoolClient) {
  return { executeSql: (text: string, values?: unknown[]) => client.query(text, values) };
}
