import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import type { CostExtractor } from "../costs.ts";
import { MemoryLedger } from "../ledger/memory.ts";
import { openCall } from "../meter/meter-call.ts";
import { runWithBudget } from "../meter/scope-context.ts";
import { CostTracker } from "./cost-tracker.ts";

const micro = 1_000_000n;
const at = (iso: string) => Date.parse(iso);

/** Costs a micro-dollar per output token; nothing else. */
const perToken: CostExtractor = {
  provider: "test",
  quote: ({ maxOutputTokens = 100 }) => ({ boundPicoUsd: BigInt(maxOutputTokens) * micro, maxOutputTokens }),
  receipt: ({ quote }) => ({ costPicoUsd: quote.boundPicoUsd }),
};
const call = { surface: "generate", modelId: "m", request: {} } as const;

describe("windows", () => {
  it("start anew by the clock, without a job, and keep a call in the window it was reserved in", async () => {
    let now = at("2026-11-23T23:59:00Z");
    const tracker = new CostTracker({ budget: "0.00001", per: "day", now: () => now });
    const hold = await tracker.reserve({ boundPicoUsd: 10n * micro });
    await hold.markDispatched();
    await expect(tracker.child({ onInsufficient: "deny" }).reserve({ boundPicoUsd: micro })).rejects.toMatchObject({
      window: "2026-11-23",
      resetsAt: new Date("2026-11-24T00:00:00Z"),
    });
    now = at("2026-11-24T00:00:00Z");
    await (await tracker.reserve({ boundPicoUsd: 10n * micro })).release();
    await hold.settle({ costPicoUsd: 7n * micro });
    expect((await tracker.getStats()).totalCost).toBe(0);
    now = at("2026-11-23T23:59:59Z");
    expect((await tracker.getStats()).totalCost).toBe(0.000007);
  });

  it("are the same on every process, whatever its own time zone: the id comes from the budget's", async () => {
    const ledger = new MemoryLedger();
    const now = () => at("2026-11-23T20:00:00Z");
    const [one, two] = ["a", "a"].map(
      (name) => new CostTracker({ ledger, name, per: "day", timeZone: "Asia/Tokyo", now }),
    );
    await one?.addCost(1);
    expect((await two?.getStats())?.totalCost).toBe(1);
  });
});

describe("alerts", () => {
  async function heardBy(tracker: CostTracker, costs: number[]) {
    const heard: string[] = [];
    tracker.on("alert", ({ threshold, scope, window }) => heard.push(`${threshold} ${scope} ${window}`));
    for (const cost of costs) await tracker.addCost(cost);
    return heard;
  }

  it("fire once per threshold, also when one cost passes several, and never again in the window", async () => {
    expect(await heardBy(new CostTracker({ budget: 10, name: "t" }), [4.9, 0.1, 3, 1, 1, 5])).toEqual([
      "0.5 t all",
      "0.75 t all",
      "0.9 t all",
    ]);
    expect(await heardBy(new CostTracker({ budget: 10, name: "t" }), [20])).toHaveLength(3);
    expect(await heardBy(new CostTracker({ budget: 10, alerts: [1, 0.1] }), [1, 9])).toEqual([
      "0.1 default all",
      "1 default all",
    ]);
    expect(await heardBy(new CostTracker({ alerts: [0.5] }), [1])).toEqual([]);
    expect(await heardBy(new CostTracker({ budget: 0 }), [1])).toEqual([]);
  });

  it("fire once over restarts and over trackers of one ledger, and again in the next window", async () => {
    const ledger = new MemoryLedger();
    let now = at("2026-11-23T00:00:00Z");
    const make = () => new CostTracker({ budget: 10, name: "t", ledger, per: "day", alerts: [0.5], now: () => now });
    const [one, two] = [make(), make()];
    const heard = await Promise.all([heardBy(one, [3, 3]), heardBy(two, [3])]);
    expect(heard.flat()).toEqual(["0.5 t 2026-11-23"]);
    expect(await heardBy(make(), [1])).toEqual([]);
    now = at("2026-11-24T00:00:00Z");
    expect(await heardBy(make(), [6])).toEqual(["0.5 t 2026-11-24"]);
  });

  it("fire for calls as for added costs, in outer budgets too", async () => {
    const parent = new CostTracker({ budget: "0.00001", name: "p" });
    const heard: string[] = [];
    parent.on("alert", ({ scope, threshold }) => heard.push(`${scope} ${threshold}`));
    const hold = await parent.child({ name: "c", budget: "0.00008" }).reserve({ boundPicoUsd: 6n * micro });
    await hold.markDispatched();
    await hold.settle({ costPicoUsd: 6n * micro });
    expect(heard).toEqual(["p 0.5"]);
  });

  it("refuse a threshold that is no number", () => {
    expect(() => new CostTracker({ alerts: [Number.NaN] })).toThrow(/alert threshold/);
  });
});

describe('mode "check"', () => {
  it("H35/H36: lets the call that crosses the limit through and refuses the next", async () => {
    const tracker = new CostTracker({ budget: 0.001, mode: "check" });
    const hold = await tracker.reserve({ boundPicoUsd: 2000n * micro });
    await hold.markDispatched();
    await hold.settle({ costPicoUsd: 2000n * micro });
    await expect(tracker.reserve({ boundPicoUsd: 1n })).rejects.toMatchObject({ totalCost: 0.002, budget: 0.001 });
    await expect(tracker.reserve({ boundPicoUsd: 0n })).resolves.toBeDefined();
  });

  it("D06: of five calls at half the budget, two are paid", async () => {
    for (const mode of ["check", "reserve"] as const) {
      const tracker = new CostTracker({ budget: 1, mode });
      let paid = 0;
      for (let index = 0; index < 5; index++) {
        const hold = await tracker.reserve({ boundPicoUsd: 500_000n * micro }).catch(() => undefined);
        await hold?.markDispatched();
        await hold?.settle({ costPicoUsd: 500_000n * micro });
        if (hold) paid++;
      }
      expect(paid).toBe(2);
      expect(await tracker.getStats()).toMatchObject({ totalCost: 1, callCount: 2 });
    }
  });

  it("still holds in an outer budget that reserves", async () => {
    const outer = new CostTracker({ budget: "0.00001", name: "outer" });
    const inner = outer.child({ mode: "check", budget: "0.000001" });
    await expect(inner.reserve({ boundPicoUsd: 11n * micro })).rejects.toMatchObject({ scope: "outer" });
    await expect(inner.reserve({ boundPicoUsd: 9n * micro })).resolves.toBeDefined();
  });
});

describe('onInsufficient "clamp"', () => {
  it("lowers the output cap to what is affordable, and refuses when not even a token is", async () => {
    const tracker = new CostTracker({ budget: "0.00003", onInsufficient: "clamp" });
    const open = await openCall({ tracker, costs: perToken }, { ...call, maxOutputTokens: 100 });
    expect(open.quote).toEqual({ boundPicoUsd: 30n * micro, maxOutputTokens: 30 });
    await open.succeed({});
    await expect(openCall({ tracker, costs: perToken }, call)).rejects.toMatchObject({ code: "budget_exceeded" });
    expect((await tracker.getStats()).totalCost).toBe(0.00003);
  });

  it("waits for calls in flight before it clamps", async () => {
    const tracker = new CostTracker({ budget: "0.0001", onInsufficient: "clamp" });
    const first = await openCall({ tracker, costs: perToken }, { ...call, maxOutputTokens: 90 });
    const second = openCall({ tracker, costs: perToken }, { ...call, maxOutputTokens: 90 });
    await nextTurn();
    await first.fail({ statusCode: 429 });
    expect((await second).quote.maxOutputTokens).toBe(90);
  });
});

describe("maxWaitMs", () => {
  it("refuses a call that has waited too long", async () => {
    const tracker = new CostTracker({ budget: "0.00001", maxWaitMs: 5 });
    await tracker.reserve({ boundPicoUsd: 9n * micro });
    await expect(tracker.reserve({ boundPicoUsd: 9n * micro })).rejects.toMatchObject({ held: 0.000009 });
  });
});

describe("runWithBudget", () => {
  it("adds a budget to every metered call inside, however deep, and to none outside", async () => {
    const global = new CostTracker({ budget: 1, name: "global" });
    const user = global.child({ name: "user", budget: "0.0003", onInsufficient: "deny" });
    const request = global.child({ name: "request", budget: "0.00005" });
    const open = () => openCall({ tracker: global, costs: perToken }, call);
    await runWithBudget(user, async () => {
      await nextTurn();
      await (await open()).succeed({});
      await expect(runWithBudget(request, open)).rejects.toMatchObject({ scope: "global/request" });
    });
    await (await open()).succeed({});
    expect((await user.getStats()).totalCost).toBe(0.0001);
    expect((await global.getStats()).totalCost).toBe(0.0002);
  });

  it("tells spend once to a listener above both", async () => {
    const global = new CostTracker({ name: "global" });
    const heard: unknown[] = [];
    global.on("spend", (event) => heard.push(event));
    const [one, two] = [global.child({ name: "one" }), global.child({ name: "two" })];
    await runWithBudget(two, async () => (await openCall({ tracker: one, costs: perToken }, call)).succeed({}));
    expect(heard).toHaveLength(1);
    expect((await global.getStats()).callCount).toBe(1);
  });

  it("refuses budgets that cannot be held in one step", async () => {
    const stranger = new CostTracker({ name: "stranger" });
    const tracker = new CostTracker();
    await expect(runWithBudget(stranger, () => openCall({ tracker, costs: perToken }, call))).rejects.toThrow(
      /share one ledger/,
    );
    expect(() => new CostTracker({ parent: tracker, ledger: new MemoryLedger() })).toThrow(
      /leave out the option "ledger"/,
    );
  });
});

describe("a call that was quoted as free", () => {
  it("passes a spent budget until it is billed; then not again", async () => {
    const tracker = new CostTracker({ budget: "0.000001" });
    const ask = () => tracker.reserve({ boundPicoUsd: 0n }, { modelId: "gift" });
    const first = await ask();
    await first.markDispatched();
    await first.settle({ costPicoUsd: 5n * micro });
    expect((await tracker.getStats()).overrun).toBe(0.000004);
    await expect(ask()).rejects.toMatchObject({ code: "budget_exceeded" });
    await expect(tracker.reserve({ boundPicoUsd: 0n }, { modelId: "other" })).resolves.toBeDefined();
  });
});

describe("listeners", () => {
  it("that fail change neither what is recorded nor what the caller gets", async () => {
    const said = vi.spyOn(console, "error").mockImplementation(() => {});
    const tracker = new CostTracker({ budget: "0.0001" });
    const fail = () => {
      throw new Error("listener");
    };
    for (const name of ["spend", "denied", "alert", "fault"] as const) tracker.on(name, fail);
    expect(await tracker.addCost("0.00006")).toBe(true);
    await (await openCall({ tracker, costs: perToken }, { ...call, maxOutputTokens: 10 })).succeed({});
    await expect(tracker.reserve({ boundPicoUsd: 10n ** 12n })).rejects.toMatchObject({ code: "budget_exceeded" });
    expect((await tracker.getStats()).totalCost).toBe(0.00007);
    expect(said).toHaveBeenCalled();
    said.mockRestore();
  });
});

describe("leases", () => {
  it.each([true, false])(
    "are kept alive while a call is in flight, and let go when it ends (shared: %s)",
    async (shared) => {
      vi.useFakeTimers();
      const ledger = Object.assign(new MemoryLedger(), { shared });
      const tracker = new CostTracker({ budget: 1, ledger, leaseMs: 3000 });
      const hold = await tracker.reserve({ boundPicoUsd: micro });
      await hold.markDispatched();
      const fault = vi.spyOn(ledger, "extend").mockRejectedValueOnce(new Error("the store is away"));
      await vi.advanceTimersByTimeAsync(60_000);
      expect(fault).toHaveBeenCalledTimes(60);
      expect(await tracker.unresolved()).toEqual([]);
      await hold.settle({ costPicoUsd: micro });
      expect(vi.getTimerCount()).toBe(0);
      vi.useRealTimers();
    },
  );

  it("run out when nobody knows the hold any more, so that who waits for it is told", async () => {
    vi.useFakeTimers();
    vi.stubGlobal(
      "WeakRef",
      class {
        deref = () => undefined;
      },
    );
    const tracker = new CostTracker({ budget: 1, leaseMs: 3000 });
    await (await tracker.reserve({ boundPicoUsd: micro })).markDispatched();
    await vi.advanceTimersByTimeAsync(3000);
    expect(await tracker.unresolved()).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });
});

describe("a call that ends badly", () => {
  it("is freed when the SDK never sent it: a missing key, a prompt that cannot be sent", async () => {
    const tracker = new CostTracker({ budget: 1 });
    const open = await openCall({ tracker, costs: perToken }, call);
    await open.fail(Object.assign(new Error("no key"), { name: "AI_LoadAPIKeyError" }));
    expect(await tracker.getStats()).toMatchObject({ totalCost: 0, held: 0 });
  });

  it("is freed by a refusal that comes after its lease ran out", async () => {
    let now = 0;
    const tracker = new CostTracker({ budget: 1, ledger: new MemoryLedger({ now: () => now }), leaseMs: 10 });
    const open = await openCall({ tracker, costs: perToken }, call);
    now = 11;
    expect(await tracker.unresolved()).toHaveLength(1);
    await open.fail({ statusCode: 429 });
    expect(await tracker.getStats()).toMatchObject({ unresolved: 0, totalCost: 0 });
  });

  it("lets its lease run out when it could not be recorded, so that it holds up nobody", async () => {
    vi.useFakeTimers();
    const ledger = new MemoryLedger();
    const tracker = new CostTracker({ budget: 1, ledger, leaseMs: 3000 });
    const open = await openCall({ tracker, costs: perToken }, call);
    vi.spyOn(ledger, "settle").mockRejectedValueOnce(new Error("the store is away"));
    await open.succeed({});
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(3000);
    expect(await tracker.unresolved()).toHaveLength(1);
    vi.useRealTimers();
  });
});

describe("a budget around a call", () => {
  it("decides with its own patience, and hears of its refusals", async () => {
    const global = new CostTracker({ budget: "0.0001", name: "global" });
    const user = global.child({ name: "user", onInsufficient: "deny" });
    const heard: string[] = [];
    for (const tracker of [global, user]) tracker.on("denied", () => heard.push(tracker.scope));
    await global.reserve({ boundPicoUsd: 90n * micro });
    const refused = runWithBudget(user, () => openCall({ tracker: global, costs: perToken }, call));
    await expect(refused).rejects.toMatchObject({ scope: "global" });
    expect(heard.sort()).toEqual(["global", "global/user"]);
  });
});
