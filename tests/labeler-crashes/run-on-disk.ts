import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { numberOf } from "./answer-script.ts";

/** What a run file holds, read by SQL and not by the code under test. */
export interface RunOnDisk {
  /** Cost of every charged attempt whose answer is there, by the number of the answer. */
  answers: ReadonlyMap<string, bigint>;
  /** By position: state, label as JSON, number of the answer that gave it. */
  rows: readonly { status: string; label: string | null; number: string }[];
  spentPicoUsd: bigint;
  heldPicoUsd: bigint;
  unresolvedPicoUsd: bigint;
  /** Calls of which the ledger does not know the outcome. */
  unresolved: number;
  /** Whether the amounts are those of a pool, in a ledger that other runs draw on too. */
  isLedgerElsewhere: boolean;
}

/** The run of a store that took all its rows in, or undefined: it was cut off before. */
export function readRun(store: string): RunOnDisk | undefined {
  const files = existsSync(store) ? readdirSync(store).filter((file) => file.endsWith(".sqlite")) : [];
  const runs = files.map((file) => readFile(join(store, file))).filter((run) => run !== undefined);
  if (runs.length > 1) throw new Error(`${runs.length} runs of the same rows`);
  return runs[0];
}

function readFile(path: string): RunOnDisk | undefined {
  const database = new DatabaseSync(path, { readOnly: true });
  const all = (sql: string) => {
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    return statement.all() as Record<string, string | bigint | null>[];
  };
  try {
    const tables = new Set(all("SELECT name FROM sqlite_master").map(({ name }) => name));
    if (!tables.has("run") || all("SELECT 1 FROM run WHERE key = 'identity'").length === 0) return undefined;
    // The ledger's tables come when the run is opened for work.
    const [account] = tables.has("accounts") ? all(balances) : [];
    const [open] = tables.has("reservations") ? all(unresolvedCalls) : [];
    const attempts = all("SELECT answer, cost_pico_usd AS cost FROM attempts WHERE answer IS NOT NULL");
    return {
      answers: new Map(attempts.map(({ answer, cost }) => [numberOf(String(answer)), BigInt(cost ?? 0n)])),
      rows: all("SELECT status, label, explanation FROM rows ORDER BY position").map((row) => ({
        status: String(row.status),
        label: row.label === null ? null : String(row.label),
        number: String(row.explanation),
      })),
      spentPicoUsd: BigInt(account?.spent ?? 0n),
      heldPicoUsd: BigInt(account?.held ?? 0n),
      unresolvedPicoUsd: BigInt(account?.unresolved ?? 0n),
      unresolved: Number(open?.calls ?? 0n),
      isLedgerElsewhere: false,
    };
  } finally {
    database.close();
  }
}

const balances = `SELECT sum(spent_pico_usd) AS spent, sum(held_pico_usd) AS held, sum(unresolved_pico_usd) AS unresolved FROM accounts`;
const unresolvedCalls = "SELECT count(*) AS calls FROM reservations WHERE state = 'unresolved'";
