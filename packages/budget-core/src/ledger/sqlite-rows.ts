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

/** What due reservations hold, by the accounts that they draw on. */
export const dueSumsSql = `
  SELECT accounts, sum(amount_pico_usd) AS held, sum(iif(state = 'dispatched', amount_pico_usd, 0)) AS unresolved
  FROM reservations WHERE ${isDue} GROUP BY accounts`;

/** A row of {@link dueSumsSql}: all of it, and the part whose calls were sent. */
export interface DueSums extends Pick<ReservationRow, "accounts"> {
  held: bigint;
  unresolved: bigint;
}

/** Ends due reservations that were not sent; those that were become unresolved. */
export const recoverSql = `
  UPDATE reservations SET state = iif(state = 'held', 'expired', 'unresolved'),
    evidence = iif(state = 'held', 'lease ran out before dispatch', NULL) WHERE ${isDue}`;

/** Takes an amount out of a reservation (?2). */
export const shrinkSql = "UPDATE reservations SET amount_pico_usd = amount_pico_usd - ?1 WHERE id = ?2";

/** A part of a reservation (?1): id, amount, model, price book. */
export const splitSql = `
  INSERT INTO reservations
    (id, state, accounts, amount_pico_usd, lease_ends_at_ms, model_id, price_book, reserved_at_ms)
  SELECT ?2, state, accounts, ?3, lease_ends_at_ms, ?4, ?5, reserved_at_ms FROM reservations WHERE id = ?1`;

/** A statement that inserts a row for each of so many accounts. */
export type SqlForAccounts = (count: number) => string;

/** @param shared the values of a row behind scope and window, the same in all rows. */
function sqlForAccounts(insert: string, shared: readonly string[], onConflict = ""): SqlForAccounts {
  const made: string[] = [];
  const first = shared.filter((value) => value.startsWith("?")).length + 1;
  const row = (index: number) => `(?${first + 2 * index}, ?${first + 2 * index + 1}, ${shared.join()})`;
  return (count) => {
    made[count] ??= `${insert} VALUES ${Array.from({ length: count }, (_, index) => row(index)).join()} ${onConflict}`;
    return made[count];
  };
}

/** Adds to balances: spent, held, unresolved, calls, calls at their bound. */
export const addSql = sqlForAccounts(
  `INSERT INTO accounts
     (scope, window, spent_pico_usd, held_pico_usd, unresolved_pico_usd, call_count, bound_call_count)`,
  ["?1", "?2", "?3", "?4", "?5"],
  `ON CONFLICT DO UPDATE SET spent_pico_usd = spent_pico_usd + excluded.spent_pico_usd,
     held_pico_usd = held_pico_usd + excluded.held_pico_usd,
     unresolved_pico_usd = unresolved_pico_usd + excluded.unresolved_pico_usd,
     call_count = call_count + excluded.call_count,
     bound_call_count = bound_call_count + excluded.bound_call_count`,
);

/** Enters a call in the journal: kind, cost, calls at their bound, reservation, model. */
export const enterSql = sqlForAccounts(
  `INSERT INTO journal
     (scope, window, at_ms, kind, amount_pico_usd, call_count, bound_call_count, reservation_id, model_id)`,
  [nowMs, "?1", "?2", "1", "?3", "?4", "?5"],
);

/** Counts a call by its model: model, cost. */
export const countModelSql = sqlForAccounts(
  "INSERT INTO account_models (scope, window, model_id, call_count, spent_pico_usd)",
  ["?1", "1", "?2"],
  `ON CONFLICT DO UPDATE SET call_count = call_count + 1, spent_pico_usd = spent_pico_usd + excluded.spent_pico_usd`,
);

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

  /** Runs one statement for any number of accounts; `shared` is what `?1`, `?2`, … in it stand for. */
  runForEach(accounts: readonly AccountKey[], sql: SqlForAccounts, shared: Value[]): void {
    if (accounts.length === 0) return;
    this.run(sql(accounts.length), ...shared, ...accounts.flatMap(({ scope, window }) => [scope, window]));
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
export function accountsOf(hold: Pick<ReservationRow, "accounts">): AccountKey[] {
  return JSON.parse(hold.accounts) as AccountKey[];
}

/** A reservation as the contract lists it. */
export function unresolvedOf(hold: ReservationRow): UnresolvedReservation {
  const model = hold.model_id === null ? {} : { modelId: hold.model_id };
  return { id: hold.id, accounts: accountsOf(hold), amountPicoUsd: hold.amount_pico_usd, ...model };
}
