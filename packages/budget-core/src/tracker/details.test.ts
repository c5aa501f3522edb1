import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import { MemoryLedger } from "../ledger/memory.ts";
import { Money, parsePicoUsd, usd } from "../money.ts";
import type { Receipt } from "../receipt.ts";
import { CostTracker } from "./cost-tracker.ts";

const pico = (amount: bigint) => usd.pico(amount);

/** A tracker with 30 spent, 20 held and 10 unresolved, of the given limit. */
async function busyTracker(budget: bigint | "unlimited"): Promise<CostTracker> {
  const ledger = new MemoryLedger();
  const limit = budget === "unlimited" ? budget : pico(budget);
  const tracker = new CostTracker({ budget: limit, ledger, leaseMs: 60_000, onInsufficient: "deny", alerts: [] });
  const lost = await tracker.reserve({ boundPicoUsd: 10n });
  await lost.markDispatched();
  await lost.extend(0);
  await tracker.recover();
  await tracker.reserve({ boundPicoUsd: 20n });
  await tracker.addCost(pico(30n));
  return tracker;
}

describe("getStats", () => {
  it("adds up what is spent, held, unresolved and left, exactly", async () => {
    const stats = await (await busyTracker(100n)).getStats();
    expect(stats.exact).toEqual({
      spent: pico(30n),
      held: pico(20n),
      unresolved: pico(10n),
      overrun: pico(0n),
      budget: pico(100n),
      available: pico(40n),
    });
    expect(stats).toMatchObject({ remainingBudget: 4e-11, held: 2e-11, unresolved: 1e-11, budgetExceeded: false });
  });

  it("has no budget and nothing left to tell where there is no limit", async () => {
    const stats = await (await busyTracker("unlimited")).getStats();
    expect(stats).toMatchObject({ budget: null, remainingBudget: null, overrun: 0, budgetExceeded: false });
    expect(stats.exact).toMatchObject({ budget: null, available: null });
  });

  it("counts what is unresolved as used, and what is above the limit as overrun", async () => {
    const reached = await busyTracker(40n);
    expect(await reached.getStats()).toMatchObject({ budgetExceeded: true, overrun: 0, remainingBudget: 0 });
    expect(await reached.isBudgetExceeded()).toBe(true);
    expect(await (await busyTracker(41n)).isBudgetExceeded()).toBe(false);
    expect(await (await busyTracker(41n)).getStats()).toMatchObject({ budgetExceeded: false });
    expect((await (await busyTracker(30n)).getStats()).overrun).toBe(0);
    await expect(busyTracker(29n)).rejects.toMatchObject({ code: "budget_exceeded" });
  });

  it("is what a refusal tells", async () => {
    const tracker = await busyTracker(100n);
    const refused = tracker.reserve({ boundPicoUsd: 41n });
    await expect(refused).rejects.toMatchObject({ totalCost: 4e-11, held: 2e-11, required: 4.1e-11, budget: 1e-10 });
    await expect(tracker.reserve({ boundPicoUsd: 40n })).resolves.toBeDefined();
  });
});

describe("spend", () => {
  it("is told with its receipt, the model that served it, and whether its bound was broken", async () => {
    const tracker = new CostTracker();
    const told: { receipt: Receipt; modelId: string | undefined }[] = [];
    tracker.on("spend", ({ receipt, modelId }) => told.push({ receipt, modelId }));
    for (const [costPicoUsd, served] of [
      [4n, undefined],
      [5n, "served"],
      [6n, "served"],
    ] as const) {
      const hold = await tracker.reserve({ boundPicoUsd: 5n }, { modelId: "asked" });
      await hold.markDispatched();
      await hold.settle({ costPicoUsd, ...(served ? { modelId: served } : {}) });
    }
    await tracker.addCost(pico(7n));
    expect(told).toEqual([
      { receipt: { costPicoUsd: 4n }, modelId: "asked" },
      { receipt: { costPicoUsd: 5n, modelId: "served" }, modelId: "served" },
      { receipt: { costPicoUsd: 6n, modelId: "served", boundBreached: true }, modelId: "served" },
      { receipt: { costPicoUsd: 7n }, modelId: undefined },
    ]);
  });
});

describe("a hold", () => {
  it("is told when it is made and when it ends, once each, with the budget that was asked and all it counts in", async () => {
    const global = new CostTracker({ name: "global", budget: pico(100n) });
    const [one, two] = [global.child({ name: "one" }), global.child({ name: "two" })];
    const told: unknown[] = [];
    for (const name of ["reserved", "spend", "released", "denied"] as const)
      global.on(name, (event) => told.push([name, event]));
    const [paid, refused] = [
      await one.reserve({ boundPicoUsd: 5n }, { modelId: "m", scopes: [two] }),
      await one.reserve({ boundPicoUsd: 6n }),
    ];
    for (const hold of [paid, refused]) await hold.markDispatched();
    await refused.release("HTTP 429");
    await paid.settle({ costPicoUsd: 4n });
    await expect(one.reserve({ boundPicoUsd: 101n }, { modelId: "m" })).rejects.toThrow();
    const scope = "global/one";
    expect(told).toMatchObject([
      ["reserved", { reservationId: paid.id, scope, scopes: [scope, "global", "global/two"], modelId: "m" }],
      ["reserved", { reservationId: refused.id, quote: { boundPicoUsd: 6n }, scopes: [scope, "global"] }],
      ["released", { reservationId: refused.id, evidence: "HTTP 429" }],
      ["spend", { reservationId: paid.id, scope }],
      ["denied", { modelId: "m", error: { scope: "global" } }],
    ]);
  });
});

describe("the receipt of a call", () => {
  it("names the price book that its bound was computed with", async () => {
    const tracker = new CostTracker();
    const told: Receipt[] = [];
    tracker.on("spend", ({ receipt }) => told.push(receipt));
    const hold = await tracker.reserve({ boundPicoUsd: 5n, priceBook: "abc" });
    await hold.markDispatched();
    await hold.settle({ costPicoUsd: 5n });
    expect(told).toEqual([{ costPicoUsd: 5n, priceBook: "abc" }]);
    expect(told[0]).not.toHaveProperty("boundBreached");
  });
});

describe("what a reservation asks of the ledger", () => {
  it("is the model and the price book where they are known, and nothing else where not", async () => {
    const ledger = new MemoryLedger();
    const reserve = vi.spyOn(ledger, "reserve");
    const tracker = new CostTracker({ name: "t", ledger, leaseMs: 7 });
    await tracker.reserve({ boundPicoUsd: 5n });
    await tracker.reserve({ boundPicoUsd: 5n, priceBook: "abc" }, { modelId: "m" });
    const plain = {
      id: expect.any(String) as string,
      accounts: [{ scope: "t", window: "all", limitPicoUsd: null }],
      amountPicoUsd: 5n,
      leaseMs: 7,
    };
    expect(reserve.mock.calls).toEqual([[plain], [{ ...plain, modelId: "m", priceBook: "abc" }]]);
    expect(Object.keys(reserve.mock.calls[0]?.[0] ?? {})).toHaveLength(4);
  });

  it("asks a budget that reserves for no balance first", async () => {
    const ledger = new MemoryLedger();
    const read = vi.spyOn(ledger, "read");
    await new CostTracker({ budget: 1, ledger }).reserve({ boundPicoUsd: 5n });
    expect(read).not.toHaveBeenCalled();
  });
});

describe("who waits is looked at again", () => {
  async function served(free: (tracker: CostTracker, ledger: MemoryLedger) => Promise<unknown>): Promise<boolean> {
    const ledger = new MemoryLedger();
    const tracker = new CostTracker({ budget: pico(100n), ledger });
    await tracker.addCost(pico(20n));
    const lost = await tracker.reserve({ boundPicoUsd: 30n });
    await lost.markDispatched();
    const held = await tracker.reserve({ boundPicoUsd: 30n });
    await held.extend(0);
    let isServed = false;
    void tracker.reserve({ boundPicoUsd: 40n }).then(() => (isServed = true));
    await nextTurn();
    expect(isServed).toBe(false);
    await free(tracker, ledger);
    for (let turns = 0; turns < 3; turns++) await nextTurn();
    return isServed;
  }

  it("when the budget is raised, reset or recovered, or a lost call is resolved, and not before", async () => {
    expect(await served((tracker) => tracker.setBudget(pico(120n)))).toBe(true);
    expect(await served((tracker) => tracker.setBudget(pico(119n)))).toBe(false);
    expect(await served((tracker) => tracker.reset())).toBe(true);
    expect(await served((tracker) => tracker.recover())).toBe(true);
    const resolved = served(async (tracker, ledger) => {
      const id = [...ledger.snapshot().open][0]?.id ?? "";
      await tracker.resolve(id, { costPicoUsd: 10n });
    });
    expect(await resolved).toBe(true);
    expect(await served((tracker) => tracker.getStats())).toBe(false);
  });
});

describe("alerts", () => {
  it("count unresolved calls, follow a new limit, and ask the ledger once", async () => {
    const ledger = new MemoryLedger();
    const claim = vi.spyOn(ledger, "claim");
    const tracker = new CostTracker({ budget: pico(100n), alerts: [0.5, 0.9], ledger });
    const heard: number[] = [];
    tracker.on("alert", ({ threshold }) => heard.push(threshold));
    const lost = await tracker.reserve({ boundPicoUsd: 30n });
    await lost.markDispatched();
    await lost.extend(0);
    await tracker.recover();
    await tracker.addCost(pico(19n));
    expect([heard, claim.mock.calls.length]).toEqual([[], 0]);
    await tracker.addCost(pico(1n));
    expect(heard).toEqual([0.5]);
    await tracker.addCost(pico(1n));
    expect(claim).toHaveBeenCalledTimes(1);
    await tracker.setBudget(pico(52n));
    await tracker.addCost(pico(1n));
    expect(heard).toEqual([0.5, 0.9]);
    await tracker.addCost(pico(1n));
    expect(claim).toHaveBeenCalledTimes(2);
  });
});

describe("what is no budget", () => {
  it("is told by its name", async () => {
    expect(() => new CostTracker({ budget: "many" })).toThrow('budget must be a finite amount >= 0, not "many"');
    expect((await new CostTracker({ budget: "unlimited" }).getStats()).budget).toBeNull();
    const tracker = new CostTracker();
    expect(tracker.onInsufficient).toBe("wait");
    await expect(tracker.reserve({ boundPicoUsd: -1n })).rejects.toThrow("boundPicoUsd of a quote must be");
    expect(() => parsePicoUsd("$5")).toThrow('An amount of USD must be a finite amount >= 0, not "$5"; write a plain');
    expect(() => new Money(5 as unknown as bigint)).toThrow("Money must be a finite amount >= 0, not 5");
    expect(Object.isFrozen(usd(1))).toBe(true);
    expect(usd("0.0000000000010").picoUsd).toBe(1n);
    expect(usd("9".repeat(64)).picoUsd).toBe(BigInt("9".repeat(64)) * 10n ** 12n);
  });
});

describe("a call that the provider goes on with", () => {
  it("counts at its bound, holds up nobody, and ends by evidence", async () => {
    const tracker = new CostTracker({ budget: pico(100n) });
    const batch = await tracker.reserve({ boundPicoUsd: 70n });
    await batch.markDispatched();
    const waiting = expect(tracker.reserve({ boundPicoUsd: 40n })).rejects.toThrow(/Budget exceeded/);
    await batch.leave();
    await waiting;
    expect((await tracker.getStats()).exact).toMatchObject({ held: pico(0n), unresolved: pico(70n), spent: pico(0n) });
    await tracker.resolve(batch.id, { costPicoUsd: 55n });
    await tracker.resolve(batch.id, { costPicoUsd: 99n });
    expect((await tracker.getStats()).exact).toMatchObject({ unresolved: pico(0n), spent: pico(55n) });
  });
});
