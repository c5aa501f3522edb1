import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { MemoryLedger } from "../ledger/memory.ts";
import { CostTracker } from "./cost-tracker.ts";

const hourMs = 3_600_000;
const midnight = Date.UTC(2026, 10, 24);
/** A store with a clock of its own; the process's clock is the faked one. */
let storeNow: number;
let ledger: MemoryLedger;
beforeEach(() => {
  vi.useFakeTimers({ now: midnight - 1000 });
  storeNow = midnight - 1000;
  ledger = new MemoryLedger({ now: () => storeNow });
});
afterEach(() => vi.useRealTimers());

const daily = (options = {}) => new CostTracker({ budget: "0.00001", per: "day", ledger, ...options });
const windows = async () => (await ledger.inspect()).accounts.map(({ window, heldPicoUsd }) => [window, heldPicoUsd]);

describe("the window of a call", () => {
  it.each([-5, 5, 24 * 60])(
    "is by the store's clock, whatever a process's own says (%i minutes off)",
    async (minutes) => {
      vi.setSystemTime(midnight - 1000 + minutes * 60_000);
      const asked = vi.spyOn(ledger, "now");
      const reserved = vi.spyOn(ledger, "reserve");
      const tracker = daily();
      for (let call = 0; call < 5; call++) await tracker.reserve({ boundPicoUsd: 1n });
      await tracker.addCost("0.000001");
      expect(await windows()).toEqual([["2026-11-23", 5n]]);
      expect((await tracker.getStats()).callCount).toBe(1);
      expect([asked.mock.calls.length, reserved.mock.calls.length]).toEqual([1, 5]);
    },
  );

  it("changes when the store's day does, without a word from the process's clock", async () => {
    const tracker = daily();
    await tracker.reserve({ boundPicoUsd: 3n });
    storeNow = midnight;
    await tracker.reserve({ boundPicoUsd: 4n });
    expect(await windows()).toEqual([
      ["2026-11-23", 3n],
      ["2026-11-24", 4n],
    ]);
    // What it learnt from that answer is good for reading and posting too.
    expect((await tracker.getStats()).exact.held.picoUsd).toBe(4n);
  });

  it("is no reason to refuse a call: a day that is spent, and over by the store's clock, does not count", async () => {
    const tracker = daily({ onInsufficient: "deny" });
    await tracker.reserve({ boundPicoUsd: 10_000_000n });
    storeNow = midnight;
    await expect(tracker.reserve({ boundPicoUsd: 6n })).resolves.toBeDefined();
    expect(await windows()).toEqual([
      ["2026-11-23", 10_000_000n],
      ["2026-11-24", 6n],
    ]);
  });

  it("is right after the process's clock jumped: nothing stays held in the wrong one, no call is refused for it", async () => {
    const tracker = daily({ onInsufficient: "deny" });
    await tracker.reserve({ boundPicoUsd: 10_000_000n });
    vi.setSystemTime(midnight + 12 * hourMs);
    await expect(tracker.reserve({ boundPicoUsd: 1n })).rejects.toThrow(/Budget exceeded/);
    expect(await windows()).toEqual([
      ["2026-11-23", 10_000_000n],
      ["2026-11-24", 0n],
    ]);
    storeNow = midnight + 5;
    vi.setSystemTime(midnight - 12 * hourMs);
    const hold = await tracker.reserve({ boundPicoUsd: 2n });
    await hold.markDispatched();
    await hold.settle({ costPicoUsd: 2n });
    expect((await tracker.getStats()).exact.spent.picoUsd).toBe(2n);
  });

  it("is each budget's own, and only those with windows ask for the time", async () => {
    const asked = vi.spyOn(ledger, "now");
    const project = new CostTracker({ name: "project", budget: 1, ledger });
    await project.addCost(0);
    await project.reserve({ boundPicoUsd: 1n });
    expect(asked).not.toHaveBeenCalled();
    const user = project.child({ name: "user", per: "hour", budget: 1 });
    vi.setSystemTime(midnight + hourMs);
    await user.reserve({ boundPicoUsd: 1n });
    await user.reset();
    expect(await windows()).toEqual([
      ["all", 2n],
      ["2026-11-23T23+00:00", 1n],
    ]);
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it("is by the clock that a tracker was given, if it was given one", async () => {
    const tracker = daily({ now: () => midnight + hourMs });
    await tracker.reserve({ boundPicoUsd: 1n });
    expect(await windows()).toEqual([["2026-11-24", 1n]]);
  });
});
