/*
 * How fast the labeler is, and what it needs, against a provider that answers at once or after a fixed time:
 *
 *   pnpm build   (for memory and start, which run what users run)
 *   node --conditions=@autolabel/source benchmarks/labeler/index.ts [throughput] [ceiling] [memory] [long-rows] [resume] [start] [ROWS]
 *
 * throughput   256 calls in flight, 200 ms each, everything durable; beside it p-limit around fetch as one would write it
 *              by hand, without a budget, that keeps nothing. Both in turn, three rounds; the ideal is 256 / 0.2 s = 1,280 rows/s.
 * ceiling      the same at a provider that answers at once.
 * memory       the command on a CSV file of 100,000 and of ROWS (default 1,000,000) rows: the most that was resident.
 * long-rows    the same with rows of 1 MB, 100 and 1,000 of them, 4 in flight; the megabyte is in a column that is kept.
 * resume       from the start of the process to the first call, with nine of ten rows done.
 * start        from the start of the command to the end of its --help.
 *
 * Clock times mean little on a machine that others use: CPU time a row and the load are told beside them.
 */
import { type ChildProcess, fork, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createWriteStream, existsSync, mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import pLimit from "p-limit";
import { resumeRun } from "../../apps/labeler/src/engine/start-run.ts";
import { AutoLabeler, Settings } from "../../apps/labeler/src/index.ts";
import { findRun, withRuns } from "../../apps/labeler/src/store/runs.ts";

const here = import.meta.dirname;
const sections = process.argv.slice(2).filter((argument) => !/^\d+$/.test(argument));
const wants = (section: string) => sections.length === 0 || sections.includes(section);
const command = join(here, "../../apps/labeler/dist/cli.js");
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

/** How fast rows were labeled, and at what CPU time of this process. */
interface Speed {
  rowsPerSecond: number;
  cpuMicrosPerRow: number;
}

async function timed(rows: number, work: () => Promise<void>): Promise<Speed> {
  const start = performance.now();
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return { rowsPerSecond: (1000 * rows) / (performance.now() - start), cpuMicrosPerRow: (user + system) / rows };
}

/** Input is taken in before the clock starts. */
async function labelRows(url: string, rows: number, concurrency: number): Promise<Speed> {
  return await withLabeler(url, concurrency, async (labeler) => {
    const run = await labeler.start({ rows: texts(rows), column: "text" });
    const speed = await timed(rows, async () => void (await run.finish()));
    const { kind } = await run.finish();
    if (kind !== "completed" || run.counts.labeled !== rows) throw new Error(`ended as ${kind}`);
    await run.close();
    return speed;
  });
}

/** What one writes by hand: p-limit around fetch, answers in memory, no budget, nothing kept. */
async function loopRows(url: string, rows: number, concurrency: number): Promise<Speed> {
  const limit = pLimit(concurrency);
  const ask = async ({ text }: { text: string }): Promise<string> => {
    const response = await fetch(`${url}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "openai/gpt-4o-mini", messages: [{ role: "user", content: text }] }),
    });
    const { choices } = (await response.json()) as { choices: { message: { content: string } }[] };
    return String(JSON.parse(choices[0]?.message.content ?? "{}").result);
  };
  let labels: string[] = [];
  const speed = await timed(rows, async () => {
    labels = await limit.map(texts(rows), ask);
  });
  if (labels.length !== rows) throw new Error("lost rows");
  return speed;
}

async function compare(title: string, options: { latencyMs: number; rows: number; ideal: number; target: string }) {
  const [ours, byHand]: [Speed[], Speed[]] = [[], []];
  for (let round = 0; round < 3; round++) {
    await withProvider(options.latencyMs, async (url) => {
      ours.push(await labelRows(url, options.rows, 256));
      byHand.push(await loopRows(url, options.rows, 256));
    });
  }
  const tell = (speeds: readonly Speed[]) => {
    const rate = median(speeds.map(({ rowsPerSecond }) => rowsPerSecond));
    const cpu = median(speeds.map(({ cpuMicrosPerRow }) => cpuMicrosPerRow));
    const share = `${((100 * rate) / options.ideal).toFixed(0)} %`;
    return `${rate.toFixed(0)} rows/s (${share} of ${options.ideal}), ${cpu.toFixed(0)} us CPU a row`;
  };
  console.log(`${title}, ${options.rows} rows, 256 in flight, median of 3 rounds; target ${options.target}`);
  console.log(`  labeler, durable     ${tell(ours)}`);
  console.log(`  p-limit, no store    ${tell(byHand)}`);
  const ratios = ours.map(({ rowsPerSecond }, round) => rowsPerSecond / (byHand[round]?.rowsPerSecond ?? Number.NaN));
  console.log(`  labeler / p-limit    ${ratios.map((ratio) => ratio.toFixed(2)).join(", ")} by round`);
}

/** Labels a file by the command, as it was built. @returns the most memory that was resident, in MB. */
async function measureMemory(
  url: string,
  { rows, concurrency, ballast = 0 }: { rows: number; concurrency: number; ballast?: number },
): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "labeler-bench-"));
  try {
    const lines = function* () {
      const kept = "x".repeat(ballast);
      yield "text,kept\n";
      for (const { text } of texts(rows)) yield `"${text}",${kept}\n`;
    };
    await pipeline(Readable.from(lines()), createWriteStream(join(folder, "data.csv")));
    const tellMemory = "process.on('exit', () => process.send(process.resourceUsage().maxRSS / 1024))";
    const flags = `--labels refund,delivery --model ${config(1).model} --budget 1000000 -j ${concurrency} --store runs -o out.csv`;
    const child = fork(command, ["label", "data.csv", ...flags.split(" ")], {
      cwd: folder,
      env: { ...process.env, OPENROUTER_API_KEY: "none", OPENROUTER_BASE_URL: url },
      execArgv: ["--import", `data:text/javascript,${encodeURIComponent(tellMemory)}`],
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    const told = once(child, "message");
    const [code] = await once(child, "exit");
    if (code !== 0) throw new Error(`the command ended with ${String(code)}`);
    const [megabytes] = (await told) as [number];
    const size = ballast === 0 ? "" : ` of ${ballast / 1e6} MB`;
    console.log(
      `memory, ${rows} rows${size} from file to file: at most ${megabytes.toFixed(0)} MB resident; target 300 MB`,
    );
    return megabytes;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compareMemory(
  url: string,
  { few, many, ...rest }: { few: number; many: number; concurrency: number; ballast?: number },
): Promise<void> {
  const before = await measureMemory(url, { rows: few, ...rest });
  const growth = (await measureMemory(url, { rows: many, ...rest })) - before;
  console.log(`memory, growth from ${few} to ${many} rows: ${growth.toFixed(0)} MB; target 50 MB`);
}

/** The command's help, as it was built. */
function measureStart(): void {
  const help = () => {
    const start = performance.now();
    const { status } = spawnSync(process.execPath, [command, "--help"]);
    if (status !== 0) throw new Error(`--help ended with ${String(status)}`);
    return performance.now() - start;
  };
  const times = Array.from({ length: 21 }, help);
  console.log(`start: --help after ${median(times).toFixed(0)} ms, median of 21; target 300 ms`);
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
    console.log(`resume: ${seconds.toFixed(1)} s from the start of the process to the first call; target 5 s`);
    return send(...request);
  };
  await withRuns(store, async (runs) => {
    const known = await findRun(runs, "bench-1");
    const run = await resumeRun({ runs, run: known, settings: new Settings({ ...settings(url), store }) });
    setTimeout(() => run.stop(), 1000);
    await run.finish();
    await run.close();
  });
}

/** This script once more, in a process of its own. */
async function again(args: string[]): Promise<void> {
  const child = fork(import.meta.filename, args, { execArgv: process.execArgv });
  await once(child, "exit");
}

const rows = Number(process.argv.find((argument) => /^\d+$/.test(argument)) ?? 1_000_000);
const [section, url = "", argument = ""] = process.argv.slice(2);
if (section === "first-call") await measureFirstCall(url, argument);
else {
  if ((wants("memory") || wants("long-rows") || wants("start")) && !existsSync(command))
    throw new Error(`Build ${command} first: pnpm build`);
  const model = cpus()[0]?.model ?? "unknown";
  console.log(`${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, ${cpus().length} x ${model}`);
  const tellLoad = () => console.log(`  (load of the last minute ${loadavg()[0]?.toFixed(1)})`);
  tellLoad();
  if (wants("throughput")) {
    const target = "90 % of the ideal";
    await compare("throughput, 200 ms a call", { latencyMs: 200, rows: 12_800, ideal: 1280, target });
    tellLoad();
  }
  if (wants("ceiling")) {
    const target = "5,000 rows/s";
    await compare("ceiling, 0 ms a call", { latencyMs: 0, rows: 10_000, ideal: 5000, target });
    tellLoad();
  }
  if (wants("memory")) {
    await withProvider(0, async (provider) => {
      await compareMemory(provider, { few: 100_000, many: rows, concurrency: 256 });
    });
    tellLoad();
  }
  if (wants("long-rows")) {
    await withProvider(0, async (provider) => {
      await compareMemory(provider, { few: 100, many: 1000, concurrency: 4, ballast: 1_000_000 });
    });
    tellLoad();
  }
  if (wants("resume")) {
    await withProvider(0, (provider) => measureResume(provider, rows));
    tellLoad();
  }
  if (wants("start")) measureStart();
}
