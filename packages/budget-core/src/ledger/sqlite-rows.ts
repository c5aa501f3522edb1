import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AccountKey, UnresolvedReservation } from "./ledger.ts";

type Value = string | number | bigint | null;

/** The store's own clock, in ms, as SQL: processes with skewed clocks agree on leases and windows. */
export const nowMs = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/** A row of `reservations`, as far as the ledger computes with it. */
export interface ReservationRow {
  id: string;
  state: string;
  accounts: string;
  amount_pico_usd: bigint;
  model_id: string | null;
  reserved_at_ms: bigint;
}

/** Whose owner is gone: by the end of the lease (?1), or by a scope that nobody works on any more (?2). */
const isDue = `state IN ('held', 'dispatched') AND (lease_ends_at_ms <= ?1
  OR EXISTS (SELECT 1 FROM json_each(reservations.accounts) WHERE value ->> 'scope' = ?2))`;

/** What due reservations hold, by account. */
export const dueSumsSql = `
  SELECT value ->> 'scope' AS scope, value ->> 'window' AS window, sum(amount_pico_usd) AS held,
    sum(iif(state = 'dispatched', amount_pico_usd, 0)) AS unresolved
  FROM reservations, json_each(reservations.accounts) WHERE ${isDue} GROUP BY 1, 2`;

/** A row of {@link dueSumsSql}: all of it, and the part whose calls were sent. */
export interface DueSums extends AccountKey {
  held: bigint;
  unresolved: bigint;
}

/** Ends due reservations that were not sent; those that were become unresolved. */
export const recoverSql = `
  UPDATE reservations SET state = iif(state = 'held', 'expired', 'unresolved'),
    evidence = iif(state = 'held', 'lease ran out before dispatch', NULL) WHERE ${isDue}`;

/** The tables of a SQLite ledger: each statement is prepared once, and integers are read as bigints. */
export class SqliteRows {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Runs a statement. @returns how many rows it changed. */
  run(sql: string, ...values: Value[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  all<Row>(sql: string, ...values: Value[]): Row[] {
    return this.#statement(sql).all(...values) as Row[];
  }

  /** The store's own clock, in ms. */
  now(): number {
    const [row] = this.all<{ now: bigint }>(`SELECT ${nowMs} AS now`);
    return Number(row?.now);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#database.prepare(sql);
      statement.setReadBigInts(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

/** The accounts that a reservation draws on. */
export function accountsOf(hold: ReservationRow): AccountKey[] {
  return JSON.parse(hold.accounts) as AccountKey[];
}

/** A reservation as the contract lists it. */
export function unresolvedOf(hold: ReservationRow): UnresolvedReservation {
  const model = hold.model_id === null ? {} : { modelId: hold.model_id };
  return { id: hold.id, accounts: accountsOf(hold), amountPicoUsd: hold.amount_pico_usd, ...model };
}
