import type { AccountKey, AuditedAccount, BalanceReport, LedgerReport, OpenReservation } from "./ledger.ts";
import { type ReservationRow, type SqliteRows, unresolvedOf } from "./sqlite-rows.ts";
import { sqliteSchemaVersion } from "./sqlite-schema.ts";

interface AccountRow extends AccountKey {
  spent: bigint | null;
  held: bigint | null;
  unresolved: bigint | null;
  calls: bigint | null;
  bound_calls: bigint | null;
  journal_spent: bigint | null;
  journal_calls: bigint | null;
  journal_bound_calls: bigint | null;
}

/** The books of a SQLite ledger, for {@link Ledger.inspect}; to be called inside a transaction. */
export function inspectSqlite(rows: SqliteRows, scopes: readonly string[] | undefined): LedgerReport {
  const asked = scopes ? JSON.stringify(scopes) : null;
  const atMs = rows.now();
  const models = modelsOf(rows, asked);
  const accounts = rows.all<AccountRow>(accountsSql, asked).map((row): AuditedAccount => {
    return {
      scope: row.scope,
      window: row.window,
      spentPicoUsd: row.spent ?? 0n,
      heldPicoUsd: row.held ?? 0n,
      unresolvedPicoUsd: row.unresolved ?? 0n,
      callCount: Number(row.calls ?? 0n),
      boundCallCount: Number(row.bound_calls ?? 0n),
      byModel: Object.fromEntries(models.get(JSON.stringify([row.scope, row.window])) ?? []),
      journal: {
        spentPicoUsd: row.journal_spent ?? 0n,
        callCount: Number(row.journal_calls ?? 0n),
        boundCallCount: Number(row.journal_bound_calls ?? 0n),
      },
    };
  });
  const open = rows.all<ReservationRow>(openSql, asked).map((hold): OpenReservation => {
    const state = hold.state as OpenReservation["state"];
    return { ...unresolvedOf(hold), state, ageMs: atMs - Number(hold.reserved_at_ms) };
  });
  return { schemaVersion: sqliteSchemaVersion, atMs, accounts, open };
}

type ModelEntry = [modelId: string, spend: BalanceReport["byModel"][string]];

function modelsOf(rows: SqliteRows, asked: string | null): Map<string, ModelEntry[]> {
  const models = new Map<string, ModelEntry[]>();
  type Row = AccountKey & { model_id: string; call_count: bigint; spent_pico_usd: bigint };
  for (const row of rows.all<Row>(modelsSql, asked)) {
    const key = JSON.stringify([row.scope, row.window]);
    const entry: ModelEntry = [row.model_id, { callCount: Number(row.call_count), spentPicoUsd: row.spent_pico_usd }];
    models.set(key, [...(models.get(key) ?? []), entry]);
  }
  return models;
}

const isAsked = "(?1 IS NULL OR scope IN (SELECT value FROM json_each(?1)))";
const isOpen = "state IN ('held', 'dispatched', 'unresolved')";

/** Every account that anything is known of: a balance, entries, or an open reservation. */
const accountsSql = `
  WITH known AS (
    SELECT scope, window FROM accounts
    UNION SELECT scope, window FROM journal
    UNION SELECT value ->> 'scope', value ->> 'window' FROM reservations, json_each(accounts) WHERE ${isOpen}
  ), sums AS (
    SELECT scope, window, sum(amount_pico_usd) AS spent, sum(call_count) AS calls, sum(bound_call_count) AS bound_calls
    FROM journal GROUP BY scope, window
  )
  SELECT known.scope, known.window, spent_pico_usd AS spent, held_pico_usd AS held, unresolved_pico_usd AS unresolved,
    call_count AS calls, bound_call_count AS bound_calls,
    sums.spent AS journal_spent, sums.calls AS journal_calls, sums.bound_calls AS journal_bound_calls
  FROM known LEFT JOIN accounts USING (scope, window) LEFT JOIN sums USING (scope, window)
  WHERE ${isAsked.replaceAll("scope IN", "known.scope IN")} ORDER BY known.scope, known.window`;

const modelsSql = `SELECT * FROM account_models WHERE ${isAsked}`;

const openSql = `
  SELECT * FROM reservations WHERE ${isOpen} AND (?1 IS NULL OR EXISTS (
    SELECT 1 FROM json_each(reservations.accounts), json_each(?1) AS asked
    WHERE json_each.value ->> 'scope' = asked.value)) ORDER BY rowid`;
