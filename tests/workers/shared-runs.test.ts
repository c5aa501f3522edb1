import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { usd } from "@autolabel/budget-core";
import { Pool } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { RowQueue } from "../../apps/labeler/src/store/row-queue.ts";
import type { RunDatabase } from "../../apps/labeler/src/store/run-database.ts";
import { openRuns } from "../../apps/labeler/src/store/runs.ts";
import { inUsd, labelArgs } from "../../apps/labeler/src/testing/run-cli.ts";
import { WorkerBench } from "./worker-bench.ts";

let bench: WorkerBench;
beforeAll(async () => {
  bench = await WorkerBench.start();
});
afterAll(() => bench.postgres.stop());
afterEach(() => bench.close());

/** What a row of these tests costs in the mean. */
async function meanCost(): Promise<bigint> {
  return await bench.cli.meanCost();
}

describe("a budget that several workers draw on", () => {
  it("is used up and never passed, and a larger one buys only what is left", async () => {
    await bench.open({ latencyMs: 5 });
    const mean = await meanCost();
    bench.cli.writeData("data.csv", 1500);
    const budget = 1100n * mean;
    await bench.run([...labelArgs("data.csv"), "--budget", inUsd(budget)]);
    const workers = [1, 2, 3].map(() => bench.worker("-j", "8"));
    const reached = await bench.ended("data-1");
    expect(reached).toMatchObject({ lastOutcome: "budget", heldUsd: "0", unresolvedUsd: "0" });
    const billed = bench.simulator.invoice.totalPicoUsd;
    expect(billed).toBeLessThanOrEqual(budget);
    expect(Number((billed * 10_000n) / budget)).toBeGreaterThanOrEqual(9900);
    expect(usd(reached.spentUsd).picoUsd).toBe(billed);

    const again = await bench.run([...labelArgs("data.csv"), "--budget", "1"]);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("go on with autolabel resume data-1") });
    const resumed = await bench.run(["resume", "--budget", "1"]);
    expect(resumed).toMatchObject({ code: 0, stdout: expect.stringMatching(/Queued: [34]\d\d rows.*3 workers/) });
    expect(await bench.ended("data-1")).toMatchObject({ lastOutcome: "completed", labeled: 1500 });
    expect(bench.cli.boughtTwice()).toBe(0);
    expect(bench.simulator.invoice.lines.length).toBe(1500);
    for (const { code } of await bench.stop(workers)) expect(code).toBe(0);
  });

  it("may be LLM_BUDGET, or a pool, of several runs at once", async () => {
    await bench.open();
    const mean = await meanCost();
    for (const name of ["a", "b", "c", "d"]) bench.cli.writeData(`${name}.csv`, 60);
    const limit = 70n * mean;
    for (const name of ["a", "b"]) await bench.run(labelArgs(`${name}.csv`), { LLM_BUDGET: inUsd(limit) });
    const pool = ["--pool", "team", "--pool-budget", inUsd(limit), "--budget", "1"];
    for (const name of ["c", "d"]) await bench.run([...labelArgs(`${name}.csv`), ...pool]);
    bench.worker("-j", "8");
    bench.worker("-j", "8");
    const ends = await Promise.all(["a-1", "b-1", "c-1", "d-1"].map((run) => bench.ended(run)));
    const spent = ends.map(({ spentUsd }) => usd(spentUsd).picoUsd);
    const [a = 0n, b = 0n, c = 0n, d = 0n] = spent;
    expect(a + b).toBeLessThanOrEqual(limit);
    expect(c + d).toBeLessThanOrEqual(limit);
    expect(a + b + c + d).toBe(bench.simulator.invoice.totalPicoUsd);
    // A handful of calls may not fit any more, because of their bounds.
    for (const both of [a + b, c + d]) expect(both).toBeGreaterThan(50n * mean);
    // None waited for the end of another.
    for (const one of spent) expect(one).toBeGreaterThan(10n * mean);
  });
});

describe("a run that goes on", () => {
  it("buys duplicates once, rows without a label again when asked, and all again where the task changed", async () => {
    const invalid = { kind: "invalid-label", promptIncludes: "data.csv 3)", body: "no such label" } as const;
    await bench.open({ faults: [invalid] });
    bench.cli.writeData("data.csv", 20);
    const file = join(bench.cli.folder, "data.csv");
    const [header, ...lines] = readFileSync(file, "utf8").trim().split("\n");
    writeFileSync(file, [header, ...lines, ...lines.slice(0, 10)].join("\n"));
    const worker = bench.worker("-j", "8");
    expect(await bench.run([...labelArgs("data.csv"), "--budget", "1"])).toMatchObject({ code: 0 });
    const first = await bench.ended("data-1");
    expect(first.rowsByStatus).toMatchObject({ labeled: 28, invalid_label: 2 });
    // The one that got no label was asked twice.
    expect(bench.simulator.invoice.lines).toHaveLength(21);
    expect((await bench.run(["resume"])).stdout).toContain("Nothing is left to buy");

    bench.simulator.setFaults([]);
    expect((await bench.run(["retry", "--only", "invalid"])).stdout).toContain("Queued: 1 row");
    expect(await bench.ended("data-1")).toMatchObject({ labeled: 30, lastOutcome: "completed" });
    expect(bench.simulator.invoice.lines).toHaveLength(22);

    const again = await bench.run(["resume", "--relabel", "--guidelines", "Look twice."]);
    expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining("Queued: 20 rows") });
    const relabeled = await bench.ended("data-1");
    expect(relabeled).toMatchObject({ labeled: 30, staleRows: 0 });
    expect(bench.simulator.invoice.lines).toHaveLength(42);
    expect(usd(relabeled.spentUsd).picoUsd).toBe(bench.simulator.invoice.totalPicoUsd);
    await bench.stop([worker]);
  });
});

describe("workers", () => {
  it("finish what they have sent when they are told to end, and others go on with the rest", async () => {
    await bench.open({ latencyMs: 300 });
    bench.cli.writeData("data.csv", 200);
    await bench.run([...labelArgs("data.csv"), "--budget", "1"]);
    const first = bench.worker("-j", "8");
    await bench.until("data-1", ({ labeled }) => labeled > 20);
    const second = bench.worker("-j", "16");
    const [ended] = await bench.stop([first]);
    expect(ended).toMatchObject({ code: 0, stderr: expect.stringMatching(/Stopped after \d+ rows/) });
    const status = await bench.ended("data-1");
    expect(status).toMatchObject({ lastOutcome: "completed", labeled: 200, heldUsd: "0", unresolvedUsd: "0" });
    expect(bench.simulator.invoice.lines.length).toBe(200);
    await bench.stop([second]);
  });

  it("that were suspended for long neither send nor keep what others have by then", async () => {
    await bench.open({ latencyMs: 200 });
    bench.cli.writeData("data.csv", 400);
    await bench.run([...labelArgs("data.csv"), "--budget", "1"]);
    const worker = bench.worker("-j", "8");
    await bench.until("data-1", ({ labeled }) => labeled > 20);
    worker.kill("SIGSTOP");
    const inFlight = 8;
    bench.worker("-j", "16");
    const { labeled } = await bench.until("data-1", (status) => status.labeled > 200);
    await sleep(12_000);
    worker.kill("SIGCONT");
    expect(labeled).toBeGreaterThan(200);
    const status = await bench.ended("data-1");
    expect(status).toMatchObject({ lastOutcome: "completed", labeled: 400 });
    expect(bench.simulator.invoice.lines.length - 400).toBeLessThanOrEqual(inFlight);
    // What the suspended one had sent has come by now, and is in the books.
    const settled = await bench.until(
      "data-1",
      ({ heldUsd, unresolvedUsd }) => heldUsd === "0" && unresolvedUsd === "0",
    );
    expect(usd(settled.spentUsd).picoUsd).toBe(bench.simulator.invoice.totalPicoUsd);
    expect(await bench.run(["ledger", "verify"])).toMatchObject({ code: 0 });
  });

  it("leave a run that is stopped, and take it up again when it goes on", async () => {
    await bench.open({ latencyMs: 200 });
    bench.cli.writeData("data.csv", 160);
    await bench.run([...labelArgs("data.csv"), "--budget", "1"]);
    bench.worker("-j", "8");
    await bench.until("data-1", ({ labeled }) => labeled > 10);
    const refused = await bench.run(["resume", "--budget", "2"]);
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("autolabel stop data-1") });
    expect(await bench.run(["stop"])).toMatchObject({ code: 0 });
    expect(await bench.ended("data-1")).toMatchObject({ lastOutcome: "interrupted", heldUsd: "0", unresolvedUsd: "0" });
    expect(await bench.run(["resume"])).toMatchObject({ code: 0 });
    expect(await bench.ended("data-1")).toMatchObject({ lastOutcome: "completed", labeled: 160 });
    expect(bench.cli.boughtTwice()).toBe(0);
  });

  it("end a run that no row of can work, and say why; other runs go on", async () => {
    await bench.open({ apiKeys: ["test"] });
    bench.cli.writeData("data.csv", 60);
    bench.cli.writeData("other.csv", 60);
    await bench.run([
      ...labelArgs("data.csv"),
      "--budget",
      "1",
      "--model",
      "openrouter:openai/gpt-none",
      ...statedPrices,
    ]);
    await bench.run([...labelArgs("other.csv"), "--budget", "1"]);
    bench.worker("-j", "8");
    expect(await bench.ended("other-1")).toMatchObject({ lastOutcome: "completed", labeled: 60 });
    const failed = await bench.ended("data-1");
    expect(failed).toMatchObject({ lastOutcome: "failed", problem: expect.stringContaining("check --model") });
    expect(failed.rowsByStatus).toMatchObject({ unpaid: 60, error: 0 });
  });

  it("leave a run that they cannot label as they were started to others, say why, and lose nothing", async () => {
    await bench.open({ apiKeys: ["test"] });
    bench.cli.writeData("data.csv", 60);
    await bench.run([...labelArgs("data.csv"), "--budget", "1"]);
    const wrong: [Record<string, string>, RegExp][] = [
      [{ OPENROUTER_API_KEY: "" }, /OPENROUTER_API_KEY/],
      [{ OPENROUTER_API_KEY: "stolen" }, /check the key/],
    ];
    for (const [env, problem] of wrong) {
      bench.workerWith(env, "-j", "8");
      const told = await bench.until("data-1", (status) => problem.test(status.problem ?? ""));
      expect(told).toMatchObject({ isWorking: true, rowsByStatus: { unpaid: 60, error: 0 } });
    }
    bench.worker("-j", "8");
    expect(await bench.ended("data-1")).toMatchObject({ lastOutcome: "completed", labeled: 60, problem: null });
    expect(bench.simulator.invoice.lines).toHaveLength(60);
  });

  it("wait out a provider that refuses most calls for a while", async () => {
    await bench.open({ faults: [{ kind: "429", rate: 0.5, retryAfter: 0.2 }] });
    bench.cli.writeData("data.csv", 60);
    await bench.run([...labelArgs("data.csv"), "--budget", "1"]);
    for (const _ of [1, 2]) bench.worker("-j", "32");
    const status = await bench.ended("data-1");
    expect(status).toMatchObject({ lastOutcome: "completed", labeled: 60, unresolvedUsd: "0" });
    expect(bench.simulator.invoice.lines).toHaveLength(60);
    expect(bench.simulator.requests).toBeGreaterThan(60);
  });

  it("pause a run when the provider's credit ends", async () => {
    await bench.open({ creditPicoUsd: 700_000_000n });
    bench.cli.writeData("data.csv", 100);
    await bench.run([...labelArgs("data.csv"), "--budget", "1"]);
    bench.worker("-j", "4");
    const status = await bench.ended("data-1");
    expect(status).toMatchObject({ lastOutcome: "credit", heldUsd: "0", unresolvedUsd: "0" });
    expect(status.rowsByStatus).toMatchObject({ error: 0 });
    expect(status.labeled).toBeGreaterThan(5);
  });

  it("share what may be asked a minute", async () => {
    await bench.open({ limits: { requestsPerMinute: 1200 } });
    bench.cli.writeData("data.csv", 80);
    await bench.run([...labelArgs("data.csv"), "--budget", "1", "--rpm", "600"]);
    const began = Date.now();
    for (const _ of [1, 2, 3]) bench.worker("-j", "8");
    expect(await bench.ended("data-1")).toMatchObject({ lastOutcome: "completed", labeled: 80 });
    // 600 a minute are 10 a second, however many workers there are; what is timed here is the limit, not the machine.
    expect(Date.now() - began).toBeGreaterThan(80 * 100 - 2000);
    expect(bench.simulator.requests).toBe(80);
  });

  it("end when the database was upgraded meanwhile, and leave their rows to newer ones", async () => {
    await bench.open();
    bench.cli.writeData("data.csv", 30);
    const worker = bench.worker("-j", "4");
    await bench.run([...labelArgs("data.csv"), "--budget", "1"]);
    await bench.ended("data-1");
    worker.kill("SIGSTOP");
    bench.cli.writeData("other.csv", 30);
    await bench.run([...labelArgs("other.csv"), "--budget", "1"]);
    const pool = new Pool({ connectionString: bench.url });
    await pool.query("INSERT INTO autolabel_runs.run_schema VALUES (99)");
    worker.kill("SIGCONT");
    expect(await worker.done).toMatchObject({ code: 2, stderr: expect.stringContaining("upgrade @autolabel/labeler") });
    await pool.query("DELETE FROM autolabel_runs.run_schema WHERE version = 99");
    await pool.end();
    expect(await bench.status("other-1")).toMatchObject({ isWorking: true, labeled: 0, problem: null });
    bench.worker("-j", "4");
    expect(await bench.ended("other-1")).toMatchObject({ labeled: 30, lastOutcome: "completed" });
  });

  it("go on with other runs while the limits of one hold it back", async () => {
    await bench.open();
    bench.cli.writeData("slow.csv", 100);
    bench.cli.writeData("fast.csv", 200);
    await bench.run([...labelArgs("slow.csv"), "--budget", "1", "--rpm", "30"]);
    bench.worker("-j", "8");
    await bench.until("slow-1", ({ labeled }) => labeled > 0);
    await bench.run([...labelArgs("fast.csv"), "--budget", "1"]);
    expect(await bench.ended("fast-1")).toMatchObject({ labeled: 200, lastOutcome: "completed" });
    const slow = await bench.status("slow-1");
    expect(slow).toMatchObject({ isWorking: true });
    expect(slow.labeled).toBeLessThan(50);
  });

  it("tell whoever watches them how they are", async () => {
    await bench.open();
    const port = await freePort();
    const worker = bench.worker("-j", "4", "--health-port", String(port));
    const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`).catch(() => undefined);
    while (!(await ask("/readyz"))) await sleep(100);
    const ready = await ask("/readyz");
    expect([ready?.status, await ready?.json()]).toEqual([
      200,
      expect.objectContaining({ concurrency: 4, workers: 1, isStopping: false, callsInFlight: 0 }),
    ]);
    expect((await ask("/healthz"))?.status).toBe(200);
    expect((await ask("/other"))?.status).toBe(404);
    expect((await bench.stop([worker]))[0]).toMatchObject({ code: 0 });
  });
});

describe("a store in PostgreSQL", () => {
  it("may be opened first by many at once", async () => {
    await bench.open();
    const open = async () => {
      const runs = (await openRuns(bench.url, 3)) as RunDatabase;
      await (await RowQueue.open(runs.pool, { supervise: false })).close();
      await runs.close();
    };
    await Promise.all(Array.from({ length: 12 }, open));
  });

  it("is told from what it cannot be, in one line", async () => {
    await bench.open();
    bench.cli.writeData("data.csv", 3);
    const label = [...labelArgs("data.csv"), "--budget", "1"];
    const cases: [readonly string[], Record<string, string>, RegExp][] = [
      [
        label,
        { AUTOLABEL_STORE: "postgres://me:secret@127.0.0.1:1/x" },
        /store postgres:\/\/127.0.0.1:1\/x cannot be opened/,
      ],
      [label, { AUTOLABEL_STORE: "redis://127.0.0.1" }, /folder or at a postgres/],
      [[...label, "-o", "out.csv"], {}, /Workers write no file: leave out -o/],
      [[...label, "--ledger", "some.ledger", "--pool", "p", "--pool-budget", "1"], {}, /leave out --ledger/],
      [["plan", "data.csv", ...label.slice(2), "--probe", "5"], {}, /labeled by workers/],
      [["worker"], { AUTOLABEL_STORE: "folder" }, /Workers take rows from a database/],
      [["worker", "--health-port", "80810"], {}, /--health-port 80810 cannot be opened/],
      [["resume", "none"], {}, /No run in postgres:/],
    ];
    for (const [args, env, said] of cases) {
      const { code, stderr } = await bench.run(args, env);
      expect([args.join(" "), code === 0, stderr]).toEqual([args.join(" "), false, expect.stringMatching(said)]);
      expect(stderr).not.toContain("secret");
      expect(stderr.trim().split("\n").length).toBeLessThanOrEqual(2);
    }
    expect(bench.simulator.requests).toBe(0);
  });
});

const statedPrices = ["--input-price", "0.15", "--output-price", "0.60"];

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}
