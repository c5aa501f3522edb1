import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { usd } from "@autolabel/budget-core";
import { type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import { Pool } from "pg";
import { createClient } from "redis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startPostgres } from "../../../../tests/servers/start-postgres.ts";
import { isRedisThere, startRedis } from "../../../../tests/servers/start-redis.ts";
import { listRuns } from "../store/run-folder.ts";
import { CliFolder, inUsd, labelArgs } from "../testing/run-cli.ts";

let folder: string;
let cli: CliFolder | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pools-"));
});
afterEach(async () => {
  await cli?.simulator.close();
  cli = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function open(options: SimulatorOptions = {}): Promise<CliFolder> {
  cli = new CliFolder(folder, await startSimulator({ latencyMs: 5, ...options }));
  return cli;
}

const isThere = (run: string) => listRuns(join(folder, ".autolabel")).some(({ id }) => id === run);
const billed = ({ simulator }: CliFolder) => simulator.invoice.totalPicoUsd;
const pico = (decimal: unknown) => usd(decimal as string).picoUsd;
const inPool = (data: string, poolBudget: bigint, ...more: string[]) =>
  labelArgs(data, "--budget", "1", "--pool", "team", "--pool-budget", inUsd(poolBudget), "-j", "4", ...more);

/** Spent and unresolved of an account, by `ledger inspect`. */
async function account(cli: CliFolder, scope: string, ledger: string, env: Record<string, string> = {}) {
  const { accounts } = (await cli.json(["ledger", "inspect", ledger], env)) as {
    accounts: { scope: string; spentUsd: string; heldUsd: string; unresolvedUsd: string }[];
  };
  const found = accounts.find((each) => each.scope === scope);
  return {
    spent: pico(found?.spentUsd ?? 0),
    held: pico(found?.heldUsd ?? 0),
    unresolved: pico(found?.unresolvedUsd ?? 0),
  };
}

describe("a pool", () => {
  it("limits two runs at once to one amount, on the provider's bill, and is raised by resume", async () => {
    const cli = await open();
    const budget = (await cli.meanCost()) * 40n;
    for (const name of ["a.csv", "b.csv"]) cli.writeData(name, 60);
    const both = await Promise.all([cli.run(inPool("a.csv", budget)), cli.run(inPool("b.csv", budget))]);
    expect(both.map(({ code }) => code)).toEqual([3, 3]);
    expect(both[0]?.stdout).toMatch(/of the pool "team", which all its runs share\n.*\n.*resume a-1 --pool-budget 0\./);
    expect(billed(cli)).toBeLessThanOrEqual(budget);
    expect(cli.simulator.invoice.count).toBeGreaterThan(30);
    expect(await account(cli, "pool/team", "a-1")).toEqual({ spent: billed(cli), held: 0n, unresolved: 0n });
    const [a, b] = [await cli.json(["status", "a-1"]), await cli.json(["status", "b-1"])];
    expect(pico(a.spentUsd) + pico(b.spentUsd)).toBe(billed(cli));
    expect(a).toMatchObject({ budgetUsd: "1", pool: { name: "team" } });

    for (const run of ["a-1", "b-1"]) expect((await cli.run(["resume", run, "--pool-budget", "1"])).code).toBe(0);
    expect(cli.simulator.invoice.count).toBe(120);
    expect(cli.boughtTwice()).toBe(0);
    expect(await account(cli, "pool/team", "a-1")).toMatchObject({ spent: billed(cli) });
    expect((await cli.run(["ledger", "verify", "b-1"])).code).toBe(0);
  });

  it("limits besides the run's own budget, which still holds", async () => {
    const cli = await open();
    const budget = (await cli.meanCost()) * 10n;
    cli.writeData("a.csv", 40);
    const args = labelArgs("a.csv", "--budget", inUsd(budget), "--pool", "team", "--pool-budget", "1", "-j", "4");
    const ended = await cli.run(args);
    expect(ended).toMatchObject({ code: 3, stdout: expect.stringMatching(/resume a-1 --budget 0\./) });
    expect(billed(cli)).toBeLessThanOrEqual(budget);
  });

  it("limits besides LLM_BUDGET, which runs outside of the pool draw on too", async () => {
    const cli = await open();
    const mean = await cli.meanCost();
    const env = { LLM_BUDGET: inUsd(mean * 40n) };
    for (const name of ["a.csv", "b.csv", "c.csv"]) cli.writeData(name, 60);
    const pooled = labelArgs("a.csv", "--pool", "team", "--pool-budget", inUsd(mean * 20n), "-j", "4");
    const first = await cli.run(pooled, env);
    expect(first).toMatchObject({ code: 3, stdout: expect.stringContaining('the pool "team"') });
    const inThePool = billed(cli);
    expect(inThePool).toBeLessThanOrEqual(mean * 20n);
    const second = await cli.run(labelArgs("b.csv", "-j", "4"), env);
    expect(second).toMatchObject({ code: 3, stdout: expect.stringContaining("LLM_BUDGET of") });
    expect(billed(cli)).toBeLessThanOrEqual(mean * 40n);
    expect(billed(cli)).toBeGreaterThan(mean * 25n);
    expect(await account(cli, "llm-budget", "a-1")).toMatchObject({ spent: billed(cli) });
    expect(await account(cli, "pool/team", "a-1")).toMatchObject({ spent: inThePool });
    // LLM_BUDGET in a second place would be a second limit.
    const elsewhere = await cli.run(labelArgs("c.csv", "--ledger", "other.ledger"), env);
    expect(elsewhere).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/LLM_BUDGET of this store is counted in/),
    });
  });

  it("is never passed by the provider's bill through kill -9, and no finished row is bought again", async () => {
    const cli = await open({ latencyMs: { median: 10, p99: 60 } });
    const budget = (await cli.meanCost()) * 90n;
    const concurrency = 4;
    for (const name of ["a.csv", "b.csv"]) cli.writeData(name, 40);
    let kills = 0;
    const runs = ["a", "b"].map(async (name) => {
      let child = cli.start(inPool(`${name}.csv`, budget));
      for (let round = 0; round < 4; round++) {
        const enough = cli.simulator.invoice.count + 6;
        // The calls may all be the other run's: one that has not taken its rows in yet cannot be resumed.
        const isOnItsWay = () => cli.simulator.invoice.count >= enough && isThere(`${name}-1`);
        while (!isOnItsWay() && child.exitCode === null) await sleep(2);
        child.kill("SIGKILL");
        await child.done;
        kills++;
        expect(billed(cli)).toBeLessThanOrEqual(budget);
        child = cli.start(["resume", `${name}-1`]);
      }
      return await child.done;
    });
    for (const { code, stderr } of await Promise.all(runs)) expect([0, 3], stderr).toContain(code);
    expect(billed(cli)).toBeLessThanOrEqual(budget);
    expect(cli.boughtTwice()).toBeLessThanOrEqual(kills * concurrency);
    const { spent, held, unresolved } = await account(cli, "pool/team", "a-1");
    expect(held).toBe(0n);
    // What was billed and not counted is counted at its bound.
    expect(spent).toBeLessThanOrEqual(billed(cli));
    expect(spent + unresolved).toBeGreaterThanOrEqual(billed(cli));
    expect((await cli.run(["ledger", "verify", "a-1"])).code).toBe(0);
    const [a, b] = [await cli.json(["status", "a-1"]), await cli.json(["status", "b-1"])];
    expect(pico(a.spentUsd) + pico(b.spentUsd)).toBe(spent);
  });

  it("stays the one that holds what a run spent", async () => {
    const cli = await open();
    cli.writeData("a.csv", 3);
    cli.writeData("b.csv", 3);
    expect((await cli.run(inPool("a.csv", 10n ** 11n))).code).toBe(0);
    expect((await cli.run(labelArgs("b.csv", "--budget", "1"))).code).toBe(0);
    // To look at them needs no setting, and minds none that is for other runs.
    const elsewhere = { AUTOLABEL_LEDGER: "postgres://127.0.0.1:1/books" };
    const listed = JSON.parse((await cli.run(["runs", "--json"], elsewhere)).stdout) as { spentUsd: string }[];
    expect(listed.reduce((sum, { spentUsd }) => sum + pico(spentUsd), 0n)).toBe(billed(cli));
    expect(await cli.json(["status", "a-1"], elsewhere)).toMatchObject({ labeled: 3 });
    const refusals: [string[], RegExp][] = [
      [["resume", "a-1", "--pool", "other"], /draws on the pool "team".*go on in that pool/],
      [["resume", "b-1", "--pool", "team", "--pool-budget", "1"], /begun without a pool/],
      [["resume", "a-1", "--ledger", "other.ledger"], /counted in .*name that ledger/],
      [labelArgs("b.csv", "--budget", "1", "--pool", "team", "--force"), /pool "team" has no limit.*--pool-budget 20/],
      [labelArgs("b.csv", "--budget", "1", "--pool-budget", "5", "--force"), /needs the pool's name/],
      [labelArgs("b.csv", "--budget", "1", "--pool", "a/b", "--pool-budget", "5", "--force"), /cannot name a pool/],
      [labelArgs("b.csv", "--budget", "1", "--ledger", "x.ledger"), /name a pool too/],
    ];
    for (const [args, message] of refusals) {
      expect(await cli.run(args)).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
    }
    expect(cli.simulator.invoice.count).toBe(6);
  });

  it("of nothing pays for nothing", async () => {
    const cli = await open();
    cli.writeData("a.csv", 3);
    expect((await cli.run(inPool("a.csv", 0n))).code).toBe(3);
    expect(cli.simulator.requests).toBe(0);
  });
});

interface LedgerServer {
  url: string;
  stop: () => Promise<void>;
  /** Whether anything was made on it. */
  holdsSomething: () => Promise<boolean>;
}

async function postgres(): Promise<LedgerServer> {
  const { url, stop } = await startPostgres();
  const named = new URL(url);
  named.password = "secret";
  const holdsSomething = async () => {
    const pool = new Pool({ connectionString: url });
    const { rowCount } = await pool.query("SELECT FROM pg_namespace WHERE nspname = 'autolabel'");
    await pool.end();
    return rowCount !== 0;
  };
  return { url: named.href, stop, holdsSomething };
}

async function redis(): Promise<LedgerServer> {
  const { url, stop } = await startRedis();
  const holdsSomething = async (): Promise<boolean> => {
    const client = createClient({ url });
    await client.connect();
    const keys = await client.dbSize();
    client.destroy();
    return keys > 0;
  };
  return { url, stop, holdsSomething };
}

describe.each([
  ["postgres", postgres, true],
  ["redis", redis, isRedisThere()],
] as const)("a pool on a %s server", (_name, start, isThere) => {
  it.skipIf(!isThere)(
    "limits runs of two machines to one amount, and its books are open to the ledger commands",
    async () => {
      const cli = await open();
      const server = await start();
      try {
        const missing = await cli.run(["ledger", "inspect", server.url]);
        expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining("holds no ledger yet") });
        expect(await server.holdsSomething()).toBe(false);

        const budget = (await cli.meanCost()) * 40n;
        cli.writeData("a.csv", 60, "one");
        const left = async () => {
          const [, ...args] = inPool("a.csv", budget, "--ledger", server.url);
          const { limits } = (await cli.json(["plan", ...args])) as { limits: { kind: string; leftUsd: string }[] };
          return pico(limits.find(({ kind }) => kind === "pool")?.leftUsd);
        };
        expect(await left()).toBe(budget);
        expect(await server.holdsSomething()).toBe(false);
        const machine = (store: string) => ["--store", store, "-o", `${store}.csv`, "--ledger", server.url];
        const [first, second] = await Promise.all([
          cli.run(inPool("a.csv", budget, ...machine("one"))),
          cli.run(inPool("a.csv", budget, ...machine("two"))),
        ]);
        expect([first?.code, second?.code]).toEqual([3, 3]);
        expect(billed(cli)).toBeLessThanOrEqual(budget);
        expect(cli.simulator.invoice.count).toBeGreaterThan(30);
        expect(await account(cli, "pool/team", server.url)).toEqual({ spent: billed(cli), held: 0n, unresolved: 0n });
        expect(await left()).toBe(budget - billed(cli));
        expect((await cli.run(["ledger", "verify", server.url])).code).toBe(0);
        // Both machines call their run a-1, and neither draws on the other's account.
        const env = { AUTOLABEL_LEDGER: server.url };
        const spent = await Promise.all(
          ["one", "two"].map(async (store) => pico((await cli.json(["status", "--store", store], env)).spentUsd)),
        );
        expect((spent[0] ?? 0n) + (spent[1] ?? 0n)).toBe(billed(cli));
        expect(first?.stdout).not.toContain("secret");
        expect(readFileSync(join(folder, "one", "a-1.sqlite")).includes("secret")).toBe(false);
        expect((await cli.run(["runs", "--store", "one"])).stdout).toContain("budget reached");
        const raised = await cli.run(["resume", "--store", "one", "--pool-budget", "1"], env);
        expect(raised.code).toBe(0);
        expect(await account(cli, "pool/team", server.url)).toMatchObject({ spent: billed(cli) });
      } finally {
        await server.stop();
      }
    },
  );
});

describe("a ledger's address", () => {
  it.each([
    ["redis://user:secret@127.0.0.1:1", /redis:\/\/127\.0\.0\.1:1 cannot be reached/],
    ["postgres://user:secret@127.0.0.1:1/books", /postgres:\/\/127\.0\.0\.1:1\/books cannot be reached/],
    ["mysql://user:secret@127.0.0.1/books", /No ledger is known for mysql:\/\/ addresses/],
  ])("%s is told without its password when nobody answers", async (url, message) => {
    const cli = await open();
    const ended = await cli.run(["ledger", "inspect", url]);
    expect(ended.code).not.toBe(0);
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr).not.toContain("secret");
  });
});
