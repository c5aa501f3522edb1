import { afterEach, describe, expect, it, test, vi } from "vitest";
import { LedgerError } from "../errors/ledger-error.ts";
import { openCall } from "../meter/meter-call.ts";
import { Interleaving } from "../testing/interleaving.ts";
import { ledgerSuite } from "../testing/ledger-suite.ts";
import { fuzzLedger } from "../testing/overspend-fuzzer.ts";
import { Random } from "../testing/random.ts";
import { UnreliableLedger } from "../testing/unreliable-ledger.ts";
import { CostTracker } from "../tracker/cost-tracker.ts";
import { type GuardEvent, type GuardOptions, guardLedger } from "./guard-ledger.ts";
import type { Ledger, LedgerReport } from "./ledger.ts";
import { MemoryLedger } from "./memory.ts";
import { SqliteLedger } from "./sqlite.ts";
import { verifyLedger } from "./verify-ledger.ts";

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A ledger whose steps fail, hang or lose their answers while it is told to. */
function setUp(options: GuardOptions = {}, makeStore: () => Ledger = () => new MemoryLedger()) {
  const store = makeStore();
  const events: GuardEvent[] = [];
  const ledger = guardLedger(store, { ...options, onEvent: (event) => events.push(event) });
  const tracker = new CostTracker({ name: "app", budget: "0.0000000001", ledger });
  const faults: unknown[] = [];
  tracker.on("fault", ({ error }) => faults.push(error));
  type Step = "reserve" | "markDispatched" | "settle" | "release" | "now";
  const fail = (step: Step, error: unknown = new Error("ECONNRESET")) => vi.spyOn(store, step).mockRejectedValue(error);
  const hang = (step: Step) => vi.spyOn(store, step).mockReturnValue(new Promise<never>(() => {}));
  const kinds = () => events.map(({ kind }) => kind).join();
  const books = async () => {
    const report = await store.inspect();
    expect(verifyLedger(report)).toEqual([]);
    return report;
  };
  return { store, ledger, tracker, events, kinds, fail, hang, faults, books };
}

const costs = {
  provider: "test",
  quote: () => ({ boundPicoUsd: 10n }),
  receipt: () => ({ costPicoUsd: 3n, modelId: "m" }),
};
const call = { surface: "generate", modelId: "m", request: {} } as const;
const spentIn = ({ accounts }: LedgerReport) => accounts[0]?.spentPicoUsd;

describe("a guarded ledger is a ledger", () => {
  ledgerSuite(test, () => guardLedger(new MemoryLedger(), { onLedgerFailure: "allow-and-record" }));
  ledgerSuite(
    (name, body) => test(`${name} (SQLite)`, body),
    () => guardLedger(new SqliteLedger(":memory:")),
  );

  it("keeps its promises in random schedules", async () => {
    const makeLedger = (now: () => number) => guardLedger(new MemoryLedger({ now }));
    expect((await fuzzLedger({ makeLedger, schedules: 400, seed: 1 })).violations).toEqual([]);
  });

  it("is shared as the store is, and closes it", async () => {
    expect(guardLedger(new MemoryLedger()).shared).toBe(false);
    const store = new SqliteLedger(":memory:");
    const ledger = guardLedger(store);
    expect(ledger.shared).toBe(true);
    await ledger.close();
    await expect(store.inspect()).rejects.toThrow(LedgerError);
  });
});

describe('while the store fails, under "deny"', () => {
  it.each(["reserve", "markDispatched"] as const)(
    "nothing is sent when %s fails: a LedgerError, whatever the driver threw",
    async (step) => {
      const { tracker, fail, books } = setUp();
      const spy = fail(step);
      const error = await openCall({ tracker, costs }, call).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "ledger", message: "The ledger's store failed: ECONNRESET" });
      spy.mockRestore();
      expect((await books()).open).toEqual([]);
      await expect(openCall({ tracker, costs }, call)).resolves.toBeDefined();
    },
  );

  it("a step that is not answered in time counts as failed, and its late hold is given back", async () => {
    vi.useFakeTimers();
    const { store, tracker, books } = setUp({ timeoutMs: 50 });
    let answer = () => {};
    const reserve = store.reserve.bind(store);
    vi.spyOn(store, "reserve").mockImplementationOnce(async (request) => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return await reserve(request);
    });
    const refused = expect(openCall({ tracker, costs }, call)).rejects.toThrow(
      "The ledger did not answer within 50 ms: is its store reachable?",
    );
    await vi.advanceTimersByTimeAsync(50);
    await refused;
    answer();
    await vi.advanceTimersByTimeAsync(0);
    expect((await books()).open).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("a late refusal, and a late hold that cannot be given back, are left to the lease", async () => {
    vi.useFakeTimers();
    const { store, ledger, fail } = setUp({ timeoutMs: 50 });
    fail("release");
    const request = { accounts: [{ scope: "a", window: "all", limitPicoUsd: 5n }], leaseMs: 1 };
    const reserve = store.reserve.bind(store);
    vi.spyOn(store, "reserve").mockImplementation(async (asked) => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      return await reserve(asked);
    });
    for (const [id, amountPicoUsd] of [
      ["fits", 5n],
      ["not", 6n],
    ] as const) {
      const refused = expect(ledger.reserve({ id, amountPicoUsd, ...request })).rejects.toThrow(LedgerError);
      await vi.advanceTimersByTimeAsync(100);
      await refused;
    }
    expect((await store.inspect()).open).toMatchObject([{ id: "fits" }]);
  });

  it("a paid call keeps its hold, and its true receipt is posted as soon as the store is back", async () => {
    vi.useFakeTimers();
    const { store, ledger, tracker, events, kinds, fail, faults, books } = setUp();
    const open = await openCall({ tracker, costs }, call);
    const settle = fail("settle");
    await open.succeed({});
    expect(faults).toMatchObject([{ code: "ledger" }]);
    expect([kinds(), ledger.waiting]).toEqual(["waiting", 1]);
    expect(await books()).toMatchObject({ open: [{ state: "dispatched", amountPicoUsd: 10n }] });
    await vi.advanceTimersByTimeAsync(10_000);
    // After 250, 750, 1750, 3750 and 7750 ms.
    expect(settle).toHaveBeenCalledTimes(1 + 5);
    await vi.advanceTimersByTimeAsync(300_000);
    // After 15.75 and 31.75 s, then half a minute apart.
    expect(settle.mock.calls.length).toBe(1 + 5 + 2 + 9);
    settle.mockRestore();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(spentIn(await books())).toBe(3n);
    expect(events.at(-1)).toMatchObject({ kind: "posted", receipt: { costPicoUsd: 3n }, waiting: 0 });
    expect([(await store.inspect()).open, vi.getTimerCount()]).toEqual([[], 0]);
  });

  it("a settlement whose answer was lost is posted once", async () => {
    const { store, ledger, tracker, books } = setUp();
    const hold = await tracker.reserve({ boundPicoUsd: 10n });
    await hold.markDispatched();
    const settle = store.settle.bind(store);
    vi.spyOn(store, "settle").mockImplementationOnce(async (id, receipt) => {
      await settle(id, receipt);
      throw new Error("the answer was lost");
    });
    await expect(hold.settle({ costPicoUsd: 4n })).rejects.toThrow("the answer was lost");
    expect(await Promise.all([ledger.flush(), ledger.flush()])).toEqual([0, 0]);
    expect((await books()).accounts).toMatchObject([{ spentPicoUsd: 4n, callCount: 1, heldPicoUsd: 0n }]);
  });

  it("who tries again by hand is not in the way, and the first receipt counts", async () => {
    const { ledger, tracker, fail, books } = setUp();
    const hold = await tracker.reserve({ boundPicoUsd: 10n });
    await hold.markDispatched();
    const settle = fail("settle");
    await expect(hold.settle({ costPicoUsd: 4n })).rejects.toThrow(LedgerError);
    await expect(hold.settle({ costPicoUsd: 5n })).rejects.toThrow(LedgerError);
    expect([await ledger.flush(), ledger.waiting]).toEqual([1, 1]);
    settle.mockRestore();
    expect(await ledger.flush()).toBe(0);
    expect(spentIn(await books())).toBe(4n);
  });

  it("a receipt that a person wrote off meanwhile is told, not posted; one that is no amount is not kept", async () => {
    const { store, ledger, tracker, events, fail, books } = setUp();
    const hold = await tracker.reserve({ boundPicoUsd: 10n });
    await hold.markDispatched();
    await expect(hold.settle({ costPicoUsd: -1n })).rejects.toThrow("must be a finite amount");
    expect(ledger.waiting).toBe(0);
    const settle = fail("settle");
    await expect(hold.settle({ costPicoUsd: 4n })).rejects.toThrow(LedgerError);
    await store.recover({ abandonedScope: "app" });
    await store.resolve(hold.id, { writeOff: "not in its log" });
    settle.mockRestore();
    expect(await ledger.flush()).toBe(0);
    expect(events.at(-1)).toMatchObject({ kind: "refused", error: { code: "reservation_state", state: "writtenOff" } });
    expect(spentIn(await books())).toBe(0n);
  });

  it("closing tries once more, and then leaves no timer behind", async () => {
    vi.useFakeTimers();
    const { store, ledger, tracker, fail, books } = setUp();
    for (const isBack of [false, true]) {
      const hold = await tracker.reserve({ boundPicoUsd: 10n });
      await hold.markDispatched();
      const settle = fail("settle");
      await expect(hold.settle({ costPicoUsd: 4n })).rejects.toThrow(LedgerError);
      // As the meter does: from here on the outbox ends it.
      hold.abandon();
      if (isBack) settle.mockRestore();
      await ledger.close();
      expect(vi.getTimerCount()).toBe(0);
      settle.mockRestore();
    }
    expect((await books()).accounts).toMatchObject([{ spentPicoUsd: 8n }]);
    expect(await store.recover()).toEqual([]);
  });
});

describe('while the store fails, under "allow-and-record"', () => {
  const allow = { onLedgerFailure: "allow-and-record" } as const;

  it("calls go on without a hold, are counted, and what they cost is posted when the store is back", async () => {
    const { ledger, tracker, events, kinds, fail, faults, books } = setUp(allow);
    const spies = (["reserve", "markDispatched", "settle"] as const).map((step) => fail(step));
    for (let sent = 0; sent < 3; sent++) await (await openCall({ tracker, costs }, call)).succeed({});
    expect(kinds()).toBe("unguarded,waiting,unguarded,waiting,unguarded,waiting");
    expect(events[4]).toMatchObject({ count: 3, modelId: "m", boundPicoUsd: 10n, error: { code: "ledger" } });
    expect([await ledger.flush(), faults.length]).toEqual([3, 0]);
    for (const spy of spies) spy.mockRestore();
    expect(await ledger.flush()).toBe(0);
    expect((await books()).accounts).toMatchObject([
      { spentPicoUsd: 9n, callCount: 3, byModel: { m: { callCount: 3 } } },
    ]);
  });

  it.each(["reserve", "markDispatched"] as const)(
    "a lost answer to %s leaves nothing held or counted twice",
    async (step) => {
      const { store, ledger, tracker, books } = setUp(allow);
      const original = store[step].bind(store) as (given: never) => Promise<never>;
      vi.spyOn(store, step).mockImplementationOnce(async (given: unknown) => {
        await original(given as never);
        throw new Error("the answer was lost");
      });
      const open = await openCall({ tracker, costs }, call);
      await open.succeed({});
      expect(await ledger.flush()).toBe(0);
      expect(await books()).toMatchObject({ open: [], accounts: [{ spentPicoUsd: 3n, callCount: 1 }] });
    },
  );

  it("a hold whose lease ran out meanwhile is made anew, under no limit", async () => {
    const { store, ledger, tracker, books } = setUp(allow);
    await tracker.setBudget("0.000000000003");
    const reserve = store.reserve.bind(store);
    vi.spyOn(store, "reserve").mockImplementationOnce(async (request) => {
      await reserve({ ...request, leaseMs: 0 });
      throw new Error("the answer was lost");
    });
    const hold = await tracker.reserve({ boundPicoUsd: 3n });
    await store.recover();
    await store.post([{ scope: "app", window: "all" }], { costPicoUsd: 3n });
    await hold.markDispatched();
    await hold.settle({ costPicoUsd: 5n });
    expect(await ledger.flush()).toBe(0);
    expect(await books()).toMatchObject({ open: [], accounts: [{ spentPicoUsd: 8n, callCount: 2 }] });
  });

  it("a call without a hold that was refused costs nothing, and one whose hold is late keeps it until it ends", async () => {
    vi.useFakeTimers();
    const { store, ledger, tracker, fail, books } = setUp({ ...allow, timeoutMs: 50 });
    const reserve = store.reserve.bind(store);
    vi.spyOn(store, "reserve").mockImplementationOnce(async (request) => {
      await new Promise((resolve) => setTimeout(resolve, 60));
      return await reserve(request);
    });
    const late = tracker.reserve({ boundPicoUsd: 10n });
    await vi.advanceTimersByTimeAsync(100);
    const hold = await late;
    expect((await books()).open).toMatchObject([{ id: hold.id, state: "held" }]);
    await hold.markDispatched();
    await hold.release("HTTP 429");
    expect((await books()).open).toEqual([]);
    const spies = (["reserve", "release"] as const).map((step) => fail(step));
    const open = await openCall({ tracker, costs }, call);
    await open.cancel();
    for (const spy of spies) spy.mockRestore();
    expect(await ledger.flush()).toBe(0);
    expect(await books()).toMatchObject({ open: [], accounts: [{ spentPicoUsd: 0n }] });
  });

  it("refuses what the budget refuses, and what is no fault of the store", async () => {
    const { store, ledger, tracker } = setUp(allow);
    await expect(tracker.reserve({ boundPicoUsd: 1000n })).rejects.toMatchObject({ code: "budget_exceeded" });
    await expect(ledger.markDispatched("never")).rejects.toMatchObject({ code: "reservation_state" });
    vi.spyOn(store, "markDispatched").mockRejectedValue(new Error("gone"));
    await expect(ledger.markDispatched("never")).rejects.toThrow(LedgerError);
  });

  it("the time goes on as it was last known", async () => {
    vi.useFakeTimers({ now: 1_000_000 });
    const { ledger, tracker, fail } = setUp(allow, () => new MemoryLedger({ now: () => Date.now() + 500 }));
    await tracker.reserve({ boundPicoUsd: 1n });
    expect(await ledger.now()).toBe(1_000_500);
    fail("now");
    fail("reserve");
    vi.setSystemTime(1_000_010);
    expect(await ledger.now()).toBe(1_000_510);
    const outcome = await ledger.reserve({ id: "x", accounts: [], amountPicoUsd: 1n, leaseMs: 1 });
    expect(outcome).toEqual({ admitted: true, atMs: 1_000_510 });
    const strict = setUp();
    strict.fail("now", "a text");
    await expect(strict.ledger.now()).rejects.toThrow("The ledger's store failed: a text");
  });

  it("does not stumble over a listener that throws, nor needs one", async () => {
    const store = new MemoryLedger();
    vi.spyOn(store, "reserve").mockRejectedValueOnce(new Error("gone"));
    const onEvent = () => {
      throw new Error("a mistake");
    };
    for (const options of [{ ...allow, onEvent }, allow]) {
      const ledger = guardLedger(store, options);
      const hold = await new CostTracker({ ledger }).reserve({ boundPicoUsd: 1n });
      await hold.markDispatched();
      await hold.settle({ costPicoUsd: 1n });
      expect(await ledger.flush()).toBe(0);
    }
    expect(spentIn(await store.inspect())).toBe(2n);
  });
});

describe("calls over a wire that loses requests and answers", () => {
  it.each(["deny", "allow-and-record"] as const)(
    'end in books that equal the bill to the last unit, under "%s"',
    async (onLedgerFailure) => {
      for (let seed = 1; seed <= 60; seed++) {
        const random = new Random(seed);
        const order = new Interleaving(random);
        const store = new MemoryLedger();
        const wire = new UnreliableLedger({ inner: store, order, random, faultPercent: 25 });
        const ledger = guardLedger(wire, { onLedgerFailure });
        const tracker = new CostTracker({ name: "app", ledger, onInsufficient: "deny" });
        let billedPicoUsd = 0n;
        let sent = 0;
        let running = 12;
        const makeCall = async (number: number) => {
          const costPicoUsd = BigInt(random.below(10));
          const open = await openCall({ tracker, costs: { ...costs, receipt: () => ({ costPicoUsd }) } }, call);
          billedPicoUsd += costPicoUsd;
          sent++;
          await order.gate();
          await (number % 5 === 0 ? open.cut({}) : open.succeed({}));
        };
        const calls = Array.from({ length: running }, (_, number) =>
          makeCall(number)
            .catch((error: unknown) => expect(error).toMatchObject({ code: "ledger" }))
            .finally(() => running--),
        );
        await order.run(
          () => running === 0,
          async () => false,
        );
        await Promise.all(calls);
        if (onLedgerFailure === "allow-and-record") expect(sent).toBe(12);
        let waiting = 1;
        const drain = async () => {
          while (waiting > 0) waiting = await ledger.flush();
        };
        await Promise.all([
          drain(),
          order.run(
            () => waiting === 0,
            async () => true,
          ),
        ]);
        const report = await store.inspect();
        expect(verifyLedger(report)).toEqual([]);
        expect(spentIn(report) ?? 0n, `seed ${seed}`).toBe(billedPicoUsd);
        expect(report.accounts[0]?.callCount ?? 0).toBe(sent);
        // What is left was never sent: its mark failed and its release too.
        await store.recover({ abandonedScope: "app" });
        for (const { id } of await store.recover()) await store.resolve(id, { writeOff: "never sent" });
        expect((await store.inspect()).open).toEqual([]);
      }
    },
  );
});
