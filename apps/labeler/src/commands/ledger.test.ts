import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { CostTracker } from "@autolabel/budget-core";
import { SqliteLedger } from "@autolabel/budget-core/ledgers/sqlite";
import { type Simulator, startSimulator } from "@autolabel/simulator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const cli = join(import.meta.dirname, "../cli.ts");

let folder: string;
let file: string;
let simulator: Simulator | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "ledger-command-"));
  file = join(folder, "budget.sqlite");
});
afterEach(async () => {
  await simulator?.close();
  simulator = undefined;
  rmSync(folder, { recursive: true, force: true });
});

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function start(args: string[], env: Record<string, string> = {}): ChildProcess & { done: Promise<Ended> } {
  const child = spawn(process.execPath, ["--conditions=@autolabel/source", cli, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, NO_COLOR: "1", ...env },
  });
  const ended: Ended = { code: null, stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => (ended.stdout += chunk));
  child.stderr.on("data", (chunk) => (ended.stderr += chunk));
  const done = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ ...ended, code })));
  return Object.assign(child, { done });
}

const run = (...args: string[]) => start(args).done;
const json = async (...args: string[]): Promise<Record<string, unknown>> => {
  const { code, stdout, stderr } = await run(...args, "--json");
  expect(stderr).toBe("");
  return { ...(JSON.parse(stdout) as Record<string, unknown>), code };
};

/** A library user's ledger: one call paid, two cut off by a crash, one still in flight. */
async function makeBooks(): Promise<{ lost: string[]; inFlight: string }> {
  const tracker = new CostTracker({ name: "app", budget: 1, ledger: new SqliteLedger(file) });
  const ids: string[] = [];
  for (let call = 0; call < 4; call++) {
    const hold = await tracker.reserve({ boundPicoUsd: 10n ** 10n }, { modelId: "some-model" });
    await hold.markDispatched();
    if (call === 0) await hold.settle({ costPicoUsd: 2_500_000_000n });
    else ids.push(hold.id);
    if (call === 1 || call === 2) await hold.extend(0);
    hold.abandon();
  }
  await tracker.recover();
  await tracker.ledger.close();
  return { lost: ids.slice(0, 2), inFlight: ids[2] ?? "" };
}

describe("autolabel ledger", () => {
  it("shows a library user's ledger to a person and to a program", async () => {
    const { lost } = await makeBooks();
    const { code, stdout } = await run("ledger", "inspect", "budget.sqlite");
    expect(code).toBe(0);
    expect(stdout).toMatch(/^budget\.sqlite, schema 2\n/);
    expect(stdout).toMatch(/^app +all +\$0\.0025 +\$0\.0100 +\$0\.0200 +1 +0$/m);
    expect(stdout).toMatch(new RegExp(`^${lost[0]} +unresolved +\\d+ s +\\$0\\.0100 +some-model +app$`, "m"));
    expect(stdout).toContain("autolabel ledger resolve ID --cost");
    expect(await json("ledger", "inspect", "budget.sqlite")).toMatchObject({
      code: 0,
      schemaVersion: 2,
      accounts: [{ scope: "app", spentUsd: "0.0025", heldUsd: "0.01", unresolvedUsd: "0.02", callCount: 1 }],
      open: [{ id: lost[0], state: "unresolved", amountUsd: "0.01" }, { id: lost[1] }, { state: "dispatched" }],
    });
  });

  it("says whether the books add up, by its exit code too", async () => {
    await makeBooks();
    expect(await run("ledger", "verify", "budget.sqlite")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Sound: 1 account,/),
    });
    expect(await json("ledger", "verify", "budget.sqlite")).toMatchObject({ code: 0, sound: true, differences: [] });
    const database = new DatabaseSync(file);
    database.exec("UPDATE accounts SET spent_pico_usd = spent_pico_usd - 1");
    database.close();
    const { code, stdout } = await run("ledger", "verify", "budget.sqlite");
    expect(code).toBe(1);
    expect(stdout).toContain("app all: spentPicoUsd is 2499999999, by its journal it is 2500000000");
    expect(await json("ledger", "verify", "budget.sqlite")).toMatchObject({
      code: 1,
      sound: false,
      differences: [{ field: "spentPicoUsd", shown: "2499999999", expected: "2500000000", source: "journal" }, {}],
    });
  });

  it("resolves calls by what they did cost, or writes them off; the books still add up", async () => {
    const { lost, inFlight } = await makeBooks();
    const [one = "", two = ""] = lost;
    const inFile = ["--ledger", "budget.sqlite"];
    expect(await run("ledger", "resolve", one, "--cost", "0.0012", ...inFile)).toMatchObject({
      code: 0,
      stdout: "Resolved 1 call; 1 unresolved left.\n",
    });
    const again = await run("ledger", "resolve", one, "--write-off", "was not sent", ...inFile);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining(`Reservation ${one} is settled already`) });
    const early = await run("ledger", "resolve", inFlight, "--write-off", "was not sent", ...inFile);
    expect(early).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("is dispatched: a process may still be at it"),
    });
    expect(await json("ledger", "resolve", "--all", "--write-off", "not in its log", ...inFile)).toMatchObject({
      code: 0,
      resolved: [two],
      unresolvedLeft: 0,
    });
    expect(await json("ledger", "inspect", "budget.sqlite")).toMatchObject({
      accounts: [{ spentUsd: "0.0037", unresolvedUsd: "0", callCount: 2 }],
      open: [{ id: inFlight }],
    });
    expect((await run("ledger", "verify", "budget.sqlite")).code).toBe(0);
    const database = new DatabaseSync(file, { readOnly: true });
    expect(database.prepare("SELECT evidence FROM reservations WHERE id = ?").get(two)).toEqual({
      evidence: "not in its log",
    });
    database.close();
  });

  it.each([
    [["resolve", "x"], "Say what became of it"],
    [["resolve", "x", "--cost", "1", "--write-off", "y"], "Say what became of it"],
    [["resolve", "--cost", "1"], "Name one reservation, or all"],
    [["resolve", "x", "--all", "--write-off", "y"], "Name one reservation, or all"],
    [["resolve", "--all", "--cost", "1"], "each call has a cost of its own"],
    [["resolve", "x", "--write-off", " "], "needs the reason in words"],
    [["resolve", "x", "--cost", "-1"], "--cost must be an amount in USD"],
    [["resolve", "x", "--cost", "1", "--ledger", "budget.sqlite"], "budget.sqlite has no reservation x"],
    [["inspect", "other.sqlite"], "other.sqlite holds no ledger"],
    [["inspect", "text.txt"], "text.txt cannot be read as a SQLite file"],
    [["inspect", "mysql://user:secret@host/db"], "No ledger is known for mysql:// addresses"],
    [["inspect", "no-such-run"], "No run in .autolabel"],
    [["inspect"], "No run in .autolabel"],
    [[], ""],
  ])("refuses %j in one line, makes no file and changes nothing", async (args, message) => {
    await new SqliteLedger(file).close();
    const other = new DatabaseSync(join(folder, "other.sqlite"));
    other.exec("CREATE TABLE t (id INTEGER)");
    other.close();
    writeFileSync(join(folder, "text.txt"), "just a text that is long enough to be read as a header of a file");
    const { code, stderr, stdout } = await run("ledger", ...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(message);
    expect(stderr).not.toContain("secret");
    expect(existsSync(join(folder, "no-such-run"))).toBe(false);
  });

  it("shows and checks a file that cannot be written, and says so where a call is to be resolved", async ({ skip }) => {
    const { lost } = await makeBooks();
    const disk = join(folder, "disk");
    mkdirSync(disk);
    // A disk of its own, in memory, that the ledger's file fills up.
    const mount = ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk];
    if (spawnSync("mount", mount).status !== 0) return skip("It takes the right to mount a file system");
    try {
      cpSync(file, join(disk, "budget.sqlite"));
      expect(() => writeFileSync(join(disk, "ballast"), Buffer.alloc(65_536))).toThrow("ENOSPC");
      const full = join("disk", "budget.sqlite");
      expect(await json("ledger", "inspect", full)).toMatchObject({ code: 0, open: [{ id: lost[0] }, {}, {}] });
      expect(await json("ledger", "verify", full)).toMatchObject({ code: 0, sound: true });
      const refused = await run("ledger", "resolve", lost[0] ?? "", "--cost", "0.001", "--ledger", full);
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/^error: .*could not be written.*\n$/) });
      expect(await json("ledger", "inspect", full)).toMatchObject({ accounts: [{ unresolvedUsd: "0.02" }] });
    } finally {
      spawnSync("umount", [disk]);
    }
  });

  it("tells a damaged file, and one of a newer version, by its name", async () => {
    await makeBooks();
    const database = new DatabaseSync(file);
    database.exec("INSERT INTO ledger_schema VALUES (99)");
    database.close();
    const newer = await run("ledger", "verify", "budget.sqlite");
    expect(newer).toMatchObject({ code: 1, stdout: "" });
    expect(newer.stderr).toMatch(/^error: budget\.sqlite .* schema version 99, .*: upgrade .*\n$/);
    const descriptor = openSync(file, "r+");
    writeSync(descriptor, Buffer.alloc(4096, 0xa5), 0, 4096, 4096);
    closeSync(descriptor);
    const damaged = await run("ledger", "verify", "budget.sqlite");
    expect(damaged).toMatchObject({ code: 1, stdout: "" });
    expect(damaged.stderr).toMatch(/^error: budget\.sqlite cannot be opened as a ledger: .*malformed\n$/);
  });

  it("gives a budget back what a kill left at its bound, in a run file", async () => {
    simulator = await startSimulator({ latencyMs: 60_000 });
    writeFileSync(join(folder, "data.csv"), "text\none card\ntwo cards\n");
    const label = ["label", "data.csv", "--text-column", "text", "--labels", "a,b", "--budget", "1"];
    const child = start([...label, "--model", "openrouter:openai/gpt-4o-mini"], {
      OPENROUTER_API_KEY: "test",
      OPENROUTER_BASE_URL: simulator.openRouterUrl,
    });
    while (simulator.inFlight < 2) await sleep(5);
    const busy = await run("ledger", "resolve", "--all", "--write-off", "x");
    expect(busy).toMatchObject({ code: 2, stderr: expect.stringContaining("Another process works on the run") });
    expect(await json("ledger", "inspect")).toMatchObject({ open: [{ state: "dispatched" }, { state: "dispatched" }] });
    child.kill("SIGKILL");
    await child.done;

    expect((await run("ledger", "resolve", "--all", "--write-off", "not in the provider's log")).code).toBe(0);
    expect(await json("ledger", "inspect", "data-1")).toMatchObject({
      accounts: [{ scope: "data-1", spentUsd: "0", heldUsd: "0", unresolvedUsd: "0" }],
      open: [],
    });
    expect((await run("ledger", "verify")).code).toBe(0);
  });

  it("finds the calls of a run that draws on the shared budget where they are", async () => {
    simulator = await startSimulator({ latencyMs: 60_000 });
    writeFileSync(join(folder, "data.csv"), "text\none card\n");
    const env = { OPENROUTER_API_KEY: "test", OPENROUTER_BASE_URL: simulator.openRouterUrl, LLM_BUDGET: "1" };
    const label = ["label", "data.csv", "--text-column", "text", "--labels", "a,b"];
    const child = start([...label, "--model", "openrouter:openai/gpt-4o-mini"], env);
    while (simulator.inFlight < 1) await sleep(5);
    child.kill("SIGKILL");
    await child.done;
    const before = await json("ledger", "inspect", "data-1");
    expect(before).toMatchObject({ open: [{ state: "dispatched" }], ledger: join(".autolabel", "llm-budget.ledger") });
    const [{ id }] = before.open as [{ id: string }];
    expect((await run("ledger", "resolve", id, "--cost", "0.00001", "--ledger", "data-1")).code).toBe(0);
    expect(await json("ledger", "inspect", "data-1")).toMatchObject({
      accounts: [
        { scope: "llm-budget", spentUsd: "0.00001" },
        { scope: "llm-budget/data-1", spentUsd: "0.00001" },
      ],
      open: [],
    });
  });
});
