import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { seedFromEnvironment } from "@autolabel/budget-core/testing";
import { type Simulator, startSimulator } from "@autolabel/simulator";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { bundleChild } from "../bundle-child.ts";
import { Seeded } from "../seeded.ts";
import { AnswerScript, labels, textOf } from "./answer-script.ts";
import { readRun } from "./run-on-disk.ts";

const seed = seedFromEnvironment(process.env);
const rows = 3;

let cli: string;
let preload: string;
beforeAll(async () => {
  cli = await bundleChild(join(import.meta.dirname, "../../apps/labeler/src/cli.ts"));
  preload = await bundleChild(join(import.meta.dirname, "kill-at-commit-child.ts"));
});
afterAll(() => {
  rmSync(cli);
  rmSync(preload);
});

let folder: string;
let simulator: Simulator;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "killed-starts-"));
  const lines = Array.from({ length: rows }, (_, row) => `"${textOf(row).replaceAll('"', '""')}"`);
  writeFileSync(join(folder, "data.csv"), `text\n${lines.join("\n")}\n`);
  simulator = await startSimulator({ answer: new AnswerScript().answer });
});
afterEach(async () => {
  await simulator.close();
  rmSync(folder, { recursive: true, force: true });
});

const task = ["--labels", labels.join(","), "--model", "openrouter:openai/gpt-4o-mini", "--chain-of-thought"];
const label = ["label", "data.csv", ...task, "--budget", "1", "-j", "1", "-o", "out.csv", "--force"];

/** Runs a command, which kills itself at a moment that its preload is told. */
function run(args: readonly string[], killAt = ""): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, ["--import", `${pathToFileURL(preload).href}${killAt}`, cli, ...args], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: process.env.PATH, OPENROUTER_API_KEY: "test", OPENROUTER_BASE_URL: simulator.openRouterUrl },
  });
  let stderr = "";
  child.stderr.on("data", (chunk) => (stderr += chunk));
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, stderr })));
}

/** What a person does next: the same command once more, and what it says where the rows have a run already. */
async function finish(): Promise<void> {
  const again = await run(label);
  const isKnown = again.code === 2 && /labels these rows already: go on with .* resume data-/.test(again.stderr);
  const last = isKnown ? await run(["resume"]) : again;
  expect(last).toMatchObject({ code: 0 });
}

/** One run is left, with every row; nothing was bought twice but what was on its way when its process died. */
function expectOneRun(): void {
  const left = readdirSync(join(folder, ".autolabel")).filter((file) => !/\.(lock|sqlite-(wal|shm))$/.test(file));
  expect(left).toEqual([expect.stringMatching(/^data-\d+\.sqlite$/)]);
  const disk = readRun(join(folder, ".autolabel"));
  expect(disk?.rows.map(({ status }) => status)).toEqual(Array.from({ length: rows }, () => "labeled"));
  expect(disk?.heldPicoUsd).toBe(0n);
  const { count, totalPicoUsd } = simulator.invoice;
  expect(count).toBeLessThanOrEqual(rows + (disk?.unresolved ?? 0));
  expect((disk?.spentPicoUsd ?? 0n) + (disk?.unresolvedPicoUsd ?? 0n)).toBeGreaterThanOrEqual(totalPicoUsd);
}

const moments = [
  ...[1, 2, 3, 4, 5].flatMap((nth) => [`?before=${nth}`, `?after=${nth}`]),
  ...[1, 4, 5, 6, 7, 8].map((nth) => `?ran=${nth}`),
];

it.each(moments)("a start killed at %s leaves one run or none, and no rubbish", { timeout: 60_000 }, async (moment) => {
  expect((await run(label, moment)).code).toBeNull();
  await finish();
  expectOneRun();
});

it(`of starts at one moment, some killed, one pays (FUZZ_SEED=${seed})`, { timeout: 120_000 }, async () => {
  const random = new Seeded(seed);
  for (let round = 0; round < 5; round++) {
    const killed = [1, 2].map(() => `?${["before", "after", "ran"][random.between(0, 2)]}=${random.between(1, 8)}`);
    const starts = ["", ...killed, ""].map((moment) => run(label, moment));
    const ended = await Promise.all(starts);
    for (const { code, stderr } of ended) {
      if (code === 2) expect(stderr).toMatch(/the run data-\d+|The run data-\d+/);
      else expect([0, null]).toContain(code);
    }
    await finish();
    expectOneRun();
    rmSync(join(folder, ".autolabel"), { recursive: true });
    simulator.reset();
  }
});
