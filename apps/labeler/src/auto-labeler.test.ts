import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CostTracker, isBudgetExceeded, usd } from "@autolabel/budget-core";
import { type Simulator, type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AutoLabeler, hasPartialResults } from "./auto-labeler.ts";
import { LabelingConfig, type LabelingConfigInput } from "./config/labeling-config.ts";
import { Settings, type SettingsInput } from "./config/settings.ts";
import { SqliteRunStore } from "./store/sqlite-run-store.ts";
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

/** A model whose calls cost so much each, whatever is asked; its bound is its cost. */
const flat = (usdPerCall: string) => ({
  models: { "test/flat": { promptUsdPerMillion: "0", completionUsdPerMillion: "0", requestUsd: usdPerCall } },
  config: {
    ...config,
    model: "openrouter:test/flat",
    prices: { "test/flat": { input: "0", output: "0", request: usdPerCall, maxOutputTokens: 1000 } },
  },
});

/** The budget stop of a run that must end in one. */
async function stopOf(labeling: Promise<unknown>) {
  const error: unknown = await labeling.catch((caught: unknown) => caught);
  if (!hasPartialResults(error)) throw error;
  return error;
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
  it("I01: labels one text at the price that the response reports", async () => {
    const { models, config: flatConfig } = flat("0.001");
    await simulate({ models });
    const labeler = new AutoLabeler("one", settings(), { ...flatConfig, budget: 1 });
    const { rows: labeled, stats } = await labeler.label([{ text: "Where is my delivery" }], "text");
    expect(labeled).toMatchObject([{ label: "delivery", status: "labeled" }]);
    expect(stats).toMatchObject({ totalCost: 0.001, callCount: 1 });
  });

  it("I02: labels three rows of $0.50 each within a budget of $5, one call each", async () => {
    const { models, config: flatConfig } = flat("0.5");
    await simulate({ models });
    const { stats } = await new AutoLabeler("three", settings(), { ...flatConfig, budget: 5 }).label(rows(3), "text");
    expect(stats).toMatchObject({ totalCost: 1.5, callCount: 3, remainingBudget: 3.5, budgetExceeded: false });
    expect(simulator.invoice.count).toBe(3);
  });

  it("I16: a configuration without a budget is none that is wrong", () => {
    expect(new LabelingConfig(config).budget).toBeUndefined();
  });

  it("D20: gives back and keeps the 50 rows that the budget paid of 120, and lists the other 70", async () => {
    const { models, config: flatConfig } = flat("0.01");
    await simulate({ models, latencyMs: 2 });
    const labeler = new AutoLabeler("stop", settings(), { ...flatConfig, concurrency: 20, budget: "0.50" });
    const error = await stopOf(labeler.label(rows(120), "text"));
    expect(error).toMatchObject({ code: "budget_exceeded", totalCost: 0.5, budget: 0.5 });
    const { rows: all, stats, runId } = error.partialResults;
    expect(all.filter(({ status }) => status === "labeled")).toHaveLength(50);
    expect(all.filter(({ status, label }) => status === "unpaid" && label === null)).toHaveLength(70);
    expect(all.map(({ text }) => text)).toEqual(rows(120).map(({ text }) => text));
    expect(stats).toMatchObject({ totalCost: 0.5, callCount: 50, held: 0 });
    expect(simulator.invoice).toMatchObject({ count: 50, totalPicoUsd: 500_000_000_000n });
    const store = new SqliteRunStore(join(folder, "store", `${runId}.sqlite`));
    expect(await store.counts()).toMatchObject({ labeled: 50, unpaid: 70 });
    await store.close();
  });

  it("D22: buys the 70 missing rows with a larger budget, to which what was spent before counts", async () => {
    const { models, config: flatConfig } = flat("0.01");
    await simulate({ models, latencyMs: 2 });
    const label = (budget: string) =>
      new AutoLabeler("resumed", settings(), { ...flatConfig, concurrency: 20, budget }).label(rows(120), "text");
    await stopOf(label("0.50"));
    const second = await stopOf(label("1.00"));
    expect(simulator.invoice.count).toBe(100);
    expect(second.partialResults.stats).toMatchObject({ totalCost: 1, callCount: 100 });
    const { stats } = await label("2.00");
    expect(simulator.invoice.count).toBe(120);
    expect(stats).toMatchObject({ totalCost: 1.2, callCount: 120, remainingBudget: 0.8 });
    expect(new Set(simulator.invoice.lines.map(({ promptHash }) => promptHash)).size).toBe(120);
  });

  it("D24: a second data set under the same name has its own rows, and none of the first", async () => {
    await simulate();
    const labeler = new AutoLabeler("same", settings(), { ...config, budget: 1 });
    await labeler.label(rows(12), "text");
    const second = await labeler.label([{ text: "My delivery" }, { text: "My refund" }], "text");
    expect(second.rows.map(({ text }) => text)).toEqual(["My delivery", "My refund"]);
    expect(second.stats.callCount).toBe(2);
    expect((await labeler.label(rows(12), "text")).stats.callCount).toBe(12);
    const other = new AutoLabeler("same", settings(), { ...config, labels: ["refund", "other"], budget: 1 });
    expect((await other.label(rows(12), "text")).stats.callCount).toBe(12);
    expect(simulator.invoice.count).toBe(26);
  });

  it("D26: equal texts stay rows of their own, also when the run goes on after a stop", async () => {
    const { models, config: flatConfig } = flat("0.01");
    await simulate({ models });
    const twins = Array.from({ length: 6 }, () => ({ text: "My delivery" }));
    const label = (budget: string) =>
      new AutoLabeler("twins", settings(), { ...flatConfig, dedupe: false, budget }).label(twins, "text");
    const { partialResults } = await stopOf(label("0.02"));
    expect(partialResults.rows.filter(({ status }) => status === "labeled")).toHaveLength(2);
    const result = await label("1");
    expect(result.rows.map(({ label: given }) => given)).toEqual(Array(6).fill("delivery"));
    expect(simulator.invoice.count).toBe(6);
  });

  it("D28: a row that failed is not done: it is tried again when the run goes on", async () => {
    await simulate({ faults: [{ kind: "500", promptIncludes: "number 3" }] });
    const labeler = new AutoLabeler("failed", settings(), { ...config, maxAttempts: 1, budget: 1 });
    const first = await labeler.label(rows(6), "text");
    expect(first.rows[3]).toMatchObject({ status: "error", label: null });
    expect(simulator.invoice.count).toBe(5);
    simulator.setFaults([]);
    const second = await labeler.label(rows(6), "text");
    expect(second.rows[3]).toMatchObject({ status: "labeled" });
    expect(simulator.invoice.count).toBe(6);
  });

  it("D30: a row that fails stops no other; the budget stops all", async () => {
    const { models, config: flatConfig } = flat("0.01");
    await simulate({ models, faults: [{ kind: "500", promptIncludes: "number 3" }] });
    const given = { ...flatConfig, maxAttempts: 1, concurrency: 1 };
    const all = await new AutoLabeler("one-bad", settings(), { ...given, budget: 1 }).label(rows(10), "text");
    expect(all.rows.map(({ status }) => status === "labeled")).toEqual(rows(10).map((_, index) => index !== 3));

    const paid = simulator.invoice.count;
    const { partialResults } = await stopOf(
      new AutoLabeler("stopped", settings(), { ...given, budget: "0.05" }).label(rows(10), "text"),
    );
    expect(simulator.invoice.count - paid).toBe(5);
    const statuses = partialResults.rows.map(({ status }) => status).join(" ");
    expect(statuses).toBe("labeled labeled labeled error labeled labeled unpaid unpaid unpaid unpaid");
  });

  it("labels a text and counts what it cost", async () => {
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

  it("throws with every paid row, and goes on with a larger budget without paying twice", async () => {
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

  it("F30: pays once for a job that is started twice at the same time", async () => {
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

  it.each([
    ["of the run", { budget: 0 }, {}],
    ["of the run, beside a global one", { budget: 0 }, { llmBudget: 10 }],
    ["of all runs", {}, { llmBudget: 0 }],
  ])("D04: a budget of 0 lets no call through: %s", async (_whose, own, global) => {
    await simulate();
    const labeling = new AutoLabeler("zero", settings(global), { ...config, ...own }).label(rows(3), "text");
    await expect(labeling).rejects.toSatisfy(isBudgetExceeded);
    expect(simulator.requests).toBe(0);
  });

  it("D04: no budget lets every call through; one below 0 is none", async () => {
    await simulate();
    expect((await new AutoLabeler("none", settings(), config).label(rows(3), "text")).rows).toHaveLength(3);
    expect(() => new AutoLabeler("negative", settings(), { ...config, budget: -1 })).toThrow(UsageError);
    expect(() => settings({ llmBudget: -1 })).toThrow(UsageError);
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
