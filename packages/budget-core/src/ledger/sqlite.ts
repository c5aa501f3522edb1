import type { StatementSync } from "node:sqlite";
import { InvalidAmountError } from "../errors/invalid-amount-error.ts";
import { ReservationStateError } from "../errors/reservation-state-error.ts";
import { assertPicoUsd, assertReceipt, type Receipt } from "../receipt.ts";
import { GroupCommit } from "./group-commit.ts";
import {
  type AccountKey,
  type Balance,
  type BalanceReport,
  fits,
  type Ledger,
  type ReserveOutcome,
  type ReserveRequest,
  type UnresolvedReservation,
  unknownModel,
} from "./ledger.ts";
import { openDatabase } from "./open-database.ts";
import { migrateSqliteLedger } from "./sqlite-schema.ts";

interface ReservationRow {
  id: string;
  state: string;
  accounts: string;
  amount_pico_usd: bigint;
  model_id: string | null;
}

/**
 * Balances in one SQLite file (node:sqlite): every step is on disk before its promise settles, so spend outlives a
 * crash, and several processes may share the file. Amounts are 64-bit integers of pico-USD: up to $9.2 million an account.
 */
export class SqliteLedger implements Ledger {
  readonly shared = true;
  readonly #commit: GroupCommit;
  readonly #ownsDatabase: boolean;
  readonly #statements = new Map<string, StatementSync>();

  /** @param store a file path, or a {@link GroupCommit} to share its database and its transactions with other writes. */
  constructor(store: string | GroupCommit) {
    this.#ownsDatabase = typeof store === "string";
    this.#commit = typeof store === "string" ? new GroupCommit(openDatabase(store)) : store;
    migrateSqliteLedger(this.#commit.database);
  }

  reserve(request: ReserveRequest): Promise<ReserveOutcome> {
    return this.#commit.run(() => {
      assertPicoUsd("amountPicoUsd of a reservation", request.amountPicoUsd);
      assertStorable(request.amountPicoUsd);
      const known = this.#reservation(request.id);
      if (known?.amount_pico_usd === request.amountPicoUsd && isOpen(known.state)) return { admitted: true };
      if (known)
        throw new ReservationStateError({ reservationId: known.id, state: known.state, step: "reserved again" });

      const lacking = request.accounts.flatMap((account) => {
        const balance = this.#balance(account);
        const ok = fits(balance, account.limitPicoUsd, request.amountPicoUsd);
        return ok ? [] : [{ ...balance, limitPicoUsd: account.limitPicoUsd }];
      });
      if (lacking.length > 0) return { admitted: false, lacking };

      for (const account of request.accounts) this.#add(account, { held: request.amountPicoUsd });
      const accounts = request.accounts.map(({ scope, window }) => ({ scope, window }));
      this.#run(
        `INSERT INTO reservations (id, state, accounts, amount_pico_usd, lease_ends_at_ms, model_id, price_book)
         VALUES (?, 'held', ?, ?, ${nowMs} + ?, ?, ?)`,
        request.id,
        JSON.stringify(accounts),
        request.amountPicoUsd,
        request.leaseMs,
        request.modelId ?? null,
        request.priceBook ?? null,
      );
      return { admitted: true };
    });
  }

  markDispatched(reservationId: string): Promise<void> {
    return this.#commit.run(() => {
      this.#expect(reservationId, ["held", "dispatched"], "dispatched");
      this.#run("UPDATE reservations SET state = 'dispatched' WHERE id = ?", reservationId);
    });
  }

  settle(reservationId: string, receipt: Receipt): Promise<Balance[]> {
    return this.#commit.run(() => {
      assertReceipt(receipt);
      assertStorable(receipt.costPicoUsd);
      const hold = this.#expect(reservationId, ["dispatched", "unresolved", "settled"], "settled");
      if (hold.state === "settled") return [];
      this.#end(hold, "settled", null);
      this.#run(
        "UPDATE reservations SET cost_pico_usd = ?, kind = ?, served_model_id = ?, bound_breached = ?, usage = ? WHERE id = ?",
        receipt.costPicoUsd,
        receipt.kind ?? "reported",
        receipt.modelId ?? null,
        receipt.boundBreached ? 1 : 0,
        receipt.usage ? JSON.stringify(receipt.usage) : null,
        reservationId,
      );
      const accounts = accountsOf(hold);
      for (const account of accounts) this.#postTo(account, receipt, hold.model_id);
      return accounts.map((account) => this.#balance(account));
    });
  }

  release(reservationId: string, evidence?: string): Promise<void> {
    return this.#commit.run(() => {
      const allowed = evidence ? ["held", "dispatched", "released"] : ["held", "released"];
      const hold = this.#expect(reservationId, allowed, "released without evidence");
      if (hold.state !== "released") this.#end(hold, "released", evidence ?? null);
    });
  }

  extend(reservationId: string, leaseMs: number): Promise<void> {
    return this.#commit.run(() => {
      this.#expect(reservationId, ["held", "dispatched"], "extended");
      this.#run(`UPDATE reservations SET lease_ends_at_ms = ${nowMs} + ? WHERE id = ?`, leaseMs, reservationId);
    });
  }

  async read(accounts: readonly AccountKey[]): Promise<BalanceReport[]> {
    return accounts.map((account) => ({ ...this.#balance(account), byModel: this.#byModel(account) }));
  }

  post(accounts: readonly AccountKey[], receipt: Receipt): Promise<Balance[]> {
    return this.#commit.run(() => {
      assertReceipt(receipt);
      assertStorable(receipt.costPicoUsd);
      for (const account of accounts) this.#postTo(account, receipt, null);
      return accounts.map((account) => this.#balance(account));
    });
  }

  reset(accounts: readonly AccountKey[]): Promise<void> {
    return this.#commit.run(() => {
      for (const { scope, window } of accounts) {
        this.#run(
          "UPDATE accounts SET spent_pico_usd = 0, call_count = 0, bound_call_count = 0 WHERE scope = ? AND window = ?",
          scope,
          window,
        );
        this.#run("DELETE FROM account_models WHERE scope = ? AND window = ?", scope, window);
      }
    });
  }

  recover(options: { abandonedScope?: string } = {}): Promise<UnresolvedReservation[]> {
    return this.#commit.run(() => {
      const abandoned = this.#all<ReservationRow>(
        `SELECT * FROM reservations WHERE state IN ('held', 'dispatched') AND (lease_ends_at_ms <= ${nowMs}
           OR EXISTS (SELECT 1 FROM json_each(accounts) WHERE value ->> 'scope' = ?))`,
        options.abandonedScope ?? null,
      );
      for (const hold of abandoned) {
        if (hold.state === "held") {
          this.#end(hold, "expired", "lease ran out before dispatch");
          continue;
        }
        this.#run("UPDATE reservations SET state = 'unresolved' WHERE id = ?", hold.id);
        const moved = { held: -hold.amount_pico_usd, unresolved: hold.amount_pico_usd };
        for (const account of accountsOf(hold)) this.#add(account, moved);
      }
      return this.#all<ReservationRow>("SELECT * FROM reservations WHERE state = 'unresolved' ORDER BY rowid").map(
        (hold) => ({
          id: hold.id,
          accounts: accountsOf(hold),
          amountPicoUsd: hold.amount_pico_usd,
          ...(hold.model_id === null ? {} : { modelId: hold.model_id }),
        }),
      );
    });
  }

  async resolve(reservationId: string, evidence: Receipt | { writeOff: string }): Promise<void> {
    if ("costPicoUsd" in evidence) return void (await this.settle(reservationId, evidence));
    return this.#commit.run(() => {
      const hold = this.#expect(reservationId, ["unresolved", "writtenOff"], "written off");
      if (hold.state === "unresolved") this.#end(hold, "writtenOff", evidence.writeOff);
    });
  }

  claim({ scope, window }: AccountKey, name: string): Promise<boolean> {
    return this.#commit.run(() => {
      const insert = this.#statement(
        "INSERT INTO claims (scope, window, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
      );
      return Number(insert.run(scope, window, name).changes) === 1;
    });
  }

  async close(): Promise<void> {
    this.#commit.flush();
    if (this.#ownsDatabase) this.#commit.database.close();
  }

  #reservation(id: string): ReservationRow | undefined {
    return this.#all<ReservationRow>("SELECT * FROM reservations WHERE id = ?", id)[0];
  }

  #expect(reservationId: string, states: readonly string[], step: string): ReservationRow {
    const hold = this.#reservation(reservationId);
    if (hold && states.includes(hold.state)) return hold;
    throw new ReservationStateError({ reservationId, state: hold?.state ?? "unknown", step });
  }

  #end(hold: ReservationRow, state: string, evidence: string | null): void {
    this.#run("UPDATE reservations SET state = ?, evidence = ? WHERE id = ?", state, evidence, hold.id);
    const bucket = hold.state === "unresolved" ? "unresolved" : "held";
    for (const account of accountsOf(hold)) this.#add(account, { [bucket]: -hold.amount_pico_usd });
  }

  #postTo(account: AccountKey, receipt: Receipt, askedModelId: string | null): void {
    this.#add(account, { spent: receipt.costPicoUsd, calls: 1, boundCalls: receipt.kind === "bound" ? 1 : 0 });
    this.#run(
      `INSERT INTO account_models (scope, window, model_id, call_count, spent_pico_usd) VALUES (?, ?, ?, 1, ?)
       ON CONFLICT DO UPDATE SET call_count = call_count + 1, spent_pico_usd = spent_pico_usd + excluded.spent_pico_usd`,
      account.scope,
      account.window,
      receipt.modelId ?? askedModelId ?? unknownModel,
      receipt.costPicoUsd,
    );
  }

  #add(account: AccountKey, change: Change): void {
    const { spent = 0n, held = 0n, unresolved = 0n, calls = 0, boundCalls = 0 } = change;
    this.#run(
      `INSERT INTO accounts
         (scope, window, spent_pico_usd, held_pico_usd, unresolved_pico_usd, call_count, bound_call_count)
       VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET spent_pico_usd = spent_pico_usd + excluded.spent_pico_usd,
         held_pico_usd = held_pico_usd + excluded.held_pico_usd,
         unresolved_pico_usd = unresolved_pico_usd + excluded.unresolved_pico_usd,
         call_count = call_count + excluded.call_count,
         bound_call_count = bound_call_count + excluded.bound_call_count`,
      account.scope,
      account.window,
      spent,
      held,
      unresolved,
      calls,
      boundCalls,
    );
  }

  #balance({ scope, window }: AccountKey): Balance {
    const row = this.#all<Record<string, bigint>>(
      "SELECT * FROM accounts WHERE scope = ? AND window = ?",
      scope,
      window,
    )[0];
    return {
      scope,
      window,
      spentPicoUsd: row?.spent_pico_usd ?? 0n,
      heldPicoUsd: row?.held_pico_usd ?? 0n,
      unresolvedPicoUsd: row?.unresolved_pico_usd ?? 0n,
      callCount: Number(row?.call_count ?? 0n),
      boundCallCount: Number(row?.bound_call_count ?? 0n),
    };
  }

  #byModel({ scope, window }: AccountKey): BalanceReport["byModel"] {
    const models = this.#all<{ model_id: string; call_count: bigint; spent_pico_usd: bigint }>(
      "SELECT model_id, call_count, spent_pico_usd FROM account_models WHERE scope = ? AND window = ?",
      scope,
      window,
    );
    const entries = models.map(({ model_id, call_count, spent_pico_usd }) => [
      model_id,
      { callCount: Number(call_count), spentPicoUsd: spent_pico_usd },
    ]);
    return Object.fromEntries(entries);
  }

  #run(sql: string, ...values: (string | number | bigint | null)[]): void {
    this.#statement(sql).run(...values);
  }

  #all<Row>(sql: string, ...values: (string | number | bigint | null)[]): Row[] {
    return this.#statement(sql).all(...values) as Row[];
  }

  #statement(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#commit.database.prepare(sql);
      statement.setReadBigInts(true);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

interface Change {
  spent?: bigint;
  held?: bigint;
  unresolved?: bigint;
  calls?: number;
  boundCalls?: number;
}

/** The largest 64-bit integer. */
const maxStorablePicoUsd = 2n ** 63n - 1n;

/** The store's own clock, in milliseconds: processes with skewed clocks agree on leases. */
const nowMs = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";

/** Refused before it is written: an amount that SQLite cannot bind would fail every other write of its transaction. */
function assertStorable(picoUsd: bigint): void {
  if (picoUsd <= maxStorablePicoUsd) return;
  const hint = "a SQLite ledger holds up to $9.2 million an account";
  throw new InvalidAmountError({ what: "An amount in pico-USD", given: picoUsd, hint });
}

function isOpen(state: string): boolean {
  return state === "held" || state === "dispatched" || state === "unresolved";
}

function accountsOf(hold: ReservationRow): AccountKey[] {
  return JSON.parse(hold.accounts) as AccountKey[];
}

export { GroupCommit, openDatabase };
