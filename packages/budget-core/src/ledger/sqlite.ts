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
  type LedgerReport,
  type ReservationPart,
  type ReserveOutcome,
  type ReserveRequest,
  type UnresolvedReservation,
  unknownModel,
} from "./ledger.ts";
import { asLedgerError } from "./ledger-step.ts";
import { openDatabase } from "./open-database.ts";
import { inspectSqlite } from "./sqlite-inspect.ts";
import {
  accountsOf,
  addSql,
  countModelSql,
  type DueSums,
  dueSumsSql,
  enterSql,
  nowMs,
  type ReservationRow,
  recoverSql,
  SqliteRows,
  shrinkSql,
  splitSql,
  unresolvedOf,
} from "./sqlite-rows.ts";
import { migrateSqliteLedger } from "./sqlite-schema.ts";

/**
 * Balances in one SQLite file (node:sqlite): every step is on disk before its promise settles, so spend outlives a
 * crash, and several processes may share the file. Amounts are 64-bit integers of pico-USD: up to $9.2 million an account.
 */
export class SqliteLedger implements Ledger {
  readonly shared = true;
  readonly #commit: GroupCommit;
  readonly #ownsDatabase: boolean;
  readonly #rows: SqliteRows;

  /** @param store a file path, or a {@link GroupCommit} to share its database and its transactions with other writes. */
  constructor(store: string | GroupCommit) {
    this.#ownsDatabase = typeof store === "string";
    this.#commit = typeof store === "string" ? new GroupCommit(openDatabase(store)) : store;
    migrateSqliteLedger(this.#commit.database);
    this.#rows = new SqliteRows(this.#commit.database);
  }

  reserve(request: ReserveRequest): Promise<ReserveOutcome> {
    return this.#hold(request, "held");
  }

  reserveDispatched(request: ReserveRequest): Promise<ReserveOutcome> {
    return this.#hold(request, "dispatched");
  }

  #hold(request: ReserveRequest, state: "held" | "dispatched"): Promise<ReserveOutcome> {
    return this.#commit.run(() => {
      assertPicoUsd("amountPicoUsd of a reservation", request.amountPicoUsd);
      assertStorable(request.amountPicoUsd);
      const known = this.#reservation(request.id);
      if (known?.amount_pico_usd === request.amountPicoUsd && isOpen(known.state)) {
        if (state === "dispatched") this.#mark(request.id);
        return { admitted: true, atMs: this.#rows.now() };
      }
      if (known)
        throw new ReservationStateError({ reservationId: known.id, state: known.state, step: "reserved again" });

      const lacking = request.accounts.flatMap((account) => {
        const balance = this.#balance(account);
        const ok = fits(balance, account.limitPicoUsd, request.amountPicoUsd);
        return ok ? [] : [{ ...balance, limitPicoUsd: account.limitPicoUsd }];
      });
      const atMs = this.#rows.now();
      if (lacking.length > 0) return { admitted: false, atMs, lacking };

      this.#add(request.accounts, { held: request.amountPicoUsd });
      const accounts = request.accounts.map(({ scope, window }) => ({ scope, window }));
      this.#rows.run(
        `INSERT INTO reservations
           (id, state, accounts, amount_pico_usd, lease_ends_at_ms, model_id, price_book, reserved_at_ms)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        request.id,
        state,
        JSON.stringify(accounts),
        request.amountPicoUsd,
        atMs + request.leaseMs,
        request.modelId ?? null,
        request.priceBook ?? null,
        atMs,
      );
      return { admitted: true, atMs };
    });
  }

  markDispatched(reservationId: string): Promise<void> {
    return this.#commit.run(() => this.#mark(reservationId));
  }

  #mark(reservationId: string): void {
    this.#expect(reservationId, ["held", "dispatched"], "dispatched");
    this.#rows.run("UPDATE reservations SET state = 'dispatched' WHERE id = ?", reservationId);
  }

  settle(reservationId: string, receipt: Receipt): Promise<Balance[]> {
    return this.#commit.run(() => {
      assertReceipt(receipt);
      assertStorable(receipt.costPicoUsd);
      const hold = this.#expect(reservationId, ["dispatched", "unresolved", "settled"], "settled");
      if (hold.state === "settled") return [];
      this.#rows.run(
        `UPDATE reservations SET state = 'settled', cost_pico_usd = ?, kind = ?, served_model_id = ?,
           bound_breached = ?, usage = ? WHERE id = ?`,
        receipt.costPicoUsd,
        receipt.kind ?? "reported",
        receipt.modelId ?? null,
        receipt.boundBreached ? 1 : 0,
        receipt.usage ? JSON.stringify(receipt.usage) : null,
        reservationId,
      );
      const accounts = accountsOf(hold);
      this.#postTo(accounts, receipt, hold);
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

  split(reservationId: string, part: ReservationPart): Promise<void> {
    return this.#commit.run(() => {
      assertPicoUsd("amountPicoUsd of a part", part.amountPicoUsd);
      assertStorable(part.amountPicoUsd);
      const known = this.#reservation(part.id);
      if (known?.amount_pico_usd === part.amountPicoUsd) return;
      const hold = this.#expect(reservationId, ["dispatched", "unresolved"], "split");
      if (known || part.amountPicoUsd > hold.amount_pico_usd) {
        throw new ReservationStateError({ reservationId, state: hold.state, step: "split so" });
      }
      this.#rows.run(shrinkSql, part.amountPicoUsd, hold.id);
      this.#rows.run(splitSql, hold.id, part.id, part.amountPicoUsd, part.modelId ?? null, part.priceBook ?? null);
    });
  }

  extend(reservationId: string, leaseMs: number): Promise<void> {
    return this.#commit.run(() => {
      this.#expect(reservationId, ["held", "dispatched"], "extended");
      const extend = `UPDATE reservations SET lease_ends_at_ms = ${nowMs} + ? WHERE id = ?`;
      this.#rows.run(extend, leaseMs, reservationId);
    });
  }

  async read(accounts: readonly AccountKey[]): Promise<BalanceReport[]> {
    try {
      return accounts.map((account) => ({ ...this.#balance(account), byModel: this.#byModel(account) }));
    } catch (cause) {
      throw asLedgerError(cause);
    }
  }

  post(accounts: readonly AccountKey[], receipt: Receipt): Promise<Balance[]> {
    return this.#commit.run(() => {
      assertReceipt(receipt);
      assertStorable(receipt.costPicoUsd);
      this.#postTo(accounts, receipt, null);
      return accounts.map((account) => this.#balance(account));
    });
  }

  reset(accounts: readonly AccountKey[]): Promise<void> {
    return this.#commit.run(() => {
      for (const { scope, window } of accounts) {
        this.#rows.run(
          `INSERT INTO journal (at_ms, scope, window, kind, amount_pico_usd, call_count, bound_call_count)
           SELECT ${nowMs}, scope, window, 'reset', -spent_pico_usd, -call_count, -bound_call_count FROM accounts
           WHERE scope = ? AND window = ?`,
          scope,
          window,
        );
        this.#rows.run(
          "UPDATE accounts SET spent_pico_usd = 0, call_count = 0, bound_call_count = 0 WHERE scope = ? AND window = ?",
          scope,
          window,
        );
        this.#rows.run("DELETE FROM account_models WHERE scope = ? AND window = ?", scope, window);
      }
    });
  }

  recover(options: { abandonedScope?: string } = {}): Promise<UnresolvedReservation[]> {
    return this.#commit.run(() => {
      const due = [this.#rows.now(), options.abandonedScope ?? null] as const;
      // Each account is changed once, by the sum of what moves in it, however many reservations are sorted out.
      for (const { held, unresolved, ...hold } of this.#rows.all<DueSums>(dueSumsSql, ...due)) {
        this.#add(accountsOf(hold), { held: -held, unresolved });
      }
      this.#rows.run(recoverSql, ...due);
      const all = "SELECT * FROM reservations WHERE state = 'unresolved' ORDER BY rowid";
      return this.#rows.all<ReservationRow>(all).map(unresolvedOf);
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
      const insert = "INSERT INTO claims (scope, window, name) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
      return this.#rows.run(insert, scope, window, name) === 1;
    });
  }

  inspect(options: { scopes?: readonly string[] } = {}): Promise<LedgerReport> {
    return this.#commit.run(() => inspectSqlite(this.#rows, options.scopes));
  }

  async now(): Promise<number> {
    return this.#rows.now();
  }

  async close(): Promise<void> {
    this.#commit.flush();
    if (this.#ownsDatabase) this.#commit.database.close();
  }

  #reservation(id: string): ReservationRow | undefined {
    return this.#rows.all<ReservationRow>("SELECT * FROM reservations WHERE id = ?", id)[0];
  }

  #expect(reservationId: string, states: readonly string[], step: string): ReservationRow {
    const hold = this.#reservation(reservationId);
    if (hold && states.includes(hold.state)) return hold;
    throw new ReservationStateError({ reservationId, state: hold?.state ?? "unknown", step });
  }

  #end(hold: ReservationRow, state: string, evidence: string | null): void {
    this.#rows.run("UPDATE reservations SET state = ?, evidence = ? WHERE id = ?", state, evidence, hold.id);
    this.#add(accountsOf(hold), freed(hold));
  }

  #postTo(accounts: readonly AccountKey[], receipt: Receipt, hold: ReservationRow | null): void {
    const { costPicoUsd } = receipt;
    const modelId = receipt.modelId ?? hold?.model_id ?? unknownModel;
    const boundCalls = receipt.kind === "bound" ? 1 : 0;
    this.#add(accounts, { ...(hold ? freed(hold) : {}), spent: costPicoUsd, calls: 1, boundCalls });
    const kind = hold ? "settled" : "posted";
    this.#rows.runForEach(accounts, enterSql, [kind, costPicoUsd, boundCalls, hold?.id ?? null, modelId]);
    this.#rows.runForEach(accounts, countModelSql, [modelId, costPicoUsd]);
  }

  #add(accounts: readonly AccountKey[], change: Change): void {
    const { spent = 0n, held = 0n, unresolved = 0n, calls = 0, boundCalls = 0 } = change;
    this.#rows.runForEach(accounts, addSql, [spent, held, unresolved, calls, boundCalls]);
  }

  #balance({ scope, window }: AccountKey): Balance {
    const row = this.#rows.all<Record<string, bigint>>(
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
    const models = this.#rows.all<{ model_id: string; call_count: bigint; spent_pico_usd: bigint }>(
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
}

interface Change {
  spent?: bigint;
  held?: bigint;
  unresolved?: bigint;
  calls?: number;
  boundCalls?: number;
}

/** What the end of a reservation gives back. */
function freed(hold: ReservationRow): Change {
  return { [hold.state === "unresolved" ? "unresolved" : "held"]: -hold.amount_pico_usd };
}

/** The largest 64-bit integer. */
const maxStorablePicoUsd = 2n ** 63n - 1n;

/** Refused before it is written: an amount that SQLite cannot bind would fail every other write of its transaction. */
function assertStorable(picoUsd: bigint): void {
  if (picoUsd <= maxStorablePicoUsd) return;
  const hint = "a SQLite ledger holds up to $9.2 million an account";
  throw new InvalidAmountError({ what: "An amount in pico-USD", given: picoUsd, hint });
}

function isOpen(state: string): boolean {
  return state === "held" || state === "dispatched" || state === "unresolved";
}

export { type JournalEntry, readSqliteBooks, type SqliteBooks } from "./sqlite-books.ts";
export { GroupCommit, openDatabase };
