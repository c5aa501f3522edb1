import { Redis } from "ioredis";
import { createClient } from "redis";
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from "vitest";
import { isRedisThere, type RedisServer, startRedis } from "../../../../tests/servers/start-redis.ts";
import { BudgetExceededError } from "../errors/budget-exceeded-error.ts";
import { LedgerError } from "../errors/ledger-error.ts";
import { ledgerSuite } from "../testing/ledger-suite.ts";
import { fuzzLedger } from "../testing/overspend-fuzzer.ts";
import { CostTracker } from "../tracker/cost-tracker.ts";
import { RedisLedger, type RedisLedgerOptions } from "./redis.ts";
import { verifyLedger } from "./verify-ledger.ts";

describe.skipIf(!isRedisThere())("RedisLedger", () => {
  let server: RedisServer;
  let node: ReturnType<typeof createClient>;
  let io: Redis;
  let prefix = "";
  let count = 0;
  beforeAll(async () => {
    server = await startRedis();
    node = createClient({ url: server.url });
    await node.connect();
    io = new Redis(server.url);
  });
  afterAll(async () => {
    node.destroy();
    io.disconnect();
    await server.stop();
  });
  beforeEach(() => {
    prefix = `ledger ${count++}`;
  });
  const makeLedger = (options: RedisLedgerOptions = {}) => new RedisLedger(io, { prefix, ...options });
  const accounts = [{ scope: "a", window: "all", limitPicoUsd: null }];
  const hold = (ledger: RedisLedger, id: string, leaseMs = 60_000) =>
    ledger.reserve({ id, accounts, amountPicoUsd: 5n, leaseMs });

  describe("with the package redis", () => ledgerSuite(test, () => new RedisLedger(node, { prefix })));
  describe("with the package ioredis", () => ledgerSuite(test, () => makeLedger()));
  describe("with a short journal", () => ledgerSuite(test, () => makeLedger({ journalEntries: 20 })));

  it("keeps its promises in a few random schedules, always the same", async () => {
    let ledgers = 0;
    const makeOne = () => makeLedger({ prefix: `${prefix}.${ledgers++}`, journalEntries: 20 });
    const report = await fuzzLedger({ makeLedger: makeOne, schedules: 50, seed: 1, ownClock: true });
    expect(report.violations).toEqual([]);
  });

  it("remembers spend, and what was in flight, for the next process", async () => {
    const tracker = new CostTracker({ budget: "0.1", ledger: makeLedger() });
    await tracker.addCost("0.05");
    await (await tracker.reserve({ boundPicoUsd: 10n ** 10n }, { modelId: "m" })).markDispatched();

    const second = new CostTracker({ budget: "0.1", ledger: new RedisLedger(node, { prefix }) });
    expect(await second.recover({ abandoned: true })).toMatchObject([{ amountPicoUsd: 10n ** 10n, modelId: "m" }]);
    expect(await second.getStats()).toMatchObject({ totalCost: 0.05, unresolved: 0.01, remainingBudget: 0.04 });
  });

  it("keeps trackers of different drivers within one limit", async () => {
    const ledgers = [makeLedger(), new RedisLedger(node, { prefix })];
    const trackers = ledgers.map((ledger) => new CostTracker({ budget: "0.00001", ledger, onInsufficient: "deny" }));
    const attempts = trackers.flatMap((tracker) =>
      Array.from({ length: 200 }, () => tracker.reserve({ boundPicoUsd: 1_000_000n })),
    );
    const outcomes = await Promise.allSettled(attempts);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") expect(BudgetExceededError.isInstance(outcome.reason)).toBe(true);
    }
  });

  it("waits for money that another process holds", async () => {
    const [one, two] = [io, node].map((client) => {
      return new CostTracker({ budget: "0.00001", ledger: new RedisLedger(client, { prefix }) });
    });
    const held = await one?.reserve({ boundPicoUsd: 9_000_000n });
    const waiting = two?.reserve({ boundPicoUsd: 9_000_000n });
    await held?.release();
    await expect(waiting).resolves.toBeDefined();
  });

  it("takes one round trip a step, for any number of accounts", async () => {
    const sent: string[] = [];
    const client = {
      evalsha: (hash: string, keyCount: number, ...rest: string[]) => {
        sent.push("evalsha");
        return io.evalsha(hash, keyCount, ...rest);
      },
      eval: (script: string, keyCount: number, ...rest: string[]) => {
        sent.push("eval");
        return io.eval(script, keyCount, ...rest);
      },
    };
    await io.script("FLUSH");
    const first = new RedisLedger(client, { prefix });
    await first.open();
    expect(sent.splice(0)).toEqual(["evalsha", "eval"]);
    const many = Array.from({ length: 30 }, (_, index) => ({ scope: `s${index}`, window: "all", limitPicoUsd: 9n }));
    for (const id of ["warm", "x"]) {
      sent.length = 0;
      await first.reserve({ id, accounts: many, amountPicoUsd: 1n, leaseMs: 1000 });
      await first.markDispatched(id);
      await first.settle(id, { costPicoUsd: 1n });
    }
    expect(sent).toEqual(["evalsha", "evalsha", "evalsha"]);
  });

  it("keeps all keys below one hash tag, and none of them expires", async () => {
    const ledger = makeLedger();
    for (const id of ["x", "y", "z"]) await hold(ledger, id, 0);
    await ledger.markDispatched("x");
    await ledger.markDispatched("y");
    await ledger.settle("x", { costPicoUsd: 1n });
    await ledger.recover();
    await ledger.claim({ scope: "a", window: "all" }, "alert");
    const keys = await io.keys(`*${prefix}}*`);
    expect(keys.map((key) => key.replace(`{${prefix}}:`, "")).sort()).toEqual([
      'account_models:["a","all"]',
      "accounts",
      'accounts:["a","all"]',
      'claims:["a","all"]',
      "journal",
      "ledger_schema",
      "reservations:x",
      "reservations:y",
      "reservations:z",
      "unresolved",
    ]);
    for (const key of keys) expect(await io.ttl(key)).toBe(-1);
  });

  it("knows the accounts by any name", async () => {
    const ledger = makeLedger();
    const scopes = ["", "a\nb", 'a","all', "a]", "ünï\u2028", "\u0000", "__proto__", "a b:c"];
    const keys = scopes.map((scope) => ({ scope, window: "w\n1" }));
    for (const [index, key] of keys.entries()) {
      await ledger.reserve({
        id: key.scope,
        accounts: [{ ...key, limitPicoUsd: null }],
        amountPicoUsd: 5n,
        leaseMs: 60_000,
      });
      await ledger.markDispatched(key.scope);
      await ledger.post([key], { costPicoUsd: BigInt(index), modelId: key.scope });
    }
    expect(
      (await ledger.read(keys)).map(({ scope, window, spentPicoUsd }) => ({ scope, window, spentPicoUsd })),
    ).toEqual(keys.map((key, index) => ({ ...key, spentPicoUsd: BigInt(index) })));
    expect(Object.keys((await ledger.read(keys))[6]?.byModel ?? {})).toEqual(["__proto__"]);
    expect(await ledger.recover({ abandonedScope: "a" })).toEqual([]);
    expect(await ledger.recover({ abandonedScope: "a\nb" })).toMatchObject([{ id: "a\nb", accounts: [keys[1]] }]);
    expect(verifyLedger(await ledger.inspect())).toEqual([]);
    await expect(ledger.post([], { costPicoUsd: 1n })).resolves.toEqual([]);
    expect(verifyLedger(await ledger.inspect())).toEqual([]);
  });

  it("keeps what the provider told of a call, and why another was free", async () => {
    const ledger = makeLedger();
    const tracker = new CostTracker({ budget: 1, ledger });
    const paid = await tracker.reserve({ boundPicoUsd: 5n, priceBook: "abc" }, { modelId: "asked" });
    await paid.markDispatched();
    const usage = { inputTokens: 3, outputTokens: 4 };
    await paid.settle({ costPicoUsd: 6n, kind: "computed", modelId: "served", usage });
    expect(await io.hgetall(`{${prefix}}:reservations:${paid.id}`)).toMatchObject({
      state: "settled",
      amount_pico_usd: "5",
      model_id: "asked",
      price_book: "abc",
      cost_pico_usd: "6",
      kind: "computed",
      served_model_id: "served",
      bound_breached: "1",
      usage: JSON.stringify(usage),
    });
    const refused = await tracker.reserve({ boundPicoUsd: 5n });
    await refused.markDispatched();
    await refused.release("HTTP 429");
    expect(await io.hget(`{${prefix}}:reservations:${refused.id}`, "evidence")).toBe("HTTP 429");
    const unsent = await tracker.reserve({ boundPicoUsd: 5n });
    await tracker.recover({ abandoned: true });
    expect(await io.hgetall(`{${prefix}}:reservations:${unsent.id}`)).toMatchObject({
      state: "expired",
      evidence: "lease ran out before dispatch",
    });
  });

  it("sorts out any number of holds whose owner died, and keeps those of others", async () => {
    const ledger = makeLedger();
    const other = [{ scope: "other", window: "all", limitPicoUsd: null }];
    const holdOther = (index: number) =>
      ledger.reserve({ id: `other${index}`, accounts: other, amountPicoUsd: 5n, leaseMs: 60_000 });
    await Promise.all(
      Array.from({ length: 2500 }, (_, index) => (index % 2 === 0 ? hold(ledger, `x${index}`) : holdOther(index))),
    );
    await Promise.all(Array.from({ length: 600 }, (_, index) => ledger.markDispatched(`x${2 * index}`)));
    const unresolved = await ledger.recover({ abandonedScope: "a" });
    expect(unresolved.map(({ id }) => id)).toEqual(Array.from({ length: 600 }, (_, index) => `x${2 * index}`));
    expect(await ledger.read([...accounts, ...other])).toMatchObject([
      { heldPicoUsd: 0n, unresolvedPicoUsd: 3000n },
      { heldPicoUsd: 6250n, unresolvedPicoUsd: 0n },
    ]);
    expect(verifyLedger(await ledger.inspect())).toEqual([]);
  });

  it("sorts out any number of holds whose lease ran out", async () => {
    const ledger = makeLedger();
    await Promise.all(Array.from({ length: 1200 }, (_, index) => hold(ledger, `x${index}`, 0)));
    await hold(ledger, "alive");
    expect(await ledger.recover()).toEqual([]);
    expect(await ledger.read(accounts)).toMatchObject([{ heldPicoUsd: 5n }]);
    expect(verifyLedger(await ledger.inspect())).toEqual([]);
  });

  it("says how durable the server is", async () => {
    expect(await makeLedger().open()).toEqual({ durable: false });
    await io.config("SET", "appendonly", "yes");
    expect(await makeLedger().open()).toEqual({ durable: true });
    await io.config("SET", "appendonly", "no");
  });

  it("refuses a server that may evict, until it is told not to", async () => {
    await io.config("SET", "maxmemory-policy", "allkeys-lru");
    const tracker = new CostTracker({ budget: 1, ledger: makeLedger() });
    await expect(tracker.reserve({ boundPicoUsd: 5n })).rejects.toThrow(
      /allkeys-lru\): set maxmemory-policy to noeviction/,
    );
    await io.config("SET", "maxmemory-policy", "volatile-lru");
    await expect(tracker.reserve({ boundPicoUsd: 5n })).resolves.toBeDefined();
    await io.config("SET", "maxmemory-policy", "noeviction");
  });

  it("refuses a ledger of a newer version, one that was damaged, and one that was replaced", async () => {
    const ledger = makeLedger();
    await hold(ledger, "x");
    const schema = `{${prefix}}:ledger_schema`;
    await io.hset(schema, "version", "99");
    await expect(makeLedger().open()).rejects.toThrow("schema version 99, this package knows up to 1: upgrade");
    await expect(hold(ledger, "y")).rejects.toThrow("is not the one that was opened");
    await io.del(schema);
    await expect(makeLedger().open()).rejects.toThrow(`lost its key ${schema}`);
    await expect(ledger.read(accounts)).rejects.toThrow(LedgerError);
    await io.del(await io.keys(`{${prefix}}*`));
    await expect(ledger.settle("x", { costPicoUsd: 1n })).rejects.toThrow("is not the one that was opened");
    await makeLedger().open();
    await expect(hold(ledger, "z")).rejects.toThrow("make a new RedisLedger to begin at zero");
  });

  it("counts an account that something else has changed as it stands, and verification finds it", async () => {
    const ledger = makeLedger();
    await ledger.post(accounts, { costPicoUsd: 5n });
    await hold(ledger, "x");
    await io.hset(`{${prefix}}:accounts:["a","all"]`, "spent_pico_usd", "4");
    expect(verifyLedger(await ledger.inspect())).toMatchObject([
      { field: "spentPicoUsd", shown: 4n, expected: 5n, source: "journal" },
      { field: "spentPicoUsd", shown: 4n, expected: 5n, source: "spend by model" },
    ]);
    await io.hset(`{${prefix}}:accounts:["a","all"]`, "held_pico_usd", "4");
    const before = await io.hgetall(`{${prefix}}:reservations:x`);
    await expect(ledger.release("x")).rejects.toThrow(/5 cannot be taken from 4.*verify/);
    expect(await io.hgetall(`{${prefix}}:reservations:x`)).toEqual(before);
    const only = [{ scope: "b", window: "all", limitPicoUsd: null }];
    await ledger.reserve({ id: "y", accounts: only, amountPicoUsd: 7n, leaseMs: 60_000 });
    await io.hdel(`{${prefix}}:account_models:["a","all"]`, "spent_pico_usd unknown");
    await io.del(`{${prefix}}:accounts:["a","all"]`, `{${prefix}}:accounts:["b","all"]`, `{${prefix}}:accounts`);
    const found = verifyLedger(await ledger.inspect());
    expect(found.map(({ scope, field, shown, expected }) => [scope, field, shown, expected])).toEqual([
      ["a", "spentPicoUsd", 0n, 5n],
      ["a", "callCount", 0, 1],
      ["a", "heldPicoUsd", 0n, 5n],
      ["b", "heldPicoUsd", 0n, 7n],
    ]);
    expect(await ledger.read(accounts)).toMatchObject([{ byModel: { unknown: { callCount: 1, spentPicoUsd: 0n } } }]);
  });
});

describe.skipIf(!isRedisThere())("the journal of a RedisLedger", () => {
  let server: RedisServer;
  let io: Redis;
  beforeAll(async () => {
    server = await startRedis();
    io = new Redis(server.url);
  });
  afterAll(async () => {
    io.disconnect();
    await server.stop();
  });
  const accounts = [{ scope: "a", window: "all", limitPicoUsd: null }];

  it("does not grow without end: what is trimmed is in the opening sums, and its reservations are forgotten", async () => {
    const ledger = new RedisLedger(io, { prefix: "trimmed", journalEntries: 10 });
    await ledger.reserve({ id: "open", accounts, amountPicoUsd: 5n, leaseMs: 60_000 });
    for (let index = 0; index < 50; index++) {
      const id = `x${index}`;
      await ledger.reserve({ id, accounts, amountPicoUsd: 5n, leaseMs: 60_000 });
      await ledger.markDispatched(id);
      await ledger.settle(id, { costPicoUsd: 3n, kind: index % 2 === 0 ? "bound" : "reported" });
      if (index === 30) await ledger.reset(accounts);
    }
    expect(await io.xlen("{trimmed}:journal")).toBe(10);
    expect(await io.keys("{trimmed}:reservations:*")).toHaveLength(11);
    const report = await ledger.inspect();
    expect(verifyLedger(report)).toEqual([]);
    expect(report.accounts).toMatchObject([{ journal: { spentPicoUsd: 57n, callCount: 19, boundCallCount: 9 } }]);
    await expect(ledger.settle("x0", { costPicoUsd: 3n })).rejects.toThrow("Reservation x0 is unknown");
    await expect(ledger.settle("x49", { costPicoUsd: 3n })).resolves.toEqual([]);
    const shorter = new RedisLedger(io, { prefix: "trimmed", journalEntries: 2 });
    await shorter.post(accounts, { costPicoUsd: 1n });
    expect(await io.xlen("{trimmed}:journal")).toBe(2);
    expect(verifyLedger(await shorter.inspect())).toEqual([]);
  });

  it("is read while others write, and gives up only when it is trimmed away as a whole each time", async () => {
    const prefix = "busy";
    const writer = new RedisLedger(io, { prefix, journalEntries: 3 });
    await writer.post(accounts, { costPicoUsd: 1n });
    let posts = 0;
    const meanwhile = async () => {
      for (let post = 0; post < posts; post++) await writer.post(accounts, { costPicoUsd: 1n });
    };
    const client = {
      evalsha: async (hash: string, keyCount: number, ...rest: string[]) => {
        await meanwhile();
        return io.evalsha(hash, keyCount, ...rest);
      },
      eval: (script: string, keyCount: number, ...rest: string[]) => io.eval(script, keyCount, ...rest),
    };
    const reader = new RedisLedger(client, { prefix, journalEntries: 3 });
    for (posts of [0, 1]) expect(verifyLedger(await reader.inspect())).toEqual([]);
    posts = 3;
    await expect(reader.inspect()).rejects.toThrow('raise the option "journalEntries" (3)');
    posts = 0;
    expect(verifyLedger(await reader.inspect())).toEqual([]);
  });

  it("is read in full when it is longer than a page", async () => {
    const ledger = new RedisLedger(io, { prefix: "long" });
    await Promise.all(Array.from({ length: 2000 }, () => ledger.post(accounts, { costPicoUsd: 1n })));
    const report = await ledger.inspect();
    expect(report.accounts).toMatchObject([{ journal: { spentPicoUsd: 2000n, callCount: 2000 } }]);
    expect(verifyLedger(report)).toEqual([]);
  });
});
