import { parsePicoUsd, picoToDecimal } from "@autolabel/budget-core";
import { verifyLedger } from "@autolabel/budget-core/audit";
import { type Simulator, startSimulator } from "@autolabel/simulator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Engine, engineNamed, enginesHere, type Store } from "../engines.ts";
import { type ProcessPlan, runProcesses } from "./run-processes.ts";

/** 1000 for the full count: `PROCESS_CALLS=1000 npx vitest run --project tests tests/processes`. */
const callsPerProcess = Number(process.env.PROCESS_CALLS ?? 45);
const processes = 8;
/** A call costs about 18,200,000 pico-USD and holds twice that: money for five calls of six that are asked for. */
const budgetPicoUsd = (BigInt(processes * callsPerProcess) * 5n * 18_200_000n) / 6n;
const dayMs = 86_400_000;

describe.each([...enginesHere(), "slices"])("many processes with one budget, on %s", (name) => {
  let engine: Engine;
  let store: Store;
  let simulator: Simulator;
  beforeAll(async () => {
    engine = engineNamed(name);
    store = await engine.start();
    simulator = await startSimulator();
  });
  afterAll(async () => {
    await simulator.close();
    await store.stop();
  });

  const plan = (url: string, number: number, changes: Partial<ProcessPlan> = {}): ProcessPlan => ({
    engine: name,
    url,
    baseUrl: simulator.openRouterUrl,
    number,
    calls: callsPerProcess,
    concurrency: 4,
    budget: picoToDecimal(budgetPicoUsd),
    isDaily: false,
    skewMs: 0,
    zone: "UTC",
    ...changes,
  });
  const booksOf = async (url: string) => {
    const ledger = await engine.open(url);
    const report = await ledger.inspect();
    await ledger.close();
    expect(verifyLedger(report)).toEqual([]);
    return report;
  };

  it("never pass it, use it up, keep books that equal the bill, and tell each alert once", {
    timeout: 600_000,
  }, async () => {
    simulator.reset();
    const url = await store.freshUrl();
    const reports = await runProcesses(Array.from({ length: processes }, (_, number) => plan(url, number)));
    const billed = simulator.invoice.totalPicoUsd;
    const used = (Number((billed * 100_000n) / budgetPicoUsd) / 1000).toFixed(2);
    console.log(`${name}: ${processes} x ${callsPerProcess} calls, ${used} % of the budget used`);
    expect(billed).toBeLessThanOrEqual(budgetPicoUsd);
    expect(billed * 100n).toBeGreaterThanOrEqual(budgetPicoUsd * 99n);
    const made = reports.reduce((sum, report) => sum + report.made, 0);
    const denied = reports.reduce((sum, report) => sum + report.denied, 0);
    expect([made, made + denied]).toEqual([simulator.invoice.count, processes * callsPerProcess]);
    expect(denied).toBeGreaterThan(0);
    const { accounts, open } = await booksOf(url);
    expect([accounts[0]?.spentPicoUsd, accounts[0]?.callCount, open]).toEqual([billed, made, []]);
    expect(reports.flatMap(({ alerts }) => alerts).toSorted((a, b) => a - b)).toEqual([0.5, 0.75, 0.9]);

    // After a restart nobody is told again, until a new threshold is reached: here there is none.
    const budget = picoToDecimal(parsePicoUsd(picoToDecimal(budgetPicoUsd)) + 200_000_000n);
    const later = await runProcesses([0, 1].map((number) => plan(url, 100 + number, { calls: 4, budget })));
    expect(later.flatMap(({ alerts }) => alerts)).toEqual([]);
    expect(later.reduce((sum, report) => sum + report.made, 0)).toBeGreaterThan(0);
  });

  it("count in the same day, whatever their clocks and time zones say", async () => {
    simulator.reset();
    const url = await store.freshUrl();
    const tokyo = new Intl.DateTimeFormat("en-CA", { timeZone: "Asia/Tokyo" });
    const before = tokyo.format(Date.now());
    const skews = [-2 * dayMs, 0, 300_000, 2 * dayMs, 400 * dayMs];
    const zones = ["UTC", "Pacific/Kiritimati", "America/Los_Angeles", "Asia/Kathmandu", "Africa/Casablanca"];
    const plans = skews.map((skewMs, number) => {
      return plan(url, number, { calls: 3, concurrency: 1, isDaily: true, skewMs, zone: zones[number] ?? "UTC" });
    });
    await runProcesses(plans);
    const { accounts } = await booksOf(url);
    const today = new Set([before, tokyo.format(Date.now())]);
    for (const { window } of accounts) expect(today).toContain(window);
    expect(accounts.reduce((sum, { callCount }) => sum + callCount, 0)).toBe(15);
  });
});
