import { once } from "node:events";
import { createServer, type Server, Socket } from "node:net";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { isRedisThere, type RedisServer, startRedis } from "../../../../tests/servers/start-redis.ts";
import { CostTracker } from "../tracker/cost-tracker.ts";
import { RedisLedger } from "./redis.ts";
import { verifyLedger } from "./verify-ledger.ts";

const accounts = [{ scope: "a", window: "all", limitPicoUsd: 100n }];
const request = { id: "x", accounts, amountPicoUsd: 5n, leaseMs: 60_000 };

/** A way to the server that can be cut after a request went in and before its answer comes out. */
async function startProxy(port: number) {
  const state = { cutsNextAnswer: false };
  const sockets = new Set<Socket>();
  const proxy: Server = createServer((client) => {
    const upstream = new Socket().connect(port, "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => [client, upstream].map((each) => each.destroy()));
    }
    client.pipe(upstream);
    upstream.on("data", (answer) => {
      if (!state.cutsNextAnswer) return void client.write(answer);
      state.cutsNextAnswer = false;
      client.destroy();
    });
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const { port: ownPort } = proxy.address() as { port: number };
  const stop = () => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  };
  return { url: `redis://127.0.0.1:${ownPort}`, port: ownPort, state, stop };
}

describe.skipIf(!isRedisThere())("a Redis server that fails", () => {
  let server: RedisServer;
  let io: Redis;
  let prefix = "";
  let count = 0;
  const ends: (() => unknown)[] = [];
  beforeAll(async () => {
    server = await startRedis({ appendonly: "yes", "repl-diskless-sync-delay": "0" });
    io = new Redis(server.url);
    io.on("error", () => undefined);
  });
  afterAll(async () => {
    io.disconnect();
    await server.stop();
  });
  beforeEach(() => {
    prefix = `ledger ${count++}`;
  });
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  function connect(url: string, options: object = {}): Redis {
    const client = new Redis(url, options);
    client.on("error", () => undefined);
    ends.push(() => client.disconnect());
    return client;
  }

  async function connectNode(url: string, options: object = {}) {
    const client = createClient({ url, ...options });
    client.on("error", () => undefined);
    ends.push(() => client.destroy());
    await client.connect();
    return client;
  }

  /** No call may leave, whatever door it takes. */
  async function expectNoDispatch(ledger: RedisLedger, message: RegExp): Promise<void> {
    const tracker = new CostTracker({ budget: 1, ledger });
    const error = { code: "ledger", message: expect.stringMatching(message) };
    await expect(tracker.reserve({ boundPicoUsd: 5n })).rejects.toMatchObject(error);
    await expect(ledger.markDispatched("x")).rejects.toMatchObject(error);
  }

  it("lets no call leave while it does not answer; a step that came through counts once when it is repeated", async () => {
    const ledger = new RedisLedger(io, { prefix, timeoutMs: 500 });
    await ledger.open();
    const control = connect(server.url);
    await control.client("PAUSE", 60_000, "WRITE");
    await expect(ledger.reserve(request)).rejects.toMatchObject({
      code: "ledger",
      message: expect.stringContaining("no answer within 500 ms"),
    });
    await expectNoDispatch(ledger, /no answer/);
    await control.client("UNPAUSE");
    await expect(ledger.reserve(request)).resolves.toMatchObject({ admitted: true });
    const [balance] = await ledger.read(accounts);
    expect(balance?.heldPicoUsd).toBe(5n);
  });

  it.each(["redis", "ioredis"])(
    "loses no step and counts none twice where the line is cut before the answer (%s)",
    async (name) => {
      const proxy = await startProxy(server.port);
      ends.push(proxy.stop);
      const client = name === "redis" ? await connectNode(proxy.url) : connect(proxy.url);
      const ledger = new RedisLedger(client, { prefix });
      await ledger.open();
      // A client may send again by itself what it has no answer to; otherwise the caller does.
      const cut = async <T>(step: () => Promise<T>): Promise<T> => {
        proxy.state.cutsNextAnswer = true;
        return await step().catch((error: unknown) => {
          expect(error).toMatchObject({ code: "ledger" });
          return step();
        });
      };
      await cut(() => ledger.reserve(request));
      await cut(() => ledger.markDispatched("x"));
      await cut(() => ledger.settle("x", { costPicoUsd: 4n }));
      await cut(() => ledger.reserve({ ...request, id: "y" }));
      await cut(() => ledger.release("y"));
      expect(await ledger.read(accounts)).toMatchObject([{ spentPicoUsd: 4n, heldPicoUsd: 0n, callCount: 1 }]);
      expect(verifyLedger(await ledger.inspect())).toEqual([]);
    },
  );

  it("counts a posted cost once and gives a claim away once, also where the client sends them again by itself", async () => {
    const proxy = await startProxy(server.port);
    ends.push(proxy.stop);
    const ledger = new RedisLedger(connect(proxy.url), { prefix });
    await ledger.post(accounts, { costPicoUsd: 1n });
    await ledger.claim({ scope: "a", window: "all" }, "warm");
    proxy.state.cutsNextAnswer = true;
    await expect(ledger.post(accounts, { costPicoUsd: 4n })).resolves.toMatchObject([
      { spentPicoUsd: 5n, callCount: 2 },
    ]);
    proxy.state.cutsNextAnswer = true;
    await expect(ledger.claim({ scope: "a", window: "all" }, "alert 0.5")).resolves.toBe(true);
    await expect(ledger.claim({ scope: "a", window: "all" }, "alert 0.5")).resolves.toBe(false);
    expect(verifyLedger(await ledger.inspect())).toEqual([]);
  });

  it("goes on after a restart with what was acknowledged before it, though the server knows no script any more", async () => {
    const ledger = new RedisLedger(io, { prefix });
    await ledger.reserve(request);
    await ledger.markDispatched("x");
    await server.restart();
    await ledger.settle("x", { costPicoUsd: 4n });
    expect(await ledger.read(accounts)).toMatchObject([{ spentPicoUsd: 4n, heldPicoUsd: 0n }]);
  });

  it("lets no call leave where nobody listens", async () => {
    const gone = await startRedis();
    const client = connect(gone.url, { maxRetriesPerRequest: 0 });
    const ledger = new RedisLedger(client, { prefix });
    await gone.stop();
    await expectNoDispatch(ledger, /The Redis ledger failed: .*mend the connection/);
  });

  it("takes no hold where memory is full, and lets those in flight end", async () => {
    const ledger = new RedisLedger(io, { prefix });
    for (const id of ["x", "y"]) {
      await ledger.reserve({ ...request, id });
      await ledger.markDispatched(id);
    }
    await ledger.reserve({ ...request, id: "z" });
    await io.config("SET", "maxmemory", "1");
    const tracker = new CostTracker({ budget: 1, ledger });
    await expect(tracker.reserve({ boundPicoUsd: 5n })).rejects.toThrow(/OOM.*raise the server's maxmemory/);
    await expect(ledger.markDispatched("z")).rejects.toThrow(/OOM/);
    await expect(ledger.settle("x", { costPicoUsd: 4n })).resolves.toMatchObject([{ spentPicoUsd: 4n }]);
    await ledger.release("y", "HTTP 429");
    await ledger.extend("z", 0);
    await expect(ledger.recover()).resolves.toEqual([]);
    expect(await ledger.read(accounts)).toMatchObject([{ spentPicoUsd: 4n, heldPicoUsd: 0n }]);
    await io.config("SET", "maxmemory", "0");
    expect(verifyLedger(await ledger.inspect())).toEqual([]);
  });

  it("names the fix where the client is not let in", async () => {
    const locked = await startRedis({ requirepass: "secret" });
    ends.push(locked.stop);
    const client = connect(locked.url, { enableReadyCheck: false });
    await expectNoDispatch(
      new RedisLedger(client, { prefix }),
      /NOAUTH.*give the client the server's user name and password/,
    );
    const admin = connect(`redis://:secret@127.0.0.1:${locked.port}`);
    await admin.acl("SETUSER", "limited", "on", ">secret", "~*", "+@all", "-eval", "-evalsha");
    const limited = connect(`redis://limited:secret@127.0.0.1:${locked.port}`, { enableReadyCheck: false });
    await expectNoDispatch(new RedisLedger(limited, { prefix }), /NOPERM.*let the client's user run EVAL/);
  });

  it("names the fix where the prefix is used by something else", async () => {
    await io.set(`{${prefix}}:ledger_schema`, "a text");
    await expectNoDispatch(new RedisLedger(io, { prefix }), /WRONGTYPE.*give the ledger one of its own/);
  });

  it("lets no call leave while it still loads its data", async () => {
    const slow = await startRedis();
    ends.push(slow.stop);
    const before = connect(slow.url);
    await before.eval("for index = 1, 2000 do redis.call('SET', 'k' .. index, index) end", 0);
    await before.save();
    before.disconnect();
    await slow.restart({ "key-load-delay": "2000", "loading-process-events-interval-bytes": "1024" });
    const client = connect(slow.url, { enableReadyCheck: false });
    await expectNoDispatch(new RedisLedger(client, { prefix }), /LOADING.*try again/);
  });

  it("names the fix where it is a replica", async () => {
    const ledger = new RedisLedger(io, { prefix });
    await ledger.reserve(request);
    const replica = await startRedis({ replicaof: `127.0.0.1 ${server.port}` });
    ends.push(replica.stop);
    await io.wait(1, 0);
    const onReplica = connect(replica.url);
    await expectNoDispatch(new RedisLedger(onReplica, { prefix }), /READONLY.*connect the client to the primary/);
  });

  it("sends a call only when as many replicas as asked for have its mark", async () => {
    const ledger = new RedisLedger(io, { prefix, replicas: 1, timeoutMs: 200 });
    await ledger.reserve(request);
    const error = { code: "ledger", message: expect.stringMatching(/Only 0 of 1 replicas confirmed the dispatch/) };
    await expect(ledger.markDispatched("x")).rejects.toMatchObject(error);
    const replica = await startRedis({ replicaof: `127.0.0.1 ${server.port}` });
    ends.push(replica.stop);
    await io.wait(1, 0);
    await new RedisLedger(io, { prefix, replicas: 1 }).markDispatched("x");

    const promoted = connect(replica.url);
    await promoted.replicaof("NO", "ONE");
    const afterFailover = new RedisLedger(promoted, { prefix });
    expect(await afterFailover.recover({ abandonedScope: "a" })).toMatchObject([{ id: "x", amountPicoUsd: 5n }]);
  });

  it("says that a server is too old, that a client cannot count replicas, and what else went wrong", async () => {
    const failing = (message: unknown) => ({
      evalsha: () => Promise.reject(message),
      eval: () => Promise.reject(message),
    });
    const tooOld = new Error("ERR Error compiling script (new function): user_script:1: unexpected symbol near '#'");
    await expectNoDispatch(new RedisLedger(failing(tooOld)), /the ledger needs Redis 7.0 or newer/);
    await expectNoDispatch(
      new RedisLedger(failing("a text")),
      /The Redis ledger failed: a text\. To do: mend the connection/,
    );
    const client = { evalsha: io.evalsha.bind(io), eval: io.eval.bind(io) };
    const ledger = new RedisLedger(client as Redis, { prefix, replicas: 1 });
    await ledger.reserve(request);
    await expect(ledger.markDispatched("x")).rejects.toThrow("Only 0 of 1 replicas");
  });
});
