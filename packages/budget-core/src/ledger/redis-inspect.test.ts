import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isRedisThere, type RedisServer, startRedis } from "../../../../tests/servers/start-redis.ts";
import { RedisLedger } from "./redis.ts";
import { verifyLedger } from "./verify-ledger.ts";

describe.skipIf(!isRedisThere())("the books of a RedisLedger", () => {
  let server: RedisServer;
  let io: Redis;
  let prefix = "";
  let count = 0;
  beforeAll(async () => {
    server = await startRedis();
    io = new Redis(server.url);
  });
  afterAll(async () => {
    io.disconnect();
    await server.stop();
  });
  beforeEach(() => {
    prefix = `books ${count++}`;
  });

  const accounts = [
    { scope: "a", window: "all", limitPicoUsd: null },
    { scope: "b", window: "all", limitPicoUsd: null },
  ];

  /** A ledger of a process that is held up between the scripts of `inspect`: before each but the first, something happens. */
  async function interrupted(between: (script: number) => Promise<unknown>, journalEntries = 100_000) {
    let scripts = -1;
    const client = {
      evalsha: async (hash: string, keyCount: number, ...rest: string[]) => {
        if (scripts > 0) await between(scripts);
        scripts++;
        return io.evalsha(hash, keyCount, ...rest);
      },
      eval: (script: string, keyCount: number, ...rest: string[]) => io.eval(script, keyCount, ...rest),
    };
    const ledger = new RedisLedger(client, { prefix, journalEntries });
    await ledger.open();
    return { ledger, scripts: () => scripts };
  }

  async function hold(ledger: RedisLedger, ids: readonly string[]): Promise<void> {
    await Promise.all(ids.map((id) => ledger.reserve({ id, accounts, amountPicoUsd: 5n, leaseMs: 60_000 })));
  }

  it("are those of one instant, though calls begin, end and are cut off while they are read page by page", async () => {
    const writer = new RedisLedger(io, { prefix });
    const ids = Array.from({ length: 3000 }, (_, index) => `call ${index}`);
    await writer.post(accounts, { costPicoUsd: 9n, modelId: "m" });
    await hold(writer, ids);
    await Promise.all(ids.slice(1000).map((id) => writer.markDispatched(id)));
    await writer.extend("call 2999", 0);
    await writer.recover();
    const { ledger, scripts } = await interrupted(async (script) => {
      await hold(writer, [`later ${script}`]);
      await writer.release(`call ${script}`);
      await writer.markDispatched(`call ${10 + script}`);
      await writer.extend(`call ${20 + script}`, 0);
      await writer.settle(`call ${1000 + script}`, { costPicoUsd: 3n, modelId: "m" });
      await writer.extend(`call ${1100 + script}`, 0);
      await writer.recover();
      if (script === 1) await writer.settle("call 2999", { costPicoUsd: 2n });
      await writer.reset(accounts.slice(0, 1));
    });
    const report = await ledger.inspect();
    // The first one, six pages of reservations, the journal, and the opening sums.
    expect(scripts()).toBe(9);
    expect(verifyLedger(report)).toEqual([]);
    expect(report.accounts).toMatchObject(
      accounts.map(() => ({ spentPicoUsd: 9n, callCount: 1, heldPicoUsd: 14_995n, unresolvedPicoUsd: 5n })),
    );
    expect(report.open.map(({ id }) => id)).toEqual(ids);
    const unresolved = report.open.filter(({ state }) => state === "unresolved");
    expect(unresolved.map(({ id }) => id)).toEqual(["call 2999"]);
    expect(report.open.find(({ id }) => id === "call 1")?.state).toBe("held");
    expect(report.open.find(({ id }) => id === "call 1001")?.state).toBe("dispatched");
    expect(verifyLedger(await writer.inspect())).toEqual([]);
  });

  it("are begun anew when a call that was open has ended and been forgotten meanwhile", async () => {
    const writer = new RedisLedger(io, { prefix, journalEntries: 2 });
    await hold(writer, ["x", "y"]);
    const { ledger, scripts } = await interrupted(async (script) => {
      if (script !== 1) return;
      await writer.release("x");
      for (let post = 0; post < 3; post++) await writer.post(accounts, { costPicoUsd: 1n });
    }, 2);
    const report = await ledger.inspect();
    expect(scripts()).toBe(6);
    expect(report.open).toMatchObject([{ id: "y" }]);
    expect(report.accounts).toMatchObject(accounts.map(() => ({ heldPicoUsd: 5n, spentPicoUsd: 3n })));
    expect(verifyLedger(report)).toEqual([]);
  });

  it("show a hold of nobody where the reservation behind it is gone", async () => {
    const ledger = new RedisLedger(io, { prefix });
    await hold(ledger, ["x", "y"]);
    await io.del(`{${prefix}}:reservations:x`);
    expect(verifyLedger(await ledger.inspect({ scopes: ["a"] }))).toMatchObject([
      { scope: "a", field: "heldPicoUsd", shown: 10n, expected: 5n, source: "open reservations" },
    ]);
  });

  it("can be those of some scopes, or of none", async () => {
    const ledger = new RedisLedger(io, { prefix });
    await hold(ledger, ["x"]);
    const other = [{ scope: "a b", window: "all" }];
    await ledger.post(other, { costPicoUsd: 1n });
    const scopesOf = async (scopes: string[]) => (await ledger.inspect({ scopes })).accounts.map(({ scope }) => scope);
    expect(await scopesOf(["a"])).toEqual(["a"]);
    expect((await scopesOf(["a b", "b"])).toSorted()).toEqual(["a b", "b"]);
    expect(await scopesOf([])).toEqual([]);
    expect((await ledger.inspect({ scopes: ["a b"] })).open).toEqual([]);
  });
});
