import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it, vi } from "vitest";
import type { ReserveOutcome, ReserveRequest } from "../ledger/ledger.ts";
import { MemoryLedger } from "../ledger/memory.ts";
import { usd } from "../money.ts";
import { fuzzTracker } from "../testing/tracker-fuzzer.ts";
import { CostTracker } from "./cost-tracker.ts";
import { mayFitLater, waitingLineOf } from "./waiting.ts";

/** Answers when it is told to. */
class SlowLedger extends MemoryLedger {
  answer = (): void => undefined;
  fail = (_error: Error): void => undefined;
  isSlow = false;

  override async reserve(request: ReserveRequest): Promise<ReserveOutcome> {
    const outcome = await super.reserve(request);
    if (this.isSlow) {
      await new Promise<void>((resolve, reject) => {
        this.answer = resolve;
        this.fail = reject;
      });
    }
    return outcome;
  }
}

const gone = new Error("gone");

describe("a caller that goes while the ledger still thinks", () => {
  it("gets no hold, and leaves none", async () => {
    const ledger = new SlowLedger();
    const tracker = new CostTracker({ budget: usd.pico(100n), ledger });
    ledger.isSlow = true;
    const abort = new AbortController();
    const refused = expect(tracker.reserve({ boundPicoUsd: 60n }, { signal: abort.signal })).rejects.toThrow("gone");
    await nextTurn();
    abort.abort(gone);
    ledger.answer();
    await refused;
    expect((await tracker.getStats()).held).toBe(0);
    await expect(tracker.reserve({ boundPicoUsd: 60n }, { signal: abort.signal })).rejects.toThrow("gone");
  });

  it("does not begin to wait", async () => {
    const ledger = new SlowLedger();
    const tracker = new CostTracker({ budget: usd.pico(100n), ledger });
    const first = await tracker.reserve({ boundPicoUsd: 60n });
    ledger.isSlow = true;
    const abort = new AbortController();
    const refused = expect(tracker.reserve({ boundPicoUsd: 60n }, { signal: abort.signal })).rejects.toThrow("gone");
    await nextTurn();
    abort.abort(gone);
    ledger.answer();
    await refused;
    await first.release();
    expect((await tracker.getStats()).held).toBe(0);
  });

  it("gives back what came after it stopped waiting, to who waits behind it", async () => {
    const ledger = new SlowLedger();
    const tracker = new CostTracker({ budget: usd.pico(100n), ledger });
    const first = await tracker.reserve({ boundPicoUsd: 60n });
    const abort = new AbortController();
    const refused = expect(tracker.reserve({ boundPicoUsd: 60n }, { signal: abort.signal })).rejects.toThrow("gone");
    const behind = tracker.reserve({ boundPicoUsd: 70n });
    await nextTurn();
    ledger.isSlow = true;
    await first.release();
    await nextTurn();
    abort.abort(gone);
    ledger.isSlow = false;
    ledger.answer();
    await refused;
    expect((await behind).amount.picoUsd).toBe(70n);
    expect((await tracker.getStats()).exact.held.picoUsd).toBe(70n);
  });

  it("does not take others with it when the ledger fails after it left", async () => {
    const ledger = new SlowLedger();
    const tracker = new CostTracker({ budget: usd.pico(100n), ledger });
    const first = await tracker.reserve({ boundPicoUsd: 60n });
    const abort = new AbortController();
    const refused = expect(tracker.reserve({ boundPicoUsd: 60n }, { signal: abort.signal })).rejects.toThrow("gone");
    await nextTurn();
    ledger.isSlow = true;
    await tracker.setBudget(usd.pico(100n));
    await nextTurn();
    abort.abort(gone);
    await refused;
    ledger.isSlow = false;
    const next = tracker.reserve({ boundPicoUsd: 70n });
    await nextTurn();
    ledger.fail(new Error("locked"));
    await nextTurn();
    await first.release();
    expect((await next).amount.picoUsd).toBe(70n);
  });

  it("is forgotten by its signal once it was served", async () => {
    const tracker = new CostTracker({ budget: usd.pico(100n) });
    const first = await tracker.reserve({ boundPicoUsd: 60n });
    const { signal } = new AbortController();
    const stops = vi.spyOn(signal, "removeEventListener");
    const waiting = tracker.reserve({ boundPicoUsd: 60n }, { signal });
    await nextTurn();
    await first.release();
    await waiting;
    expect(stops).toHaveBeenCalledOnce();
  });
});

describe("maxWaitMs", () => {
  it("also ends the wait of calls behind one that does not fit, and of those in mid-air", async () => {
    const ledger = new SlowLedger();
    const tracker = new CostTracker({ budget: usd.pico(100n), ledger, maxWaitMs: 5 });
    const first = await tracker.reserve({ boundPicoUsd: 60n });
    const waiting = [50n, 60n, 70n].map((boundPicoUsd) => tracker.reserve({ boundPicoUsd }));
    for (const call of waiting) await expect(call).rejects.toMatchObject({ code: "budget_exceeded", held: 6e-11 });
    ledger.isSlow = true;
    const direct = tracker.reserve({ boundPicoUsd: 50n });
    await nextTurn();
    ledger.answer();
    await nextTurn();
    await new Promise((resolve) => setTimeout(resolve, 10));
    ledger.answer();
    await expect(direct).rejects.toMatchObject({ code: "budget_exceeded" });
    ledger.isSlow = false;
    await first.release();
    await (await tracker.reserve({ boundPicoUsd: 100n })).release();
  });
});

describe("a wait", () => {
  it("looks again by itself where other processes hold money too, many times if need be", async () => {
    vi.useFakeTimers();
    const ledger = new MemoryLedger();
    Object.assign(ledger, { shared: true });
    const recover = vi.spyOn(ledger, "recover");
    const tracker = new CostTracker({ budget: usd.pico(100n), ledger });
    const elsewhere = [{ scope: "default", window: "all", limitPicoUsd: null }];
    await ledger.reserve({ id: "elsewhere", accounts: elsewhere, amountPicoUsd: 60n, leaseMs: 60_000 });
    let served = 0;
    const waiting = [60n, 30n, 80n].map((boundPicoUsd) =>
      tracker.reserve({ boundPicoUsd }).then(async (hold) => {
        served++;
        await hold.release();
      }),
    );
    await vi.advanceTimersByTimeAsync(950);
    expect([served, recover.mock.calls.length]).toEqual([1, 0]);
    recover.mockRejectedValueOnce(new Error("locked"));
    await vi.advanceTimersByTimeAsync(100);
    expect(recover).toHaveBeenCalledOnce();
    await ledger.release("elsewhere");
    await vi.advanceTimersByTimeAsync(100);
    expect(served).toBe(3);
    await Promise.all(waiting);
    expect(vi.getTimerCount()).toBeLessThanOrEqual(1);
    await vi.advanceTimersByTimeAsync(5000);
    expect(recover).toHaveBeenCalledOnce();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it("has one line for each ledger", () => {
    const ledger = new MemoryLedger();
    expect(waitingLineOf(ledger)).toBe(waitingLineOf(ledger));
    expect(waitingLineOf(ledger)).not.toBe(waitingLineOf(new MemoryLedger()));
  });

  it("is worth it only while calls are in flight whose end could make room", () => {
    const account = { scope: "a", window: "all", callCount: 0, boundCallCount: 0, limitPicoUsd: 100n };
    const lacking = (spentPicoUsd: bigint, heldPicoUsd: bigint, unresolvedPicoUsd: bigint) => ({
      admitted: false as const,
      lacking: [{ ...account, spentPicoUsd, heldPicoUsd, unresolvedPicoUsd }],
    });
    expect(mayFitLater(lacking(50n, 1n, 0n), 50n)).toBe(true);
    expect(mayFitLater(lacking(50n, 0n, 0n), 50n)).toBe(false);
    expect(mayFitLater(lacking(50n, 1n, 1n), 50n)).toBe(false);
    expect(mayFitLater(lacking(51n, 1n, 0n), 50n)).toBe(false);
    const unlimited = lacking(51n, 0n, 0n).lacking.map((balance) => ({ ...balance, limitPicoUsd: null }));
    expect(mayFitLater({ admitted: false, lacking: unlimited }, 50n)).toBe(true);
  });
});

describe("many calls at once", () => {
  it("keep every promise in a few random orders, always the same", async () => {
    expect((await fuzzTracker({ schedules: 200, seed: 1 })).violations).toEqual([]);
  });
});

describe("after a crash", () => {
  it("what was sent is listed, counts at its bound, and ends by evidence or by a write-off", async () => {
    let now = 0;
    const ledger = new MemoryLedger({ now: () => now });
    const tracker = new CostTracker({ name: "run", budget: usd.pico(100n), ledger, leaseMs: 1000, now: () => now });
    const other = new CostTracker({ name: "other", ledger });
    const [paid, lost] = [await tracker.reserve({ boundPicoUsd: 40n }), await tracker.reserve({ boundPicoUsd: 40n })];
    const elsewhere = await other.reserve({ boundPicoUsd: 5n });
    for (const hold of [paid, lost, elsewhere]) await hold.markDispatched();
    now = 999;
    expect(await tracker.unresolved()).toEqual([]);
    await lost.extend(1000);
    now = 1998;
    expect((await tracker.unresolved()).map(({ id }) => id)).toEqual([paid.id]);
    now = 1999;
    expect((await tracker.recover()).map(({ id }) => id)).toEqual([paid.id, lost.id]);
    expect(await tracker.getStats()).toMatchObject({ held: 0, unresolved: 8e-11, remainingBudget: 2e-11 });
    const waiting = tracker.reserve({ boundPicoUsd: 20n });
    await tracker.resolve(paid.id, { costPicoUsd: 10n });
    await tracker.resolve(lost.id, { writeOff: "not in the provider's log" });
    await (await waiting).release();
    expect(await tracker.getStats()).toMatchObject({ unresolved: 0, totalCost: 1e-11, callCount: 1 });
  });

  it("an abandoned budget is sorted out at once, its neighbours are not", async () => {
    const ledger = new MemoryLedger();
    const [mine, other] = ["mine", "other"].map((name) => new CostTracker({ name, budget: 1, ledger }));
    const sent = await mine?.reserve({ boundPicoUsd: 5n });
    await sent?.markDispatched();
    await (await other?.reserve({ boundPicoUsd: 5n }))?.markDispatched();
    expect((await mine?.recover({ abandoned: true }))?.map(({ id }) => id)).toEqual([sent?.id]);
    expect((await other?.getStats())?.exact.held.picoUsd).toBe(5n);
  });

  it("children keep the lease of their parent", async () => {
    let now = 0;
    const ledger = new MemoryLedger({ now: () => now });
    const child = new CostTracker({ ledger, leaseMs: 50 }).child({ name: "child" });
    await (await child.reserve({ boundPicoUsd: 5n })).markDispatched();
    now = 50;
    expect(await child.unresolved()).toHaveLength(1);
  });
});

describe("a refusal", () => {
  it("says nothing of a reset that there is none of, and stands on the account that is final", async () => {
    const parent = new CostTracker({ name: "p", budget: usd.pico(100n) });
    const child = parent.child({ name: "c", budget: usd.pico(60n), onInsufficient: "deny" });
    await parent.reserve({ boundPicoUsd: 50n });
    const error = await child.reserve({ boundPicoUsd: 61n }).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ scope: "p/c", window: "all", budget: 6e-11, required: 6.1e-11 });
    expect(error).toHaveProperty("resetsAt", undefined);
  });

  it("makes sense of a ledger that says less", async () => {
    const ledger = new MemoryLedger();
    const balance = { spentPicoUsd: 0n, heldPicoUsd: 0n, unresolvedPicoUsd: 0n, callCount: 0, boundCallCount: 0 };
    const lacking = [{ ...balance, scope: "who?", window: "all", limitPicoUsd: null }];
    vi.spyOn(ledger, "reserve").mockResolvedValue({ admitted: false, atMs: 0, lacking });
    const options = { ledger, onInsufficient: "clamp", maxWaitMs: 1 } as const;
    const free: bigint[] = [];
    const clamp = (availablePicoUsd: bigint) => {
      free.push(availablePicoUsd);
      return undefined;
    };
    await expect(new CostTracker(options).reserve({ boundPicoUsd: 1n }, { clamp })).rejects.toMatchObject({
      scope: "who?",
      budget: 0,
    });
    expect(free).toEqual([0n]);
  });

  it("clamps to what the tightest of the budgets has left", async () => {
    for (const [outer, inner] of [
      [30n, 50n],
      [50n, 30n],
    ] as const) {
      const parent = new CostTracker({ name: "p", budget: usd.pico(outer), onInsufficient: "clamp" });
      const child = parent.child({ name: "c", budget: usd.pico(inner) });
      await (await parent.reserve({ boundPicoUsd: 5n })).markDispatched();
      await child.addCost(usd.pico(2n));
      const clamp = vi.fn((boundPicoUsd: bigint) => ({ boundPicoUsd }));
      const hold = await child.reserve({ boundPicoUsd: 80n }, { clamp });
      const left = outer === 30n ? 23n : 28n;
      expect([hold.amount.picoUsd, clamp.mock.calls]).toEqual([left, [[left]]]);
    }
  });

  it("does not come to a small call because a large one waits", async () => {
    const ledger = new MemoryLedger();
    const tracker = new CostTracker({ budget: usd.pico(100n), ledger });
    const first = await tracker.reserve({ boundPicoUsd: 60n });
    const large = tracker.reserve({ boundPicoUsd: 90n });
    await nextTurn();
    const order: string[] = [];
    const same = tracker.reserve({ boundPicoUsd: 90n }).then(async (hold) => {
      order.push("same");
      await hold.release();
    });
    const small = await tracker.reserve({ boundPicoUsd: 40n });
    await first.release();
    await small.release();
    await (await large.finally(() => order.push("large"))).release();
    await same;
    expect(order).toEqual(["large", "same"]);
  });

  it("does not come to who waits because a newcomer of the same size jumps the queue", async () => {
    const tracker = new CostTracker({ budget: usd.pico(100n) });
    const order: string[] = [];
    const call = async (name: string) => {
      const hold = await tracker.reserve({ boundPicoUsd: 60n });
      order.push(name);
      await hold.release();
    };
    const first = await tracker.reserve({ boundPicoUsd: 60n });
    const waiting = call("waiting");
    await nextTurn();
    const released = first.release();
    await Promise.all([call("newcomer"), waiting, released]);
    expect(order).toEqual(["waiting", "newcomer"]);
  });

  it("comes after three tries to clamp, at most", async () => {
    const tracker = new CostTracker({ budget: usd.pico(10n), onInsufficient: "clamp" });
    const clamp = vi.fn(() => ({ boundPicoUsd: 11n }));
    await expect(tracker.reserve({ boundPicoUsd: 20n }, { clamp })).rejects.toMatchObject({ required: 1.1e-11 });
    expect(clamp).toHaveBeenCalledTimes(3);
    await expect(tracker.reserve({ boundPicoUsd: 20n })).rejects.toMatchObject({ required: 2e-11 });
  });
});
