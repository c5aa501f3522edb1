import { LedgerError } from "../errors/ledger-error.ts";
import { ReservationStateError } from "../errors/reservation-state-error.ts";
import { assertPicoUsd, assertReceipt, type Receipt } from "../receipt.ts";
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
import { type IoRedisClient, type NodeRedisClient, type RedisClient, ScriptRunner } from "./redis-client.ts";
import { inspectRedis } from "./redis-inspect.ts";
import {
  type BalanceRow,
  balanceOf,
  beginningOf,
  type HoldRow,
  nameOf,
  type ReportRow,
  reportOf,
  unresolvedOf,
} from "./redis-replies.ts";
import { redisScripts } from "./redis-scripts.ts";

/** Options of a {@link RedisLedger}. */
export interface RedisLedgerOptions {
  /**
   * What the names of the ledger's keys begin with, default `"autolabel"`. It becomes a hash tag, `{autolabel}:…`, so that
   * all keys of a ledger live on one node of a Redis Cluster.
   */
  prefix?: string;
  /** How long a step waits for its answer before it fails with a LedgerError, in ms. Default 10,000. */
  timeoutMs?: number;
  /**
   * How many entries the journal keeps, one an ended call. Default 100,000, some 70 MB. Older ones go into opening sums,
   * and the reservations that ended by them are forgotten, so that a step repeated even later is refused: many times the
   * calls in flight. Open ones are never forgotten.
   */
  journalEntries?: number;
  /**
   * How many replicas must have a dispatch mark before the call may leave (`WAIT`), default 0. Then a failover to one of
   * them forgets no call that was sent. It takes a client of one connection: no cluster, no pool.
   */
  replicas?: number;
}

/** What the server promises. */
export interface RedisLedgerStatus {
  /**
   * Whether the server writes every step to its append-only file (`appendonly yes`) before it answers. With
   * `appendfsync always` the step is then on disk; with `everysec` a crash can take the last second or two along. False: a
   * restart forgets what happened since the last snapshot, or everything.
   */
  durable: boolean;
}

/** Version of the keys and fields that this package reads and writes. */
const schemaVersion = "1";
/** How many reservations one script sorts out, so that others are not kept waiting for long. */
const recoveredAtOnce = 200;

/**
 * Balances in Redis 7 or newer, for any number of processes on any number of machines: exact to the pico-USD, of any
 * size. A step is one script and one round trip for any number of accounts, and as durable as the server's persistence:
 * see {@link RedisLedger.open}. Leases go by the server's clock.
 *
 * A step that fails was not done, or it is not known whether it was; it may be repeated with the same id.
 */
export class RedisLedger implements Ledger {
  readonly shared = true;
  readonly #key: string;
  readonly #scripts: ScriptRunner;
  readonly #journalEntries: number;
  readonly #replicas: number;
  #opening: Promise<RedisLedgerStatus & { ledgerId: string }> | undefined;

  /** @param client a client or cluster of `redis` (connected) or `ioredis`. The ledger does not end it. */
  constructor(client: RedisClient, options: RedisLedgerOptions = {}) {
    const { prefix = "autolabel", timeoutMs = 10_000, journalEntries = 100_000, replicas = 0 } = options;
    this.#key = `{${prefix}}`;
    this.#scripts = new ScriptRunner({ client, key: this.#key, timeoutMs });
    this.#journalEntries = journalEntries;
    this.#replicas = replicas;
  }

  /**
   * Opens the ledger, or begins it where there is none. The first step does it by itself; do it before to fail early, and
   * to find out how durable it is.
   *
   * @throws LedgerError when the server cannot be reached, may evict the ledger's keys (`maxmemory-policy allkeys-…`), or
   *   holds a ledger of a newer version of this package.
   */
  async open(): Promise<RedisLedgerStatus> {
    const { durable } = await this.#opened();
    return { durable };
  }

  async reserve(request: ReserveRequest): Promise<ReserveOutcome> {
    const { id, accounts, amountPicoUsd, leaseMs, modelId, priceBook } = request;
    assertPicoUsd("amountPicoUsd of a reservation", amountPicoUsd);
    const [outcome, atMs, rows] = await this.#run("reserve", {
      id,
      accounts: accounts.map((account) => ({ name: nameOf(account), limit: account.limitPicoUsd?.toString() })),
      amount: String(amountPicoUsd),
      leaseMs,
      fields: pairsOf({ model_id: modelId, price_book: priceBook }),
    });
    if (outcome === "state") throw wrongState(id, atMs, "reserved again");
    if (outcome === "ok") return { admitted: true, atMs: Number(atMs) };
    const balances = (rows as BalanceRow[]).map(balanceOf);
    const lacking = accounts.flatMap(({ limitPicoUsd }, index) => {
      const balance = balances[index] as Balance;
      return fits(balance, limitPicoUsd, amountPicoUsd) ? [] : [{ ...balance, limitPicoUsd }];
    });
    return { admitted: false, atMs: Number(atMs), lacking };
  }

  async markDispatched(reservationId: string): Promise<void> {
    await this.#step("markDispatched", { id: reservationId }, "dispatched");
    if (this.#replicas === 0) return;
    const count = await this.#scripts.countReplicas(this.#replicas);
    if (count >= this.#replicas) return;
    const message = `Only ${count} of ${this.#replicas} replicas confirmed the dispatch: bring them back, or lower the option "replicas"`;
    throw new LedgerError({ message });
  }

  async settle(reservationId: string, receipt: Receipt): Promise<Balance[]> {
    assertReceipt(receipt);
    const balances = await this.#step("settle", { id: reservationId, ...paymentOf(receipt) }, "settled");
    return (balances as BalanceRow[]).map(balanceOf);
  }

  async release(reservationId: string, evidence?: string): Promise<void> {
    await this.#step("release", { id: reservationId, evidence: evidence || undefined }, "released without evidence");
  }

  async split(reservationId: string, { id, amountPicoUsd, modelId, priceBook }: ReservationPart): Promise<void> {
    assertPicoUsd("amountPicoUsd of a part", amountPicoUsd);
    const part = { id, amount: String(amountPicoUsd) };
    const fields = pairsOf({ model_id: modelId, price_book: priceBook });
    await this.#step("split", { id: reservationId, part, fields }, "split");
  }

  async extend(reservationId: string, leaseMs: number): Promise<void> {
    await this.#step("extend", { id: reservationId, leaseMs }, "extended");
  }

  async read(accounts: readonly AccountKey[]): Promise<BalanceReport[]> {
    const [, reports] = await this.#run("read", { accounts: accounts.map(nameOf) });
    return (reports as ReportRow[]).map(reportOf);
  }

  async post(accounts: readonly AccountKey[], receipt: Receipt): Promise<Balance[]> {
    assertReceipt(receipt);
    // An id of its own, so that a client that sends it again after a cut does not count it twice.
    const id = crypto.randomUUID();
    const [, balances] = await this.#run("post", { id, accounts: accounts.map(nameOf), ...paymentOf(receipt) });
    return (balances as BalanceRow[]).map(balanceOf);
  }

  async reset(accounts: readonly AccountKey[]): Promise<void> {
    await this.#run("reset", { accounts: accounts.map(nameOf) });
  }

  async recover(options: { abandonedScope?: string } = {}): Promise<UnresolvedReservation[]> {
    const { abandonedScope } = options;
    const prefix = abandonedScope === undefined ? undefined : beginningOf(abandonedScope);
    const request = { abandonedScope: prefix, atOnce: recoveredAtOnce };
    let [outcome, detail] = await this.#run("recover", { ...request, after: "-inf" });
    while (outcome === "more") [outcome, detail] = await this.#run("recover", { ...request, after: detail });
    const unresolved: HoldRow[] = [];
    for (let page = detail as HoldRow[]; ; ) {
      unresolved.push(...page);
      const last = page[recoveredAtOnce - 1];
      if (!last) return unresolved.map(unresolvedOf);
      const from = `(${last[4]}`;
      [, page] = (await this.#run("unresolved", { atOnce: recoveredAtOnce, from })) as [string, HoldRow[]];
    }
  }

  async resolve(reservationId: string, evidence: Receipt | { writeOff: string }): Promise<void> {
    if ("costPicoUsd" in evidence) return void (await this.settle(reservationId, evidence));
    await this.#step("writeOff", { id: reservationId, evidence: evidence.writeOff }, "written off");
  }

  async claim(account: AccountKey, name: string): Promise<boolean> {
    const request = { account: nameOf(account), name, claimant: crypto.randomUUID() };
    const [, isFirst] = await this.#run("claim", request);
    return isFirst === 1;
  }

  async inspect({ scopes }: { scopes?: readonly string[] } = {}): Promise<LedgerReport> {
    for (let tries = 0; tries < 5; tries++) {
      const report = await inspectRedis((step, request) => this.#run(step, request), scopes);
      if (report) return { schemaVersion: Number(schemaVersion), ...report };
    }
    const message = `The journal is trimmed faster than it can be read: raise the option "journalEntries" (${this.#journalEntries})`;
    throw new LedgerError({ message });
  }

  async now(): Promise<number> {
    const [, atMs] = await this.#run("now", {});
    return Number(atMs);
  }

  /** The client stays open: it is the caller's. */
  async close(): Promise<void> {}

  /** A step of one reservation. */
  async #step(
    step: keyof typeof redisScripts,
    request: { id: string; [field: string]: unknown },
    attempted: string,
  ): Promise<unknown> {
    const [outcome, detail] = await this.#run(step, request);
    if (outcome === "state") throw wrongState(request.id, detail, attempted);
    return detail;
  }

  async #run(step: keyof typeof redisScripts, request: object): Promise<[outcome: string, ...details: unknown[]]> {
    const { ledgerId } = await this.#opened();
    const ledger = { ledgerId, version: schemaVersion, journalEntries: this.#journalEntries };
    const reply = await this.#scripts.run(redisScripts[step], { ...request, ...ledger });
    if (reply[0] !== "gone") return reply as [string, ...unknown[]];
    throw new LedgerError({
      message: `The Redis ledger ${this.#key} is not the one that was opened: it was deleted, lost in a restart without persistence, or upgraded. Restore its backup, or make a new RedisLedger to begin at zero`,
    });
  }

  #opened(): Promise<RedisLedgerStatus & { ledgerId: string }> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #open(): Promise<RedisLedgerStatus & { ledgerId: string }> {
    const request = { ledgerId: crypto.randomUUID(), version: schemaVersion };
    const [outcome, detail, isAppending] = await this.#scripts.run(redisScripts.open, request);
    if (outcome === "ok") return { ledgerId: String(detail), durable: isAppending === "1" };
    throw new LedgerError({ message: refusalToOpen(String(outcome), String(detail), this.#key) });
  }
}

function refusalToOpen(outcome: string, detail: string, key: string): string {
  if (outcome === "evicts") {
    return `Redis may evict the ledger's keys when its memory is full (maxmemory-policy ${detail}): set maxmemory-policy to noeviction, or use a server of its own`;
  }
  if (outcome === "newer") {
    return `This ledger has schema version ${detail}, this package knows up to ${schemaVersion}: upgrade @autolabel/budget-core`;
  }
  return `The Redis ledger ${key} has lost its key ${key}:ledger_schema: restore a backup, or delete all its keys to begin at zero`;
}

/** What a receipt changes, and the fields that it leaves in the reservation. */
function paymentOf(receipt: Receipt) {
  const cost = String(receipt.costPicoUsd);
  return {
    cost,
    isBound: receipt.kind === "bound",
    servedModelId: receipt.modelId,
    unknownModel,
    fields: pairsOf({
      cost_pico_usd: cost,
      kind: receipt.kind ?? "reported",
      served_model_id: receipt.modelId,
      bound_breached: receipt.boundBreached ? "1" : "0",
      usage: receipt.usage && JSON.stringify(receipt.usage),
    }),
  };
}

/** Fields and values in turn, without those that are not known. */
function pairsOf(fields: Record<string, string | undefined>): string[] {
  return Object.entries(fields).flatMap(([field, value]) => (value === undefined ? [] : [field, value]));
}

function wrongState(reservationId: string, state: unknown, step: string): ReservationStateError {
  return new ReservationStateError({ reservationId, state: String(state), step });
}

export type { IoRedisClient, NodeRedisClient, RedisClient };
