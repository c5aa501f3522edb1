import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Simulator, startSimulator } from "@autolabel/simulator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readRun } from "../labeler-crashes/run-on-disk.ts";

const cli = join(import.meta.dirname, "../../apps/labeler/src/cli.ts");

/** Mounts a disk in memory. @returns false where that is not allowed. */
function mount(folder: string): boolean {
  mkdirSync(folder, { recursive: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

const mayMount = (() => {
  const folder = mkdtempSync(join(tmpdir(), "full-disk-probe-"));
  const isMounted = mount(folder);
  if (isMounted) execFileSync("umount", [folder]);
  else console.warn("Not tested: a full disk. It takes the right to mount a file system (root on Linux)");
  rmSync(folder, { recursive: true });
  return isMounted;
})();

let folder: string;
let disk: string;
let simulator: Simulator;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "full-disk-"));
  disk = join(folder, "disk");
  simulator = await startSimulator({ latencyMs: 5, answer: () => '{"explanation":"no.1","result":"refund"}' });
});
afterEach(async () => {
  execFileSync("umount", [disk]);
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

function run(...args: string[]): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, ["--conditions=@autolabel/source", cli, ...args], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: process.env.PATH, OPENROUTER_API_KEY: "test", OPENROUTER_BASE_URL: simulator.openRouterUrl },
  });
  let stderr = "";
  child.stderr.on("data", (chunk) => (stderr += chunk));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, stderr })));
}

/** Leaves so much of the disk free. */
function fillBut(bytes: number): void {
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(join(disk, "ballast"), Buffer.alloc(Math.max(0, bavail * bsize - bytes)));
}

const rows = 300;
const args = (store: string, output: string) => {
  const lines = Array.from({ length: rows }, (_, row) => `My refund number ${row}`);
  writeFileSync(join(folder, "data.csv"), `text\n${lines.join("\n")}\n`);
  const task = ["--labels", "refund,delivery", "--model", "openrouter:openai/gpt-4o-mini", "--chain-of-thought"];
  return ["label", "data.csv", ...task, "--budget", "1", "-j", "4", "--store", store, "-o", output];
};
const outputLines = (file: string) => readFileSync(file, "utf8").trim().split("\n").length - 1;

describe.runIf(mayMount)("a disk that is full", () => {
  it("where the run is kept: stops the run with what to do, loses no answer that was kept, and a resume goes on", async () => {
    expect(mount(disk)).toBe(true);
    const store = join(disk, "store");
    // Room for the rows and some of the answers.
    fillBut(560_000);
    const out = join(folder, "out.csv");
    const ended = await run(...args(store, out));
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/error: .*(disk is full|could not be written).*/);
    expect(ended.stderr).toContain("go on with autolabel resume");
    const { count } = simulator.invoice;
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(rows);
    rmSync(join(disk, "ballast"));
    const before = readRun(store);
    const kept = before?.rows.filter(({ status }) => status === "labeled").length ?? 0;
    // At most the four calls in flight could not be kept; they count at their bound.
    expect(count - kept).toBeLessThanOrEqual(4);
    expect((await run("resume", "--store", store)).code).toBe(0);
    const after = readRun(store);
    expect(after?.rows.every(({ status }) => status === "labeled")).toBe(true);
    expect(outputLines(out)).toBe(rows);
    expect((after?.spentPicoUsd ?? 0n) + (after?.unresolvedPicoUsd ?? 0n)).toBeGreaterThanOrEqual(
      simulator.invoice.totalPicoUsd,
    );
    expect(after?.heldPicoUsd).toBe(0n);
    expect(simulator.invoice.count - rows).toBeLessThanOrEqual(4);
  });

  it("where the output goes: says so, leaves no part of a file, and writes it later without another call", async () => {
    expect(mount(disk)).toBe(true);
    fillBut(8192);
    const store = join(folder, "store");
    const out = join(disk, "out.csv");
    const ended = await run(...args(store, out));
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/error: .*the disk is full: free some space/);
    expect(simulator.invoice.count).toBe(rows);
    expect(() => readFileSync(out)).toThrow(/ENOENT/);
    rmSync(join(disk, "ballast"));
    expect((await run("resume", "--store", store)).code).toBe(0);
    expect(outputLines(out)).toBe(rows);
    expect(simulator.invoice.count).toBe(rows);
  });
});
