import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { BudgetExceededError } from "../errors/budget-exceeded-error.ts";
import { InvalidAmountError } from "../errors/invalid-amount-error.ts";
import type { Usd } from "../money.ts";
import { CostTracker } from "./cost-tracker.ts";

const micro = 1_000_000n;

async function addAll(tracker: CostTracker, costs: readonly Usd[]): Promise<boolean[]> {
  const results: boolean[] = [];
  for (const cost of costs) results.push(await tracker.addCost(cost));
  return results;
}

/** Cases that users of the earlier tool know: given a budget and costs, what addCost says and the stats show. */
const known: {
  id: string;
  budget?: Usd;
  costs: Usd[];
  returns?: boolean[];
  total: number;
  exceeded: boolean;
  remaining: number | null;
}[] = [
  { id: "U01/H02", costs: [], total: 0, exceeded: false, remaining: null },
  { id: "U02", budget: 50, costs: [], total: 0, exceeded: false, remaining: 50 },
  { id: "H01", budget: 10, costs: [], total: 0, exceeded: false, remaining: 10 },
  { id: "U03", budget: 100, costs: [5], returns: [true], total: 5, exceeded: false, remaining: 95 },
  { id: "H03", budget: 10, costs: [2.5], returns: [true], total: 2.5, exceeded: false, remaining: 7.5 },
  { id: "U04", budget: 100, costs: [10, 20, 30], total: 60, exceeded: false, remaining: 40 },
  { id: "U05", budget: 50, costs: [30, 25], returns: [true, false], total: 55, exceeded: true, remaining: 0 },
  { id: "H04", budget: 5, costs: [3, 3], returns: [true, false], total: 6, exceeded: true, remaining: 0 },
  { id: "U06", budget: 100, costs: [100], total: 100, exceeded: true, remaining: 0 },
  { id: "H05", budget: 10, costs: [10], returns: [false], total: 10, exceeded: true, remaining: 0 },
  {
    id: "U07",
    costs: Array(100).fill(10),
    returns: Array(100).fill(true),
    total: 1000,
    exceeded: false,
    remaining: null,
  },
  { id: "H06", costs: [100, 200], returns: [true, true], total: 300, exceeded: false, remaining: null },
  { id: "U08", budget: 50, costs: [0], returns: [true], total: 0, exceeded: false, remaining: 50 },
  { id: "U10", budget: 100, costs: [25, 15], total: 40, exceeded: false, remaining: 60 },
  { id: "H07", budget: 10, costs: [2.5, 1.5], total: 4, exceeded: false, remaining: 6 },
  { id: "U11/H09", costs: [50], total: 50, exceeded: false, remaining: null },
  { id: "U12", budget: 50, costs: [60], total: 60, exceeded: true, remaining: 0 },
  { id: "H08", budget: 5, costs: [6], total: 6, exceeded: true, remaining: 0 },
  { id: "I14", budget: 50, costs: [60], total: 60, exceeded: true, remaining: 0 },
  { id: "H12", budget: 1, costs: Array(100).fill(0.005), total: 0.5, exceeded: false, remaining: 0.5 },
  { id: "U36", budget: 1, costs: Array(10_000).fill(0.00001), total: 0.1, exceeded: false, remaining: 0.9 },
  { id: "H37", budget: 0.001, costs: Array(10).fill(0.00001), total: 0.0001, exceeded: false, remaining: 0.0009 },
  { id: "U37", budget: 1_000_000, costs: [100_000], total: 100_000, exceeded: false, remaining: 900_000 },
  { id: "H38", budget: 1000, costs: [999.99], total: 999.99, exceeded: false, remaining: 0.01 },
  { id: "H38", budget: 1000, costs: [999.99, 0.02], total: 1000.01, exceeded: true, remaining: 0 },
  { id: "U38", budget: 1, costs: [0.3, 0.3, 0.4], total: 1, exceeded: true, remaining: 0 },
  { id: "H39", budget: 1, costs: Array(100).fill(0.01), total: 1, exceeded: true, remaining: 0 },
  { id: "H42", costs: Array(10_000).fill(0.001), total: 10, exceeded: false, remaining: null },
  { id: "I09", budget: 50, costs: [2, 5, 0, 3], total: 10, exceeded: false, remaining: 40 },
  { id: "I11", budget: 10, costs: [5, 6, 1], total: 12, exceeded: true, remaining: 0 },
  { id: "D02", budget: 0.3, costs: [0.1, 0.2], total: 0.3, exceeded: true, remaining: 0 },
  { id: "D04", budget: 0, costs: [], total: 0, exceeded: true, remaining: 0 },
];

describe("CostTracker.addCost", () => {
  it.each(known)(
    "$id: budget $budget, total $total",
    async ({ budget, costs, returns, total, exceeded, remaining }) => {
      const tracker = new CostTracker(budget === undefined ? {} : { budget });
      const results = await addAll(tracker, costs);
      if (returns) expect(results).toEqual(returns);
      const stats = await tracker.getStats();
      expect(stats).toMatchObject({
        totalCost: total,
        callCount: costs.length,
        budget: budget ?? null,
        remainingBudget: remaining,
        budgetExceeded: exceeded,
        held: 0,
      });
      expect(await tracker.isBudgetExceeded()).toBe(exceeded);
    },
  );

  it("U09/H40: refuses amounts that are not finite and >= 0, and changes nothing", async () => {
    const tracker = new CostTracker({ budget: 50 });
    await tracker.addCost(30);
    for (const bad of [-10, -5, Number.NaN, Number.POSITIVE_INFINITY, "abc"]) {
      await expect(tracker.addCost(bad)).rejects.toThrow(InvalidAmountError);
    }
    expect(await tracker.getStats()).toMatchObject({ totalCost: 30, callCount: 1 });
  });

  it.each([-1, Number.NaN, "abc", "-0.5", Number.POSITIVE_INFINITY])("D04: refuses the budget %s", (budget) => {
    expect(() => new CostTracker({ budget })).toThrow(InvalidAmountError);
  });

  it.each([
    ["U13/H10", 100, [50, 60]],
    ["I12", 5, [10]],
  ])("%s: reset zeroes spend and calls and keeps the budget", async (_id, budget, costs) => {
    const tracker = new CostTracker({ budget });
    await addAll(tracker, costs);
    expect(await tracker.isBudgetExceeded()).toBe(true);
    await tracker.reset();
    expect(await tracker.getStats()).toMatchObject({ totalCost: 0, callCount: 0, budget, budgetExceeded: false });
  });

  it.each([
    ["U14", 1000, 1, 1000],
    ["H11", 1000, 0.01, 10],
    ["H43", 100, 0.01, 10],
  ])("%s: concurrent adds lose nothing", async (_id, budget, cost, totalCost) => {
    const tracker = new CostTracker({ budget });
    const worker = async () => {
      for (let index = 0; index < 100; index++) {
        await tracker.addCost(cost);
        await nextTurn();
      }
    };
    await Promise.all(Array.from({ length: 10 }, worker));
    expect(await tracker.getStats()).toMatchObject({ totalCost, callCount: 1000 });
  });

  it("I13: the statistics have the five known names, beside more", async () => {
    const tracker = new CostTracker({ budget: 100 });
    await addAll(tracker, [25, 30]);
    const { totalCost, callCount, budget, remainingBudget, budgetExceeded } = await tracker.getStats();
    expect({ totalCost, callCount, budget, remainingBudget, budgetExceeded }).toEqual({
      totalCost: 55,
      callCount: 2,
      budget: 100,
      remainingBudget: 45,
      budgetExceeded: false,
    });
  });

  it("U15: who adds at the same time as others sees the limit reached", async () => {
    const tracker = new CostTracker({ budget: 50 });
    const add = async () => {
      await tracker.addCost(10);
      return tracker.isBudgetExceeded();
    };
    expect(await Promise.all(Array.from({ length: 10 }, add))).toContain(true);
  });

  it("H41: of concurrent adds at least one is told that the limit is reached", async () => {
    const tracker = new CostTracker({ budget: 1 });
    const added = await Promise.all(Array.from({ length: 10 }, () => tracker.addCost(0.3)));
    expect(added.filter((isUnder) => isUnder)).toHaveLength(3);
    expect(await tracker.isBudgetExceeded()).toBe(true);
  });

  it("U39: every concurrent reader sees the limit reached", async () => {
    const tracker = new CostTracker({ budget: 100 });
    await tracker.addCost(110);
    const reads = await Promise.all(Array.from({ length: 100 }, () => tracker.isBudgetExceeded()));
    expect(reads).toEqual(Array(100).fill(true));
  });

  it("I07: trackers are independent unless they share a parent", async () => {
    const [first, second] = [new CostTracker({ budget: 10 }), new CostTracker({ budget: 20 })];
    await first.addCost(5);
    await second.addCost(8);
    expect((await first.getStats()).totalCost).toBe(5);
    expect((await second.getStats()).totalCost).toBe(8);
  });

  it("I15: running totals are exact at every step", async () => {
    const tracker = new CostTracker({ budget: 100 });
    const seen: number[] = [];
    for (let index = 0; index < 20; index++) {
      await tracker.addCost(3);
      if (index % 5 === 0) seen.push((await tracker.getStats()).totalCost);
    }
    expect(seen).toEqual([3, 18, 33, 48]);
  });

  it("I19/I21: a loop that stops when exceeded stops at the exact item", async () => {
    const tracker = new CostTracker({ budget: 5 });
    let items = 0;
    while (!(await tracker.isBudgetExceeded())) {
      await tracker.addCost(0.8);
      items++;
    }
    expect(items).toBe(7);
    expect((await tracker.getStats()).totalCost).toBe(5.6);

    const other = new CostTracker({ budget: 10 });
    await other.addCost(8.9);
    expect((await other.getStats()).remainingBudget).toBe(1.1);
    expect(await other.addCost(0.5)).toBe(true);
    expect(await other.addCost(1)).toBe(false);
  });

  it("counts a million calls of $2.8e-7 to exactly $0.28", async () => {
    const tracker = new CostTracker({ budget: 1 });
    for (let index = 0; index < 1_000_000; index++) await tracker.addCost(2.8e-7);
    const { exact, callCount } = await tracker.getStats();
    expect(String(exact.spent)).toBe("0.28");
    expect(callCount).toBe(1_000_000);
  });
});

describe("CostTracker.reserve", () => {
  it("holds the bound, then posts the true cost and frees the rest", async () => {
    const tracker = new CostTracker({ budget: "0.00001" });
    const hold = await tracker.reserve({ boundPicoUsd: 6n * micro }, { modelId: "m" });
    expect(await tracker.getStats()).toMatchObject({ held: 0.000006, totalCost: 0, callCount: 0 });
    await hold.markDispatched();
    await hold.settle({ costPicoUsd: 2n * micro });
    await hold.settle({ costPicoUsd: 2n * micro });
    expect(await tracker.getStats()).toMatchObject({
      held: 0,
      totalCost: 0.000002,
      callCount: 1,
      byModel: { m: { callCount: 1, totalCost: 0.000002 } },
    });
  });

  it("posts a cost above hold and limit in full, as overrun", async () => {
    const tracker = new CostTracker({ budget: "0.00001" });
    const hold = await tracker.reserve({ boundPicoUsd: 6n * micro });
    await hold.markDispatched();
    await hold.settle({ costPicoUsd: 12n * micro });
    expect(await tracker.getStats()).toMatchObject({ totalCost: 0.000012, overrun: 0.000002, budgetExceeded: true });
    await expect(tracker.reserve({ boundPicoUsd: 1n })).rejects.toThrow(BudgetExceededError);
  });

  it("lets a provably free call pass a spent or zero budget, and no other", async () => {
    const tracker = new CostTracker({ budget: 0 });
    await expect(tracker.reserve({ boundPicoUsd: 0n })).resolves.toBeDefined();
    await expect(tracker.reserve({ boundPicoUsd: 1n })).rejects.toThrow(
      /^Budget exceeded: \$0\.000000000001 >= \$0\.0000 /,
    );
  });

  it("waits for calls in flight and admits what their true cost leaves", async () => {
    const tracker = new CostTracker({ budget: "0.00001" });
    const first = await tracker.reserve({ boundPicoUsd: 9n * micro });
    await first.markDispatched();
    const second = tracker.reserve({ boundPicoUsd: 5n * micro });
    await nextTurn();
    await first.settle({ costPicoUsd: 1n * micro });
    await expect(second).resolves.toMatchObject({ amount: { picoUsd: 5n * micro } });
  });

  it("serves waiting calls in order, but lets a small one pass a large one that does not fit", async () => {
    const tracker = new CostTracker({ budget: "0.00001" });
    const first = await tracker.reserve({ boundPicoUsd: 9n * micro });
    const order: string[] = [];
    const wait = async (name: string, amount: bigint) => {
      const hold = await tracker.reserve({ boundPicoUsd: amount });
      order.push(name);
      return hold;
    };
    const large = wait("large", 8n * micro);
    const small = wait("small", 3n * micro);
    const later = wait("later", 4n * micro);
    const refused = expect(large).rejects.toThrow(BudgetExceededError);
    await nextTurn();
    await first.markDispatched();
    await first.settle({ costPicoUsd: 4n * micro });
    const smallHold = await small;
    await nextTurn();
    expect(order).toEqual(["small"]);
    await smallHold.release();
    await (await later).release();
    await refused;
    expect(order).toEqual(["small", "later"]);
  });

  it("refuses at once what cannot fit even when all calls in flight end for free", async () => {
    const tracker = new CostTracker({ budget: "0.00001" });
    await tracker.reserve({ boundPicoUsd: 2n * micro });
    await expect(tracker.reserve({ boundPicoUsd: 11n * micro })).rejects.toMatchObject({
      code: "budget_exceeded",
      isRetryable: false,
      held: 0.000002,
      required: 0.000011,
      budget: 0.00001,
      scope: "default",
    });
  });

  it("gives a waiting call up when its signal aborts, and leaks no hold", async () => {
    const tracker = new CostTracker({ budget: "0.00001" });
    const first = await tracker.reserve({ boundPicoUsd: 9n * micro });
    const abort = new AbortController();
    const second = tracker.reserve({ boundPicoUsd: 9n * micro }, { signal: abort.signal });
    await nextTurn();
    abort.abort(new Error("gone"));
    await expect(second).rejects.toThrow("gone");
    await first.release();
    expect((await tracker.getStats()).held).toBe(0);
  });

  it("denies at once on request", async () => {
    const tracker = new CostTracker({ budget: "0.00001", onInsufficient: "deny" });
    await tracker.reserve({ boundPicoUsd: 9n * micro });
    await expect(tracker.reserve({ boundPicoUsd: 9n * micro })).rejects.toThrow(BudgetExceededError);
  });

  it("D18: a call must fit the child's budget and the parent's; neither keeps a part of a refused hold", async () => {
    const parent = new CostTracker({ budget: "0.00001", name: "global" });
    const [one, two] = [parent.child({ name: "one", budget: "0.000008" }), parent.child({ name: "two" })];
    await (await one.reserve({ boundPicoUsd: 7n * micro })).markDispatched();
    await expect(one.child({ onInsufficient: "deny" }).reserve({ boundPicoUsd: 2n * micro })).rejects.toMatchObject({
      scope: "global/one",
    });
    const denying = new CostTracker({ parent, name: "three", onInsufficient: "deny" });
    await expect(denying.reserve({ boundPicoUsd: 4n * micro })).rejects.toMatchObject({ scope: "global" });
    expect((await denying.getStats()).held).toBe(0);
    await expect(two.reserve({ boundPicoUsd: 3n * micro })).resolves.toBeDefined();
    expect((await parent.getStats()).held).toBe(0.00001);
  });

  it("raising the budget lets waiting calls go", async () => {
    const tracker = new CostTracker({ budget: "0.00001" });
    await tracker.reserve({ boundPicoUsd: 9n * micro });
    const waiting = tracker.reserve({ boundPicoUsd: 9n * micro });
    await nextTurn();
    await tracker.setBudget("0.00002");
    await expect(waiting).resolves.toBeDefined();
  });

  it("tells listeners of spend and of refusals, up to the outer budget", async () => {
    const parent = new CostTracker({ name: "outer", budget: 1 });
    const child = parent.child({ name: "inner" });
    const heard: string[] = [];
    const stop = parent.on("spend", ({ receipt }) => heard.push(`spend ${receipt.costPicoUsd}`));
    parent.on("denied", ({ error }) => heard.push(`denied ${error.scope}`));
    await child.addCost("0.5");
    await child.reserve({ boundPicoUsd: 10n ** 12n }).catch(() => undefined);
    stop();
    await child.addCost("0.1");
    expect(heard).toEqual(["spend 500000000000", "denied outer"]);
  });
});
