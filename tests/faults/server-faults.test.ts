import { CostTracker, type Ledger, LedgerError } from "@autolabel/budget-core";
import { seedFromEnvironment } from "@autolabel/budget-core/testing";
import { type Simulator, startSimulator } from "@autolabel/simulator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { callBilledById, checkBooks, telling } from "../check-books.ts";
import { type Engine, engineNamed, enginesHere, type Store } from "../engines.ts";
import { makeMeteredCall } from "../metered-call.ts";
import { type CuttableProxy, startProxy } from "../servers/start-proxy.ts";

/** 100 for the full count: `SERVER_FAULTS=100 npx vitest run --project tests tests/faults`. */
const faultCount = Number(process.env.SERVER_FAULTS ?? 4);
const seed = seedFromEnvironment(process.env);
const servers = enginesHere().filter((name) => name !== "sqlite");

describe.each(servers)(`calls in flight, on a %s server (FUZZ_SEED=${seed})`, (name) => {
  let engine: Engine;
  let store: Store;
  let simulator: Simulator;
  let proxy: CuttableProxy;
  let ledger: Ledger;
  beforeEach(async () => {
    engine = engineNamed(name);
    [store, simulator] = await Promise.all([engine.start(), startSimulator({ seed, latencyMs: 2 })]);
    const url = new URL(await store.freshUrl());
    proxy = await startProxy(Number(url.port));
    url.port = String(proxy.port);
    ledger = await engine.open(url.href);
  });
  afterEach(async () => {
    await ledger.close();
    proxy.stop();
    await Promise.all([store.stop(), simulator.close()]);
  });

  /** Callers that never stop, and a fault each time so many further calls were billed. @returns what callers were told. */
  async function callThrough(bringAbout: () => unknown): Promise<{ made: number; refused: number; unposted: number }> {
    const tracker = new CostTracker({ name: "project", budget: 1000, ledger: telling(ledger) });
    const told = { made: 0, refused: 0, unposted: 0 };
    tracker.on("fault", () => told.unposted++);
    let isOver = false;
    const caller = async (lane: number) => {
      for (let call = 0; !isOver; call++) {
        const prompt = `Call ${call} of ${lane}`;
        const make = (apiKey: () => string) =>
          makeMeteredCall({ tracker, baseUrl: simulator.openRouterUrl, prompt, apiKey });
        try {
          await callBilledById(make);
          told.made++;
        } catch (error) {
          if (!LedgerError.isInstance(error)) throw error;
          told.refused++;
        }
      }
    };
    const callers = Promise.all(Array.from({ length: 16 }, (_, lane) => caller(lane)));
    let state = seed;
    for (let fault = 0; fault < faultCount; fault++) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      const goal = told.made + 20 + ((state >>> 8) % 30);
      await Promise.race([
        callers,
        expect.poll(() => told.made, { interval: 1, timeout: 60_000 }).toBeGreaterThan(goal),
      ]);
      await bringAbout();
    }
    const goal = told.made + 20;
    await Promise.race([callers, expect.poll(() => told.made, { interval: 1, timeout: 60_000 }).toBeGreaterThan(goal)]);
    isOver = true;
    await callers;
    return told;
  }

  async function expectNothingLost({ made, refused, unposted }: Awaited<ReturnType<typeof callThrough>>) {
    const report = await checkBooks(ledger, simulator);
    console.log(
      `${name}: ${faultCount} faults, ${made} calls made, ${refused} not sent, ${unposted} receipts not posted, ${report.unresolved} unresolved, ${report.billedPicoUsd} pico-USD billed`,
    );
    expect(report.failures).toEqual([]);
    expect(simulator.invoice.count).toBe(made);
    return refused + unposted;
  }

  it("that is killed and started again lose no spend, and none is forgotten", { timeout: 600_000 }, async () => {
    const told = await callThrough(() => store.restart?.());
    // Otherwise it was killed while nothing was under way, and nothing was proved.
    expect(await expectNothingLost(told)).toBeGreaterThan(0);
  });

  it("whose connections are cut lose no spend, and none counts twice", { timeout: 600_000 }, async () => {
    let steps = 0;
    const told = await callThrough(() => {
      steps += proxy.cut();
    });
    expect(steps + (await expectNothingLost(told))).toBeGreaterThan(0);
  });
});
