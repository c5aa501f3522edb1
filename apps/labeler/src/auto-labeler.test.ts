import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CostTracker, isBudgetExceeded, usd } from "@autolabel/budget-core";
import { type Simulator, type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AutoLabeler, hasPartialResults } from "./auto-labeler.ts";
import type { LabelingConfigInput } from "./config/labeling-config.ts";
import { Settings, type SettingsInput } from "./config/settings.ts";
import { UsageError } from "./usage-error.ts";

let folder: string;
let simulator: Simulator;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "labeler-"));
});
afterEach(async () => {
  await simulator?.close();
  rmSync(folder, { recursive: true, force: true });
});

const config: LabelingConfigInput = {
  model: "openrouter:openai/gpt-4o-mini",
  labels: ["refund", "delivery"],
  concurrency: 8,
};
const rows = (count: number) => Array.from({ length: count }, (_, index) => ({ text: `My refund number ${index}` }));

async function simulate(options: SimulatorOptions = {}) {
  simulator = await startSimulator(options);
}

function settings(input: SettingsInput = {}) {
  const given = { openrouterApiKey: "test", openrouterBaseUrl: simulator.openRouterUrl, store: join(folder, "store") };
  return new Settings({ ...given, ...input }, { env: {} });
}

/** What a row costs, measured at the provider. */
async function costPerRow(): Promise<bigint> {
  await new AutoLabeler("probe", settings({ store: join(folder, "probe") }), { ...config, budget: 1 }).label(
    rows(10),
    "text",
  );
  const cost = simulator.invoice.totalPicoUsd / 10n;
  simulator.reset();
  return cost;
}

describe("AutoLabeler.label", () => {
  it("I01: labels a text and counts what it cost", async () => {
    await simulate();
    const result = await new AutoLabeler("one", settings(), { ...config, budget: 1 }).label(
      [{ text: "Where is my delivery" }],
      "text",
    );
    expect(result.rows).toMatchObject([
      { label: "delivery", status: "labeled", attempts: 1, source: "openai/gpt-4o-mini" },
    ]);
    expect(result.stats.exact.spent.picoUsd).toBe(simulator.invoice.totalPicoUsd);
    expect(result.stats.callCount).toBe(1);
  });

  it("D20/D22: throws with every paid row, and goes on with a larger budget without paying twice", async () => {
    await simulate();
    const budget = usd.pico((await costPerRow()) * 25n);
    const small = new AutoLabeler("run", settings(), { ...config, budget });
    const error: unknown = await small.label(rows(60), "text").catch((caught: unknown) => caught);
    if (!hasPartialResults(error)) throw error;
    const { partialResults } = error;
    const paid = simulator.invoice.count;
    expect(paid).toBeGreaterThan(15);
    expect(simulator.invoice.totalPicoUsd).toBeLessThanOrEqual(budget.picoUsd);
    expect(partialResults.rows).toHaveLength(60);
    expect(partialResults.rows.filter(({ status }) => status === "labeled")).toHaveLength(paid);
    expect(partialResults.rows.filter(({ status }) => status === "unpaid")).toHaveLength(60 - paid);

    const result = await new AutoLabeler("run", settings(), { ...config, budget: 1 }).label(rows(60), "text");
    expect(simulator.invoice.count).toBe(60);
    expect(result.stats.exact.spent.picoUsd).toBe(simulator.invoice.totalPicoUsd);
    expect(new Set(simulator.invoice.lines.map(({ promptHash }) => promptHash)).size).toBe(60);
  });

  it("D24/D26: rows of another data set are another run, and equal texts stay rows of their own", async () => {
    await simulate();
    const labeler = new AutoLabeler("same-name", settings(), { ...config, budget: 1 });
    expect((await labeler.label(rows(3), "text")).rows).toHaveLength(3);
    const other = await labeler.label([{ text: "delivery" }, { text: "delivery" }], "text");
    expect(other.rows.map(({ text }) => text)).toEqual(["delivery", "delivery"]);
  });

  it("pays once for a job that is started twice at the same time", async () => {
    await simulate({ latencyMs: 5 });
    const label = () => new AutoLabeler("twice", settings(), { ...config, budget: 1 }).label(rows(50), "text");
    const ended = await Promise.allSettled([label(), label()]);
    const refused = ended.find((outcome) => outcome.status === "rejected");
    expect(String(refused?.reason)).toMatch(/Another process works on the run/);
    await label();
    expect(new Set(simulator.invoice.lines.map(({ promptHash }) => promptHash)).size).toBe(50);
    expect(simulator.invoice.count).toBe(50);
  });

  it("stops waiting for money when it is told to stop, and sends nothing more", async () => {
    await simulate({ latencyMs: 300 });
    const budget = usd.pico((await costPerRow()) * 12n);
    const run = await new AutoLabeler("stop", settings(), { ...config, budget }).start({
      rows: rows(60),
      column: "text",
    });
    const finished = run.finish();
    await expect.poll(() => simulator.inFlight).toBeGreaterThan(0);
    const sent = simulator.requests;
    run.stop();
    expect(await finished).toEqual({ kind: "interrupted" });
    expect(simulator.requests).toBe(sent);
    expect((await run.stats()).exact).toMatchObject({
      held: usd.pico(0n),
      spent: usd.pico(simulator.invoice.totalPicoUsd),
    });
    await run.close();
  });

  it("a budget of 0 lets no call through; none at all lets every call through", async () => {
    await simulate();
    await expect(
      new AutoLabeler("zero", settings(), { ...config, budget: 0 }).label(rows(3), "text"),
    ).rejects.toSatisfy(isBudgetExceeded);
    expect(simulator.requests).toBe(0);
    expect((await new AutoLabeler("none", settings(), config).label(rows(3), "text")).rows).toHaveLength(3);
  });

  it("draws on the tracker it was given before any other budget", async () => {
    await simulate();
    const costTracker = new CostTracker({ budget: 0 });
    const labeler = new AutoLabeler("given", settings({ llmBudget: 1 }), { ...config, budget: 1 }, { costTracker });
    await expect(labeler.label(rows(3), "text")).rejects.toSatisfy(isBudgetExceeded);
    expect(simulator.requests).toBe(0);
  });

  it("D18: runs without a budget of their own share the global one, also at once; an own budget stands before it", async () => {
    await simulate({ latencyMs: 5 });
    const llmBudget = usd.pico((await costPerRow()) * 30n);
    const shared = settings({ llmBudget });
    const label = (name: string) => new AutoLabeler(name, shared, config).label(rows(40), "text");
    const outcomes = await Promise.allSettled([label("first"), label("second-with-another-name")]);
    expect(outcomes.every(({ status }) => status === "rejected")).toBe(true);
    expect(simulator.invoice.totalPicoUsd).toBeLessThanOrEqual(llmBudget.picoUsd);
    expect(simulator.invoice.count).toBeGreaterThan(20);

    const own = new AutoLabeler("own", shared, { ...config, labels: ["refund", "other"], budget: 1 });
    expect((await own.label(rows(40), "text")).rows.every(({ status }) => status === "labeled")).toBe(true);
  });

  it("gives rows as they are finished", async () => {
    await simulate();
    const run = await new AutoLabeler("stream", settings(), { ...config, budget: 1 }).start({
      rows: rows(20),
      column: "text",
    });
    const seen: number[] = [];
    for await (const row of run) seen.push(row.position);
    expect(run.outcome).toEqual({ kind: "completed" });
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index));
    await run.close();
  });

  it("refuses rows without the column, and settings that cannot work, before anything is sent", async () => {
    await simulate();
    const labeler = new AutoLabeler("bad", settings(), { ...config, budget: 1 });
    await expect(labeler.label([{ txt: "a" }], "text")).rejects.toThrow(UsageError);
    await expect(labeler.label([], "text")).rejects.toThrow(/no rows/);
    expect(() => new AutoLabeler("bad", settings(), { ...config, budget: Number.NaN })).toThrow(UsageError);
    expect(() => new Settings({}, { env: { LLM_BUDGET: "five" } })).toThrow(/LLM_BUDGET/);
    expect(new Settings({}, { env: { LLM_BUDGET: "" } }).llmBudget).toBeUndefined();
    expect(simulator.requests).toBe(0);
  });
});
