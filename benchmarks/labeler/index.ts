/*
 * How fast the labeler is, and what it needs, against a provider that answers at once or after a fixed time:
 *
 *   node --expose-gc --conditions=@autolabel/source benchmarks/labeler/index.ts [throughput] [ceiling] [memory] [resume] [ROWS]
 *
 * throughput   256 calls in flight, 200 ms each, everything durable; beside it a loop over fetch as one would write it by
 *              hand, that keeps nothing. Both in turn, three rounds; the ideal is 256 / 0.2 s = 1,280 rows/s.
 * ceiling      the same at a provider that answers at once.
 * memory       resident memory while 100,000 and ROWS (default 1,000,000) rows are labeled.
 * resume       from the start of the process to the first call, with nine of ten rows done.
 */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { resumeRun } from "../../apps/labeler/src/engine/start-run.ts";
import { AutoLabeler, Settings } from "../../apps/labeler/src/index.ts";
import { findRun } from "../../apps/labeler/src/store/runs.ts";

const here = import.meta.dirname;
const sections = process.argv.slice(2).filter((argument) => !/^\d+$/.test(argument));
const wants = (section: string) => sections.length === 0 || sections.includes(section);
const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function withProvider<T>(latencyMs: number, work: (url: string) => Promise<T>): Promise<T> {
  const provider: ChildProcess = spawn(process.execPath, [join(here, "provider.ts"), String(latencyMs)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const port = await new Promise<string>((resolve) =>
      provider.stdout?.once("data", (text) => resolve(`${text}`.trim())),
    );
    return await work(`http://127.0.0.1:${port}`);
  } finally {
    provider.kill();
  }
}

const settings = (url: string) => ({ openrouterApiKey: "none", openrouterBaseUrl: url });
const config = (concurrency: number) => ({
  model: "openrouter:openai/gpt-4o-mini",
  labels: ["refund", "delivery"],
  budget: 1_000_000,
  concurrency,
});

function* texts(count: number): Generator<{ text: string }> {
  for (let index = 0; index < count; index++) yield { text: `I want a refund for order ${index}, it never arrived` };
}

async function withLabeler<T>(
  url: string,
  concurrency: number,
  work: (labeler: AutoLabeler) => Promise<T>,
): Promise<T> {
  const store = mkdtempSync(join(tmpdir(), "labeler-bench-"));
  try {
    return await work(new AutoLabeler("bench", { ...settings(url), store }, config(concurrency)));
  } finally {
    rmSync(store, { recursive: true, force: true });
  }
}

/** Rows per second, input taken in before the clock starts. */
async function labelRows(url: string, rows: number, concurrency: number): Promise<number> {
  return await withLabeler(url, concurrency, async (labeler) => {
    const run = await labeler.start({ rows: texts(rows), column: "text" });
    const start = performance.now();
    const outcome = await run.finish();
    const seconds = (performance.now() - start) / 1000;
    if (outcome.kind !== "completed" || run.counts.labeled !== rows) throw new Error(`ended as ${outcome.kind}`);
    await run.close();
    return rows / seconds;
  });
}

/** What one writes by hand: so many fetches at once, answers in memory, no budget, nothing kept. */
async function loopRows(url: string, rows: number, concurrency: number): Promise<number> {
  const labels: string[] = [];
  const source = texts(rows);
  const start = performance.now();
  const work = async () => {
    for (let next = source.next(); !next.done; next = source.next()) {
      const response = await fetch(`${url}/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: "openai/gpt-4o-mini", messages: [{ role: "user", content: next.value.text }] }),
      });
      const { choices } = (await response.json()) as { choices: { message: { content: string } }[] };
      labels.push(String(JSON.parse(choices[0]?.message.content ?? "{}").result));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  if (labels.length !== rows) throw new Error("lost rows");
  return rows / ((performance.now() - start) / 1000);
}

async function compare(title: string, options: { latencyMs: number; rows: number; ideal?: number }) {
  const [ours, byHand]: [number[], number[]] = [[], []];
  for (let round = 0; round < 3; round++) {
    await withProvider(options.latencyMs, async (url) => {
      ours.push(await labelRows(url, options.rows, 256));
      byHand.push(await loopRows(url, options.rows, 256));
    });
  }
  const of = (rate: number) => (options.ideal ? ` (${((100 * rate) / options.ideal).toFixed(0)} % of the ideal)` : "");
  console.log(`${title}, ${options.rows} rows, 256 in flight, median of 3 rounds`);
  console.log(`  labeler, durable     ${median(ours).toFixed(0)} rows/s${of(median(ours))}`);
  console.log(`  fetch loop, no store ${median(byHand).toFixed(0)} rows/s${of(median(byHand))}`);
}

/** Labels so many rows in this process and says how much memory it had at most. */
async function measureMemory(url: string, rows: number) {
  await withLabeler(url, 256, async (labeler) => {
    const run = await labeler.start({ rows: texts(rows), column: "text" });
    let peak = 0;
    const timer = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage.rss());
    }, 100);
    await run.finish();
    const output = join(tmpdir(), `bench-${process.pid}.csv`);
    await run.writeTo(output);
    clearInterval(timer);
    rmSync(output);
    console.log(`memory, ${rows} rows: at most ${(peak / 2 ** 20).toFixed(0)} MB resident`);
    await run.close();
  });
}

/** Takes rows in, counts nine of ten as done, and lets another process go on with them. */
async function measureResume(url: string, rows: number) {
  const store = mkdtempSync(join(tmpdir(), "labeler-bench-"));
  try {
    const labeler = new AutoLabeler("bench", { ...settings(url), store }, config(64));
    const run = await labeler.start({ rows: texts(rows), column: "text" });
    await run.close();
    const database = new DatabaseSync(join(store, "bench-1.sqlite"));
    database.exec(`UPDATE rows SET status = 'labeled', label = '"refund"' WHERE position < ${Math.floor(rows * 0.9)};
      INSERT INTO attempts (position, reservation_id, cost_pico_usd, kind)
        SELECT position, position, 18000000, 'reported' FROM rows WHERE status = 'labeled'`);
    database.close();
    await again(["first-call", url, store]);
  } finally {
    rmSync(store, { recursive: true, force: true });
  }
}

/** Goes on with a run and says when the first call left, from the start of this process. */
async function measureFirstCall(url: string, store: string) {
  const send = globalThis.fetch;
  globalThis.fetch = (...request) => {
    globalThis.fetch = send;
    const seconds = (Date.now() - performance.timeOrigin) / 1000;
    console.log(`resume: ${seconds.toFixed(1)} s from the start of the process to the first call`);
    return send(...request);
  };
  const run = await resumeRun({ run: findRun(store, "bench-1"), settings: new Settings({ ...settings(url), store }) });
  setTimeout(() => run.stop(), 1000);
  await run.finish();
  await run.close();
}

/** This script once more, in a process of its own. */
async function again(args: string[]): Promise<void> {
  const child = fork(import.meta.filename, args, { execArgv: process.execArgv });
  await once(child, "exit");
}

const rows = Number(process.argv.find((argument) => /^\d+$/.test(argument)) ?? 1_000_000);
const [section, url = "", argument = ""] = process.argv.slice(2);
if (section === "memory-of") await measureMemory(url, Number(argument));
else if (section === "first-call") await measureFirstCall(url, argument);
else {
  if (wants("throughput")) await compare("throughput, 200 ms a call", { latencyMs: 200, rows: 12_800, ideal: 1280 });
  if (wants("ceiling")) await compare("ceiling, 0 ms a call", { latencyMs: 0, rows: 10_000 });
  if (wants("memory")) {
    await withProvider(0, async (provider) => {
      for (const count of [100_000, rows]) await again(["memory-of", provider, String(count)]);
    });
  }
  if (wants("resume")) await withProvider(0, (provider) => measureResume(provider, rows));
}
