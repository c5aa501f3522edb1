import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startSimulator } from "@autolabel/simulator";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const demo = fileURLToPath(new URL("./demo.ts", import.meta.url));
const node = [process.execPath, "--conditions=@autolabel/source", demo] as const;
let temp: string;

beforeAll(() => {
  temp = mkdtempSync(join(tmpdir(), "demo-test-"));
});
afterAll(() => rmSync(temp, { recursive: true, force: true }));

function environment(added: Record<string, string> = {}): NodeJS.ProcessEnv {
  const { OPENROUTER_API_KEY: _key, OPENROUTER_BASE_URL: _url, LLM_BUDGET: _budget, ...rest } = process.env;
  return { ...rest, TMPDIR: temp, TEMP: temp, ...added };
}

function run(args: readonly string[]) {
  const [command, ...first] = node;
  return spawnSync(command, [...first, ...args], { encoding: "utf8", cwd: temp, env: environment() });
}

async function runBeside(args: readonly string[], added: Record<string, string>) {
  const [command, ...first] = node;
  const child = spawn(command, [...first, ...args], { cwd: temp, env: environment(added) });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr.on("data", (data: Buffer) => {
    stderr += data.toString();
  });
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { status, stdout, stderr };
}

describe("the demo in a pipe", () => {
  it("tells the story, finds every claim true and leaves nothing behind", () => {
    const { status, stdout, stderr } = run([]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).not.toContain("\u001b");
    expect(stdout).not.toContain("✘");
    expect(stdout).toMatch(/200 of 200 were sent and billed/);
    expect(stdout).toMatch(/BudgetExceededError: Budget exceeded: \$/);
    expect(stdout).toMatch(/✔ refused calls never left the process\s+1\d\d refused/);
    expect(stdout).toMatch(/Stopped: budget/);
    expect(stdout).toMatch(/✔ only the missing rows were bought/);
    expect(stdout).toMatch(/✔ no prompt is on the invoice twice\s+240 lines, 240 different prompts/);
    expect(stdout).toMatch(/SIGKILL/);
    expect(stdout).toMatch(/✔ no answer that was reported is lost/);
    expect(stdout).toMatch(/17 of 17 claims held/);
    expect(readdirSync(temp)).toEqual([]);
  });
});

describe("the command line", () => {
  it.each([
    [["--nope"], "Unknown option '--nope'"],
    [["--live"], "set OPENROUTER_API_KEY"],
    [["--budget", "1"], "--budget goes with --live"],
    [["--live", "--budget", "much"], 'not "much"'],
  ])("answers %j with one line and exit code 2", (args, message) => {
    const { status, stdout, stderr } = run(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  });

  it("explains itself", () => {
    const { status, stdout } = run(["--help"]);
    expect(status).toBe(0);
    expect(stdout).toContain("--live");
  });
});

describe("--live", () => {
  it("labels a dozen rows, and no more than the budget allows", async () => {
    const simulator = await startSimulator();
    const environment = { OPENROUTER_API_KEY: "a key", OPENROUTER_BASE_URL: simulator.openRouterUrl };
    const all = await runBeside(["--live"], environment);
    expect(all.stdout).toMatch(/12 of 12 labeled/);
    expect(all.status).toBe(0);
    expect(simulator.invoice.count).toBe(12);

    simulator.reset();
    const few = await runBeside(["--live", "--budget", "0.0004"], environment);
    expect(few.stdout).toMatch(/Budget exceeded/);
    expect(few.status).toBe(0);
    expect(simulator.invoice.totalPicoUsd).toBeLessThanOrEqual(400_000_000n);
    await simulator.close();
  });

  it("stops when the key is not accepted, and says so", async () => {
    const simulator = await startSimulator({ apiKeys: ["another key"] });
    const { status, stderr } = await runBeside(["--live"], {
      OPENROUTER_API_KEY: "a key",
      OPENROUTER_BASE_URL: simulator.openRouterUrl,
    });
    expect(stderr).toMatch(/^error: The provider does not accept the key/m);
    expect(status).toBe(1);
    await simulator.close();
  });
});

describe("Ctrl-C", () => {
  it("removes the run files", async () => {
    const [command, ...first] = node;
    const child = spawn(command, first, { cwd: temp, env: environment() });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    const [folder = ""] = readdirSync(temp);
    expect(existsSync(join(temp, folder))).toBe(true);
    child.kill("SIGINT");
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(130);
    expect(readdirSync(temp)).toEqual([]);
  });
});
