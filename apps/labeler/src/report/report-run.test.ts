import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { PassThrough } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import { CostTracker, picoToDecimal, usd } from "@autolabel/budget-core";
import { type Simulator, type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { report } from "../commands/report.ts";
import type { LabelingConfigInput } from "../config/labeling-config.ts";
import { Settings } from "../config/settings.ts";
import { withText } from "../data/text-source.ts";
import type { LabelingRun } from "../engine/labeling-run.ts";
import { startRun } from "../engine/start-run.ts";
import type { LabeledRow } from "../store/row.ts";
import { reportHtml } from "./report-html.ts";
import { reportJson } from "./report-json.ts";
import { reportRun } from "./report-run.ts";
import { reportText } from "./report-text.ts";

const labels = ["card_arrival", "exchange_rate", "lost_card", "top_up_failed"];
const phrases = ["When will my card arrive", "What exchange rate is it", "I lost my card", "My top up failed"];
const plain = (_format: unknown, text: string) => text;

let folder: string;
let simulator: Simulator;
let settings: Settings;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "report-"));
});
afterEach(async () => {
  await simulator?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function simulate(options: SimulatorOptions = {}, env: Record<string, string> = {}) {
  simulator = await startSimulator(options);
  settings = new Settings(
    { store: join(folder, "store"), openrouterApiKey: "k", openrouterBaseUrl: simulator.openRouterUrl },
    { env },
  );
}

const data = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    text: `${phrases[index % 4]}? (${index % 92})`,
    gold: labels[index % 4] ?? "",
  }));

async function start(
  rows: readonly Record<string, unknown>[],
  config: Partial<LabelingConfigInput> = {},
): Promise<LabelingRun> {
  return await startRun({
    name: "cards",
    settings,
    config: { model: "openrouter:openai/gpt-4o-mini", labels, budget: "1", ...config },
    rows: withText(rows, {}),
    whenKnown: () => "start over",
  });
}

/** Labels rows to the end, and gives them back as they stand. */
async function label(
  rows: readonly Record<string, unknown>[],
  config: Partial<LabelingConfigInput> = {},
): Promise<LabeledRow[]> {
  const run = await start(rows, config);
  try {
    await run.finish();
    return await Array.fromAsync(run.rows());
  } finally {
    await run.close();
  }
}

describe("reportRun", () => {
  it("tells what a naive count over the rows tells, and what the provider billed", async () => {
    await simulate({
      errorRate: 0.2,
      faults: [
        { kind: "invalid-label", rate: 0.35 },
        { kind: "503", rate: 0.02 },
      ],
    });
    const rows = await label(data(120), { confidence: true });
    const told = await reportRun({ settings, gold: "gold" });

    const right = rows.filter((row) => row.label === row.input.gold);
    const labeled = rows.filter((row) => row.label !== null);
    expect(right.length).toBeGreaterThan(20);
    expect(labeled.length).toBeLessThan(rows.length);
    const { quality, money, books } = told;
    expect(quality?.ofAll).toMatchObject({ count: right.length, total: 120, share: right.length / 120 });
    expect(quality?.ofLabeled).toMatchObject({ count: right.length, total: labeled.length });
    const stated = rows.filter(({ label: given, confidence }) => given !== null && confidence !== null);
    expect(quality?.calibration?.rows).toBe(stated.length);

    // The oracle is the provider's own invoice.
    const billed = simulator.invoice.totalPicoUsd;
    expect(money.spentPicoUsd).toBe(billed);
    expect(money.calls.calls).toBe(simulator.invoice.count);
    expect(money.perCorrectLabelPicoUsd).toBe((2n * billed + BigInt(right.length)) / (2n * BigInt(right.length)));
    expect(money.per1000RowsPicoUsd).toBe((2n * billed * 1000n + 120n) / 240n);
    expect(books).toMatchObject({ ledgerPicoUsd: billed, unexplainedPicoUsd: 0n, notPosted: { calls: 0 } });
    expect(books?.matched.reported).toEqual({ calls: simulator.invoice.count, costPicoUsd: billed });
    for (const part of [money.calls.byPurpose, money.calls.byEvidence]) {
      expect(Object.values(part).reduce((sum, { costPicoUsd }) => sum + costPicoUsd, 0n)).toBe(billed);
    }
    expect(money.calls.byPurpose.repairs.calls).toBeGreaterThan(0);
    for (const part of [money.calls.byModel, money.calls.byStatus]) {
      expect(part.reduce((sum, { costPicoUsd }) => sum + costPicoUsd, 0n)).toBe(billed);
    }
    // 92 different texts: 28 rows were not bought.
    const saved = rows.filter(({ duplicateOf }) => duplicateOf !== null);
    expect(saved).toHaveLength(28);
    const savedPicoUsd = saved.reduce(
      (sum, { duplicateOf }) => sum + (rows[duplicateOf ?? -1]?.cost.picoUsd ?? 0n),
      0n,
    );
    expect(money.calls.dedupe).toEqual({ rows: 28, savedPicoUsd });
  });

  it("is of the provider's opinion, call by call, and finds a call that was booked wrong", async () => {
    await simulate();
    await label(data(20));
    const asked = await reportRun({ settings, reconcile: 7 });
    expect(asked.provider).toMatchObject({ comparedCount: 7, drifted: [], missing: [], driftPicoUsd: 0n });
    expect((await reportRun({ settings, reconcile: 1000 })).provider).toMatchObject({
      comparedCount: 20,
      bookedPicoUsd: simulator.invoice.totalPicoUsd,
    });
    const database = new DatabaseSync(join(settings.store, "cards-1.sqlite"));
    database.exec("UPDATE attempts SET cost_pico_usd = cost_pico_usd + 3 WHERE position = 4");
    database.close();
    const { provider, books } = await reportRun({ settings, reconcile: 1000 });
    expect(provider).toMatchObject({ driftPicoUsd: -3n, drifted: [{ driftPicoUsd: -3n }] });
    expect(books).toMatchObject({ correctionsPicoUsd: -3n, unexplainedPicoUsd: 0n });
    simulator.reset();
    expect((await reportRun({ settings, reconcile: 1000 })).provider?.missing).toHaveLength(20);
  });

  it("leaves out the books of a tracker that the run was given", async () => {
    await simulate();
    const costTracker = new CostTracker({ budget: "1" });
    const config = { model: "openrouter:openai/gpt-4o-mini", labels };
    const rows = withText(data(5), {});
    const run = await startRun({ name: "given", settings, config, rows, costTracker, whenKnown: () => "start over" });
    await run.finish();
    await run.close();
    const { books, money } = await reportRun({ settings });
    expect(books).toBeNull();
    expect(money).toMatchObject({ budget: null, spentPicoUsd: simulator.invoice.totalPicoUsd });
  });

  it("looks at a run while a process works on it, without disturbing it", async () => {
    await simulate({ latencyMs: 5 });
    const run = await start(data(80), { concurrency: 4, dedupe: false });
    const finished = run.finish();
    const seen: number[] = [];
    while (run.counts.labeled < 60) {
      const told = await reportRun({ settings, gold: "gold" });
      // Answers and charges are of one moment.
      expect(told.books).toMatchObject({ unexplainedPicoUsd: 0n, notPosted: { calls: 0, costPicoUsd: 0n } });
      expect(told.books?.ledgerPicoUsd).toBe(told.money.calls.costPicoUsd);
      seen.push(told.rows.labeled);
      // A report waits for nothing but its file: the run in this process needs its turns.
      await turn();
    }
    expect((await finished).kind).toBe("completed");
    await run.close();
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.every((count, index) => index === 0 || count >= (seen[index - 1] ?? 0))).toBe(true);
  });

  it("says that a prefix is no estimate, and estimates from a random order", async () => {
    await simulate({ errorRate: 0.2 });
    await label(data(12), { dedupe: false });
    const meanPicoUsd = simulator.invoice.totalPicoUsd / 12n;
    const budget = usd(picoToDecimal(meanPicoUsd * 40n));
    await label(data(90), { budget });
    expect((await reportRun({ settings, gold: "gold" })).selection).toMatchObject({ kind: "prefix", estimate: null });
    const rows = await label(data(90), { budget, order: { kind: "random", seed: 3 } });
    const { selection, quality } = await reportRun({ settings, gold: "gold" });
    const reached = rows.filter(({ status }) => status !== "unpaid");
    const drawn = reached.filter(({ inclusion }) => inclusion !== null);
    const right = drawn.filter((row) => row.label === row.input.gold).length;
    expect(drawn.length).toBeGreaterThan(10);
    expect(selection).toMatchObject({
      kind: "random",
      reached: reached.length,
      estimate: { count: right, total: drawn.length },
    });
    expect(quality?.ofAll.total).toBe(90);
  });

  it("joins gold labels of a file by row id", async () => {
    await simulate({ errorRate: 0 });
    const rows = data(8).map((row, index) => ({ id: `r${index}`, ...row }));
    await label(rows);
    const path = join(folder, "gold.csv");
    writeFileSync(
      path,
      `id,truth\n${rows
        .slice(0, 6)
        .map(({ id, gold }) => `${id},${gold}`)
        .join("\n")}\nr7,\n`,
    );
    const { quality, money } = await reportRun({ settings, goldFile: path });
    expect(quality).toMatchObject({ goldRows: 6, ofAll: { count: 6, total: 6 } });
    // Two rows are not judged: their cost buys no correct label.
    expect(money.perCorrectLabelPicoUsd).toBeLessThan(money.spentPicoUsd / 6n);
    writeFileSync(path, "name,truth\nr1,x\n");
    await expect(reportRun({ settings, goldFile: path })).rejects.toThrow(/no column row_id or id/);
    writeFileSync(path, "id,truth\nr1,x\nr1,y\n");
    await expect(reportRun({ settings, goldFile: path })).rejects.toThrow(/two rows have the id "r1"/);
    writeFileSync(path, "id,truth\nq1,x\n");
    await expect(reportRun({ settings, goldFile: path })).rejects.toThrow(/no row of the run has a gold label/);
    await expect(reportRun({ settings, gold: "nope" })).rejects.toThrow(/no column "nope".*id, text, gold/);
  });

  it("reads the account of a budget that runs share", async () => {
    await simulate({}, { LLM_BUDGET: "0.5" });
    const shared = { model: "openrouter:openai/gpt-4o-mini", labels };
    const config = { ...shared, budget: undefined } as unknown as LabelingConfigInput;
    await label(data(4), config);
    await label(data(6), config);
    const { money, books } = await reportRun({ settings });
    expect(money.budget).toMatchObject({
      isShared: true,
      limitPicoUsd: usd("0.5").picoUsd,
      spentPicoUsd: simulator.invoice.totalPicoUsd,
    });
    expect(books?.unexplainedPicoUsd).toBe(0n);
    expect(books?.calls.calls).toBe(6);
  });
});

describe("autolabel report", () => {
  const evil = `<script>alert(1)</script><img src=x onerror="alert('x')"> & "quoted"`;

  it("shows whatever stands in the data as text, and loads and runs nothing", async () => {
    const bad = [`<b onmouseover="x">`, `"><script>alert(2)</script>`];
    await simulate({ errorRate: 0.5, faults: [{ kind: "invalid-label", rate: 0.5, body: "</dd><script>3</script>" }] });
    const rows = Array.from({ length: 30 }, (_, index) => ({
      id: `<i>${index}`,
      text: `${evil} ${index}`,
      "<u>": bad[index % 2],
    }));
    await label(rows, { labels: bad, order: { kind: "stratified", seed: 1, column: "<u>" }, confidence: true });
    const page = reportHtml(await reportRun({ settings, gold: "<u>" }));
    expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    // What is left between angle brackets is ours alone: escaped text has none.
    const tags = page.replace(/<style>.*<\/style>/s, "").match(/<[^>]*>/g) ?? [];
    const names = new Set(tags.map((tag) => tag.replace(/^<\/?([!\w]+).*$/s, "$1")));
    for (const name of ["script", "img", "b onmouseover", "iframe", "link", "a", "u"])
      expect(names).not.toContain(name);
    expect(tags.filter((tag) => /\s(on\w+|src|href)\s*=/i.test(tag.replace(/"[^"]*"/g, '""')))).toEqual([]);
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
    expect(page.match(/https?:|@import|url\(/gi)).toBeNull();
  });

  it("fits 80 columns, is plain in pipes, and tells the same in JSON", async () => {
    await simulate({ errorRate: 0.4, faults: [{ kind: "invalid-label", rate: 0.2 }] });
    const long = `a_label_with_a_very_long_name_${"that_goes_on_".repeat(5)}`;
    await label(data(60), { labels: [...labels, long] });
    const told = await reportRun({ settings, gold: "gold" });
    const text = reportText(told, { width: 80, style: plain });
    for (const line of text.split("\n")) expect(line.length, line).toBeLessThanOrEqual(80);
    expect(text.replace(/\s+/g, " ")).toContain("no label counts as wrong");
    const parsed = JSON.parse(JSON.stringify(reportJson(told)));
    expect(parsed.money.spentUsd).toBe(picoToDecimal(simulator.invoice.totalPicoUsd));
    expect(parsed.money.calls.byEvidence.reported.costUsd).toBe(parsed.money.spentUsd);
    expect(parsed.quality.details.confusion.matrix).toHaveLength(5);
    expect(JSON.stringify(parsed)).not.toContain("PicoUsd");
  });

  it("is a command: text, --json, --html and --gold", async () => {
    await simulate();
    await label(data(10));
    const stdout = Object.assign(new PassThrough({ encoding: "utf8" }), {
      columns: 100,
    }) as unknown as NodeJS.WriteStream;
    const said = () => String(stdout.read());
    const io = { stdout, stderr: stdout, command: "autolabel", onInterrupt: () => () => undefined };
    const html = join(folder, "report.html");
    const { store } = settings;
    expect(await report(undefined, { gold: "gold", html, store }, io)).toBe(0);
    expect(stripVTControlCharacters(said())).toMatch(/^cards-1 .*\n {2}Accuracy/);
    expect(readFileSync(html, "utf8")).toMatch(/^<!doctype html>/);
    expect(await report("cards-1", { json: true, store }, io)).toBe(0);
    expect(JSON.parse(said())).toMatchObject({ run: { id: "cards-1" }, quality: null, rows: { rows: 10 } });
    await expect(report("nope", { store }, io)).rejects.toThrow(/No run "nope"/);
    await expect(report(undefined, { html: folder, store }, io)).rejects.toThrow(/cannot be written/);

    const cli = join(import.meta.dirname, "../cli.ts");
    const args = ["--conditions=@autolabel/source", cli, "report", "--store", store, "--gold", "gold"];
    const env = { PATH: process.env.PATH };
    const child = spawnSync(process.execPath, args, { cwd: folder, env, encoding: "utf8" });
    expect(child.status, child.stderr).toBe(0);
    expect(child.stdout).toBe(stripVTControlCharacters(child.stdout));
    expect(child.stdout).toContain("Sound: Ledger and run agree to the last pico-USD.");
  });
});
