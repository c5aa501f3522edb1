import { type ChildProcess, fork } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type Simulator, startSimulator } from "@autolabel/simulator";
import { bundleChild } from "../bundle-child.ts";
import { allBilled, checkBooks } from "../check-books.ts";
import { type Engine, engineNamed, type Store } from "../engines.ts";
import { Seeded } from "../seeded.ts";
import { alertsDue, type CrashOrder, type CrashReport } from "./crash-order.ts";

/** What came of killing processes. */
export interface CrashSummary {
  /** All points that a process has: `before settle 3`. */
  points: readonly string[];
  /** Where processes were killed. Steps that share a trip by chance may leave out a point: then that process ends by itself. */
  killedAt: string[];
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
  /**
   * How many processes to kill: in turn before, during and after each step, until every point had its kill; then again,
   * with another seed.
   */
  kills: number;
  /** Chooses points and prompts. Print it. */
  seed: number;
  /** How many calls a process makes; it has some ten points for each. Default 6. */
  calls?: number;
  /** How many processes at a time. Default 3. */
  parallel?: number;
}

/** Far above what a call costs, so that none waits; low enough that alerts are due. */
const budgetPerCallPicoUsd = 50_000_000n;

/**
 * Kills processes by SIGKILL right before a trip to the store or to the provider, with the request on its way, or right
 * after it; reopens the ledger, recovers, and holds the books against the provider's invoice.
 */
export async function runCrashes(options: CrashOptions): Promise<CrashSummary> {
  const { engine: name, kills, seed, calls = 6, parallel = 3 } = options;
  const engine = engineNamed(name);
  const store = await engine.start();
  const file = await bundleChild(join(import.meta.dirname, "crashing-child.ts"));
  const summary: CrashSummary = { points: [], killedAt: [], billedPicoUsd: 0n, unresolved: 0, failures: [] };
  try {
    // The first one leaves what only the first one brings along, such as scripts that a server keeps.
    await uninterrupted({ name, engine, store, seed, calls, file });
    summary.points = (await uninterrupted({ name, engine, store, seed, calls, file })).points;
    const chosen = inTurn(summary.points, seed);
    let [orders, working] = [0, 0];
    const lane = async () => {
      const simulator = await startSimulator({ seed });
      let child = startChild(file);
      // A process that passed its point by is replaced by another, but a ledger without points must come to an end.
      while (summary.killedAt.length + working < kills && orders < 2 * kills) {
        orders++;
        working++;
        const current = child;
        // The next one starts while this one works.
        child = startChild(file);
        await killOne({ name, engine, store, simulator, calls, child: current, ...chosen.next().value, summary });
        working--;
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
  calls: number;
  file: string;
}): Promise<CrashReport> {
  const { name, seed, calls } = options;
  const simulator = await startSimulator({ seed });
  const url = await options.store.freshUrl();
  const child = startChild(options.file);
  await child.ready;
  child.process.send(orderOf(name, url, { simulator, seed, calls, killAt: undefined }));
  const report = await child.report;
  if (!report) throw new Error("A process under test ended by itself: see its error above");
  const { count, totalPicoUsd } = simulator.invoice;
  await simulator.close();
  const ledger = await options.engine.open(url);
  const [account] = (await ledger.inspect({ scopes: ["project"] })).accounts;
  await ledger.close();
  if (count !== calls || account?.spentPicoUsd !== totalPicoUsd || report.alerts.join() !== alertsDue.join()) {
    throw new Error(
      `Without a crash: ${count} calls, ${account?.spentPicoUsd} of ${totalPicoUsd}, alerts ${report.alerts.join()}`,
    );
  }
  return report;
}

function orderOf(
  engine: string,
  url: string,
  { simulator, ...rest }: Pick<CrashOrder, "seed" | "calls" | "killAt"> & { simulator: Simulator },
): CrashOrder {
  const budgetPicoUsd = String(budgetPerCallPicoUsd * BigInt(rest.calls));
  return { engine, url, baseUrl: simulator.openRouterUrl, ...rest, budgetPicoUsd };
}

interface Kill {
  name: string;
  engine: Engine;
  store: Store;
  simulator: Simulator;
  child: Child;
  killAt: string;
  seed: number;
  calls: number;
  summary: CrashSummary;
}

async function killOne({ name, engine, store, simulator, child, summary, ...kill }: Kill): Promise<void> {
  const url = await store.freshUrl();
  simulator.reset();
  await child.ready;
  child.process.send(orderOf(name, url, { simulator, ...kill }));
  const signal = await child.ended;
  const fail = (message: string) => summary.failures.push(`${kill.killAt}, seed ${kill.seed}: ${message}`);
  if (signal === "SIGKILL") summary.killedAt.push(kill.killAt);
  else if (!(await child.report)) fail("the process ended by itself, and without a word");
  await allBilled(simulator);
  await store.quiet(url);

  const ledger = await engine.open(url);
  try {
    const { billedPicoUsd, unresolved, failures } = await checkBooks(ledger, simulator, engine.isSliced);
    summary.billedPicoUsd += billedPicoUsd;
    summary.unresolved += unresolved;
    failures.forEach(fail);
  } catch (error) {
    fail(String(error));
  } finally {
    await ledger.close();
  }
}

/** Points in turn of each kind (`before settle`); none again before all had their turn, and then with another seed. */
function* inTurn(points: readonly string[], seed: number): Generator<Pick<Kill, "killAt" | "seed">, never> {
  const random = new Seeded(seed);
  for (let round = 0; ; round++) {
    const kinds = [...new Set(points.map(kindOf))].map((kind) => points.filter((point) => kindOf(point) === kind));
    while (kinds.some((left) => left.length > 0)) {
      for (const left of kinds) {
        const [killAt] = left.splice(random.between(0, left.length - 1), 1);
        if (killAt !== undefined) yield { killAt, seed: seed + round };
      }
    }
  }
}

/** A point without its number: `before settle`. */
export function kindOf(point: string): string {
  return point.slice(0, point.lastIndexOf(" "));
}
