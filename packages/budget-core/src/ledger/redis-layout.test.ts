import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isRedisThere, type RedisServer, startRedis } from "../../../../tests/servers/start-redis.ts";
import { RedisLedger } from "./redis.ts";
import { verifyLedger } from "./verify-ledger.ts";

const folder = join(import.meta.dirname, "schema");
const version = 1;

/** A command that writes a key: its name, the key without the ledger's prefix, and the rest. */
type Command = [name: "HSET" | "SADD" | "ZADD" | "XADD", key: string, ...rest: string[]];

/** The keys of a ledger as a released version wrote them, by every step; a file is added with each version and never changes. */
const released = JSON.parse(readFileSync(join(folder, `redis-${version}.json`), "utf8")) as Command[];

describe.skipIf(!isRedisThere())("the keys of a Redis ledger", () => {
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
  beforeEach(async () => {
    await io.flushall();
  });

  const accounts = ["a", "b"].map((scope) => ({ scope, window: "all", limitPicoUsd: null }));
  const receipt = {
    costPicoUsd: 3n,
    kind: "bound",
    modelId: "served",
    boundBreached: true,
    usage: { inputTokens: 1, outputTokens: 2 },
  } as const;

  /** Every step, on a ledger whose journal is too short for them all. */
  async function takeEveryStep(): Promise<void> {
    const ledger = new RedisLedger(io, { journalEntries: 6 });
    const hold = (id: string) =>
      ledger.reserve({ id, accounts, amountPicoUsd: 5n, leaseMs: 60_000, modelId: "m", priceBook: "p" });
    const send = async (id: string) => {
      await hold(id);
      await ledger.markDispatched(id);
    };
    for (const id of ["older 1", "older 2"]) await ledger.post(accounts, { ...receipt, modelId: id });
    for (const id of ["paid", "lost", "lost and paid", "lost and written off", "sent"]) await send(id);
    for (const id of ["unsent", "expired", "released"]) await hold(id);
    await ledger.settle("paid", receipt);
    await ledger.release("released", "HTTP 429");
    for (const id of ["lost", "lost and paid", "lost and written off", "expired"]) await ledger.extend(id, 0);
    await ledger.recover();
    await ledger.resolve("lost and paid", receipt);
    await ledger.resolve("lost and written off", { writeOff: "not in the log" });
    await ledger.claim({ scope: "a", window: "all" }, "alert 0.5");
    await ledger.post(accounts, receipt);
    await ledger.reset([{ scope: "b", window: "all" }]);
    expect(verifyLedger(await ledger.inspect())).toEqual([]);
  }

  /** The commands that would write all keys as they are. */
  async function dump(): Promise<Command[]> {
    const commands: Command[] = [];
    for (const name of (await io.keys("*")).toSorted()) {
      const key = name.replace("{autolabel}", "");
      const type = await io.type(name);
      if (type === "hash") commands.push(["HSET", key, ...Object.entries(await io.hgetall(name)).flat()]);
      else if (type === "set") commands.push(["SADD", key, ...(await io.smembers(name)).toSorted()]);
      else if (type === "zset") {
        const members = await io.zrange(name, "0", "-1", "WITHSCORES");
        commands.push(["ZADD", key, ...members.map((_, index) => members[index ^ 1] as string)]);
      } else for (const [id, fields] of await io.xrange(name, "-", "+")) commands.push(["XADD", key, id, ...fields]);
    }
    return commands;
  }

  /** What is kept where, without what differs from run to run: moments, random ids, and the order of fields. */
  function layoutOf(commands: readonly Command[]): string[] {
    return commands
      .map(([name, key, ...rest]) => {
        const kept = key.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/, "<random>");
        const pairs = name === "XADD" ? rest.slice(1) : rest;
        const parts = name === "SADD" ? rest : pairs.filter((_, index) => index % 2 === (name === "ZADD" ? 1 : 0));
        return `${name} ${kept}: ${parts.toSorted().join(", ")}`;
      })
      .toSorted();
  }

  it("has a file for every version that was released", () => {
    const files = readdirSync(folder).filter((file) => file.startsWith("redis-"));
    expect(files).toEqual(Array.from({ length: version }, (_, index) => `redis-${index + 1}.json`));
  });

  it("and their fields are those that are checked in", async () => {
    await takeEveryStep();
    expect(layoutOf(await dump())).toEqual(layoutOf(released));
  });

  it("are read and carried on where a released version left them", async () => {
    for (const [name, key, ...rest] of released) await io.call(name, `{autolabel}${key}`, ...rest);
    const ledger = new RedisLedger(io);
    const report = await ledger.inspect();
    expect(report.schemaVersion).toBe(version);
    expect(verifyLedger(report)).toEqual([]);
    expect(report.open.map(({ id }) => id).toSorted()).toEqual(["lost", "sent", "unsent"]);
    expect(await ledger.recover({ abandonedScope: "a" })).toMatchObject([{ id: "lost" }, { id: "sent" }]);
    await ledger.settle("sent", { costPicoUsd: 4n });
    await ledger.resolve("lost", { writeOff: "not in the log" });
    await expect(ledger.settle("lost and paid", receipt)).resolves.toEqual([]);
    expect(await ledger.claim({ scope: "a", window: "all" }, "alert 0.5")).toBe(false);
    expect(await ledger.read(accounts)).toMatchObject([
      { spentPicoUsd: 19n, heldPicoUsd: 0n, unresolvedPicoUsd: 0n, callCount: 6 },
      { spentPicoUsd: 4n, heldPicoUsd: 0n, unresolvedPicoUsd: 0n, callCount: 1 },
    ]);
    expect(verifyLedger(await ledger.inspect())).toEqual([]);
  });
});
