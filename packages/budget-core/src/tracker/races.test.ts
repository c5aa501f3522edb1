import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { LedgerError } from "../errors/ledger-error.ts";
import type { ReserveRequest } from "../ledger/ledger.ts";
import { MemoryLedger } from "../ledger/memory.ts";
import { usd } from "../money.ts";
import { CostTracker } from "./cost-tracker.ts";
import type { OnInsufficient } from "./cost-tracker-options.ts";

/** A provider with books of its own: it bills what was sent, whatever the tracker thinks. */
class Provider {
  billedPicoUsd = 0n;
  readonly #random: () => number;

  constructor(seed: number) {
    let state = seed;
    this.#random = () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return state / 0x7fffffff;
    };
  }

  /** Bills a share of the bound, at once; the answer takes a few turns of the event loop. */
  async call(costPicoUsd: bigint): Promise<bigint> {
    this.billedPicoUsd += costPicoUsd;
    for (let turns = Math.floor(this.#random() * 4); turns > 0; turns--) await nextTurn();
    return costPicoUsd;
  }
}

interface Plan {
  tracker: CostTracker;
  provider: Provider;
  boundPicoUsd: bigint;
  costPicoUsd: bigint;
}

/** One call as the meter makes it; true when it was made, false when the budget refused it. */
async function makeCall({ tracker, provider, boundPicoUsd, costPicoUsd }: Plan): Promise<boolean> {
  const hold = await tracker.reserve({ boundPicoUsd }).catch(() => undefined);
  if (!hold) return false;
  await hold.markDispatched();
  await hold.settle({ costPicoUsd: await provider.call(costPicoUsd) });
  return true;
}

describe("the provider's bill", () => {
  const rounds = [1, 10, 100, 1000, 10_000].flatMap((calls) =>
    (["wait", "deny"] as const).map((onInsufficient) => [calls, onInsufficient] as const),
  );

  it.each(rounds)("stays within the budget with %i calls at once that %s", async (calls, onInsufficient) => {
    const provider = new Provider(calls);
    const tracker = new CostTracker({ budget: usd.pico(40_000n), onInsufficient });
    const plan = { tracker, provider, boundPicoUsd: 1000n, costPicoUsd: 300n };
    const made = await Promise.all(Array.from({ length: calls }, () => makeCall(plan)));
    const { exact } = await tracker.getStats();
    expect(provider.billedPicoUsd).toBeLessThanOrEqual(40_000n);
    expect(exact.spent.picoUsd).toBe(provider.billedPicoUsd);
    expect(exact.held.picoUsd).toBe(0n);
    // At least as many as fit at their bound; who waits gets all that fits by the true cost.
    const fitting = onInsufficient === "deny" ? 40 : Math.floor((40_000 - 1000) / 300) + 1;
    expect(made.filter(Boolean).length).toBe(Math.min(calls, fitting));
  });

  it("uses 99 % of the budget before the first final refusal, when calls cost 0.3 of their bound", async () => {
    const budget = 1_000_000n;
    const provider = new Provider(7);
    const tracker = new CostTracker({ budget: usd.pico(budget) });
    let billedAtFirstRefusal: bigint | undefined;
    tracker.on("denied", () => {
      billedAtFirstRefusal ??= provider.billedPicoUsd;
    });
    const plan = { tracker, provider, boundPicoUsd: 1000n, costPicoUsd: 300n };
    const worker = async () => {
      while (await makeCall(plan));
    };
    await Promise.all(Array.from({ length: 64 }, worker));
    expect(billedAtFirstRefusal).toBeGreaterThanOrEqual((budget * 99n) / 100n);
    expect(provider.billedPicoUsd).toBeLessThanOrEqual(budget);
  });

  it("never refuses a call that fits because another one does not", async () => {
    let phantoms = 0;
    for (let round = 0; round < 2000; round++) {
      const tracker = new CostTracker({ budget: usd.pico(100n), onInsufficient: round % 2 ? "wait" : "deny" });
      const large = tracker.reserve({ boundPicoUsd: 250n }).catch(() => undefined);
      const small = tracker.reserve({ boundPicoUsd: 25n }).catch(() => undefined);
      if ((await small) === undefined) phantoms++;
      expect(await large).toBeUndefined();
    }
    expect(phantoms).toBe(0);
  });

  it("stays within the budget of a scope that a thousand calls use for the first time at once", async () => {
    const ledger = new MemoryLedger();
    const provider = new Provider(3);
    const calls = Array.from({ length: 1000 }, () => {
      const tracker = new CostTracker({ name: "new user", budget: usd.pico(5000n), ledger, onInsufficient: "deny" });
      return makeCall({ tracker, provider, boundPicoUsd: 1000n, costPicoUsd: 1000n });
    });
    expect((await Promise.all(calls)).filter(Boolean)).toHaveLength(5);
    expect(provider.billedPicoUsd).toBe(5000n);
  });

  it("leaves no hold behind after 10,000 calls that were given up", async () => {
    const tracker = new CostTracker({ budget: usd.pico(100n) });
    const first = await tracker.reserve({ boundPicoUsd: 100n });
    const gone = Array.from({ length: 10_000 }, async () => {
      const abort = new AbortController();
      const waiting = tracker.reserve({ boundPicoUsd: 50n }, { signal: abort.signal });
      void nextTurn().then(() => abort.abort(new Error("gone")));
      await expect(waiting).rejects.toThrow("gone");
    });
    await Promise.all(gone);
    await first.release();
    expect((await tracker.getStats()).held).toBe(0);
  });
});

describe("a budget that is seen in two ways", () => {
  it("holds a call in both, by day and by month, and by the lower of two limits", async () => {
    const ledger = new MemoryLedger();
    const now = () => Date.parse("2026-11-23T12:00:00Z");
    const make = (budget: bigint, per: "day" | "month") =>
      new CostTracker({ name: "user", budget: usd.pico(budget), per, ledger, now, onInsufficient: "deny" });
    const [day, month, lower] = [make(100n, "day"), make(300n, "month"), make(40n, "day")];
    await expect(month.reserve({ boundPicoUsd: 101n }, { scopes: [day] })).rejects.toMatchObject({
      scope: "user",
      window: "2026-11-23",
      resetsAt: new Date("2026-11-24T00:00:00Z"),
    });
    await expect(day.reserve({ boundPicoUsd: 41n }, { scopes: [lower] })).rejects.toMatchObject({ budget: 4e-11 });
    await expect(lower.reserve({ boundPicoUsd: 41n }, { scopes: [day] })).rejects.toMatchObject({ budget: 4e-11 });
    const alerts: string[] = [];
    month.on("alert", ({ threshold, window }) => alerts.push(`${threshold} ${window}`));
    const hold = await day.reserve({ boundPicoUsd: 100n }, { scopes: [month] });
    await hold.markDispatched();
    await hold.settle({ costPicoUsd: 160n });
    expect(alerts).toEqual(["0.5 2026-11"]);
    expect((await month.getStats()).exact.held.picoUsd).toBe(0n);
  });
});

/** A memory ledger whose next steps can be held up or made to fail. */
class Wire extends MemoryLedger {
  readonly reserved: ReserveRequest[] = [];
  beforeReserve: () => Promise<void> = async () => undefined;
  failing: Error | undefined;

  override async reserve(request: ReserveRequest) {
    this.reserved.push(request);
    await this.beforeReserve();
    return super.reserve(request);
  }

  override async settle(...step: Parameters<MemoryLedger["settle"]>) {
    this.#fail();
    return super.settle(...step);
  }

  override async claim(...step: Parameters<MemoryLedger["claim"]>) {
    this.#fail();
    return super.claim(...step);
  }

  #fail() {
    const { failing } = this;
    this.failing = undefined;
    if (failing) throw failing;
  }
}

describe("a store that fails or is slow", () => {
  it("a settlement that failed can be tried again, and counts once", async () => {
    const ledger = new Wire();
    const tracker = new CostTracker({ budget: usd.pico(100n), ledger });
    const hold = await tracker.reserve({ boundPicoUsd: 50n });
    await hold.markDispatched();
    ledger.failing = new LedgerError({ message: "the disk is full" });
    await expect(hold.settle({ costPicoUsd: 30n })).rejects.toThrow("the disk is full");
    expect((await tracker.getStats()).exact.held.picoUsd).toBe(50n);
    await Promise.all([hold.settle({ costPicoUsd: 30n }), hold.settle({ costPicoUsd: 30n })]);
    expect((await tracker.getStats()).exact.spent.picoUsd).toBe(30n);
  });

  it("who waits is served when money came free and only the answer was lost", async () => {
    const ledger = new Wire();
    const tracker = new CostTracker({ budget: usd.pico(100n), ledger });
    const [one, two] = [await tracker.reserve({ boundPicoUsd: 50n }), await tracker.reserve({ boundPicoUsd: 50n })];
    let served = 0;
    for (const boundPicoUsd of [50n, 40n]) void tracker.reserve({ boundPicoUsd }).then(() => served++);
    await nextTurn();
    const lost = new LedgerError({ message: "the answer was lost" });
    vi.spyOn(ledger, "release").mockImplementationOnce(async (id) => {
      await MemoryLedger.prototype.release.call(ledger, id);
      throw lost;
    });
    await expect(one.release()).rejects.toThrow("the answer was lost");
    await nextTurn();
    expect(served).toBe(1);
    await two.markDispatched();
    vi.spyOn(ledger, "settle").mockImplementationOnce(async (id, receipt) => {
      await MemoryLedger.prototype.settle.call(ledger, id, receipt);
      throw lost;
    });
    await expect(two.settle({ costPicoUsd: 10n })).rejects.toThrow("the answer was lost");
    await nextTurn();
    expect(served).toBe(2);
  });

  it("an alert that could not be claimed comes with the next cost; the cost itself is not in doubt", async () => {
    const ledger = new Wire();
    const tracker = new CostTracker({ budget: 1, alerts: [0.5], ledger });
    const alerts: number[] = [];
    tracker.on("alert", ({ threshold }) => alerts.push(threshold));
    ledger.failing = new LedgerError({ message: "locked" });
    expect(await tracker.addCost(0.6)).toBe(true);
    expect(alerts).toEqual([]);
    await tracker.addCost(0.1);
    await tracker.addCost(0.1);
    expect(alerts).toEqual([0.5]);
  });

  it("the late answer to a call that waited too long does not touch the clamped one that took its place", async () => {
    const ledger = new Wire();
    const tracker = new CostTracker({ budget: usd.pico(100n), ledger, onInsufficient: "clamp", maxWaitMs: 5 });
    const first = await tracker.reserve({ boundPicoUsd: 60n });
    let answer = () => {};
    const clamp = (free: bigint) => {
      ledger.beforeReserve = async () => undefined;
      return { boundPicoUsd: free };
    };
    const second = tracker.reserve({ boundPicoUsd: 90n }, { clamp });
    await nextTurn();
    ledger.beforeReserve = () => new Promise((resolve) => (answer = resolve));
    await first.release();
    const hold = await second;
    expect(hold.amount.picoUsd).toBe(40n);
    answer();
    await nextTurn();
    await hold.markDispatched();
    expect((await tracker.getStats()).exact.held.picoUsd).toBe(40n);
    expect(new Set(ledger.reserved.map(({ id }) => id)).size).toBe(3);
  });

  it("a hold that its owner forgot is sorted out for those who wait, when its lease runs out", async () => {
    vi.useFakeTimers();
    const tracker = new CostTracker({ budget: usd.pico(100n), leaseMs: 5000 });
    await tracker.child({ name: "sends nothing" }).reserve({ boundPicoUsd: 100n });
    let isServed = false;
    const waiting = tracker.reserve({ boundPicoUsd: 100n }).then(() => (isServed = true));
    await vi.advanceTimersByTimeAsync(4000);
    expect(isServed).toBe(false);
    await vi.advanceTimersByTimeAsync(1100);
    await waiting;
    vi.useRealTimers();
  });

  it.each<OnInsufficient>(["wait", "clamp", "deny"])("dispatches nothing when it cannot answer: %s", async (how) => {
    const ledger = new Wire();
    const tracker = new CostTracker({ budget: 1, ledger, onInsufficient: how });
    ledger.beforeReserve = () => Promise.reject(new LedgerError({ message: "gone" }));
    await expect(tracker.reserve({ boundPicoUsd: 1n })).rejects.toThrow(LedgerError);
  });

  it("fails those who wait, when it cannot answer any more", async () => {
    const ledger = new Wire();
    const tracker = new CostTracker({ budget: usd.pico(10n), ledger });
    const first = await tracker.reserve({ boundPicoUsd: 10n });
    const waiting = expect(tracker.reserve({ boundPicoUsd: 10n })).rejects.toThrow("gone");
    await nextTurn();
    ledger.beforeReserve = () => Promise.reject(new LedgerError({ message: "gone" }));
    await first.release();
    await waiting;
  });
});
