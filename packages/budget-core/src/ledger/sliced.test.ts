import { Pool } from "pg";
import { afterEach, beforeEach, describe, expect, it, test, vi } from "vitest";
import { startPostgres } from "../../../../tests/servers/start-postgres.ts";
import { startProxy } from "../../../../tests/servers/start-proxy.ts";
import { LedgerError } from "../errors/ledger-error.ts";
import { Interleaving } from "../testing/interleaving.ts";
import { ledgerSuite } from "../testing/ledger-suite.ts";
import { Random } from "../testing/random.ts";
import { UnreliableLedger } from "../testing/unreliable-ledger.ts";
import type { Account, Ledger, ReservationPart } from "./ledger.ts";
import { MemoryLedger } from "./memory.ts";
import { PostgresLedger } from "./postgres.ts";
import { SlicedLedger } from "./sliced.ts";
import { verifyLedger } from "./verify-ledger.ts";

const leaseMs = 60_000;
const accounts: Account[] = [{ scope: "a", window: "all", limitPicoUsd: 10_000n }];

/** One call from start to end. */
async function callOn(ledger: Ledger, id: string, costPicoUsd = 3n): Promise<void> {
  const { admitted } = await ledger.reserve({ id, accounts, amountPicoUsd: 10n, leaseMs });
  expect(admitted).toBe(true);
  await ledger.markDispatched(id);
  await ledger.settle(id, { costPicoUsd });
}

/** Calls that were sent, all at once, so that they hold a slice together. */
async function sendOn(ledger: Ledger, ids: readonly string[]): Promise<void> {
  await callOn(ledger, `before ${ids[0]}`, 0n);
  const send = async (id: string) => {
    await ledger.reserve({ id, accounts, amountPicoUsd: 10n, leaseMs, modelId: "m" });
    await ledger.markDispatched(id);
  };
  await Promise.all(ids.map(send));
}

const balanceOf = async (ledger: Ledger) => (await ledger.read(accounts))[0];

describe("SlicedLedger, for a call at a time,", () => {
  // The first call on accounts holds no slice, so that the contract can be looked at in the books; see the fuzzer for others.
  ledgerSuite(test, () => new SlicedLedger(new MemoryLedger()));
});

describe("a call that holds a part of a slice", () => {
  const clock = { now: 0 };
  let inner: MemoryLedger;
  let ledger: SlicedLedger;
  beforeEach(async () => {
    clock.now = 0;
    inner = new MemoryLedger({ now: () => clock.now });
    ledger = new SlicedLedger(inner, { now: () => clock.now });
    await sendOn(ledger, ["first", "second", "third"]);
    await ledger.reserve({ id: "held", accounts, amountPicoUsd: 10n, leaseMs });
  });
  afterEach(() => ledger.close());
  const refused = (state: string) => expect.objectContaining({ code: "reservation_state", state });

  it("is one reservation with its neighbours, dispatched before any of them is sent", async () => {
    const { open } = await inner.inspect();
    expect(open.map(({ state }) => state)).toEqual(open.map(() => "dispatched"));
    expect(open.map(({ id }) => id)).not.toContain("second");
  });

  it("ends once: repeats tell nothing new, and what its state does not allow is refused", async () => {
    const settled = await Promise.all([1, 2, 3].map(() => ledger.settle("second", { costPicoUsd: 7n, modelId: "m" })));
    expect(settled.map(({ length }) => length)).toEqual([1, 0, 0]);
    expect(await ledger.settle("second", { costPicoUsd: 9n })).toEqual([]);
    expect(await balanceOf(ledger)).toMatchObject({
      spentPicoUsd: 7n,
      callCount: 2,
      byModel: { m: { spentPicoUsd: 7n } },
    });
    await expect(ledger.release("second", "HTTP 429")).rejects.toEqual(refused("settled"));
    await expect(ledger.release("third")).rejects.toEqual(refused("dispatched"));
    await expect(ledger.resolve("third", { writeOff: "x" })).rejects.toEqual(refused("dispatched"));
    await ledger.release("third", "HTTP 429");
    await ledger.release("third", "HTTP 429");
    await expect(ledger.settle("third", { costPicoUsd: 1n })).rejects.toEqual(refused("released"));
    await expect(ledger.markDispatched("third")).rejects.toEqual(refused("released"));
    await expect(ledger.reserve({ id: "third", accounts, amountPicoUsd: 10n, leaseMs })).rejects.toEqual(
      refused("released"),
    );
    await expect(ledger.settle("held", { costPicoUsd: 1n })).rejects.toEqual(refused("held"));
    await ledger.release("held");
    expect(await balanceOf(ledger)).toMatchObject({ spentPicoUsd: 7n, callCount: 2 });
  });

  it("leaves its money to the next call when it is released, without asking the ledger", async () => {
    const reserve = vi.spyOn(inner, "reserve");
    const inFlight = 40n;
    const free = ((await balanceOf(inner))?.heldPicoUsd ?? 0n) - inFlight;
    await ledger.release("third", "HTTP 429");
    await ledger.reserve({ id: "next", accounts, amountPicoUsd: free + 10n, leaseMs });
    expect(reserve).not.toHaveBeenCalled();
  });

  it("asked for again is the same call, with another amount it is refused", async () => {
    const again = { id: "held", accounts, amountPicoUsd: 10n, leaseMs };
    expect(await ledger.reserve(again)).toMatchObject({ admitted: true });
    await expect(ledger.reserve({ ...again, amountPicoUsd: 11n })).rejects.toEqual(refused("held"));
    const twice = await Promise.all([1, 2].map(() => ledger.reserve({ ...again, id: "twice", amountPicoUsd: 500n })));
    expect(twice.map(({ admitted }) => admitted)).toEqual([true, true]);
    await ledger.drain();
    expect(await balanceOf(ledger)).toMatchObject({ heldPicoUsd: 540n });
  });

  it("that is left counts as unresolved by itself, and the slice goes on", async () => {
    await ledger.extend("third", 0);
    expect(await ledger.recover()).toMatchObject([{ id: "third", amountPicoUsd: 10n, modelId: "m" }]);
    await ledger.settle("third", { costPicoUsd: 4n });
    await callOn(ledger, "next");
    expect(await ledger.recover()).toEqual([]);
  });

  it("that its owner forgot is sorted out when its own lease runs out, also while the worker lives", async () => {
    clock.now += leaseMs / 2;
    await ledger.extend("first", leaseMs);
    await ledger.extend("second", leaseMs);
    clock.now += leaseMs / 2;
    expect(await ledger.recover()).toMatchObject([{ id: "third" }]);
    await expect(ledger.markDispatched("held")).rejects.toEqual(refused("expired"));
    for (const id of ["first", "second", "third"]) await ledger.settle(id, { costPicoUsd: 1n });
    await ledger.close();
    expect(await inner.inspect()).toMatchObject({ open: [], accounts: [{ spentPicoUsd: 3n, heldPicoUsd: 0n }] });
  });

  it("of a worker that vanished is unresolved with all that the worker had not settled, and nothing is lost", async () => {
    await ledger.settle("second", { costPicoUsd: 7n });
    const before = await balanceOf(inner);
    clock.now += leaseMs;
    const others = new SlicedLedger(inner, { now: () => clock.now });
    const unresolved = await others.recover();
    const sum = unresolved.reduce((total, { amountPicoUsd }) => total + amountPicoUsd, 0n);
    expect(sum).toBeGreaterThanOrEqual(20n);
    expect(await balanceOf(others)).toMatchObject({ spentPicoUsd: 7n, heldPicoUsd: 0n, unresolvedPicoUsd: sum });
    expect(sum).toBe(before?.heldPicoUsd);
    expect(verifyLedger(await others.inspect())).toEqual([]);
    for (const { id } of unresolved) await others.resolve(id, { writeOff: "not in the provider's log" });
    expect(await balanceOf(others)).toMatchObject({ spentPicoUsd: 7n, heldPicoUsd: 0n, unresolvedPicoUsd: 0n });
  });

  it("of a worker that vanished is told from money that was never sent, by what was written down before it was sent", async () => {
    const sent = ["first", "second", "third"].map((id) => ({ id, holder: ledger.holderOf(id) }));
    expect(sent.every(({ id, holder }) => id !== holder)).toBe(true);
    clock.now += leaseMs;
    const others = new SlicedLedger(inner, { now: () => clock.now });
    const slices = await others.recover();
    for (const { id, holder } of sent) await others.split(holder, { id, amountPicoUsd: 10n });
    for (const { id } of slices) await others.resolve(id, { writeOff: "never sent" });
    const unresolved = (await others.recover()).map(({ id, amountPicoUsd }) => `${id} ${amountPicoUsd}`);
    expect(unresolved).toEqual(["first 10", "second 10", "third 10"]);
    await others.resolve("second", { costPicoUsd: 6n });
    expect(await balanceOf(others)).toMatchObject({ spentPicoUsd: 6n, heldPicoUsd: 0n, unresolvedPicoUsd: 20n });
    expect(verifyLedger(await others.inspect())).toEqual([]);
  });

  it("of a worker that stood still and was taken for dead settles exactly; nothing new is sent, the rest goes back", async () => {
    clock.now += leaseMs;
    const others = new SlicedLedger(inner, { now: () => clock.now });
    expect(await others.recover()).not.toEqual([]);
    await expect(ledger.markDispatched("held")).rejects.toEqual(refused("expired"));
    const slices = (await inner.inspect()).open.length;
    await ledger.reserve({ id: "new", accounts, amountPicoUsd: 10n, leaseMs });
    expect((await inner.inspect()).open.length).toBeGreaterThan(slices);
    await ledger.release("new");
    for (const id of ["first", "second", "third"]) await ledger.settle(id, { costPicoUsd: 5n });
    await ledger.drain();
    expect(await balanceOf(others)).toMatchObject({ spentPicoUsd: 15n, heldPicoUsd: 0n, unresolvedPicoUsd: 0n });
    expect((await others.inspect()).open).toEqual([]);
  });

  it("that is asked for while the worker is closed leaves nothing in the books", async () => {
    const asked = Array.from({ length: 9 }, (_, index) =>
      ledger.reserve({ id: `late ${index}`, accounts, amountPicoUsd: 100n, leaseMs }),
    );
    await ledger.close();
    await Promise.all(asked);
    const ids = (await inner.inspect()).open.filter(({ state }) => state !== "held").map(({ id }) => id);
    expect(ids.toSorted((one, other) => one.localeCompare(other))).toEqual(["first", "second", "third"]);
  });

  it("whose worker is closed stays in the books by itself, and everything else goes back", async () => {
    await ledger.close();
    const open = (await inner.inspect()).open.map(({ id, amountPicoUsd }) => `${id} ${amountPicoUsd}`);
    expect(open.sort()).toEqual(["first 10", "second 10", "third 10"]);
    await ledger.settle("second", { costPicoUsd: 7n });
    expect(await balanceOf(inner)).toMatchObject({ spentPicoUsd: 7n, heldPicoUsd: 20n });
  });
});

describe("money that no call needs", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("goes back by itself within a second, also beside calls in flight", async () => {
    const inner = new MemoryLedger();
    const ledger = new SlicedLedger(inner);
    for (let call = 0; call < 20; call++) await callOn(ledger, `call ${call}`);
    await ledger.reserve({ id: "long", accounts, amountPicoUsd: 10n, leaseMs });
    await ledger.markDispatched("long");
    expect((await balanceOf(inner))?.heldPicoUsd).toBeGreaterThan(10n);
    await vi.advanceTimersByTimeAsync(1000);
    expect((await balanceOf(inner))?.heldPicoUsd).toBe(10n);
    await vi.advanceTimersByTimeAsync(10 * leaseMs);
    await ledger.extend("long", leaseMs);
    await inner.recover();
  });

  it("is not counted on after the machine has slept, when only the wall clock went on", async () => {
    const inner = new MemoryLedger();
    const ledger = new SlicedLedger(inner);
    await sendOn(ledger, ["first", "second", "third"]);
    const request = { accounts, amountPicoUsd: 1n, leaseMs };
    const reserve = vi.spyOn(inner, "reserve");
    await ledger.reserve({ ...request, id: "before" });
    expect(reserve).not.toHaveBeenCalled();
    vi.setSystemTime(Date.now() + leaseMs);
    await ledger.reserve({ ...request, id: "after" });
    expect(reserve).toHaveBeenCalled();
    await ledger.close();
  });

  it("keeps no timer once nothing is left to look after", async () => {
    const ledger = new SlicedLedger(new MemoryLedger());
    for (let call = 0; call < 20; call++) await callOn(ledger, `call ${call}`);
    await vi.advanceTimersByTimeAsync(5000);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is drawn for as long as calls last: the heartbeat keeps the slice of a long call", async () => {
    const inner = new MemoryLedger();
    const ledger = new SlicedLedger(inner);
    await sendOn(ledger, ["long", "longer"]);
    for (let beat = 0; beat < 10; beat++) {
      await vi.advanceTimersByTimeAsync(leaseMs / 3);
      for (const id of ["long", "longer"]) await ledger.extend(id, leaseMs);
      expect(await inner.recover()).toEqual([]);
    }
    await ledger.settle("long", { costPicoUsd: 1n });
    await ledger.settle("longer", { costPicoUsd: 1n });
    await ledger.close();
    expect((await inner.inspect()).open).toEqual([]);
  });
});

it.each([1, 2, 3, 4, 5])("a store that fails now and then loses no cost and no money (%i)", async (seed) => {
  const clock = { now: 0 };
  const now = () => clock.now;
  const random = new Random(seed);
  const order = new Interleaving(random);
  const inner = new MemoryLedger({ now });
  const wire = new UnreliableLedger({ inner, order, random, faultPercent: 5 });
  const ledger = new SlicedLedger(wire, { now });
  let billed = 0n;
  let running = 0;
  const retry = async (step: () => Promise<unknown>): Promise<void> => {
    for (;;) {
      try {
        return void (await step());
      } catch (error) {
        if (!LedgerError.isInstance(error)) throw error;
      }
    }
  };
  const worker = async (name: number) => {
    running++;
    for (let call = 0; call < 30; call++) {
      const id = `${name} ${call}`;
      const request = {
        id,
        accounts: [{ ...accounts[0], limitPicoUsd: 100_000n } as Account],
        amountPicoUsd: 10n,
        leaseMs,
      };
      await retry(() => ledger.reserve(request));
      await retry(() => ledger.markDispatched(id));
      const costPicoUsd = BigInt(random.below(11));
      billed += costPicoUsd;
      await retry(() => ledger.settle(id, { costPicoUsd }));
    }
    running--;
  };
  const workers = Array.from({ length: 16 }, (_, name) => worker(name));
  await order.run(
    () => running === 0,
    async () => false,
  );
  await Promise.all(workers);
  expect(await balanceOf(inner)).toMatchObject({ spentPicoUsd: billed, callCount: 480, unresolvedPicoUsd: 0n });
  running = 1;
  const closed = (async () => {
    for (let tries = 0; tries < 20; tries++) await ledger.drain();
    await ledger.close();
    running = 0;
  })();
  await order.run(
    () => running === 0,
    async () => false,
  );
  await closed;
  expect(verifyLedger(await inner.inspect())).toEqual([]);
  expect((await inner.inspect()).open).toEqual([]);
});

describe("round trips", () => {
  const callsOf = async (ledger: Ledger, count: number, atOnce: number) => {
    for (let call = 0; call < count; call += atOnce) {
      const ids = Array.from({ length: atOnce }, (_, index) => `${call + index}`);
      await Promise.all(ids.map((id) => callOn(ledger, id)));
    }
  };

  it("on the wire to PostgreSQL: 3 a call without slices, hardly more than 1 with them", async () => {
    const server = await startPostgres();
    const proxy = await startProxy(Number(new URL(server.url).port));
    const pool = new Pool({ host: "127.0.0.1", port: proxy.port, user: "postgres", max: 1 });
    const tripsOf = async (ledger: Ledger) => {
      await callOn(ledger, "warm");
      const before = proxy.roundTrips;
      await callsOf(ledger, 200, 1);
      return (proxy.roundTrips - before) / 200;
    };
    const plain = await tripsOf(new PostgresLedger(pool, { schema: "plain" }));
    const sliced = await tripsOf(new SlicedLedger(new PostgresLedger(pool, { schema: "sliced" }), { idleMs: leaseMs }));
    expect(plain).toBe(3);
    expect(sliced).toBeLessThan(1.1);
    await pool.end();
    proxy.stop();
    await server.stop();
  });

  it("for accounts that are made for one call each are those of the ledger itself", async () => {
    const steps: string[] = [];
    class Told extends MemoryLedger {
      override async markDispatched(id: string) {
        steps.push("markDispatched");
        await super.markDispatched(id);
      }
      override async split(id: string, part: ReservationPart) {
        steps.push("split");
        await super.split(id, part);
      }
    }
    const ledger = new SlicedLedger(new Told());
    for (let row = 0; row < 50; row++) {
      const request = { id: `row ${row}`, accounts: [{ scope: `row ${row}`, window: "all", limitPicoUsd: 10n }] };
      await ledger.reserve({ ...request, amountPicoUsd: 10n, leaseMs });
      await ledger.markDispatched(request.id);
      await ledger.settle(request.id, { costPicoUsd: 1n });
    }
    expect(steps).toEqual(Array.from({ length: 50 }, () => "markDispatched"));
    await ledger.close();
  });
});
