import { type ChildProcess, fork } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { CostTracker, type Ledger } from "@autolabel/budget-core";
import { verifyLedger } from "@autolabel/budget-core/audit";
import { type Simulator, startSimulator } from "@autolabel/simulator";
import { bundleChild } from "../bundle-child.ts";
import { type Engine, engineNamed, type Store } from "../engines.ts";
import { alertsDue, type CrashOrder, type CrashReport, callsPerChild } from "./crash-order.ts";

/** What came of killing processes. */
export interface CrashSummary {
  /** How many were killed, at different points. One or two may end before: two calls at a time take turns by chance. */
  killed: number;
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
  /** How many points to kill at, spread over all of them. */
  kills: number;
  /** Chooses the points. Print it. */
  seed: number;
  /** How many processes at a time. Default 3. */
  parallel?: number;
}

/** Far above what the calls of a child cost, so that no call waits; low enough that alerts are due. */
const budgetPicoUsd = 300_000_000n;

/**
 * Kills processes by SIGKILL right before or after a trip to the store or to the provider, reopens the ledger, recovers,
 * and holds the books against the provider's invoice: nothing that was billed is missing, nothing that was sent is free.
 */
export async function runCrashes({ engine: name, kills, seed, parallel = 3 }: CrashOptions): Promise<CrashSummary> {
  const engine = engineNamed(name);
  const store = await engine.start();
  const file = await bundleChild(join(import.meta.dirname, "crashing-child.ts"));
  const summary = {
    killed: 0,
    pointNames: new Set<string>(),
    billedPicoUsd: 0n,
    unresolved: 0,
    failures: [] as string[],
  };
  try {
    const whole = await uninterrupted({ name, engine, store, seed, file });
    for (const point of whole.points) summary.pointNames.add(point);
    const chosen = spread(whole.points.length, kills, seed);
    const lane = async () => {
      const simulator = await startSimulator({ seed });
      let child = startChild(file);
      for (let killAt = chosen.pop(); killAt !== undefined; killAt = chosen.pop()) {
        const current = child;
        // The next one starts while this one works.
        child = startChild(file);
        await killOne({ name, engine, store, simulator, child: current, killAt, seed, summary });
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

  const ledger = await engine.open(url);
  try {
    await checkBooks(ledger, simulator, { fail, summary });
  } catch (error) {
    fail(String(error));
  } finally {
    await ledger.close();
  }
}

/** Requests of a dead process may still be on their way into the simulator, which bills them all the same. */
async function allBilled(simulator: Simulator): Promise<void> {
  for (let quiet = 0; quiet < 20; quiet = simulator.inFlight === 0 ? quiet + 1 : 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function checkBooks(
  ledger: Ledger,
  simulator: Simulator,
  { fail, summary }: { fail: (message: string) => void; summary: Kill["summary"] },
): Promise<void> {
  const tracker = new CostTracker({ name: "project", ledger });
  const unresolved = await tracker.recover({ abandoned: true });
  const ids = new Set(unresolved.map(({ id }) => id));
  const { lines, totalPicoUsd } = simulator.invoice;
  const stats = (await tracker.getStats()).exact;
  const spent = stats.spent.picoUsd;

  // Each request was billed under the id of its reservation: what is not unresolved must be in the books, exactly.
  const known = lines.filter(({ apiKey }) => !ids.has(apiKey)).reduce((sum, line) => sum + line.costPicoUsd, 0n);
  if (known !== spent) fail(`${known} was billed for calls that are not unresolved, ${spent} is in the books`);
  if (totalPicoUsd > spent + stats.unresolved.picoUsd)
    fail(`lost spend: ${totalPicoUsd} billed, ${spent} in the books`);
  if (stats.held.picoUsd !== 0n) fail(`${stats.held.picoUsd} is held by nobody`);
  summary.billedPicoUsd += totalPicoUsd;
  summary.unresolved += unresolved.length;

  for (const difference of verifyLedger(await ledger.inspect()))
    fail(`${difference.field} ${difference.shown} != ${difference.expected}`);
  for (const { id } of unresolved) {
    const line = lines.find(({ apiKey }) => apiKey === id);
    await tracker.resolve(id, line ? { costPicoUsd: line.costPicoUsd } : { writeOff: "not on the invoice" });
  }
  const after = (await tracker.getStats()).exact;
  if (after.spent.picoUsd !== totalPicoUsd) fail(`${after.spent.picoUsd} after evidence, ${totalPicoUsd} billed`);
  if (verifyLedger(await ledger.inspect()).length > 0) fail("the books do not add up after evidence");
}

/** So many of `total` points: all of them, or one at random out of each equal part. */
function spread(total: number, wanted: number, seed: number): number[] {
  if (wanted >= total) return Array.from({ length: total }, (_, index) => index);
  let state = seed;
  return Array.from({ length: wanted }, (_, part) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    const [from, to] = [Math.floor((part * total) / wanted), Math.floor(((part + 1) * total) / wanted)];
    return from + (state % (to - from));
  });
}
