import { describe, expect, it, test } from "vitest";
import { ledgerSuite } from "../testing/ledger-suite.ts";
import { fuzzLedger } from "../testing/overspend-fuzzer.ts";
import { MemoryLedger } from "./memory.ts";

describe("MemoryLedger", () => {
  ledgerSuite(test, () => new MemoryLedger());

  it("keeps its promises in a few random schedules, always the same", async () => {
    const report = await fuzzLedger({ makeLedger: (now) => new MemoryLedger({ now }), schedules: 400, seed: 1 });
    expect(report.violations).toEqual([]);
  });

  it("frees a hold that was never sent when its lease runs out, by the injected clock", async () => {
    let now = 0;
    const ledger = new MemoryLedger({ now: () => now });
    const accounts = [{ scope: "a", window: "all", limitPicoUsd: 10n }];
    await ledger.reserve({ id: "r1", accounts, amountPicoUsd: 10n, leaseMs: 1000 });
    now = 999;
    await ledger.recover();
    expect((await ledger.read(accounts))[0]?.heldPicoUsd).toBe(10n);
    now = 1000;
    await ledger.recover();
    expect((await ledger.read(accounts))[0]?.heldPicoUsd).toBe(0n);
  });

  it("forgets the oldest ended reservations only, so that memory stays bounded", async () => {
    const ledger = new MemoryLedger();
    const accounts = [{ scope: "a", window: "all", limitPicoUsd: null }];
    for (let index = 0; index < 20_001; index++) {
      await ledger.reserve({ id: `r${index}`, accounts, amountPicoUsd: 1n, leaseMs: 1000 });
      await ledger.markDispatched(`r${index}`);
      await ledger.settle(`r${index}`, { costPicoUsd: 1n });
    }
    await ledger.settle("r20000", { costPicoUsd: 1n });
    await ledger.settle("r10001", { costPicoUsd: 1n });
    await expect(ledger.settle("r0", { costPicoUsd: 1n })).rejects.toThrow(/unknown/);
    expect((await ledger.read(accounts))[0]).toMatchObject({ spentPicoUsd: 20_001n, callCount: 20_001 });
  });

  it("goes on from a snapshot: spend, models and claims as they were, what was open unresolved", async () => {
    const accounts = [{ scope: "a", window: "all", limitPicoUsd: 100n }];
    const first = new MemoryLedger();
    for (const id of ["paid", "sent", "held"]) {
      await first.reserve({ id, accounts, amountPicoUsd: 20n, leaseMs: 1000, modelId: "m" });
    }
    await first.markDispatched("paid");
    await first.settle("paid", { costPicoUsd: 7n });
    await first.markDispatched("sent");
    await first.claim({ scope: "a", window: "all" }, "alert 0.5");

    const second = new MemoryLedger({ snapshot: JSON.parse(JSON.stringify(first.snapshot())) });
    expect(await second.read(accounts)).toEqual([
      {
        ...(await first.read(accounts))[0],
        heldPicoUsd: 0n,
        unresolvedPicoUsd: 40n,
        byModel: { m: { callCount: 1, spentPicoUsd: 7n } },
      },
    ]);
    expect((await second.recover()).map(({ id, modelId }) => [id, modelId])).toEqual([
      ["sent", "m"],
      ["held", "m"],
    ]);
    expect(await second.claim({ scope: "a", window: "all" }, "alert 0.5")).toBe(false);
    await second.settle("sent", { costPicoUsd: 3n });
    expect((await second.read(accounts))[0]?.spentPicoUsd).toBe(10n);
  });

  it("keeps what no model is known of in a snapshot, and shows copies of its books only", async () => {
    const account = { scope: "a", window: "w", limitPicoUsd: null };
    const first = new MemoryLedger();
    await first.reserve({ id: "x", accounts: [account], amountPicoUsd: 20n, leaseMs: 1000 });
    await first.post([account], { costPicoUsd: 3n, kind: "bound" });
    const [shown] = await first.read([account]);
    await first.post([account], { costPicoUsd: 4n });
    expect(shown).toMatchObject({ spentPicoUsd: 3n, byModel: { unknown: { callCount: 1, spentPicoUsd: 3n } } });
    const second = new MemoryLedger({ snapshot: first.snapshot() });
    expect(await second.recover()).toEqual([{ id: "x", accounts: [{ scope: "a", window: "w" }], amountPicoUsd: 20n }]);
    expect(await second.read([account])).toMatchObject([{ spentPicoUsd: 7n, callCount: 2, boundCallCount: 1 }]);
  });
});
