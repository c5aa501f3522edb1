import { InvalidAmountError } from "../errors/invalid-amount-error.ts";
import { LedgerError } from "../errors/ledger-error.ts";
import { ReservationStateError } from "../errors/reservation-state-error.ts";
import { assertPicoUsd, assertReceipt, type Receipt } from "../receipt.ts";
import type {
  AccountKey,
  Balance,
  BalanceReport,
  Ledger,
  LedgerReport,
  ReservationPart,
  ReserveOutcome,
  ReserveRequest,
  UnresolvedReservation,
} from "./ledger.ts";
import {
  type BooksText,
  balanceOf,
  booksOf,
  isRefusal,
  keyOf,
  outcomeOf,
  type PostAnswer,
  type RecoveredPage,
  type ReportText,
  type ReserveAnswer,
  reportOf,
  type UnresolvedText,
  unresolvedOf,
} from "./postgres-answers.ts";
import { type PostgresCall, type PostgresClient, PostgresConnection } from "./postgres-connection.ts";
import { migratePostgresLedger, postgresSchemaVersion } from "./postgres-schema.ts";
import { type PostgresStep, PostgresSteps } from "./postgres-steps.ts";
import type { JournalEntry } from "./sqlite-books.ts";

export type { JournalEntry, PostgresCall, PostgresClient };

/** How many reservations one transaction sorts out, so that those who wait for their accounts do not wait for long. */
const recoveredAtOnce = 500;
/** How many are told at once; that keeps nobody waiting. */
const unresolvedAtOnce = 5000;
const entriesAtOnce = 5000;

/** Options of a {@link PostgresLedger}. */
export interface PostgresLedgerOptions {
  /** Schema of the ledger's own, which it creates and upgrades. Letters, digits and `_`. Default `"autolabel"`. */
  schema?: string;
  /**
   * How long a step may take until it fails with a LedgerError, in milliseconds; twice that where it has to be repeated
   * after a lost connection. Default 10,000.
   */
  timeoutMs?: number;
}

/**
 * Balances in PostgreSQL (tested on 15 and 18), for any number of processes on any number of machines: exact to the pico-USD up to
 * 10^26 USD. A step is one round trip and one transaction, and durable as the server's `synchronous_commit` says; steps
 * asked for at once share both. Leases go by the server's clock. Every change of a balance is in the table `journal`.
 *
 * A step that fails was not done, or it is not known whether it was; it may be repeated with the same id.
 */
export class PostgresLedger implements Ledger {
  readonly shared = true;
  readonly #connection: PostgresConnection;
  readonly #schema: string;
  readonly #steps: PostgresSteps;
  #opening: Promise<void> | undefined;

  /**
   * @param client a `Pool` of `pg` (give it an `error` listener: it emits one for every idle connection that breaks),
   *   `postgres()` of `postgres`, or a `PGlite`; with a pooler in between, also in its transaction mode. The ledger does
   *   not end it.
   * @throws LedgerError for a schema whose name is none.
   */
  constructor(client: PostgresClient, options: PostgresLedgerOptions = {}) {
    const { schema = "autolabel", timeoutMs = 10_000 } = options;
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(schema)) {
      throw new LedgerError({ message: `"${schema}" cannot name a schema: use letters, digits and _, 63 at most` });
    }
    this.#schema = schema;
    this.#connection = new PostgresConnection(client, timeoutMs);
    this.#steps = new PostgresSteps((...steps) => this.#call("take_steps", ...steps), timeoutMs);
  }

  /**
   * Creates or upgrades the schema. The first step does it by itself; do it before to fail early.
   *
   * @throws LedgerError when the server cannot be reached or refuses, or a newer version of this package was here.
   */
  open(): Promise<void> {
    // Not kept when it fails: a server that is not there yet may come.
    this.#opening ??= migratePostgresLedger(this.#connection, this.#schema).catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async reserve(request: ReserveRequest): Promise<ReserveOutcome> {
    assertPicoUsd("amountPicoUsd of a reservation", request.amountPicoUsd);
    assertStorable(request.amountPicoUsd);
    const step = {
      do: "reserve" as const,
      ...request,
      amountPicoUsd: String(request.amountPicoUsd),
      accounts: request.accounts.map(({ scope, window, limitPicoUsd }) => {
        return { scope, window, limitPicoUsd: limitPicoUsd === null ? null : String(limitPicoUsd) };
      }),
    };
    return outcomeOf(await this.#take<ReserveAnswer>(step, "reserved again"));
  }

  async markDispatched(reservationId: string): Promise<void> {
    await this.#take({ do: "markDispatched", id: reservationId }, "dispatched");
  }

  /**
   * Settles a reservation as every ledger does.
   *
   * @param beside a function in the same database that is run in the same transaction, so that what a call brought is
   *   stored together with its charge: both or neither. It is run even when the ledger then refuses the settlement. It
   *   must wait for nothing that others lock while they wait for the ledger.
   * @throws what every ledger throws, and LedgerError for what `beside` fails with.
   */
  async settle(reservationId: string, receipt: Receipt, beside?: PostgresCall): Promise<Balance[]> {
    const step = { do: "settle" as const, id: reservationId, receipt: textOf(receipt) };
    const { balances } = await this.#take<PostAnswer>(step, "settled", beside);
    return balances.map(balanceOf);
  }

  async release(reservationId: string, evidence?: string): Promise<void> {
    const step = { do: "release" as const, id: reservationId, ...(evidence ? { evidence } : {}) };
    await this.#take(step, "released without evidence");
  }

  async split(reservationId: string, part: ReservationPart): Promise<void> {
    assertPicoUsd("amountPicoUsd of a part", part.amountPicoUsd);
    assertStorable(part.amountPicoUsd);
    const told = { ...part, amountPicoUsd: String(part.amountPicoUsd) };
    await this.#take({ do: "split", id: reservationId, part: told }, "split");
  }

  async extend(reservationId: string, leaseMs: number): Promise<void> {
    await this.#take({ do: "extend", id: reservationId, leaseMs }, "extended");
  }

  async read(accounts: readonly AccountKey[]): Promise<BalanceReport[]> {
    const reports = await this.#call<(ReportText | null)[]>("read", { accounts: accounts.map(keyOf) });
    return accounts.map((account, index) => reportOf(account, reports[index] ?? undefined));
  }

  async post(accounts: readonly AccountKey[], receipt: Receipt): Promise<Balance[]> {
    const step = { do: "post" as const, id: crypto.randomUUID(), accounts: accounts.map(keyOf) };
    const { balances } = await this.#take<PostAnswer>({ ...step, receipt: textOf(receipt) }, "posted");
    return balances.map(balanceOf);
  }

  async reset(accounts: readonly AccountKey[]): Promise<void> {
    await this.#take({ do: "reset", id: crypto.randomUUID(), accounts: accounts.map(keyOf) }, "reset");
  }

  async recover(options: { abandonedScope?: string } = {}): Promise<UnresolvedReservation[]> {
    const request = { ...options, recoveredAtOnce, unresolvedAtOnce };
    let recovered: RecoveredPage = { after: 0 };
    while ("after" in recovered) {
      recovered = await this.#call<RecoveredPage>("recover_page", { ...request, after: recovered.after });
    }
    const unresolved: UnresolvedText[] = [];
    for (let page = recovered.unresolved; ; ) {
      unresolved.push(...page);
      const last = page[unresolvedAtOnce - 1];
      if (!last) return unresolved.map(unresolvedOf);
      page = await this.#call<UnresolvedText[]>("unresolved_page", { ...request, after: last.ordinal });
    }
  }

  async resolve(reservationId: string, evidence: Receipt | { writeOff: string }): Promise<void> {
    if ("costPicoUsd" in evidence) return void (await this.settle(reservationId, evidence));
    await this.#take({ do: "writeOff", id: reservationId, evidence: evidence.writeOff }, "written off");
  }

  claim({ scope, window }: AccountKey, name: string): Promise<boolean> {
    return this.#call<boolean>("claim", { scope, window, name, claimedBy: crypto.randomUUID() });
  }

  async inspect(options: { scopes?: readonly string[] } = {}): Promise<LedgerReport> {
    return { schemaVersion: postgresSchemaVersion, ...booksOf(await this.#call<BooksText>("inspect", options)) };
  }

  /** What was posted to a scope, the oldest first; read page by page, so what is posted meanwhile comes last. */
  async *journal(scope: string): AsyncGenerator<JournalEntry> {
    await this.open();
    const text = `SELECT entry::text AS place, floor(extract(epoch FROM written_at) * 1000)::text AS at_ms, kind, amount_pico_usd::text,
      reservation_id FROM "${this.#schema}".journal WHERE scope = $1 AND entry > $2::bigint ORDER BY entry LIMIT ${entriesAtOnce}`;
    for (let last: string | undefined = "0"; last !== undefined; ) {
      const rows = await this.#connection.query(text, [scope, last]);
      for (const { at_ms, kind, amount_pico_usd, reservation_id } of rows) {
        yield {
          atMs: Number(at_ms),
          kind: kind as JournalEntry["kind"],
          amountPicoUsd: BigInt(amount_pico_usd ?? 0),
          reservationId: reservation_id ?? null,
        };
      }
      last = rows.at(-1)?.place ?? undefined;
    }
  }

  now(): Promise<number> {
    return this.#call<number>("now", {});
  }

  async close(): Promise<void> {
    await this.#steps.drain();
  }

  /** Takes a step; `wording` is what a reservation cannot be when its state does not allow it. */
  async #take<Answer>(step: PostgresStep, wording: string, beside?: PostgresCall): Promise<Answer> {
    const answer = await this.#steps.take(step, beside);
    if (!isRefusal(answer)) return answer as Answer;
    throw new ReservationStateError({ reservationId: step.id, state: answer.state ?? "unknown", step: wording });
  }

  async #call<Answer>(functionName: string, request: object, beside?: readonly PostgresCall[]): Promise<Answer> {
    await this.open();
    return (await this.#connection.call(`"${this.#schema}".${functionName}`, request, beside)) as Answer;
  }
}

/** More than the columns hold. */
const tooManyPicoUsd = 10n ** 38n;

/** Refused before it is sent, so that the sum of a few still fits. */
function assertStorable(picoUsd: bigint): void {
  if (picoUsd < tooManyPicoUsd) return;
  const hint = "a PostgreSQL ledger holds up to 10^26 USD an account";
  throw new InvalidAmountError({ what: "An amount in pico-USD", given: picoUsd, hint });
}

/** A receipt as the server reads it. @throws InvalidAmountError */
function textOf(receipt: Receipt): object {
  assertReceipt(receipt);
  assertStorable(receipt.costPicoUsd);
  return { kind: "reported", ...receipt, costPicoUsd: String(receipt.costPicoUsd) };
}
