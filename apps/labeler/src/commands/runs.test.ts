import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { usd } from "@autolabel/budget-core";
import { type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CliFolder, inUsd, labelArgs } from "../testing/run-cli.ts";

let folder: string;
let cli: CliFolder | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "runs-"));
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

/** Rows 1 and 10 to 19 get no answer: four workers have nine answers when all of them hang. */
const hanging = [{ kind: "timeout", promptIncludes: "(data.csv 1" }] as const;

async function untilItHangs({ simulator }: CliFolder): Promise<void> {
  while (simulator.invoice.count < 9 || simulator.inFlight < 4) await sleep(5);
}

async function labeledSoFar(cli: CliFolder): Promise<number> {
  const { code, stdout } = await cli.run(["status", "--json"]);
  return code === 0 ? (JSON.parse(stdout) as { labeled: number }).labeled : 0;
}

const billed = ({ simulator }: CliFolder) => simulator.invoice.totalPicoUsd;
const pico = (decimal: unknown) => usd(decimal as string).picoUsd;

describe("autolabel status and runs", () => {
  it("tells rows and money of the last run as the provider billed them", async () => {
    const cli = await open();
    const budget = (await cli.meanCost()) * 12n;
    cli.writeData("data.csv", 30);
    expect((await cli.run(labelArgs("data.csv", "--budget", inUsd(budget), "-j", "4"))).code).toBe(3);
    const status = await cli.json(["status"]);
    expect(status).toMatchObject({
      id: "data-1",
      model: "openrouter:openai/gpt-4o-mini",
      rows: 30,
      labeled: cli.simulator.invoice.count,
      rowsByStatus: { labeled: cli.simulator.invoice.count, unpaid: 30 - cli.simulator.invoice.count },
      heldUsd: "0",
      unresolvedUsd: "0",
      lastOutcome: "budget",
      isWorking: false,
      staleRows: 0,
    });
    expect(pico(status.spentUsd)).toBe(billed(cli));
    expect((await cli.run(["status"])).stdout).toMatch(/go on +autolabel resume data-1 --budget USD\n/);
    expect(pico(status.budgetUsd)).toBe(budget);
    const text = await cli.run(["status", "data-1"]);
    expect(text.stdout).toMatch(/^data-1 {2}openrouter.*\n {2}state {7}budget reached\n/);
    expect(text.stdout).toContain("autolabel resume data-1");
    const { stdout } = await cli.run(["runs", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject([{ id: "data-1", spentUsd: status.spentUsd }]);
    expect((await cli.run(["runs"])).stdout).toMatch(/^run .*labeled.*\ndata-1 +budget reached/);
    expect((await cli.run(["runs", "--store", "none"])).stdout).toMatch(/^No run in none/);
  });

  it("looks at a run that goes on without being in its way, and tells a crash from it", async () => {
    const cli = await open({ faults: hanging });
    cli.writeData("data.csv", 60);
    const child = cli.start(labelArgs("data.csv", "--budget", "1", "-j", "4"));
    await untilItHangs(cli);
    expect(await cli.json(["status"])).toMatchObject({ isWorking: true, lastOutcome: "working", rows: 60, labeled: 9 });
    expect((await cli.run(["runs"])).stdout).toContain("working");
    child.kill("SIGKILL");
    await child.done;
    expect(await cli.json(["status"])).toMatchObject({ isWorking: false, lastOutcome: "crashed", labeled: 9 });
    cli.simulator.setFaults([]);
    expect((await cli.run(["resume"])).code).toBe(0);
    const after = await cli.json(["status"]);
    expect(after).toMatchObject({ labeled: 60, lastOutcome: "completed" });
    expect(pico(after.spentUsd)).toBe(billed(cli));
    expect(pico(after.unresolvedUsd)).toBeGreaterThan(0n);
  });

  it("writes nothing into the run", async () => {
    const cli = await open();
    cli.writeData("data.csv", 3);
    await cli.run(labelArgs("data.csv", "--budget", "1"));
    const file = join(folder, ".autolabel", "data-1.sqlite");
    const before = statSync(file, { bigint: true });
    await cli.run(["status"]);
    await cli.run(["runs"]);
    expect(statSync(file, { bigint: true }).mtimeNs).toBe(before.mtimeNs);
  });
});

describe("autolabel retry", () => {
  it("buys only rows again that ended as named, and counts what was paid for them before", async () => {
    const cli = await open({
      faults: [
        { kind: "invalid-label", promptIncludes: "csv 3)" },
        { kind: "500", promptIncludes: "csv 5)" },
      ],
    });
    cli.writeData("data.csv", 12);
    expect((await cli.run(labelArgs("data.csv", "--budget", "1", "-j", "4"))).code).toBe(4);
    const before = cli.simulator.invoice.count;
    expect(await cli.json(["status"])).toMatchObject({ rowsByStatus: { labeled: 10, invalid_label: 1, error: 1 } });

    expect(await cli.run(["retry", "--only", "bad"])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/--only/),
    });
    cli.simulator.setFaults([{ kind: "500", promptIncludes: "csv 5)" }]);
    expect((await cli.run(["retry", "--only", "invalid,truncated"])).code).toBe(4);
    expect(cli.simulator.invoice.count).toBe(before + 1);
    expect(await cli.json(["status"])).toMatchObject({ rowsByStatus: { labeled: 11, error: 1 } });
    cli.simulator.setFaults([]);
    expect((await cli.run(["retry", "data-1", "--budget", "2"])).code).toBe(0);
    expect(cli.simulator.invoice.count).toBe(before + 2);
    const status = await cli.json(["status"]);
    expect(status).toMatchObject({ labeled: 12, budgetUsd: "2" });
    expect(pico(status.spentUsd)).toBe(billed(cli));
    const rows = cli.output("data.labeled.csv");
    expect(rows.every(({ label_status }) => label_status === "labeled")).toBe(true);
    expect(rows[3]?.label_attempts).toBe("3");
  });
});

describe("a run that another process works on", () => {
  it("is refused to resume, retry and label", async () => {
    const cli = await open({ faults: hanging });
    cli.writeData("data.csv", 60);
    const child = cli.start(labelArgs("data.csv", "--budget", "1", "-j", "4"));
    await untilItHangs(cli);
    for (const args of [["resume"], ["retry", "data-1"], ["resume", "--relabel"]]) {
      const second = await cli.run(args);
      expect(second).toMatchObject({ code: 2, stderr: expect.stringContaining("Another process works on the run") });
    }
    // The same rows by label are that run: it names it, and starts no second one.
    const again = await cli.run(labelArgs("data.csv", "--budget", "1", "-o", "other.csv"));
    expect(again).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("Another process labels these rows, as the run data-1: "),
    });
    expect(cli.simulator.requests).toBe(13);
    child.kill("SIGKILL");
    await child.done;
  });

  it("ends as after Ctrl-C when it is asked to stop, and goes on", async () => {
    const cli = await open({ latencyMs: 100 });
    cli.writeData("data.csv", 200);
    const child = cli.start(labelArgs("data.csv", "--budget", "1", "-j", "4"));
    while (cli.simulator.invoice.count < 8) await sleep(5);
    expect(await cli.run(["stop", "data-1"])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("resume data-1"),
    });
    expect((await child.done).code).toBe(130);
    const stopped = await cli.json(["status"]);
    expect(stopped).toMatchObject({ lastOutcome: "interrupted", labeled: cli.simulator.invoice.count, heldUsd: "0" });
    expect(await cli.run(["stop"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("Nobody works on the run"),
    });
    expect((await cli.run(["resume", "-j", "64"])).code).toBe(0);
    expect(cli.boughtTwice()).toBe(0);
    expect(cli.simulator.invoice.count).toBe(200);
  });

  it("is refused to the later of two resumes at once", async () => {
    const cli = await open({ faults: hanging });
    cli.writeData("data.csv", 60);
    const child = cli.start(labelArgs("data.csv", "--budget", "1", "-j", "4"));
    await untilItHangs(cli);
    child.kill("SIGKILL");
    await child.done;
    cli.simulator.setFaults([{ kind: "timeout" }]);
    const both = [cli.start(["resume"]), cli.start(["resume"])];
    const first = await Promise.race(both.map(({ done }) => done));
    expect(first).toMatchObject({ code: 2, stderr: expect.stringContaining("Another process works on the run") });
    for (const each of both) each.kill("SIGKILL");
    await Promise.all(both.map(({ done }) => done));
    expect(cli.simulator.requests).toBeLessThanOrEqual(13 + 4);
  });
});

describe("versions of a task", () => {
  it("leave finished rows as they are; --relabel buys them again", async () => {
    const cli = await open();
    const budget = (await cli.meanCost()) * 8n;
    cli.writeData("data.csv", 20);
    expect((await cli.run(labelArgs("data.csv", "--budget", inUsd(budget), "-j", "2"))).code).toBe(3);
    const first = cli.simulator.invoice.count;
    const { taskVersion } = await cli.json(["status"]);

    // What only steers the run changes no version.
    const steered = ["--concurrency", "3", "--order", "random:7", "--max-row-cost", "0.5"];
    expect((await cli.run(["resume", "--budget", inUsd(budget * 2n), ...steered])).code).toBe(3);
    const second = cli.simulator.invoice.count;
    expect(second).toBeGreaterThan(first);
    expect(await cli.json(["status"])).toMatchObject({ taskVersion, staleRows: 0, labeled: second });

    expect((await cli.run(["resume", "--budget", "1", "--guidelines", "A lost card is lost_card."])).code).toBe(0);
    expect(cli.simulator.invoice.count).toBe(20);
    const changed = await cli.json(["status"]);
    expect(changed).toMatchObject({ labeled: 20, staleRows: second });
    expect(changed.taskVersion).not.toBe(taskVersion);
    expect(changed.taskVersions).toContainEqual({ version: taskVersion, rows: second });
    expect((await cli.run(["status"])).stdout).toMatch(/labeled before it: .* by .*\n[\s\S]*resume data-1 --relabel/);

    expect((await cli.run(["resume", "--relabel"])).code).toBe(0);
    expect(cli.simulator.invoice.count).toBe(20 + second);
    const relabeled = await cli.json(["status"]);
    expect(relabeled).toMatchObject({ labeled: 20, staleRows: 0 });
    expect(pico(relabeled.spentUsd)).toBe(billed(cli));
  });

  it("are not bought silently: label names the command that goes on, and buys nothing", async () => {
    const cli = await open();
    cli.writeData("data.csv", 20);
    const label = (...more: string[]) => cli.run(labelArgs("data.csv", "--budget", "1", "--force", ...more));
    expect((await label()).code).toBe(0);
    const refused = await label("--guidelines", "A lost card is lost_card.");
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    expect(refused.stderr).toMatch(/data-1 labeled 20 of these 20 rows by another task text \(changed: guidelines\)/);
    expect(cli.simulator.invoice.count).toBe(20);
    expect(await cli.json(["runs"])).toHaveLength(1);

    // The command that it names works as it is.
    const [, named = ""] = /go on with autolabel (.*), where finished/.exec(refused.stderr) ?? [];
    expect(named).toBe('resume data-1 --guidelines "A lost card is lost_card." --budget 1');
    const words = named.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', "")) ?? [];
    expect((await cli.run(words)).code).toBe(0);
    expect(cli.simulator.invoice.count).toBe(20);
    expect((await cli.run(["resume", "--relabel"])).code).toBe(0);
    expect(cli.simulator.invoice.count).toBe(40);
    expect((await label("--guidelines", "A lost card is lost_card.")).stderr).toMatch(/labels these rows already/);

    const byFile = await label("--chain-of-thought");
    expect(byFile.stderr).toMatch(/changed: guidelines, chain of thought\): .* resume data-1 --config FILE --budget 1/);
    writeFileSync(join(folder, "autolabel.yaml"), "model: { chain_of_thought: true }\n");
    expect(cli.simulator.invoice.count).toBe(40);
  });

  it("are told from another model's run, which goes to another file, and from a new run", async () => {
    const cli = await open();
    cli.writeData("data.csv", 5);
    const other = ["--model", "openrouter:openai/gpt-4o"];
    const label = (...more: string[]) => cli.run(labelArgs("data.csv", "--budget", "1", "--force", ...more));
    expect((await label()).code).toBe(0);
    expect((await label(...other)).stderr).toMatch(/\(changed: model\): .*resume data-1 --config FILE/);
    expect((await label(...other, "-o", "other.csv")).code).toBe(0);
    expect((await label("--guidelines", "x", "--new")).code).toBe(0);
    expect(cli.simulator.invoice.count).toBe(15);
  });

  it("take another configuration file, and never read an answer that was given to another question", async () => {
    // Row 3 is paid for and asked once more when the process dies; its first answer is a label of the second task.
    const cli = await open({
      faults: [
        { kind: "timeout", promptIncludes: "That cannot be used" },
        { kind: "invalid-label", promptIncludes: "csv 3)", body: "other" },
      ],
    });
    cli.writeData("data.csv", 20);
    const child = cli.start(labelArgs("data.csv", "--budget", "1", "-j", "4"));
    while ((await labeledSoFar(cli)) < 19) await sleep(20);
    child.kill("SIGKILL");
    await child.done;
    const paid = cli.simulator.invoice.count;
    expect(paid).toBe(20);
    cli.simulator.setFaults([]);
    writeFileSync(join(folder, "second.yaml"), "prompt: { labels: [exchange, other] }\nbudget: { max_usd: 2 }\n");
    expect((await cli.run(["resume", "--config", "second.yaml"])).code).toBe(0);
    expect(cli.simulator.invoice.count).toBe(paid + 1);
    expect(await cli.json(["status"])).toMatchObject({ labeled: 20, staleRows: 19, budgetUsd: "2" });
  });
});

describe("a limit for each row", () => {
  it("asks no row that could cost more, and bills nothing for it", async () => {
    const cli = await open();
    const long = "lost card ".repeat(3000);
    writeFileSync(join(folder, "data.csv"), `text\nI lost my card\n${long}\nWhen will my card arrive\n`);
    const ended = await cli.run(labelArgs("data.csv", "--budget", "1", "--max-row-cost", "0.001"));
    expect(ended.code).toBe(4);
    expect(cli.simulator.invoice.count).toBe(2);
    const rows = cli.output("data.labeled.csv");
    expect(rows.map(({ label_status }) => label_status)).toEqual(["labeled", "error", "labeled"]);
    expect(rows[1]).toMatchObject({
      label_cost_usd: "0",
      label_error: expect.stringMatching(/^not asked: .* a row may cost \$0\.0010 \(maxRowCost\)/),
    });
    expect((await cli.run(["resume", "--max-row-cost", "0.1"])).code).toBe(0);
    expect(cli.simulator.invoice.count).toBe(3);
  });

  it("counts all attempts of a row together, over resumes and retries", async () => {
    const cli = await open();
    cli.writeData("data.csv", 4);
    // A bound is several times what a call costs: some attempts fit, and then one does not.
    const cap = (await cli.meanCost()) * 8n;
    cli.simulator.setFaults([{ kind: "invalid-label", rate: 1 }]);
    expect((await cli.run(labelArgs("data.csv", "--budget", "1", "--max-row-cost", inUsd(cap)))).code).toBe(4);
    for (let time = 0; time < 6; time++) await cli.run(["retry"]);
    const rows = cli.output("data.labeled.csv");
    for (const { label_cost_usd, label_error } of rows) {
      expect(pico(label_cost_usd)).toBeLessThanOrEqual(cap);
      expect(label_error).toMatch(/not asked/);
    }
    const paid = cli.simulator.invoice.count;
    await cli.run(["retry"]);
    expect(cli.simulator.invoice.count).toBe(paid);
    expect(billed(cli)).toBeLessThanOrEqual(4n * cap);
  });
});

describe("--json", () => {
  it("tells start, rows, alerts, stop and summary as JSON lines on stdout, and a person on stderr", async () => {
    const cli = await open();
    const budget = (await cli.meanCost()) * 12n;
    cli.writeData("data.csv", 30);
    const ended = await cli.run(labelArgs("data.csv", "--budget", inUsd(budget), "-j", "4", "--json"));
    expect(ended.code).toBe(3);
    const events = ended.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events[0]).toMatchObject({ event: "started", runId: "data-1", rows: 30, spentUsd: "0" });
    const rows = events.filter(({ event }) => event === "row");
    expect(rows).toHaveLength(cli.simulator.invoice.count);
    expect(rows.reduce((sum, { costUsd }) => sum + pico(costUsd), 0n)).toBe(billed(cli));
    expect(events.filter(({ event }) => event === "alert")).toContainEqual(
      expect.objectContaining({ threshold: 0.5, scope: "data-1" }),
    );
    expect(events.at(-2)).toMatchObject({ event: "stop", kind: "budget", scope: "data-1" });
    expect(events.at(-1)).toMatchObject({
      event: "summary",
      labeled: rows.length,
      unpaid: 30 - rows.length,
      exitCode: 3,
      goOn: "autolabel resume data-1",
    });
    expect(pico(events.at(-1)?.spentUsd)).toBe(billed(cli));
    expect(ended.stderr).toContain("Budget reached:");
    const resumed = await cli.run(["resume", "--budget", "1", "--json"]);
    expect(resumed.stdout.trimEnd().split("\n")).toHaveLength(30 - rows.length + 3);
  });
});
