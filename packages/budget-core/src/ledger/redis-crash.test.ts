import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Simulator, startSimulator } from "@autolabel/simulator";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isRedisThere, type RedisServer, startRedis } from "../../../../tests/servers/start-redis.ts";
import { LedgerError } from "../errors/ledger-error.ts";
import { Random } from "../testing/random.ts";
import { CostTracker } from "../tracker/cost-tracker.ts";
import { RedisLedger } from "./redis.ts";
import { verifyLedger } from "./verify-ledger.ts";

const spender = join(import.meta.dirname, "../testing/spend-from-redis.ts");
/** `REDIS_CALLS=1000` for the large run, and `REDIS_FSYNC=everysec` for another policy. */
const callsPerProcess = Number(process.env.REDIS_CALLS ?? 100);

describe.skipIf(!isRedisThere())("many processes on one budget in Redis", () => {
  let server: RedisServer;
  let simulator: Simulator;
  let io: Redis;
  let tracker: CostTracker;
  const budget = (callsPerProcess * 0.00005).toFixed(6);
  const budgetPicoUsd = BigInt(Math.round(Number(budget) * 1e6)) * 10n ** 6n;
  beforeEach(async () => {
    server = await startRedis({ appendonly: "yes", appendfsync: process.env.REDIS_FSYNC ?? "always" });
    simulator = await startSimulator({ latencyMs: 2 });
    io = new Redis(server.url);
    io.on("error", () => undefined);
    tracker = new CostTracker({ budget, name: "shared", ledger: new RedisLedger(io) });
  });
  afterEach(async () => {
    io.disconnect();
    await Promise.all([server.stop(), simulator.close()]);
  });

  function startSpender(calls: number): ChildProcess {
    const where = ["--redis", server.url, "--provider", simulator.openRouterUrl];
    const args = ["--conditions=@autolabel/source", spender, ...where, "--budget", budget, "--calls", String(calls)];
    return spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  }

  async function resultOf(child: ChildProcess): Promise<{ settled: number; denied: number }> {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => (text += String(chunk)));
    await once(child, "close");
    return JSON.parse(text) as { settled: number; denied: number };
  }

  it("never pass it, spend it to 99 %, and every call is in the books", { timeout: 600_000 }, async () => {
    const startedAt = performance.now();
    const results = await Promise.all(Array.from({ length: 8 }, () => resultOf(startSpender(callsPerProcess))));
    const seconds = (performance.now() - startedAt) / 1000;
    const { totalPicoUsd, count } = simulator.invoice;
    const settled = results.reduce((sum, result) => sum + result.settled, 0);
    const denied = results.reduce((sum, result) => sum + result.denied, 0);
    const utilisation = Number((totalPicoUsd * 100_000n) / budgetPicoUsd) / 1000;
    console.log(
      `8 x ${callsPerProcess}: ${settled} settled, ${denied} denied, ${utilisation} %, ${seconds.toFixed(1)} s`,
    );
    expect(settled + denied).toBe(8 * callsPerProcess);
    expect(denied).toBeGreaterThan(0);
    expect(totalPicoUsd).toBeLessThanOrEqual(budgetPicoUsd);
    expect(utilisation).toBeGreaterThanOrEqual(99);
    const { spent, held, unresolved } = (await tracker.getStats()).exact;
    expect([spent.picoUsd, held.picoUsd, unresolved.picoUsd]).toEqual([totalPicoUsd, 0n, 0n]);
    expect(settled).toBe(count);
    expect(verifyLedger(await tracker.ledger.inspect())).toEqual([]);
  });

  it("lose nothing that was sent when they are killed at any moment", { timeout: 120_000 }, async () => {
    const random = new Random(7);
    for (let round = 0; round < 6; round++) {
      const child = startSpender(1_000_000);
      const goal = simulator.requests + 1 + random.below(40);
      while (simulator.requests < goal && child.exitCode === null) await new Promise(setImmediate);
      child.kill("SIGKILL");
      await once(child, "close");
    }
    while (simulator.inFlight > 0) await new Promise(setImmediate);
    const open = await tracker.recover({ abandoned: true });
    const { totalPicoUsd, count } = simulator.invoice;
    const stats = await tracker.getStats();
    const { spent, held, unresolved } = stats.exact;
    expect(totalPicoUsd).toBeLessThanOrEqual(budgetPicoUsd);
    expect(held.picoUsd).toBe(0n);
    expect(spent.picoUsd + unresolved.picoUsd).toBeGreaterThanOrEqual(totalPicoUsd);
    expect(spent.picoUsd).toBeLessThanOrEqual(totalPicoUsd);
    expect(stats.callCount + open.length).toBeGreaterThanOrEqual(count);
    expect(open.length).toBeGreaterThan(0);
    expect(verifyLedger(await tracker.ledger.inspect())).toEqual([]);
  });

  it("lose nothing that was acknowledged when Redis is killed at any moment", { timeout: 120_000 }, async () => {
    const random = new Random(11);
    let kills = 0;
    let steps = 0;
    let isOver = false;
    /** Ends by the n-th acknowledged step. */
    const next = { killAt: 50, killing: Promise.resolve() };
    const acknowledged = async <T>(step: () => Promise<T>): Promise<T> => {
      for (;;) {
        try {
          const value = await step();
          steps++;
          if (steps === next.killAt && kills < 8) {
            kills++;
            next.killing = server.restart();
            void next.killing.then(() => (next.killAt = steps + 1 + random.below(60)));
          }
          return value;
        } catch (error) {
          // Its outcome is not known: the same step is taken again. A step that was acknowledged and then forgotten would
          // be refused here for good, as one of an unknown reservation.
          if (!LedgerError.isInstance(error) || isOver) throw error;
        }
      }
    };
    let billed = 0n;
    let calls = 0;
    const ledger = new RedisLedger(io, { timeoutMs: 2000 });
    const work = async (worker: number) => {
      for (let index = 0; !isOver; index++) {
        const id = `${worker} ${index}`;
        const accounts = [{ scope: "shared", window: "all", limitPicoUsd: null }];
        await acknowledged(() => ledger.reserve({ id, accounts, amountPicoUsd: 9n, leaseMs: 600_000 }));
        await acknowledged(() => ledger.markDispatched(id));
        const costPicoUsd = BigInt(random.below(10));
        billed += costPicoUsd;
        calls++;
        await acknowledged(() => ledger.settle(id, { costPicoUsd }));
        if (kills === 8 && steps > next.killAt) isOver = true;
      }
    };
    const stop = (error: unknown) => {
      isOver = true;
      throw error;
    };
    await Promise.all(Array.from({ length: 16 }, (_, worker) => work(worker).catch(stop)));
    await next.killing;
    const { exact, callCount } = await tracker.getStats();
    expect([exact.spent.picoUsd, exact.held.picoUsd, callCount]).toEqual([billed, 0n, calls]);
    expect(verifyLedger(await ledger.inspect())).toEqual([]);
  });
});
