import { describe, expect, it } from "vitest";
import type {
  Account,
  AccountKey,
  Balance,
  Ledger,
  ReservationPart,
  ReserveOutcome,
  ReserveRequest,
} from "../ledger/ledger.ts";
import { MemoryLedger } from "../ledger/memory.ts";
import type { Receipt } from "../receipt.ts";
import { ledgerSuite } from "./ledger-suite.ts";
import { fuzzLedger } from "./overspend-fuzzer.ts";

type Clock = () => number;

/** A memory ledger that remembers its requests, as ground to plant bugs in. */
class Ground extends MemoryLedger {
  readonly requests = new Map<string, ReserveRequest>();
  readonly settled = new Map<string, Receipt>();
  readonly dispatched = new Set<string>();
  readonly clock: Clock;

  constructor(clock: Clock) {
    super({ now: clock });
    this.clock = clock;
  }

  override async reserve(request: ReserveRequest): Promise<ReserveOutcome> {
    const outcome = await super.reserve(request);
    if (outcome.admitted) this.requests.set(request.id, request);
    return outcome;
  }

  override async markDispatched(id: string): Promise<void> {
    await super.markDispatched(id);
    this.dispatched.add(id);
  }

  override async settle(id: string, receipt: Receipt): Promise<Balance[]> {
    const balances = await super.settle(id, receipt);
    this.settled.set(id, receipt);
    return balances;
  }

  accountsOf(id: string): readonly Account[] {
    return this.requests.get(id)?.accounts ?? [];
  }
}

const withLimits = (request: ReserveRequest, limitOf: (account: Account, index: number) => bigint | null) => ({
  ...request,
  accounts: request.accounts.map((account, index) => ({ ...account, limitPicoUsd: limitOf(account, index) })),
});

const least = (one: bigint, other: bigint) => (one < other ? one : other);

const bugs: Record<string, new (clock: Clock) => Ledger> = {
  "drops the limit check of the last account": class extends Ground {
    override reserve(request: ReserveRequest) {
      const last = request.accounts.length - 1;
      return super.reserve(
        withLimits(request, ({ limitPicoUsd }, index) => (index > 0 && index === last ? null : limitPicoUsd)),
      );
    }
  },
  "checks the first account only": class extends Ground {
    override reserve(request: ReserveRequest) {
      return super.reserve(withLimits(request, ({ limitPicoUsd }, index) => (index > 0 ? null : limitPicoUsd)));
    }
  },
  "takes a limit of 0 for unlimited": class extends Ground {
    override reserve(request: ReserveRequest) {
      return super.reserve(withLimits(request, ({ limitPicoUsd }) => (limitPicoUsd === 0n ? null : limitPicoUsd)));
    }
  },
  "admits one pico-USD too much": class extends Ground {
    override reserve(request: ReserveRequest) {
      return super.reserve(
        withLimits(request, ({ limitPicoUsd }) => (limitPicoUsd === null ? null : limitPicoUsd + 1n)),
      );
    }
  },
  "refuses what fits exactly": class extends Ground {
    override reserve(request: ReserveRequest) {
      return super.reserve(
        withLimits(request, ({ limitPicoUsd }) => (limitPicoUsd === null ? null : limitPicoUsd - 1n)),
      );
    }
  },
  "refuses a free call on a spent budget": class extends Ground {
    override async reserve(request: ReserveRequest): Promise<ReserveOutcome> {
      const balances = await super.read(request.accounts);
      const lacking = request.accounts.flatMap((account, index) => {
        const balance = balances[index];
        const isSpent = balance && account.limitPicoUsd !== null && balance.spentPicoUsd >= account.limitPicoUsd;
        return isSpent ? [{ ...balance, ...account }] : [];
      });
      return lacking.length > 0 ? { admitted: false, atMs: this.clock(), lacking } : super.reserve(request);
    }
  },
  "checks first and adds later": class extends Ground {
    override async reserve(request: ReserveRequest): Promise<ReserveOutcome> {
      const probe = await super.reserve({ ...request, id: `${request.id}?` });
      if (!probe.admitted) return probe;
      await super.release(`${request.id}?`);
      return super.reserve(withLimits(request, () => null));
    }
  },
  "adds first and takes back what did not fit": class extends Ground {
    pending = 0n;
    override async reserve(request: ReserveRequest): Promise<ReserveOutcome> {
      const others = this.pending;
      this.pending += typeof request.amountPicoUsd === "bigint" ? request.amountPicoUsd : 0n;
      await Promise.resolve();
      const outcome = await super.reserve(
        withLimits(request, ({ limitPicoUsd }) => (limitPicoUsd === null ? null : limitPicoUsd - others)),
      );
      this.pending = others;
      return outcome;
    }
  },
  "holds in some accounts when others refuse": class extends Ground {
    override async reserve(request: ReserveRequest): Promise<ReserveOutcome> {
      const outcome = await super.reserve(request);
      if (!outcome.admitted)
        await super.reserve({ ...request, id: `${request.id}+`, accounts: request.accounts.slice(0, 1) });
      return outcome;
    }
  },
  "forgets unresolved calls when it admits": class extends Ground {
    override async reserve(request: ReserveRequest): Promise<ReserveOutcome> {
      const balances = await super.read(request.accounts);
      return super.reserve(
        withLimits(request, ({ limitPicoUsd }, index) =>
          limitPicoUsd === null ? null : limitPicoUsd + (balances[index]?.unresolvedPicoUsd ?? 0n),
        ),
      );
    }
  },
  "adds a repeated settlement again": class extends Ground {
    override async settle(id: string, receipt: Receipt): Promise<Balance[]> {
      if (this.settled.has(id)) return super.post(this.accountsOf(id), receipt);
      return super.settle(id, receipt);
    }
  },
  "caps a settlement at its hold": class extends Ground {
    override settle(id: string, receipt: Receipt) {
      const bound = this.requests.get(id)?.amountPicoUsd;
      const isValid = typeof receipt.costPicoUsd === "bigint" && bound !== undefined;
      return super.settle(id, isValid ? { ...receipt, costPicoUsd: least(receipt.costPicoUsd, bound) } : receipt);
    }
  },
  "caps a settlement at the limit": class extends Ground {
    override settle(id: string, receipt: Receipt) {
      const limit = this.accountsOf(id)[0]?.limitPicoUsd ?? null;
      const isValid = typeof receipt.costPicoUsd === "bigint" && limit !== null;
      return super.settle(id, isValid ? { ...receipt, costPicoUsd: least(receipt.costPicoUsd, limit) } : receipt);
    }
  },
  "adds up in floating point": class extends Ground {
    override settle(id: string, receipt: Receipt) {
      const costPicoUsd =
        typeof receipt.costPicoUsd === "bigint" ? BigInt(Number(receipt.costPicoUsd)) : receipt.costPicoUsd;
      return super.settle(id, { ...receipt, costPicoUsd });
    }
  },
  "takes NaN and negative costs": class extends Ground {
    override settle(id: string, receipt: Receipt) {
      const cost = Number(receipt.costPicoUsd);
      return super.settle(id, { ...receipt, costPicoUsd: cost > 0 ? receipt.costPicoUsd : 0n });
    }
  },
  "keeps the hold after a settlement": class extends Ground {
    override async settle(id: string, receipt: Receipt): Promise<Balance[]> {
      if (this.settled.has(id) || !this.dispatched.has(id)) return super.settle(id, receipt);
      const balances = await super.post(this.accountsOf(id), receipt);
      this.settled.set(id, receipt);
      return balances;
    }
  },
  "posts into the window of the settlement, not of the hold": class extends Ground {
    override async settle(id: string, receipt: Receipt): Promise<Balance[]> {
      const accounts = this.accountsOf(id);
      const isMoved = accounts.some(({ window }) => window === "w0") && this.clock() >= 40_000;
      if (!isMoved || this.settled.has(id) || !this.dispatched.has(id)) return super.settle(id, receipt);
      this.settled.set(id, receipt);
      await super.settle(id, { costPicoUsd: 0n });
      return super.post(
        accounts.map(({ scope }) => ({ scope, window: "w1" })),
        receipt,
      );
    }
  },
  "loses a settlement that comes late": class extends Ground {
    override async settle(id: string, receipt: Receipt): Promise<Balance[]> {
      const isLate = (await super.recover()).some((call) => call.id === id);
      return super.settle(id, isLate ? { ...receipt, costPicoUsd: 0n } : receipt);
    }
  },
  "does not count calls settled at their bound": class extends Ground {
    override settle(id: string, { kind: _kind, ...receipt }: Receipt) {
      return super.settle(id, receipt);
    }
  },
  "books a call under the model that was asked for": class extends Ground {
    override settle(id: string, receipt: Receipt) {
      const asked = this.requests.get(id)?.modelId;
      return super.settle(id, asked ? { ...receipt, modelId: asked } : receipt);
    }
  },
  "releases a dispatched call without evidence": class extends Ground {
    override release(id: string, evidence = "it threw") {
      return super.release(id, evidence);
    }
  },
  "refunds dispatched calls whose lease ran out": class extends Ground {
    override async recover(options?: { abandonedScope?: string }) {
      for (const { id } of await super.recover(options)) await super.resolve(id, { writeOff: "timeout" });
      return [];
    }
  },
  "never frees holds whose lease ran out": class extends Ground {
    override recover(options?: { abandonedScope?: string }) {
      return super.recover(options?.abandonedScope ? options : { abandonedScope: "nobody's" }).then(async (all) => {
        for (const id of this.requests.keys()) await super.extend(id, 10 ** 9).catch(() => undefined);
        return all;
      });
    }
  },
  "takes every open call for abandoned": class extends Ground {
    override async recover() {
      for (const id of this.requests.keys()) await super.extend(id, 0).catch(() => undefined);
      return super.recover();
    }
  },
  "splits off money that the whole keeps": class extends Ground {
    override async split(id: string, part: ReservationPart) {
      await super.split(id, part);
      const request = this.requests.get(id);
      if (request) await super.reserve({ ...request, id: `${part.id}+`, amountPicoUsd: part.amountPicoUsd });
    }
  },
  "splits off what was never sent": class extends Ground {
    override async split(id: string, part: ReservationPart) {
      await super.markDispatched(id).catch(() => undefined);
      await super.split(id, part);
    }
  },
  "splits a part off again when it is asked again": class extends Ground {
    override async split(id: string, part: ReservationPart) {
      await super.split(id, part);
      await super.split(id, { ...part, id: `${part.id}+` });
    }
  },
  "does not extend a lease": class extends Ground {
    override async extend(id: string) {
      await super.extend(id, 20_000);
    }
  },
  "keeps no mark of the dispatch": class extends Ground {
    override async markDispatched() {}
  },
  "lets go of calls in flight on reset": class extends Ground {
    override async reset(accounts: readonly AccountKey[]) {
      await super.reset(accounts);
      for (const [id, request] of this.requests) {
        const isHit = request.accounts.some((one) => accounts.some((other) => one.scope === other.scope));
        if (isHit) await super.release(id, "reset").catch(() => undefined);
      }
    }
  },
  "does not reset": class extends Ground {
    override async reset() {}
  },
  "gives a claim twice": class extends Ground {
    #given = 0;
    override async claim(account: AccountKey, name: string) {
      return (await super.claim(account, name)) || this.#given++ % 2 === 0;
    }
  },
  "loses costs that were posted beside": class extends Ground {
    override post(accounts: readonly AccountKey[], receipt: Receipt) {
      return super.post(accounts.slice(0, 1), receipt);
    }
  },
  "keeps a journal that misses a reset": class extends Ground {
    readonly resets: AccountKey[] = [];
    override async reset(accounts: readonly AccountKey[]) {
      for (const balance of await super.read(accounts)) if (balance.spentPicoUsd > 0n) this.resets.push(balance);
      await super.reset(accounts);
    }
    override async inspect(options: { scopes?: readonly string[] }) {
      const report = await super.inspect(options);
      for (const { scope, window } of this.resets) {
        const account = report.accounts.find((each) => each.scope === scope && each.window === window);
        if (account) account.journal.callCount += 1;
      }
      return report;
    }
  },
  "does not list what is held": class extends Ground {
    override async inspect(options: { scopes?: readonly string[] }) {
      const report = await super.inspect(options);
      return { ...report, open: report.open.filter(({ state }) => state !== "held") };
    }
  },
  "holds more under an id that is taken": class extends Ground {
    override async reserve(request: ReserveRequest): Promise<ReserveOutcome> {
      const isOpen = this.requests.has(request.id) && !this.settled.has(request.id);
      return isOpen ? { admitted: true, atMs: this.clock() } : super.reserve(request);
    }
  },
};

/** How many of the suite's cases a ledger fails. */
async function failuresOf(makeLedger: () => Ledger): Promise<number> {
  const outcomes: Promise<boolean>[] = [];
  ledgerSuite((_name, body) => {
    outcomes.push(
      body().then(
        () => false,
        () => true,
      ),
    );
  }, makeLedger);
  return (await Promise.all(outcomes)).filter(Boolean).length;
}

describe("planted bugs", () => {
  it("are not what the ground of the bugs has itself", async () => {
    const report = await fuzzLedger({ makeLedger: (clock) => new Ground(clock), schedules: 500, seed: 1 });
    expect(report.violations).toEqual([]);
    expect(await failuresOf(() => new Ground(Date.now))).toBe(0);
  });

  it.each(Object.entries(bugs))("the fuzzer catches a ledger that %s", async (_name, Bug) => {
    const report = await fuzzLedger({ makeLedger: (clock) => new Bug(clock), schedules: 3000, seed: 1 });
    const [failure] = report.violations;
    expect(failure).toBeDefined();
    expect(await report.replay(failure?.seed ?? 0)).toEqual(failure);
  });
});
