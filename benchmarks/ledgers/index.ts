import { once } from "node:events";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import type { Ledger, Receipt } from "@autolabel/budget-core";
import { verifyLedger } from "@autolabel/budget-core/audit";
import { type Subject, subjects } from "./subjects.ts";

// pnpm bench:ledgers [--rounds 5, 0 for recovery alone] [--ms 400] [--holds 100000] [--store redis]

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    ms: { type: "string", default: "400" },
    holds: { type: "string", default: "100000" },
    store: { type: "string", default: "" },
  },
});
const rounds = Number(values.rounds);
const roundMs = Number(values.ms);
const holds = Number(values.holds);
const chosen = Object.entries(subjects).filter(([name]) => name.toLowerCase().includes(values.store.toLowerCase()));

const amountPicoUsd = 3_000_000n;
const receipt: Receipt = { costPicoUsd: 1_000_000n, modelId: "gpt-4o-mini" };
const accounts = Array.from({ length: 3 }, (_, index) => ({
  scope: `scope ${index}`,
  window: "all",
  limitPicoUsd: 10n ** 18n,
}));
let ids = 0;

/** One call from start to end: money held, marked as sent, settled. */
async function lifecycle(ledger: Ledger, scopes: number, time: (ms: number) => void): Promise<void> {
  const id = `call ${ids++}`;
  const timed = async (step: () => Promise<unknown>) => {
    const startedAt = performance.now();
    await step();
    time(performance.now() - startedAt);
  };
  await timed(() => ledger.reserve({ id, accounts: accounts.slice(0, scopes), amountPicoUsd, leaseMs: 600_000 }));
  await timed(() => ledger.markDispatched(id));
  await timed(() => ledger.settle(id, receipt));
}

interface Timing {
  perSecond: number;
  p50: number;
  p99: number;
  /** The slowest percent of single steps: reserve, markDispatched or settle. */
  stepP99: number;
}

/** Does it again and again in so many lanes at once, for the time of a round. */
async function timeOf(work: (time: (ms: number) => void) => Promise<unknown>, concurrent: number): Promise<Timing> {
  const samples: number[] = [];
  const steps: number[] = [];
  const startedAt = performance.now();
  const lane = async () => {
    for (let now = performance.now(); now - startedAt < roundMs; ) {
      const before = now;
      await work((ms) => steps.push(ms));
      now = performance.now();
      samples.push(now - before);
    }
  };
  await Promise.all(Array.from({ length: concurrent }, lane));
  const seconds = (performance.now() - startedAt) / 1000;
  const [p50, p99, stepP99] = [quantile(samples, 0.5), quantile(samples, 0.99), quantile(steps, 0.99)];
  return { perSecond: samples.length / seconds, p50, p99, stepP99 };
}

function quantile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? 0;
}

const pool = { scope: "pool", window: "all", limitPicoUsd: null };

/** What a dead process leaves behind in a pool: half of it sent, half of it not. */
async function leaveHolds(ledger: Ledger): Promise<void> {
  const dead = { scope: "dead", window: "all", limitPicoUsd: null };
  for (let from = 0; from < holds; from += 1000) {
    const some = Array.from({ length: Math.min(1000, holds - from) }, (_, index) => `hold ${from + index}`);
    await Promise.all(
      some.map((id) => ledger.reserve({ id, accounts: [dead, pool], amountPicoUsd, leaseMs: 600_000 })),
    );
    await Promise.all(some.filter((_, index) => index % 2 === 0).map((id) => ledger.markDispatched(id)));
  }
}

/** How long it takes, and how long a step of another thread's calls on the same pool took meanwhile. */
async function timeBeside(work: () => Promise<unknown>, { address }: Subject): Promise<string> {
  const others = address && new Worker(new URL("other-calls.ts", import.meta.url), { workerData: { address, pool } });
  if (others) await once(others, "message");
  const startedAt = performance.now();
  await work();
  const text = `${((performance.now() - startedAt) / 1000).toFixed(2)} s`;
  if (!others) return text;
  others.postMessage("stop");
  const [longestMs] = (await once(others, "message")) as [number];
  return `${text}, others waited ${longestMs.toFixed(0)} ms at most`;
}

/** To sort out what a dead process left behind, and to look at the books then. */
async function afterCrash(subject: Subject): Promise<{ recovery: string; inspect: string }> {
  const { ledger } = subject;
  await leaveHolds(ledger);
  const recovery = await timeBeside(async () => {
    const unresolved = await ledger.recover({ abandonedScope: "dead" });
    if (unresolved.length !== holds / 2) throw new Error(`${unresolved.length} of ${holds / 2} are unresolved`);
  }, subject);
  const inspect = await timeBeside(async () => {
    const differences = verifyLedger(await ledger.inspect());
    if (differences.length > 0) throw new Error(`The books do not add up: ${JSON.stringify(differences[0]?.field)}`);
  }, subject);
  return { recovery, inspect };
}

interface Case {
  store: string;
  what: string;
  scopes: number;
  concurrent: number;
  timings: Timing[];
}

const cases: Case[] = [];
for (const scopes of [1, 3]) {
  for (const concurrent of [1, 8, 64]) {
    for (const [store] of chosen) {
      for (const what of ["ledger", "naive"]) cases.push({ store, what, scopes, concurrent, timings: [] });
    }
  }
}
const started = new Map<string, Subject>();
for (const [name, start] of chosen) started.set(name, await start());
// Round after round over all cases, so that a busy moment of the machine hits them alike. The first one warms up.
for (let round = 0; rounds > 0 && round <= rounds; round++) {
  for (const each of cases) {
    const { ledger, add } = started.get(each.store) as Subject;
    const work = (time: (ms: number) => void) =>
      each.what === "ledger" ? lifecycle(ledger, each.scopes, time) : add(each.scopes);
    const timing = await timeOf(work, each.concurrent);
    if (round > 0) each.timings.push(timing);
  }
}

console.log(
  `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}, store on the same machine`,
);
if (rounds > 0) {
  console.log(`Lifecycles: reserve + markDispatched + settle, medians of ${rounds} rounds.`);
  console.log("Naive: one addition a scope, no hold, no limit.");
  console.table(cases.map(rowOf));
}
console.log(
  `Recovery of ${holds} holds, half of them sent (target D8: 1 s); then inspection, with ${holds / 2} unresolved. Others: calls one by one on the same pool`,
);
const outcomes: Record<string, { recovery: string; inspect: string }> = {};
for (const [name, subject] of started) {
  outcomes[name] = await afterCrash(subject);
  await subject.stop();
}
console.table(outcomes);

function rowOf({ store, what, scopes, concurrent, timings }: Case) {
  const of = (key: keyof Timing) =>
    quantile(
      timings.map((timing) => timing[key]),
      0.5,
    );
  const name = what === "naive" ? `  ${started.get(store)?.naive}` : store;
  return {
    store: name,
    scopes,
    concurrent,
    "per s": Math.round(of("perSecond")),
    "p50 ms": of("p50").toFixed(3),
    "p99 ms": of("p99").toFixed(3),
    "step p99 ms": what === "naive" ? "" : of("stepP99").toFixed(3),
    target: what === "naive" ? "" : targetOf(store, concurrent),
  };
}

/** Goals that were set for the ledgers before they were built. */
function targetOf(store: string, concurrent: number): string {
  if (store === "memory") return concurrent === 1 ? "D4: 400,000 per s" : "";
  if (store.startsWith("SQLite")) return concurrent === 64 ? "D6: 10,000 per s, step p99 2 ms" : "";
  return concurrent === 64 ? "D7: step p99 3 ms" : "";
}
