import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { type Simulator, type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import { parse } from "csv-parse/sync";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parquetColumnTypes } from "./data/read-parquet.ts";

const cli = join(import.meta.dirname, "cli.ts");
const labels = ["card_arrival", "exchange_rate", "lost_card", "top_up_failed", "age_limit"];
const phrases = [
  "When will my card arrive",
  'What "exchange rate" do I get, today',
  "I lost my card\nyesterday",
  "My top up failed again",
  "Is there an age limit",
];

let folder: string;
let simulator: Simulator;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "labeler-"));
});
afterEach(async () => {
  await simulator?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A data file of so many different rows, with quotes, commas and newlines in them. */
function writeData(rows: number): string[] {
  const texts = Array.from({ length: rows }, (_, index) => `${phrases[index % 5]}? (${index})`);
  const lines = texts.map((text, index) => `"${text.replaceAll('"', '""')}",${labels[index % 5]}`);
  writeFileSync(join(folder, "data.csv"), `text,category\n${lines.join("\n")}\n`);
  return texts;
}

function start(
  args: string[],
  env: Record<string, string | undefined> = {},
  input = "",
): ChildProcess & { done: Promise<Ended> } {
  const child = spawn(process.execPath, ["--conditions=@autolabel/source", cli, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, OPENROUTER_API_KEY: "test", OPENROUTER_BASE_URL: simulator.openRouterUrl, ...env },
  });
  child.stdin.end(input);
  const ended: Ended = { code: null, stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => (ended.stdout += chunk));
  child.stderr.on("data", (chunk) => (ended.stderr += chunk));
  const done = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ ...ended, code })));
  return Object.assign(child, { done });
}

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

const run = (args: string[], env?: Record<string, string | undefined>) => start(args, env).done;
const labelArgs = (...more: string[]) => [
  "label",
  "data.csv",
  "--text-column",
  "text",
  "--labels",
  labels.join(","),
  "--model",
  "openrouter:openai/gpt-4o-mini",
  "-o",
  "out.csv",
  ...more,
];

function output(): Record<string, string>[] {
  return parse(readFileSync(join(folder, "out.csv"), "utf8"), { columns: true });
}

function books() {
  const database = new DatabaseSync(join(folder, ".autolabel", "data-1.sqlite"), { readOnly: true });
  const one = (sql: string) => {
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    return statement.get() as Record<string, bigint>;
  };
  const account = one(
    "SELECT spent_pico_usd AS spent, held_pico_usd AS held, unresolved_pico_usd AS unresolved FROM accounts",
  );
  const attempts = one("SELECT coalesce(sum(cost_pico_usd), 0) AS cost FROM attempts");
  database.close();
  return { ...account, attempts: attempts.cost } as Record<"spent" | "held" | "unresolved" | "attempts", bigint>;
}

/** Prompts that the simulated provider billed more than once. */
function boughtTwice(): number {
  const hashes = simulator.invoice.lines.map(({ promptHash }) => promptHash);
  return hashes.length - new Set(hashes).size;
}

const mean = (rows: number) => simulator.invoice.totalPicoUsd / BigInt(rows);
const inUsd = (pico: bigint) => `0.${pico.toString().padStart(12, "0")}`;

async function meanCost(): Promise<bigint> {
  writeData(10);
  expect((await run([...labelArgs("--budget", "1", "--store", "probe"), "-o", "probe.csv"])).code).toBe(0);
  const cost = mean(10);
  simulator.reset();
  return cost;
}

async function simulate(options: SimulatorOptions = {}) {
  simulator = await startSimulator({ latencyMs: 5, ...options });
}

describe("autolabel label and resume", () => {
  it("D32: stops at the budget with an exit code of its own and every paid row kept, and buys only the missing rows with a larger one", async () => {
    await simulate();
    const budget = (await meanCost()) * 100n;
    const texts = writeData(200);

    const first = await run(labelArgs("--budget", inUsd(budget), "-j", "32"));
    expect(first.code).toBe(3);
    expect(first.stdout).toMatch(/^Budget reached: \d+ of 200 rows labeled/);
    expect(first.stdout).toContain("autolabel resume data-1 --budget 0.");
    expect(simulator.invoice.totalPicoUsd).toBeLessThanOrEqual(budget);
    expect(simulator.invoice.count).toBeGreaterThan(85);
    const partial = output();
    expect(partial.map(({ text }) => text)).toEqual(texts);
    expect(partial.filter(({ label_status }) => label_status === "labeled")).toHaveLength(simulator.invoice.count);
    expect(partial.filter(({ label }) => label === "")).toHaveLength(200 - simulator.invoice.count);
    expect(books()).toMatchObject({ spent: simulator.invoice.totalPicoUsd, held: 0n, unresolved: 0n });

    const second = await run(["resume", "--budget", "1"]);
    expect(second).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Done: all 200 rows labeled/) });
    expect(simulator.invoice.count).toBe(200);
    expect(boughtTwice()).toBe(0);
    expect(books()).toMatchObject({ spent: simulator.invoice.totalPicoUsd, attempts: simulator.invoice.totalPicoUsd });
    const rows = output();
    expect(rows.map(({ text }) => text)).toEqual(texts);
    expect(rows.every(({ label }) => labels.includes(label ?? ""))).toBe(true);

    expect((await run(["resume"])).code).toBe(0);
    expect(simulator.invoice.count).toBe(200);
  });

  it("loses no paid answer to kill -9 and buys no finished row again", async () => {
    await simulate({ latencyMs: { median: 10, p99: 60 } });
    const rows = 150;
    const concurrency = 8;
    writeData(rows);
    let kills = 0;
    let child = start(labelArgs("--budget", "1", "-j", String(concurrency)));
    for (; kills < 5; kills++) {
      const enough = simulator.invoice.count + 15;
      while (simulator.invoice.count < enough && child.exitCode === null) await sleep(2);
      child.kill("SIGKILL");
      await child.done;
      child = start(["resume"]);
    }
    expect((await child.done).code).toBe(0);
    expect(output().every(({ label_status }) => label_status === "labeled")).toBe(true);
    const { spent, held, unresolved, attempts } = books();
    expect(held).toBe(0n);
    expect(attempts).toBe(spent);
    expect(spent + unresolved).toBeGreaterThanOrEqual(simulator.invoice.totalPicoUsd);
    expect(spent).toBeLessThanOrEqual(simulator.invoice.totalPicoUsd);
    // Only calls in flight at a kill are bought again; what is on the invoice beyond our books is those, all counted.
    expect(boughtTwice()).toBeLessThanOrEqual(kills * concurrency);
    expect(simulator.invoice.count - rows).toBeLessThanOrEqual(kills * concurrency);
  });

  it("finishes and keeps calls in flight at Ctrl-C, and goes on later", async () => {
    await simulate({ latencyMs: 40 });
    writeData(200);
    const child = start(labelArgs("--budget", "1", "-j", "8"));
    while (simulator.invoice.count < 30) await sleep(5);
    child.kill("SIGINT");
    const ended = await child.done;
    expect(ended.code).toBe(130);
    expect(ended.stdout).toContain("autolabel resume data-1");
    expect(output().filter(({ label }) => label)).toHaveLength(simulator.invoice.count);
    expect(books()).toMatchObject({ spent: simulator.invoice.totalPicoUsd, held: 0n });
    expect((await run(["resume"])).code).toBe(0);
    expect(simulator.invoice.count).toBe(200);
  });

  it("F30: refuses to work on a run from two processes at once", async () => {
    await simulate({ latencyMs: 50 });
    writeData(100);
    const child = start(labelArgs("--budget", "1", "-j", "4"));
    while (simulator.invoice.count < 5) await sleep(5);
    const second = await run(["resume"]);
    expect(second.code).toBe(2);
    expect(second.stderr).toContain("Another process works on the run");
    expect((await child.done).code).toBe(0);
    expect(simulator.invoice.count).toBe(100);
  });

  it("pauses when the provider's credit ends, without marking rows as failed", async () => {
    await simulate({ creditPicoUsd: 1_000_000_000n });
    writeData(60);
    const paused = await run(labelArgs("--budget", "1", "-j", "4"));
    expect(paused.code).toBe(5);
    expect(paused.stdout).toContain("credit");
    expect(output().some(({ label_status }) => label_status === "error")).toBe(false);
    expect(books()).toMatchObject({ spent: simulator.invoice.totalPicoUsd, held: 0n });
  });

  it("keeps one bad row from the others, bills its attempts, and tries it again on resume", async () => {
    await simulate({
      faults: [
        { kind: "429", rate: 0.1, retryAfter: 0 },
        { kind: "invalid-label", promptIncludes: "(7)" },
        { kind: "bad-json", promptIncludes: "(9)" },
      ],
    });
    writeData(40);
    const ended = await run(labelArgs("--budget", "1", "-j", "4"));
    expect(ended.code).toBe(4);
    const rows = output();
    expect(rows[7]).toMatchObject({ label: "", label_status: "invalid_label", label_attempts: "2" });
    expect(rows[9]).toMatchObject({ label: "", label_status: "error" });
    expect(rows.filter(({ label_status }) => label_status === "labeled")).toHaveLength(38);

    simulator.setFaults([]);
    const before = simulator.invoice.count;
    expect((await run(["resume"])).code).toBe(4);
    expect(simulator.invoice.count).toBe(before + 1);
    expect(output()[9]).toMatchObject({ label_status: "labeled" });
    const { spent } = books();
    expect(spent).toBeGreaterThanOrEqual(simulator.invoice.totalPicoUsd);
  });

  it.each([
    ["key", { apiKeys: ["another"] }, [], /does not accept the key.*check the key/],
    [
      "model",
      {},
      ["--model", "openrouter:my/model", "--input-price", "1", "--output-price", "1"],
      /does not serve this model.*check --model/,
    ],
  ])("stops at the first rows when the provider does not know the %s", async (_what, options, args, message) => {
    await simulate(options);
    writeData(100);
    const ended = await run([...labelArgs("--budget", "1", "-j", "4"), ...args]);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(message);
    expect(simulator.requests).toBeLessThanOrEqual(4);
    expect(books()).toMatchObject({ spent: 0n, held: 0n });
  });

  it("does not pay again for rows it labeled before, unless told to", async () => {
    await simulate();
    writeData(10);
    expect((await run(labelArgs("--budget", "1"))).code).toBe(0);
    expect((await run(labelArgs("--budget", "1"))).stderr).toMatch(/out\.csv exists: .*--force/);
    const again = await run(labelArgs("--budget", "1", "--force"));
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("autolabel resume data-1") });
    expect(simulator.invoice.count).toBe(10);
    expect((await run(labelArgs("--budget", "1", "--new", "--force"))).code).toBe(0);
    expect(simulator.invoice.count).toBe(20);
  });

  it("leaves a row that does not fit for later, and uses the budget for the shorter ones", async () => {
    await simulate();
    const budget = (await meanCost()) * 30n;
    const texts = writeData(20);
    writeFileSync(
      join(folder, "data.csv"),
      `text\n${"long ".repeat(4000)}\n${texts.map((text) => JSON.stringify(text.replaceAll("\n", " ").replaceAll('"', ""))).join("\n")}\n`,
    );
    const ended = await run(labelArgs("--budget", inUsd(budget), "-j", "4"));
    expect(ended.code).toBe(3);
    expect(output().map(({ label_status }) => label_status)).toEqual(["unpaid", ...Array(20).fill("labeled")]);
    expect(simulator.invoice.totalPicoUsd).toBeLessThanOrEqual(budget);
    const [, suggested = "0"] = /--budget ([\d.]+)/.exec(ended.stdout) ?? [];
    expect((await run(["resume", "--budget", suggested])).code).toBe(0);
  });

  it("does not forget what was spent when the kind of budget changes: it refuses the change", async () => {
    await simulate();
    const budget = (await meanCost()) * 15n;
    writeData(40);
    const shared = await run(labelArgs(), { LLM_BUDGET: inUsd(budget) });
    expect(shared.code).toBe(3);
    expect(shared.stdout).toMatch(/LLM_BUDGET of \$.*share/);
    const spent = simulator.invoice.totalPicoUsd;
    const other = await run(["resume", "--budget", "1"], { LLM_BUDGET: inUsd(budget) });
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining("set LLM_BUDGET") });
    expect(simulator.invoice.totalPicoUsd).toBe(spent);
    const [, suggested] = /LLM_BUDGET=([\d.]+) autolabel resume data-1/.exec(shared.stdout) ?? [];
    expect((await run(["resume"], { LLM_BUDGET: suggested })).code).toBe(0);
    expect(simulator.invoice.count).toBe(40);
    expect(boughtTwice()).toBe(0);
  });

  it("resumes the run that was worked on last, whatever was looked at since", async () => {
    await simulate();
    const budget = inUsd((await meanCost()) * 5n);
    writeData(12);
    const again = (name: string, ...more: string[]) =>
      run([...labelArgs("--budget", budget, "--name", name, "--force"), ...more]);
    expect((await again("zed")).code).toBe(3);
    expect((await again("alpha")).code).toBe(3);
    expect((await run(["resume", "nope"])).code).toBe(2);
    for (let time = 0; time < 2; time++) expect((await run(["resume"])).stdout).toContain("resume alpha-1");
  });

  it("compares rows by what their bound grows with, not by their characters", async () => {
    await simulate();
    const budget = (await meanCost()) * 12n;
    const short = "card arrival ".repeat(60);
    writeFileSync(
      join(folder, "data.csv"),
      `text\n${"卡".repeat(700)}\n${Array.from({ length: 3 }, (_, index) => `${short}${index}`).join("\n")}\n`,
    );
    const ended = await run(labelArgs("--budget", inUsd(budget), "-j", "1"));
    expect(ended.code).toBe(3);
    expect(simulator.invoice.count).toBeGreaterThan(0);
    expect(simulator.invoice.totalPicoUsd).toBeLessThanOrEqual(budget);
  });

  it("says at once that nobody answers, and keeps what it has", async () => {
    await simulate();
    writeData(30);
    const ended = await run(labelArgs("--budget", "1", "-j", "4"), {
      OPENROUTER_BASE_URL: "http://127.0.0.1:59999/v1",
    });
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/The provider cannot be reached: .*ECONNREFUSED/);
    expect((await run(["resume"])).code).toBe(0);
  });

  it("never writes over the data, nor over a file that it did not make", async () => {
    await simulate();
    writeData(3);
    const original = readFileSync(join(folder, "data.csv"), "utf8");
    writeFileSync(join(folder, "out.csv"), "precious");
    expect((await run(labelArgs("--budget", "1"))).stderr).toMatch(/exists/);
    const self = labelArgs("--budget", "1", "--force");
    self[self.indexOf("out.csv")] = "data.csv";
    expect((await run(self)).stderr).toMatch(/would be overwritten by its own labels/);
    expect(readFileSync(join(folder, "data.csv"), "utf8")).toBe(original);
    expect(simulator.requests).toBe(0);
  });

  it.each([
    ["openai:gpt-4o-mini", { OPENAI_API_KEY: "test" }, "OPENAI_BASE_URL", "openAiUrl"],
    ["corporate:house-model", {}, "CORPORATE_BASE_URL", "gatewayUrl"],
  ] as const)("labels through %s", async (model, keys, variable, url) => {
    await simulate();
    writeData(12);
    const args = labelArgs("--budget", "1", "-j", "4");
    args[args.indexOf("--model") + 1] = model;
    const ended = await run(args, { ...keys, [variable]: simulator[url] });
    expect(ended).toMatchObject({ code: 0, stderr: expect.any(String) });
    expect(output().every(({ label_status }) => label_status === "labeled")).toBe(true);
    expect(books()).toMatchObject({ spent: simulator.invoice.totalPicoUsd, held: 0n });
    expect(simulator.requests).toBe(12);
  });

  it("keeps within a budget too small for one call, and says what a call needs", async () => {
    await simulate();
    writeData(3);
    const ended = await run(labelArgs("--budget", "0.00001"));
    expect(ended.code).toBe(3);
    expect(ended.stdout).toMatch(/this call needs up to \$0\.000\d+/);
    expect(simulator.requests).toBe(0);
  });

  it("prefixes its columns where the data has one of that name", async () => {
    await simulate();
    writeFileSync(join(folder, "data.csv"), "id,text,label,autolabel_label\nx1,My top up failed,top_up_failed,old\n");
    expect((await run(labelArgs("--budget", "1"))).code).toBe(0);
    expect(output()).toMatchObject([
      {
        id: "x1",
        label: "top_up_failed",
        autolabel_label: "old",
        autolabel2_label: "top_up_failed",
        autolabel2_row_id: "x1",
      },
    ]);
  });
});

describe("data by other ways", () => {
  const piped = (...more: string[]) => ["label", "-", ...labelArgs().slice(2, -2), "--budget", "1", ...more];

  it("comes by standard input and goes on by standard output, to which nothing else is written", async () => {
    await simulate();
    const texts = writeData(20);
    const csv = readFileSync(join(folder, "data.csv"), "utf8");
    const ended = await start(piped("--format", "csv"), {}, csv).done;
    expect(ended).toMatchObject({ code: 0, stderr: expect.stringMatching(/^Done: all 20 rows labeled/m) });
    const rows: Record<string, string>[] = parse(ended.stdout, { columns: true });
    expect(rows.map(({ text }) => text)).toEqual(texts);
    expect(rows.every(({ label }) => labels.includes(label ?? ""))).toBe(true);

    const again = await run(["resume", "stdin-1", "-o", "-", "--format", "jsonl"]);
    expect(again.stderr).toContain("standard output");
    expect(
      again.stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toMatchObject(rows.map(({ text, label }) => ({ text, label })));
    const exported = await run(["export", "--to", "csv", "-o", "-"]);
    expect(exported).toMatchObject({
      code: 0,
      stdout: ended.stdout,
      stderr: expect.stringMatching(/^Exported 20 rows, to standard output/),
    });
    expect(simulator.requests).toBe(20);
  });

  it("needs a format that names tell or a person says", async () => {
    await simulate();
    expect(await start(piped(), {}, "text\na\n").done).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("say --format csv"),
    });
    expect((await start(piped("--format", "parquet"), {}, "PAR1").done).stderr).toContain("save it to a file");
    expect((await start(piped("--format", "csv"), {}, "").done).stderr).toContain("Standard input has no rows");
    expect(simulator.requests).toBe(0);
  });

  it("keeps a Parquet file's types, and tells a full disk from a lost run", async () => {
    await simulate();
    writeData(3);
    expect((await run([...labelArgs("--budget", "1"), "-o", "data.parquet"])).code).toBe(0);
    const args = labelArgs("--budget", "1", "--name", "second");
    args[1] = "data.parquet";
    expect((await run([...args, "-o", "out.parquet"])).code).toBe(0);
    expect(await parquetColumnTypes(join(folder, "out.parquet"))).toEqual(
      new Map([
        ...(await parquetColumnTypes(join(folder, "data.parquet"))),
        ...[...(await parquetColumnTypes(join(folder, "data.parquet")))]
          .filter(([name]) => name.startsWith("label"))
          .map(([name, type]) => [`autolabel_${name}`, type] as const),
        ["autolabel_row_id", "string"],
      ]),
    );
    if (!existsSync("/dev/full")) return;
    const full = spawnSync(
      "sh",
      ["-c", `"${process.execPath}" --conditions=@autolabel/source "${cli}" export second-1 --to csv -o - > /dev/full`],
      {
        cwd: folder,
        encoding: "utf8",
        env: { PATH: process.env.PATH },
      },
    );
    expect(full).toMatchObject({ status: 1, stderr: expect.stringContaining("the disk is full: free some space") });
  });
});

describe("bad input", () => {
  const flag = (name: string, value: string) => {
    const args = labelArgs("--budget", "1");
    args[args.indexOf(name) + 1] = value;
    return args;
  };
  const folderAsOutput = () => {
    mkdirSync(join(folder, "dir.csv"));
    return flag("-o", "dir.csv");
  };
  const dataOf = (content: string | Buffer) => {
    writeFileSync(join(folder, "data.csv"), content);
    return labelArgs("--budget", "1");
  };
  const cases: [string, () => string[], RegExp, Record<string, string | undefined>?][] = [
    ["a missing file", () => ["label", "nope.csv", ...labelArgs("--budget", "1").slice(2)], /nope\.csv: no such file/],
    ["an empty CSV", () => dataOf(""), /data\.csv has no rows/],
    ["bytes that are no UTF-8", () => dataOf(Buffer.from([0x74, 0x65, 0x78, 0x74, 0x0a, 0xff, 0x0a])), /not UTF-8/],
    ["a column that every object has", () => flag("--text-column", "__proto__"), /no column "__proto__"/],
    ["a folder as output", () => folderAsOutput(), /dir\.csv is a folder/],
    ["a header alone", () => dataOf("text\n"), /has no rows/],
    ["an unclosed quote", () => dataOf('text\n"a\n'), /no valid CSV: .*line 2/],
    ["a missing column", () => flag("--text-column", "txt"), /no column "txt": name one of text, category/],
    [
      "an unknown model",
      () => flag("--model", "openrouter:openai/gpt-4o-mni"),
      /did you mean openai\/gpt-4o-mini.*--input-price/,
    ],
    ["a model without provider", () => flag("--model", "gpt-4o-mini"), /such as openrouter:openai\/gpt-4o-mini/],
    ["no key", () => labelArgs("--budget", "1"), /set OPENROUTER_API_KEY/, { OPENROUTER_API_KEY: undefined }],
    ["no key of OpenAI", () => flag("--model", "openai:gpt-4o"), /set OPENAI_API_KEY/],
    ["no gateway", () => flag("--model", "corporate:m"), /set CORPORATE_BASE_URL/],
    ["a budget that is no amount", () => labelArgs("--budget", "abc"), /--budget must be an amount in USD.*"abc"/],
    ["a negative budget", () => labelArgs("--budget", "-1"), /--budget must be an amount in USD.*"-1"/],
    ["no budget", () => labelArgs(), /--budget 5 or LLM_BUDGET/],
    ["a mistyped flag", () => labelArgs("--buget", "1"), /unknown option '--buget'.*--budget/],
    ["one label", () => flag("--labels", "a"), /at least two labels/],
    ["a label twice", () => flag("--labels", "a,b,a"), /a label stands twice/],
    ["a concurrency of zero", () => labelArgs("--budget", "1", "-j", "0"), /whole number from 1/],
    ["an output that cannot be written", () => flag("-o", "out.xlsx"), /ending must be one of/],
    ["a run that does not exist", () => ["resume", "nope"], /No run in \.autolabel/],
  ];
  it.each(cases)("%s: one line that names the fix, exit 2, nothing sent", async (_name, make, message, env) => {
    await simulate();
    writeData(3);
    const ended = await run(make(), env);
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr.trim().split("\n")).toHaveLength(1);
    expect(ended.code).toBe(2);
    expect(simulator.requests).toBe(0);
    expect(existsSync(join(folder, ".autolabel", "data-1.sqlite"))).toBe(false);
  });
});
