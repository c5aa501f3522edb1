import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { picoToDecimal } from "@autolabel/budget-core";
import { verifyLedger } from "@autolabel/budget-core/audit";
import type { Fault } from "@autolabel/simulator";
import { afterEach, describe, expect, it, vi } from "vitest";
import { flat, rowsOf, useBench } from "./failure-modes-bench.ts";
import type { LabeledRow } from "./store/row.ts";
import { SqliteRunStore } from "./store/sqlite-run-store.ts";

const bench = useBench();
afterEach(() => void vi.useRealTimers());

/** 10000 for the full count: `FAILED_CALLS=10000 npx vitest run apps/labeler/src/failure-modes-engine.test.ts`. */
const failedCalls = Number(process.env.FAILED_CALLS ?? 3000);

describe("reservations", () => {
  it("F03: of thousands of calls that were refused, cut off, late, broken or given up none leaves a hold, and all the money that is left can be spent", {
    timeout: 300_000,
  }, async () => {
    const { models, config } = flat("0.0001");
    const faults: Fault[] = [
      { kind: "400", promptIncludes: "Never" },
      { kind: "400", rate: 0.4 },
      { kind: "500", rate: 0.1 },
      { kind: "disconnect", rate: 0.1 },
      { kind: "cut", rate: 0.1 },
      { kind: "bad-json", rate: 0.1 },
      { kind: "error-chunk", rate: 0.1 },
      { kind: "timeout", rate: 0.005 },
    ];
    await bench.simulate({ models, faults });
    const rows = [...rowsOf(1000), ...rowsOf(500, "Never this refund, number")];
    const failing = { ...config, maxAttempts: 1, timeoutMs: 300, concurrency: 64, budget: "unlimited" as const };
    let spent = 0n;
    for (let round = 0; bench.simulator.requests < failedCalls; round++) {
      const run = await bench.labeler(failing).start({ rows, column: "text" });
      const enough = bench.simulator.requests + 300;
      const finished = run.finish();
      // Every other time the person gives up in the middle.
      if (round % 2 === 1) await until(() => bench.simulator.requests > enough || run.outcome !== undefined);
      if (round % 2 === 1) run.stop();
      await finished;
      const { exact } = await run.stats();
      await run.close();
      expect([exact.held.picoUsd, exact.unresolved.picoUsd]).toEqual([0n, 0n]);
      spent = exact.spent.picoUsd;
    }
    expect(spent).toBeGreaterThanOrEqual(bench.simulator.invoice.totalPicoUsd);
    bench.simulator.setFaults([]);
    const before = await bench.label({ ...failing, budget: 0 }, rows);
    const budget = picoToDecimal(spent + 40n * 100_000_000n);
    const last = await bench.label({ ...config, budget }, rows);
    expect(last.outcome.kind).toBe("budget");
    expect([labeledOf(last.rows) - labeledOf(before.rows), last.exact.held.picoUsd]).toEqual([40, 0n]);
    expect(last.exact.spent.picoUsd).toBe(last.exact.budget?.picoUsd);
  });
});

const labeledOf = (rows: readonly LabeledRow[]) => rows.filter(({ status }) => status === "labeled").length;

it("F02: a second question that the last money does not cover leaves that money to the other rows", async () => {
  const endless = `{"result":"${"very ".repeat(2000)}`;
  await bench.simulate({ answer: ({ lastUserText }) => (lastUserText.endsWith(" 10") ? endless : undefined) });
  const rows = rowsOf(60).slice(10);
  const budget = (await bench.costPerRow()) * 20n;
  const { outcome, rows: all } = await bench.label({ concurrency: 1, budget: picoToDecimal(budget) }, rows);
  expect([outcome.kind, all[0]?.status, all[0]?.attempts]).toEqual(["budget", "unpaid", 1]);
  expect(labeledOf(all)).toBeGreaterThan(10);
  expect(bench.simulator.invoice.totalPicoUsd).toBeLessThanOrEqual(budget);
  const raised = await bench.label({ concurrency: 1, budget: 1 }, rows);
  expect(raised.rows[0]).toMatchObject({ status: "truncated", attempts: 2 });
  expect(labeledOf(raised.rows)).toBe(49);
});

describe("a provider that asks to wait", () => {
  /** Labels one row while the clock stands still but for what the test moves it on. */
  async function startRefused(retryAfter: number | string) {
    await bench.simulate({ faults: [{ kind: "429", times: 1, retryAfter }] });
    const run = await bench.labeler({ concurrency: 1 }).start({ rows: rowsOf(1), column: "text" });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: Date.now() });
    const finished = run.finish();
    await until(() => bench.simulator.requests === 1 && bench.simulator.inFlight === 0 && vi.getTimerCount() > 0);
    return { run, finished };
  }

  it.each([
    ["0.6 s", 0.6, 600],
    ["45 s", 45, 45_000],
    ["90 s", 90, 90_000],
    ["until an HTTP date", "date", 120_000],
  ])("F17: %s are waited for once, and are no attempt of the row's", async (_name, asked, waitMs) => {
    const isDate = typeof asked === "string";
    const { run, finished } = await startRefused(isDate ? new Date(Date.now() + waitMs).toUTCString() : asked);
    await vi.advanceTimersByTimeAsync(waitMs - (isDate ? 5000 : 100));
    await turns();
    expect(bench.simulator.requests).toBe(1);
    await vi.advanceTimersByTimeAsync(isDate ? 10_000 : 200);
    await until(() => bench.simulator.requests > 1);
    expect(await finished).toEqual({ kind: "completed" });
    expect(await Array.fromAsync(run.rows())).toMatchObject([{ status: "labeled", attempts: 1 }]);
    expect(bench.simulator.requests).toBe(2);
    await run.close();
  });

  it("F17: 14.2 hours are not waited for: the run pauses, says until when, and leaves the row for later", async () => {
    await bench.simulate({ faults: [{ kind: "429", times: 1, retryAfter: 51_105 }] });
    const { outcome, rows } = await bench.label({ concurrency: 1 }, rowsOf(2));
    if (outcome.kind !== "rate-limited") throw new Error(`ended as ${outcome.kind}`);
    expect(outcome.error.message).toContain(outcome.error.retryAt.toISOString());
    expect(outcome.error.retryAt.getTime() - Date.now()).toBeGreaterThan(50_000_000);
    expect(rows.map(({ status, attempts }) => [status, attempts])).toEqual([
      ["unpaid", 0],
      ["unpaid", 0],
    ]);
    expect((await bench.label({ concurrency: 1 }, rowsOf(2))).outcome).toEqual({ kind: "completed" });
  });
});

describe("the end of the credit", () => {
  it.each([
    ["OpenRouter's 402", "openrouter:openai/gpt-4o-mini"],
    ["OpenAI's insufficient_quota", "openai:gpt-4o-mini"],
  ])("F19: by %s pauses the run, fails no row, and a resume goes on", async (_name, model) => {
    await bench.simulate({ creditPicoUsd: 400_000_000n, latencyMs: 2 });
    const paused = await bench.label({ model }, rowsOf(40));
    expect(paused.outcome.kind).toBe("credit");
    const statuses = new Set(paused.rows.map(({ status }) => status));
    expect(statuses).toEqual(new Set(["labeled", "unpaid"]));
    expect(paused.rows.filter(({ status }) => status === "unpaid").every(({ attempts }) => attempts === 0)).toBe(true);
    expect(paused.exact.spent.picoUsd).toBe(bench.simulator.invoice.totalPicoUsd);
    const paid = bench.simulator.invoice.count;
    await bench.simulate();
    const resumed = await bench.label({ model }, rowsOf(40));
    expect(resumed.outcome).toEqual({ kind: "completed" });
    expect(bench.simulator.invoice.count).toBe(40 - paid);
  });
});

describe("the log", () => {
  it("F25: cut at any byte it keeps every record that was committed before, whole, and none twice", async () => {
    await bench.simulate();
    const run = await bench.labeler({ concurrency: 2 }).start({ rows: rowsOf(12), column: "text" });
    const file = join(bench.folder, ".autolabel", "run-1.sqlite");
    const lengths: number[] = [];
    for await (const row of run) if (row.status === "labeled") lengths.push(statSync(`${file}-wal`).size);
    const whole = join(bench.folder, "whole");
    mkdirSync(whole);
    for (const suffix of ["", "-wal"]) copyFileSync(`${file}${suffix}`, join(whole, `run${suffix}`));
    await run.close();
    const end = lengths.at(-1) ?? 0;
    const from = lengths.at(-4) ?? 0;
    expect([end > from, readFileSync(join(whole, "run-wal")).length >= end]).toEqual([true, true]);
    const cuts = Array.from({ length: 60 }, (_, cut) => from + Math.floor((cut * (end - from)) / 60));
    // Around the end of each record the bytes count one by one.
    for (const length of lengths.slice(-4)) cuts.push(length - 1, length, length + 1);
    const answersBefore = (cut: number) => lengths.filter((length) => length <= cut).length;
    let least = 0;
    for (const cut of cuts.sort((a, b) => a - b)) {
      const kept = await afterCut(whole, cut);
      expect(kept.attempts).toBeGreaterThanOrEqual(Math.max(least, answersBefore(cut)));
      expect(kept.attempts).toBe(kept.answers);
      expect(kept.labels).toBeLessThanOrEqual(kept.attempts);
      least = kept.attempts;
    }
    expect(least).toBe(12);
  });

  /** What a run has whose log was cut at a byte. */
  async function afterCut(whole: string, cut: number) {
    const file = join(bench.folder, "cut");
    for (const suffix of ["", "-wal", "-shm", ".lock"]) rmSync(`${file}${suffix}`, { force: true });
    for (const suffix of ["", "-wal"]) copyFileSync(join(whole, `run${suffix}`), `${file}${suffix}`);
    truncateSync(`${file}-wal`, cut);
    const store = new SqliteRunStore(file);
    const { SqliteLedger } = await import("@autolabel/budget-core/ledgers/sqlite");
    const report = await new SqliteLedger(store.commit).inspect();
    expect(verifyLedger(report)).toEqual([]);
    const rows = await Array.fromAsync(store.rows());
    const spent = report.accounts[0]?.spentPicoUsd ?? 0n;
    expect(rows.reduce((sum, { cost }) => sum + cost.picoUsd, 0n)).toBe(spent);
    await store.close();
    const database = new DatabaseSync(file, { readOnly: true });
    const answers = database.prepare("SELECT count(DISTINCT answer || position) AS count FROM attempts").get()?.count;
    database.close();
    const attempts = rows.reduce((sum, row) => sum + row.attempts, 0);
    return { attempts, answers: Number(answers), labels: rows.filter(({ label }) => label === "refund").length };
  }
});

/** Lets what was sent arrive, however long that takes: the clock of the test stands still. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turns();
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}
