import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AccountKey, UnresolvedReservation } from "./ledger.ts";

type Value = string | number | bigint | null;

/** A row of `reservations`, as far as the ledger computes with it. */
export interface ReservationRow {
  id: string;
  state: string;
  accounts: string;
  amount_pico_usd: bigint;
  model_id: string | null;
  reserved_at_ms: bigint;
}

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

  /** The store's own clock, in ms: processes with skewed clocks agree on leases and windows. */
  now(): number {
    const [row] = this.all<{ now: bigint }>("SELECT CAST(unixepoch('subsec') * 1000 AS INTEGER) AS now");
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
