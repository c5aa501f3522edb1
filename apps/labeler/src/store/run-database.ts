import { PostgresLedger } from "@autolabel/budget-core/ledgers/postgres";
import type { Pool, PoolClient } from "pg";
import { withoutPassword } from "../ledger/ledger-servers.ts";
import { loadDriver } from "../ledger/load-driver.ts";
import { accountOfRun } from "../ledger/shared-ledger.ts";
import { UsageError } from "../usage-error.ts";
import { migratePostgresRuns } from "./postgres-run-schema.ts";
import { PostgresRunStore } from "./postgres-run-store.ts";
import { restored, storable } from "./postgres-texts.ts";
import type { RunRecord } from "./read-run.ts";
import { stemOf } from "./run-folder.ts";
import type { NewRun, RunBooks, RunSummary, Runs, RunView } from "./runs.ts";
import { sessionQueries as queries } from "./session-queries.ts";

/** Schema of the runs. */
const schema = "autolabel_runs";
/** Workers that were not heard of for so long are gone. */
const goneMs = 10_000;

/** Runs in PostgreSQL, which any number of workers on any number of machines label. */
export class RunDatabase implements Runs {
  readonly name: string;
  readonly isServer = true;
  readonly pool: Pool;

  private constructor(name: string, pool: Pool) {
    this.name = name;
    this.pool = pool;
  }

  /**
   * @param connections at once at most.
   * @throws UsageError when the server cannot be reached, a newer version of autolabel was here, or `pg` is not installed.
   */
  static async open(url: string, connections = 8): Promise<RunDatabase> {
    const { default: pg } = await loadDriver("pg", "A store in PostgreSQL", () => import("pg"));
    const pool = new pg.Pool({ connectionString: url, max: connections, connectionTimeoutMillis: 10_000 });
    // An idle connection that breaks is opened anew by whoever needs one.
    pool.on("error", () => undefined);
    try {
      await migratePostgresRuns(pool, schema);
    } catch (cause) {
      await pool.end();
      const { code, message } = cause as { code?: string; message: string };
      throw new UsageError(`The store ${withoutPassword(url)} cannot be opened: ${message || code}`, { cause });
    }
    return new RunDatabase(withoutPassword(url), pool);
  }

  async newRun(name: string): Promise<NewRun> {
    const id = await this.#newId(stemOf(name));
    const store = await PostgresRunStore.open(this.pool, id);
    return {
      id,
      store,
      begin: (facts, isPreferred) =>
        inTransaction(this.pool, async (client) => {
          await client.query(queries.lockStarts);
          const before = (await this.#list(client)).find(({ identity }) => identity === facts.identity);
          if (before && isPreferred(before)) return before;
          await setFacts(client, id, facts);
          return undefined;
        }),
      discard: async () => {
        await store.close();
        await this.pool.query(queries.discardRun, [storable(id)]);
      },
    };
  }

  async #newId(stem: string): Promise<string> {
    return await inTransaction(this.pool, async (client) => {
      await client.query(queries.lockStarts);
      const { rows } = await client.query<{ id: string }>(queries.newRun, [storable(stem)]);
      return restored(String(rows[0]?.id));
    });
  }

  list(): Promise<RunSummary[]> {
    return this.#list(this.pool);
  }

  async #list(client: Pool | PoolClient): Promise<RunSummary[]> {
    const { rows } = await client.query<
      Record<"id" | "identity" | "rows_identity" | "touched_at" | "stage", string | null>
    >(queries.listRuns);
    return rows.map(({ id, identity, rows_identity, touched_at, stage }) => ({
      id: restored(String(id)),
      identity: identity ?? undefined,
      rowsIdentity: rows_identity ?? undefined,
      touchedAt: touched_at ?? "",
      isProbe: stage === "probed",
    }));
  }

  open({ id }: Pick<RunSummary, "id">): Promise<PostgresRunStore> {
    return PostgresRunStore.open(this.pool, id);
  }

  beside(run: RunSummary): Promise<PostgresRunStore> {
    return this.open(run);
  }

  async look(run: RunSummary): Promise<RunView> {
    const store = await this.open(run);
    return Object.assign(store, { books: async () => this.#booksOf(await store.facts()) });
  }

  #booksOf(facts: Readonly<Record<string, string>>): RunBooks {
    const ledger = new PostgresLedger(this.pool);
    const scope = accountOfRun(facts);
    return {
      scope,
      limitedScope: facts.budgetKind?.startsWith("shared") ? "llm-budget" : scope,
      inspect: (scopes) => ledger.inspect({ scopes }),
      journal: () => ledger.journal(scope),
    };
  }

  async record(run: RunSummary): Promise<RunRecord> {
    const store = await this.open(run);
    const { facts, isOpen } = await this.standing(run);
    const id = storable(run.id);
    const [states, versions, spent, balances] = await Promise.all([
      store.rowsByStatus(),
      this.pool.query<{ version: string; rows: string }>(queries.rowsByTaskVersion, [id]),
      this.pool.query<{ cost: string }>(queries.spent, [id]),
      new PostgresLedger(this.pool).read([{ scope: accountOfRun(facts), window: "all" }]),
    ]);
    const none = { unpaid: 0, labeled: 0, invalid_label: 0, truncated: 0, refused: 0, error: 0 };
    return {
      facts,
      rowsByStatus: { ...none, ...Object.fromEntries(states) },
      rowsByTaskVersion: Object.fromEntries(versions.rows.map(({ version, rows }) => [version, Number(rows)])),
      attemptsPicoUsd: BigInt(spent.rows[0]?.cost ?? 0),
      isWorking: isOpen,
      ...(balances[0] ? { amounts: balances[0] } : {}),
    };
  }

  /** The facts of a run, and whether rows of it wait or are being labeled; as long as they do, that is its outcome. */
  async standing(run: RunSummary): Promise<{ facts: Readonly<Record<string, string>>; isOpen: boolean }> {
    const store = await this.open(run);
    const { isOpen, workers } = await this.session(run);
    // Read after it: of a session that is over they say how it ended.
    const facts = await store.facts();
    return { facts: isOpen ? { ...facts, outcome: workers > 0 ? "working" : "queued" } : facts, isOpen };
  }

  /** What was spent in an account; undefined where nobody drew on it. */
  async spentIn(scope: string): Promise<bigint | undefined> {
    const [balance] = await new PostgresLedger(this.pool).read([{ scope, window: "all" }]);
    return balance?.spentPicoUsd;
  }

  async isWorking(run: RunSummary): Promise<boolean> {
    return (await this.session(run)).isOpen;
  }

  /** The last session of a run, and how many workers there are now, for whatever run. */
  async session({ id }: Pick<RunSummary, "id">): Promise<{ session: number; isOpen: boolean; workers: number }> {
    const { rows } = await this.pool.query<{ session: number; chunks_left: number; workers: string }>(queries.session, [
      storable(id),
      goneMs,
    ]);
    const [last] = rows;
    return {
      session: last?.session ?? 0,
      isOpen: (last?.chunks_left ?? 0) > 0,
      workers: Number(last?.workers ?? 0),
    };
  }

  async close(): Promise<void> {
    await this.pool.end();
  }
}

/** Sets facts of a run, on a connection or in its transaction. */
export async function setFacts(
  client: Pool | PoolClient,
  id: string,
  facts: Readonly<Record<string, string>>,
): Promise<void> {
  const [keys, values] = [Object.keys(facts), Object.values(facts)];
  if (keys.length > 0) await client.query(queries.setFacts, [storable(id), keys.map(storable), values.map(storable)]);
}

/** Does something in one transaction on a connection of its own. */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  // A connection that breaks while nothing is asked of it would end the process.
  const ignore = () => undefined;
  client.on("error", ignore);
  let failure: Error | undefined;
  try {
    await client.query("BEGIN");
    const result = await work(client);
    await client.query("COMMIT");
    return result;
  } catch (error) {
    failure = error as Error;
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  } finally {
    client.off("error", ignore);
    client.release(failure);
  }
}
