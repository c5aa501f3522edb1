import { type ChildProcess, fork } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type Simulator, startSimulator } from "@autolabel/simulator";
import { bundleChild } from "../bundle-child.ts";
import { allBilled, checkBooks } from "../check-books.ts";
import { type Engine, engineNamed, type Store } from "../engines.ts";
import { alertsDue, type CrashOrder, type CrashReport, callsPerChild } from "./crash-order.ts";

/** What came of killing processes. */
export interface CrashSummary {
  /** How many were killed. One or two may end before: two calls at a time take turns by chance. */
  killed: number;
  /** How many points a process has. */
  points: number;
  /** Names of the points: `before settle`. */
  pointNames: ReadonlySet<string>;
  /** What the provider billed the killed processes for, in pico-USD. */
  billedPicoUsd: bigint;
  /** Calls that were unresolved after a crash. */
  unresolved: number;
  /** What was wrong; empty for a ledger that loses nothing. */
  failures: string[];
}

/** Options of {@link runCrashes}. */
export interface CrashOptions {
  engine: string;
  /** How many processes to kill, spread over all points; where there are fewer, round after round with other seeds. */
  kills: number;
  /** Chooses points and prompts. Print it. */
  seed: number;
  /** How many processes at a time. Default 3. */
  parallel?: number;
}

/** Far above what the calls of a child cost, so that no call waits; low enough that alerts are due. */
const budgetPicoUsd = 300_000_000n;

/**
 * Kills processes by SIGKILL right before a trip to the store or to the provider, with the request on its way, or right
 * after it; reopens the ledger, recovers, and holds the books against the provider's invoice.
 */
export async function runCrashes({ engine: name, kills, seed, parallel = 3 }: CrashOptions): Promise<CrashSummary> {
  const engine = engineNamed(name);
  const store = await engine.start();
  const file = await bundleChild(join(import.meta.dirname, "crashing-child.ts"));
  const summary = {
    killed: 0,
    points: 0,
    pointNames: new Set<string>(),
    billedPicoUsd: 0n,
    unresolved: 0,
    failures: [] as string[],
  };
  try {
    // The first one leaves what only the first one brings along, such as scripts that a server keeps.
    await uninterrupted({ name, engine, store, seed, file });
    const whole = await uninterrupted({ name, engine, store, seed, file });
    for (const point of whole.points) summary.pointNames.add(point);
    summary.points = whole.points.length;
    const chosen = spread(whole.points.length, kills, seed);
    const lane = async () => {
      const simulator = await startSimulator({ seed });
      let child = startChild(file);
      for (let kill = chosen.pop(); kill !== undefined; kill = chosen.pop()) {
        const current = child;
        // The next one starts while this one works.
        child = startChild(file);
        await killOne({ name, engine, store, simulator, child: current, ...kill, summary });
      }
      child.process.kill("SIGKILL");
      await child.ended;
      await simulator.close();
    };
    await Promise.all(Array.from({ length: parallel }, lane));
  } finally {
    rmSync(file);
    await store.stop();
  }
  return summary;
}

interface Child {
  process: ChildProcess;
  ready: Promise<void>;
  ended: Promise<NodeJS.Signals | null>;
  report: Promise<CrashReport | undefined>;
}

function startChild(file: string): Child {
  const child = fork(file, { execArgv: [], stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const messages: unknown[] = [];
  const ready = new Promise<void>((resolve) => {
    child.on("message", (message) => (message === "ready" ? resolve() : messages.push(message)));
  });
  const ended = new Promise<NodeJS.Signals | null>((resolve) =>
    child.once("close", (_code, signal) => resolve(signal)),
  );
  return { process: child, ready, ended, report: ended.then(() => messages[0] as CrashReport | undefined) };
}

/** A child that runs to its end: how many points there are, and that the books are right without a crash. */
async function uninterrupted(options: {
  name: string;
  engine: Engine;
  store: Store;
  seed: number;
  file: string;
}): Promise<CrashReport> {
  const simulator = await startSimulator({ seed: options.seed });
  const url = await options.store.freshUrl();
  const child = startChild(options.file);
  await child.ready;
  child.process.send(orderOf(options.name, url, { simulator, seed: options.seed, killAt: undefined }));
  const report = await child.report;
  if (!report) throw new Error("A process under test ended by itself: see its error above");
  const { count, totalPicoUsd } = simulator.invoice;
  await simulator.close();
  const ledger = await options.engine.open(url);
  const [account] = (await ledger.inspect({ scopes: ["project"] })).accounts;
  await ledger.close();
  if (count !== callsPerChild || account?.spentPicoUsd !== totalPicoUsd || report.alerts.join() !== alertsDue.join()) {
    throw new Error(
      `Without a crash: ${count} calls, ${account?.spentPicoUsd} of ${totalPicoUsd}, alerts ${report.alerts.join()}`,
    );
  }
  return report;
}

function orderOf(
  engine: string,
  url: string,
  { simulator, seed, killAt }: { simulator: Simulator; seed: number; killAt: number | undefined },
): CrashOrder {
  const baseUrl = simulator.openRouterUrl;
  return { engine, url, baseUrl, seed, killAt, budgetPicoUsd: String(budgetPicoUsd) };
}

interface Kill {
  name: string;
  engine: Engine;
  store: Store;
  simulator: Simulator;
  child: Child;
  killAt: number;
  seed: number;
  summary: Pick<CrashSummary, "failures"> & { killed: number; billedPicoUsd: bigint; unresolved: number };
}

async function killOne({ name, engine, store, simulator, child, killAt, seed, summary }: Kill): Promise<void> {
  const url = await store.freshUrl();
  simulator.reset();
  await child.ready;
  child.process.send(orderOf(name, url, { simulator, seed, killAt }));
  const signal = await child.ended;
  const fail = (message: string) => summary.failures.push(`point ${killAt}, seed ${seed}: ${message}`);
  if (signal === "SIGKILL") summary.killed++;
  else if (!(await child.report)) fail("the process ended by itself, and without a word");
  await allBilled(simulator);
  await store.quiet(url);

  const ledger = await engine.open(url);
  try {
    const { billedPicoUsd, unresolved, failures } = await checkBooks(ledger, simulator);
    summary.billedPicoUsd += billedPicoUsd;
    summary.unresolved += unresolved;
    failures.forEach(fail);
  } catch (error) {
    fail(String(error));
  } finally {
    await ledger.close();
  }
}

/** So many of `total` points: one at random out of each equal part, or all of them again and again with other seeds. */
function spread(total: number, wanted: number, seed: number): { killAt: number; seed: number }[] {
  if (wanted >= total) {
    return Array.from({ length: wanted }, (_, kill) => ({
      killAt: kill % total,
      seed: seed + Math.floor(kill / total),
    }));
  }
  let state = seed;
  return Array.from({ length: wanted }, (_, part) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    const [from, to] = [Math.floor((part * total) / wanted), Math.floor(((part + 1) * total) / wanted)];
    return { killAt: from + (state % (to - from)), seed };
  });
}
