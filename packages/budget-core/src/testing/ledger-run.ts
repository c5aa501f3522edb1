import type { Account, AccountKey, Balance, Ledger, ReserveOutcome, ReserveRequest } from "../ledger/ledger.ts";
import { verifyLedger } from "../ledger/verify-ledger.ts";
import type { Receipt } from "../receipt.ts";
import { nameOf, ReferenceModel, type Totals } from "./reference-model.ts";
import { type HoldStep, type Schedule, type Step, scopeCount } from "./schedule.ts";
import { attempt, Broken, mustBeRefused, type Result, type Violation, violationOf } from "./violation.ts";

/** How a run of a schedule is set up. */
export interface LedgerRunOptions {
  ledger: Ledger;
  schedule: Schedule;
  /** The clock that the ledger was made with. */
  clock: { now: number };
  /** True when the ledger does not look at `clock`, but at its own; then leases are ended one by one. */
  ownClock: boolean;
  /** Keeps runs apart that share one store. */
  namespace: string;
}

/** Plays a schedule against a ledger, and after every step compares it with the model and with the provider's bill. */
export async function runLedgerSchedule(options: LedgerRunOptions): Promise<Violation | undefined> {
  try {
    await new LedgerRun(options).run();
    return undefined;
  } catch (error) {
    const { invariant, message } = violationOf(error);
    return { invariant, message: message.replaceAll(`${options.namespace} `, "") };
  }
}

const openStates: ReadonlySet<string> = new Set(["held", "dispatched", "unresolved"]);
const scopeNames = ["run", "project", "user"] as const;
/** How long a window of each scope is; the first scope never starts anew. */
const windowMs = [Number.POSITIVE_INFINITY, 40_000, 3_600_000] as const;

class LedgerRun {
  readonly #options: LedgerRunOptions;
  readonly #ledger: Ledger;
  readonly #model = new ReferenceModel();
  readonly #limits: (bigint | null)[];
  /** Every account that was touched, with the limit that it was last used under. */
  readonly #accounts = new Map<string, Account>();
  /** What the provider bills, by account: an oracle that knows nothing of ledger and model. */
  readonly #bills = new Map<string, bigint>();
  readonly #lastSpent = new Map<string, bigint>();

  constructor(options: LedgerRunOptions) {
    this.#options = options;
    this.#ledger = options.ledger;
    this.#limits = [...options.schedule.limits];
  }

  async run(): Promise<void> {
    for (const step of this.#options.schedule.steps) {
      await this.#play(step);
      await this.#compare(step.do === "reset");
    }
    await this.#endEverything();
  }

  #play(step: Step): Promise<void> {
    const ledger = this.#ledger;
    const model = this.#model;
    if (step.do === "reserve") return this.#reserve(step.holds);
    if (step.do === "clock") return this.#moveClock(step.byMs);
    if (step.do === "recover") return this.#recover(step.abandonedScope);
    if (step.do === "post") return this.#post(step.scopes, step.receipt);
    if (step.do === "reset") return this.#reset(step.scopes);
    if (step.do === "claim") return this.#claim(step.scope, step.name);
    if (step.do === "limit") return this.#setLimit(step.scope, step.limitPicoUsd);
    const id = this.#id(step.attempt);
    if (step.do === "settle") return this.#settle(id, step.receipt, step.times);
    if (step.do === "markDispatched") return this.#dispatch(id, step.attempt);
    if (step.do === "split") return this.#split(id, step.part);
    if (step.do === "poison") return this.#poison(id, step);
    if (step.do === "release") {
      const { evidence } = step;
      return this.#expect(model.release(id, evidence), "I7", `release(${evidence ?? ""})`, () =>
        ledger.release(id, evidence),
      );
    }
    if (step.do === "extend") {
      return this.#expect(model.extend(id, step.leaseMs), "I10", "extend", () => ledger.extend(id, step.leaseMs));
    }
    if (step.do === "resolve") {
      return this.#expect(model.settle(id, step.receipt), "I8", "resolve", () => ledger.resolve(id, step.receipt));
    }
    return this.#expect(model.writeOff(id), "I8", "write-off", () =>
      ledger.resolve(id, { writeOff: "not in its log" }),
    );
  }

  /** Holds asked for at once, whatever order the ledger takes them in: what is in fits, and what is out does not. */
  async #reserve(holds: readonly HoldStep[]): Promise<void> {
    const requests = holds.map((hold) => this.#request(hold));
    const outcomes = await Promise.all(requests.map((request) => attempt(() => this.#ledger.reserve(request))));
    const refused: { request: ReserveRequest; outcome: ReserveOutcome }[] = [];
    for (const [index, request] of requests.entries()) {
      const outcome = outcomes[index] as Result<ReserveOutcome>;
      const verdict = this.#model.verdict(request.id, request.amountPicoUsd);
      if (verdict === "forbidden") mustBeRefused(outcome, "I9", `another reservation under the id of an earlier one`);
      else if ("error" in outcome) throw new Broken("I16", `reserve() failed: ${String(outcome.error)}`);
      else if (!outcome.value.admitted) refused.push({ request, outcome: outcome.value });
      else if (verdict === "free") this.#admit(request);
    }
    for (const { request, outcome } of refused) this.#checkRefusal(request, outcome, requests.length === 1);
  }

  #admit({ id, accounts, amountPicoUsd, leaseMs, modelId }: ReserveRequest): void {
    for (const account of accounts) {
      if (!this.#model.hasRoom(nameOf(account), account.limitPicoUsd, amountPicoUsd)) {
        throw new Broken("I2", `a hold of ${amountPicoUsd} was admitted that does not fit ${nameOf(account)}`);
      }
    }
    this.#model.admit({ id, accounts: accounts.map(nameOf), amount: amountPicoUsd, modelId }, leaseMs);
  }

  #checkRefusal({ accounts, amountPicoUsd }: ReserveRequest, outcome: ReserveOutcome, isAlone: boolean): void {
    const lacking = accounts.filter(
      (account) => !this.#model.hasRoom(nameOf(account), account.limitPicoUsd, amountPicoUsd),
    );
    if (lacking.length === 0)
      throw new Broken("I16", `phantom denial: a hold of ${amountPicoUsd} fits and was refused`);
    if (outcome.admitted || !isAlone) return;
    const named = outcome.lacking.map(nameOf).sort().join();
    const expected = lacking.map(nameOf).sort().join();
    if (named !== expected) throw new Broken("I2", `the refusal names ${named} instead of ${expected}`);
    for (const balance of outcome.lacking) this.#checkBalance(balance, "the refusal");
  }

  async #dispatch(id: string, attempt: number): Promise<void> {
    const before = this.#model.attempts.get(id)?.state;
    const isAllowed = this.#model.markDispatched(id);
    await this.#expect(isAllowed, "I6", "markDispatched", () => this.#ledger.markDispatched(id));
    if (before !== "held") return;
    for (const account of this.#model.attempts.get(id)?.accounts ?? []) {
      this.#bills.set(account, (this.#bills.get(account) ?? 0n) + (this.#options.schedule.bills[attempt] ?? 0n));
    }
  }

  async #split(id: string, { attempt, amountPicoUsd, modelId }: HoldStep): Promise<void> {
    const part = { id: this.#id(attempt), amountPicoUsd, ...(modelId === undefined ? {} : { modelId }) };
    const isAllowed = this.#model.split(id, { id: part.id, amount: amountPicoUsd, modelId });
    await this.#expect(isAllowed, "I9", "split", () => this.#ledger.split(id, part));
  }

  async #settle(id: string, receipt: Receipt, times: number): Promise<void> {
    const isAllowed = this.#model.settle(id, receipt);
    const settle = () => this.#ledger.settle(id, receipt);
    await Promise.all(Array.from({ length: times }, () => this.#expect(isAllowed, "I8", "settle", settle)));
  }

  async #post(scopes: readonly number[], receipt: Receipt): Promise<void> {
    const accounts = scopes.map((scope) => this.#account(scope));
    this.#model.post(accounts.map(nameOf), receipt);
    for (const balance of await this.#ledger.post(accounts, receipt)) this.#checkBalance(balance, "post()");
  }

  async #reset(scopes: readonly number[]): Promise<void> {
    const accounts = scopes.map((scope) => this.#account(scope));
    this.#model.reset(accounts.map(nameOf));
    await this.#ledger.reset(accounts);
  }

  async #recover(abandonedScope: number | undefined): Promise<void> {
    const scope = abandonedScope === undefined ? undefined : this.#scope(abandonedScope);
    const expected = this.#model.recover(scope);
    const all = await this.#ledger.recover(scope === undefined ? {} : { abandonedScope: scope });
    const listed = all.map(({ id }) => id).filter((id) => id.startsWith(this.#options.namespace));
    if (listed.sort().join() !== expected.sort().join()) {
      throw new Broken(
        "I10",
        `recover() lists ${listed.join() || "nothing"} instead of ${expected.join() || "nothing"}`,
      );
    }
    for (const { id, amountPicoUsd, accounts } of all) {
      const attempt = this.#model.attempts.get(id);
      if (!attempt) continue;
      const isSame = attempt.amount === amountPicoUsd && attempt.accounts.join() === accounts.map(nameOf).join();
      if (!isSame) throw new Broken("I10", `recover() lists ${id} with another amount or other accounts`);
    }
  }

  async #moveClock(byMs: number): Promise<void> {
    this.#model.now += byMs;
    this.#options.clock.now += byMs;
    if (!this.#options.ownClock) return;
    for (const { id, state, leaseEndsAt } of this.#model.attempts.values()) {
      const isOver = leaseEndsAt <= this.#model.now && (state === "held" || state === "dispatched");
      if (isOver) await this.#ledger.extend(id, 0);
    }
  }

  async #claim(scope: number, name: string): Promise<void> {
    const account = this.#account(scope);
    const isFirst = this.#model.claim(nameOf(account), name);
    const claims = await Promise.all([this.#ledger.claim(account, name), this.#ledger.claim(account, name)]);
    const given = claims.filter(Boolean).length;
    if (given !== (isFirst ? 1 : 0)) throw new Broken("I17", `a claim was given ${given} times`);
  }

  async #setLimit(scope: number, limitPicoUsd: bigint | null): Promise<void> {
    this.#limits[scope] = limitPicoUsd;
  }

  /** What is no integer >= 0 must be refused, whatever the state. */
  async #poison(id: string, { into, value }: Extract<Step, { do: "poison" }>): Promise<void> {
    const receipt = { costPicoUsd: value as bigint };
    const accounts = [this.#account(0)];
    const outcome = await attempt<unknown>(() => {
      if (into === "settle") return this.#ledger.settle(id, receipt);
      if (into === "post") return this.#ledger.post(accounts, receipt);
      return this.#ledger.reserve({ id: `${id}!`, accounts, amountPicoUsd: value as bigint, leaseMs: 1 });
    });
    if (!("error" in outcome)) throw new Broken("I13", `${into}() took ${String(value)} for an amount`);
  }

  async #expect(isAllowed: boolean, invariant: string, what: string, step: () => Promise<unknown>): Promise<void> {
    const outcome = await attempt(step);
    if (!isAllowed) mustBeRefused(outcome, invariant, what);
    else if ("error" in outcome) throw new Broken(invariant, `${what} was refused: ${String(outcome.error)}`);
  }

  /** Books, bills and promises, after a step. */
  async #compare(wasReset: boolean): Promise<void> {
    const accounts = [...this.#accounts.values()];
    for (const report of await this.#ledger.read(accounts)) {
      const totals = this.#checkBalance(report, "read()");
      const models = Object.entries(report.byModel);
      const isSame = models.every(([modelId, { callCount, spentPicoUsd }]) => {
        const model = totals.byModel.get(modelId);
        return model?.calls === callCount && model.spent === spentPicoUsd;
      });
      if (!isSame || models.length !== totals.byModel.size) throw new Broken("I1", "spend by model does not add up");
      const name = nameOf(report);
      if (!wasReset && report.spentPicoUsd < (this.#lastSpent.get(name) ?? 0n)) {
        throw new Broken("I11", `spend of ${name} fell`);
      }
      this.#lastSpent.set(name, report.spentPicoUsd);
    }
    if (this.#options.schedule.honest) for (const account of accounts) this.#checkBill(account);
  }

  #checkBalance(balance: Balance, where: string): Totals {
    const totals = this.#model.totals(nameOf(balance));
    const shown = [balance.spentPicoUsd, balance.heldPicoUsd, balance.unresolvedPicoUsd, balance.callCount];
    const expected = [totals.spent, totals.held, totals.unresolved, totals.calls];
    const isSame =
      shown.every((amount, index) => amount === expected[index]) && balance.boundCallCount === totals.boundCalls;
    if (isSame) return totals;
    const text = "spent, held, unresolved, calls";
    throw new Broken(
      "I1",
      `${where} of ${nameOf(balance)} shows ${text} ${shown.join()} instead of ${expected.join()}`,
    );
  }

  #checkBill(account: Account): void {
    const bill = this.#bills.get(nameOf(account)) ?? 0n;
    if (account.limitPicoUsd !== null && bill > account.limitPicoUsd) {
      throw new Broken("I3", `true overspend: ${bill} billed on ${account.limitPicoUsd} in ${nameOf(account)}`);
    }
  }

  /** At the end nothing may be left in flight, and nothing that was billed may be missing from the books. */
  async #endEverything(): Promise<void> {
    await this.#verify();
    for (let scope = 0; scope < scopeCount; scope++) await this.#recover(scope);
    const open = [...this.#model.attempts.values()].filter(({ state }) => state === "unresolved");
    for (const { id } of open) {
      const attempt = Number(id.slice(id.lastIndexOf("#") + 1));
      await this.#settle(id, { costPicoUsd: this.#options.schedule.bills[attempt] ?? 0n }, 1);
    }
    await this.#compare(false);
    await this.#verify();
    for (const { heldPicoUsd, unresolvedPicoUsd, ...balance } of await this.#ledger.read([
      ...this.#accounts.values(),
    ])) {
      if (heldPicoUsd + unresolvedPicoUsd !== 0n) throw new Broken("I10", `${nameOf(balance)} leaks a hold`);
      const bill = this.#bills.get(nameOf(balance)) ?? 0n;
      if (this.#options.schedule.honest && balance.spentPicoUsd < bill) {
        throw new Broken("I5", `${bill} was billed in ${nameOf(balance)}, ${balance.spentPicoUsd} is in the books`);
      }
    }
  }

  /** What the ledger itself says of its books, after the steps and after the end. */
  async #verify(): Promise<void> {
    const scopes = scopeNames.map((_, scope) => this.#scope(scope));
    const report = await this.#ledger.inspect({ scopes });
    for (const balance of report.accounts) this.#checkBalance(balance, "inspect()");
    const open = [...this.#model.attempts.values()].filter(({ state }) => openStates.has(state));
    const listed = report.open.map(({ id, state }) => `${id} ${state}`).sort();
    const expected = open.map(({ id, state }) => `${id} ${state}`).sort();
    if (listed.join() !== expected.join()) {
      throw new Broken("I10", `inspect() lists ${listed.join() || "nothing"}, not ${expected.join() || "nothing"}`);
    }
    const [difference] = verifyLedger(report);
    if (!difference) return;
    const { field, shown, expected: sum, source } = difference;
    throw new Broken("I1", `${nameOf(difference)} shows ${field} ${shown}, its ${source} say ${sum}`);
  }

  #request({ attempt, scopes, amountPicoUsd, leaseMs, modelId }: HoldStep): ReserveRequest {
    const accounts = scopes.map((scope) => this.#account(scope));
    const model = modelId === undefined ? {} : { modelId };
    return { id: this.#id(attempt), accounts, amountPicoUsd, leaseMs, ...model };
  }

  #account(scope: number): Account {
    const length = windowMs[scope] ?? Number.POSITIVE_INFINITY;
    const window = Number.isFinite(length) ? `w${Math.floor(this.#model.now / length)}` : "all";
    const key: AccountKey = { scope: this.#scope(scope), window };
    const account = { ...key, limitPicoUsd: this.#limits[scope] ?? null };
    this.#accounts.set(nameOf(key), account);
    return account;
  }

  #scope(scope: number): string {
    return `${this.#options.namespace} ${scopeNames[scope]}`;
  }

  #id(attempt: number): string {
    return `${this.#options.namespace} #${attempt}`;
  }
}
