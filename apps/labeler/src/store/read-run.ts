import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { UsageError } from "../usage-error.ts";
import type { RowStatus } from "./row.ts";
import { isRunLocked } from "./run-lock.ts";
import { rowsByStatus } from "./sqlite-reviews.ts";
import { runSchemaVersion } from "./sqlite-run-schema.ts";
import { SqliteRunStore } from "./sqlite-run-store.ts";

/** A run to look at. */
export interface RunRecord {
  facts: Readonly<Record<string, string>>;
  rowsByStatus: Readonly<Record<RowStatus, number>>;
  /** How many rows each version of the task finished. */
  rowsByTaskVersion: Readonly<Record<string, number>>;
  /** All charged attempts together. */
  attemptsPicoUsd: bigint;
  /** Whether a process works on it now, or rows of it wait for a worker. */
  isWorking: boolean;
  /** What its ledger says, where that is at hand. */
  amounts?: AccountAmounts;
}

/** Amounts of an account, in pico-USD. */
export interface AccountAmounts {
  spentPicoUsd: bigint;
  heldPicoUsd: bigint;
  unresolvedPicoUsd: bigint;
}

/**
 * Reads a run beside whoever works on it: nothing is locked and nothing is written. A file of an older version is
 * upgraded first.
 *
 * @throws UsageError when a process of an older version works on the run, or a newer one wrote it.
 */
export async function readSqliteRun(path: string): Promise<RunRecord> {
  await bringUpToDate(path);
  const isWorking = isRunLocked(path);
  return reading(path, (all) => {
    const states = all<{ status: RowStatus; rows: bigint }>(rowsByStatus);
    const versions = all<{ version: string; rows: bigint }>(
      `SELECT task_version AS version, sum(rows) AS rows FROM ended_counts
       WHERE task_version <> '' AND status <> 'error' GROUP BY task_version HAVING sum(rows) > 0`,
    );
    const [attempts] = all<{ cost: bigint }>("SELECT coalesce(sum(cost_pico_usd), 0) AS cost FROM spend");
    const none = { unpaid: 0, labeled: 0, invalid_label: 0, truncated: 0, refused: 0, error: 0 };
    return {
      facts: factsIn(all),
      rowsByStatus: { ...none, ...Object.fromEntries(states.map(({ status, rows }) => [status, Number(rows)])) },
      rowsByTaskVersion: Object.fromEntries(versions.map(({ version, rows }) => [version, Number(rows)])),
      attemptsPicoUsd: attempts?.cost ?? 0n,
      isWorking,
    };
  });
}

/**
 * Upgrades a run file of an older version.
 *
 * @throws UsageError when a process of that version works on the run, or a newer version wrote it.
 */
export async function bringUpToDate(path: string): Promise<void> {
  if (schemaVersionOf(path) < runSchemaVersion) await new SqliteRunStore(path).close();
}

/** The facts about a run, read without writing. */
export function readFacts(path: string): Readonly<Record<string, string>> {
  return reading(path, factsIn);
}

function factsIn(all: All): Record<string, string> {
  const pairs = all<{ key: string; value: string }>("SELECT key, value FROM run");
  return Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
}

/** Amounts of an account of the ledger in a SQLite file, read without writing; undefined where it has none. */
export function readAccount(path: string, scope: string): AccountAmounts | undefined {
  return reading(path, (all) => {
    const [account] = all<Record<string, bigint>>(
      "SELECT * FROM accounts WHERE scope = ? AND \"window\" = 'all'",
      scope,
    );
    return (
      account && {
        spentPicoUsd: account.spent_pico_usd ?? 0n,
        heldPicoUsd: account.held_pico_usd ?? 0n,
        unresolvedPicoUsd: account.unresolved_pico_usd ?? 0n,
      }
    );
  });
}

function schemaVersionOf(path: string): number {
  const version = reading(path, (all) => all<{ version: bigint }>("SELECT max(version) AS version FROM run_schema"))[0];
  const found = Number(version?.version ?? 0);
  if (found <= runSchemaVersion) return found;
  throw new UsageError(`${path} was written by a newer version of autolabel: upgrade @autolabel/labeler`);
}

type All = <Row>(sql: string, ...values: SQLInputValue[]) => Row[];

/** Reads a file at one instant, whatever is written meanwhile. */
function reading<T>(path: string, read: (all: All) => T): T {
  const database = new DatabaseSync(path, { readOnly: true, timeout: 10_000 });
  try {
    database.exec("BEGIN");
    return read(<Row>(sql: string, ...values: SQLInputValue[]) => {
      const statement = database.prepare(sql);
      statement.setReadBigInts(true);
      return statement.all(...values) as Row[];
    });
  } finally {
    database.close();
  }
}
