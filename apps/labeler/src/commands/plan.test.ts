import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { usd } from "@autolabel/budget-core";
import { type Simulator, startSimulator } from "@autolabel/simulator";
import { parse } from "csv-parse/sync";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const cli = join(import.meta.dirname, "..", "cli.ts");
let folder: string;
let simulator: Simulator;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "plan-"));
  simulator = await startSimulator();
  const lines = Array.from({ length: 60 }, (_, row) => `my refund ${row} ${"word ".repeat(row % 7)},${"ab"[row % 2]}`);
  writeFileSync(join(folder, "data.csv"), `text,kind\n${lines.join("\n")}\n`);
});
afterEach(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

const task = ["data.csv", "--labels", "refund,delivery", "--model", "openrouter:openai/gpt-4o-mini"];

async function run(args: string[], env: Record<string, string | undefined> = {}) {
  const child = spawn(process.execPath, ["--conditions=@autolabel/source", cli, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, OPENROUTER_API_KEY: "test", OPENROUTER_BASE_URL: simulator.openRouterUrl, ...env },
  });
  const ended = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => (ended.stdout += chunk));
  child.stderr.on("data", (chunk) => (ended.stderr += chunk));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { ...ended, code };
}

/** Prompts that were billed more than once. */
function boughtTwice(): number {
  const hashes = simulator.invoice.lines.map(({ promptHash }) => promptHash);
  return hashes.length - new Set(hashes).size;
}

describe("autolabel plan", () => {
  it("tells rows, tokens, costs, price and reach without a key, a call or a run file", async () => {
    const ended = await run(["plan", ...task, "--budget", "0.001"], { OPENROUTER_API_KEY: undefined });
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    for (const told of ["rows      60", "lower", "expected", "upper", "repairs", "$0.15 in, $0.60 out per 1M tokens"]) {
      expect(ended.stdout).toContain(told);
    }
    expect(ended.stdout).toMatch(/\$0\.00\d+ reaches about \d+ of 60 rows; at least \d+/);
    expect(simulator.requests).toBe(0);
    expect(existsSync(join(folder, ".autolabel"))).toBe(false);
  });

  it("tells programs the same, money as decimal texts", async () => {
    const { stdout } = await run(["plan", ...task, "--json", "--budget", "1"]);
    const told = JSON.parse(stdout) as Record<string, Record<string, unknown>>;
    expect(told).toMatchObject({
      rows: 60,
      texts: 60,
      price: { modelId: "openai/gpt-4o-mini", inputUsdPer1M: "0.15", outputUsdPer1M: "0.6" },
      limits: [{ kind: "budget", limitUsd: "1", leftUsd: "1", expectedRows: 60, certainRows: 60 }],
    });
    expect(Number(told.costUsd?.upper)).toBeGreaterThan(Number(told.costUsd?.expected));
    expect(told.costUsd?.upper).toMatch(/^0\.\d+$/);
  });

  it("tells how far a pool reaches, of which other runs have spent a part, and leaves its books alone", async () => {
    const pool = ["--pool", "team", "--pool-budget", "0.0004"];
    const before = await run(["plan", ...task, "--budget", "1", ...pool]);
    expect(before.stdout).toMatch(/pool {6}\$0\.0004.* of the pool "team" reaches about \d+ of 60 rows/);
    expect(before.stdout).toMatch(/budget {4}\$1.* pays for all rows/);
    expect(existsSync(join(folder, ".autolabel"))).toBe(false);

    writeFileSync(join(folder, "other.csv"), "text\nmy refund\nanother refund\na third\n");
    const other = await run(["label", "other.csv", ...task.slice(1), "--budget", "1", ...pool]);
    expect(other.code).toBe(0);
    const after = await run(["plan", ...task, "--json", ...pool]);
    const { limits } = JSON.parse(after.stdout) as { limits: { name: string; limitUsd: string; leftUsd: string }[] };
    expect(limits).toHaveLength(1);
    expect(limits[0]).toMatchObject({ name: 'the pool "team"', limitUsd: "0.0004" });
    expect(usd(limits[0]?.leftUsd ?? 0).picoUsd).toBe(400_000_000n - simulator.invoice.totalPicoUsd);

    const probe = await run(["plan", ...task, "--budget", "1", "--probe", "6", "-j", "1", ...pool]);
    const [, goOn = ""] =
      /go on\s+autolabel (resume data-1 --budget [\d.]+ --pool-budget [\d.]+)/.exec(probe.stdout) ?? [];
    expect((await run(goOn.split(" "))).code).toBe(0);
    expect(simulator.invoice.count).toBe(63);
  });

  it("buys random rows to measure, and labeling goes on with them: none is bought again", async () => {
    const probe = await run(["plan", ...task, "--probe", "10", "--budget", "0.01"]);
    expect(probe.code).toBe(0);
    expect(simulator.invoice.count).toBe(10);
    expect(probe.stdout).toMatch(/10 rows drawn at random and bought for \$0\.0\d+: all rows will cost \$/);
    const [, goOn = ""] = /go on\s+autolabel (resume data-1 --budget [\d.]+)/.exec(probe.stdout) ?? [];
    expect(goOn).not.toBe("");

    const more = await run(["plan", ...task, "--probe", "15", "--budget", "0.01", "--json"]);
    expect(simulator.invoice.count).toBe(15);
    const told = JSON.parse(more.stdout) as { probe: { rows: number; allRowsUsd: Record<string, string> } };
    expect(told.probe.rows).toBe(15);

    const labeled = await run(["label", ...task, "--budget", "1", "-o", "out.csv", "--order", "random"]);
    expect(labeled.code).toBe(0);
    expect(simulator.invoice.count).toBe(60);
    expect(boughtTwice()).toBe(0);
    const rows: Record<string, string>[] = parse(readFileSync(join(folder, "out.csv"), "utf8"), { columns: true });
    expect(rows.filter(({ label_status }) => label_status === "labeled")).toHaveLength(60);

    // Sixty rows of one kind: the interval of fifteen holds what they did cost, give or take its own width.
    const { p10, p90 } = told.probe.allRowsUsd;
    const actual = Number(simulator.invoice.totalPicoUsd) / 1e12;
    expect(actual).toBeGreaterThan(Number(p10) * 0.97);
    expect(actual).toBeLessThan(Number(p90) * 1.03);

    const again = await run(["plan", ...task, "--probe", "20", "--budget", "1", "--force"]);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("labels these rows already") });
    expect(simulator.invoice.count).toBe(60);
  });

  it("resumes a probe as it says, with the budget that it names", async () => {
    const probe = await run(["plan", ...task, "--probe", "12", "--budget", "0.01"]);
    const [, goOn = ""] = /go on\s+autolabel (resume data-1 --budget [\d.]+)/.exec(probe.stdout) ?? [];
    expect((await run(goOn.split(" "))).code).toBe(0);
    expect(simulator.invoice.count).toBe(60);
    expect(existsSync(join(folder, "data.labeled.csv"))).toBe(true);
  });

  it("probes within its budget, and says that it ended early", async () => {
    const probe = await run(["plan", ...task, "--probe", "40", "--budget", "0.0003", "-j", "1"]);
    expect(probe.code).toBe(3);
    expect(probe.stdout).toContain("stopped early: budget");
    expect(simulator.invoice.totalPicoUsd).toBeLessThanOrEqual(300_000_000n);
    expect(simulator.invoice.count).toBeGreaterThan(0);
  });

  it.each([
    ["a probe without a budget", ["--probe", "10"], /No budget/],
    ["a probe of too few rows", ["--probe", "2", "--budget", "1"], /whole number from 5/],
    ["an unlisted model", ["--model", "openrouter:my/model"], /No price is known for "my\/model".*--input-price/],
    [
      "a price in another unit",
      ["--model", "openrouter:my/model", "--input-price", "0.00000015", "--output-price", "0.6"],
      /input price of my\/model: state it in USD per 1M tokens/,
    ],
  ])("refuses %s before anything is sent", async (_name, args, message) => {
    const ended = await run(["plan", ...task, ...args]);
    expect(ended.stderr).toMatch(message);
    expect(ended.code).toBe(2);
    expect(simulator.requests).toBe(0);
  });
});

describe("rows that a budget does not reach", () => {
  const facts = async (...order: string[]) =>
    await run(["label", ...task, "--budget", "0.0008", "-o", "out.csv", "-j", "2", ...order]);

  it("are told of: the file's first ones were labeled, which is no sample", async () => {
    expect((await facts()).stdout).toMatch(/chosen\s+the first \d+ of the file.*no random\s+sample/s);
  });

  it("are no sample where the order was changed on the way", async () => {
    expect((await facts("--order", "random")).code).toBe(3);
    const resumed = await run(["resume", "--budget", "0.0012", "--order", "file", "-j", "2"]);
    expect(resumed.stdout).toMatch(/chosen\s+in several orders/);
    await run(["resume", "--budget", "0.0014", "--order", "random:4", "-j", "2"]);
    expect(readFileSync(join(folder, "out.csv"), "utf8")).not.toContain("label_inclusion");
    expect((await run(["report"])).stdout).toMatch(/in several orders.*no\s+random\s+sample/s);
  });

  it("are told of with the probability that each row had", async () => {
    const { stdout } = await facts("--order", "stratified:kind");
    const [, share = ""] =
      /within each value of kind \(seed 1\): a row is labeled with\s+probability ([\d.]+) %/.exec(stdout) ?? [];
    expect(Math.abs(Number(share) - (100 * simulator.invoice.count) / 60)).toBeLessThan(4);
    const rows: Record<string, string>[] = parse(readFileSync(join(folder, "out.csv"), "utf8"), { columns: true });
    const drawn = rows.filter(({ label_inclusion }) => label_inclusion !== "");
    expect(drawn.every(({ label_status }) => label_status === "labeled")).toBe(true);
    // Weighted by what they tell, the rows that were drawn stand for all.
    expect(drawn.reduce((sum, { label_inclusion }) => sum + 1 / Number(label_inclusion), 0)).toBeCloseTo(60);
    expect((await run(["export", "--to", "csv", "-o", "all.csv"])).code).toBe(0);
    expect(readFileSync(join(folder, "all.csv"), "utf8")).toBe(readFileSync(join(folder, "out.csv"), "utf8"));
    expect((await run(["report"])).stdout).toMatch(/the same share of every value of kind/);
  });
});
