import { CostTracker, MemoryLedger, type Quote, type Receipt } from "@autolabel/budget-core";
import { Budget, MemoryStore } from "llm-budget";

// node --expose-gc --conditions=@autolabel/source benchmarks/tracker.ts

/** One call from start to end: money held, marked as sent, settled. */
type Lifecycle = (index: number) => Promise<void>;

const quote: Quote = { boundPicoUsd: 3_000_000n };
const receipt: Receipt = { costPicoUsd: 1_000_000n, modelId: "gpt-4o-mini" };

/** A tracker under as many outer budgets as it takes. */
function trackerOf(scopes: number): CostTracker {
  let tracker = new CostTracker({ budget: 1_000_000, name: "outermost" });
  for (let scope = 1; scope < scopes; scope++) tracker = tracker.child({ budget: 1_000_000, name: `scope ${scope}` });
  return tracker;
}

function trackerLifecycle(scopes: number): Lifecycle {
  const tracker = trackerOf(scopes);
  return async () => {
    const hold = await tracker.reserve(quote);
    await hold.markDispatched();
    await hold.settle(receipt);
  };
}

function ledgerLifecycle(scopes: number): Lifecycle {
  const ledger = new MemoryLedger();
  const accounts = Array.from({ length: scopes }, (_, index) => ({
    scope: `scope ${index}`,
    window: "all",
    limitPicoUsd: 10n ** 18n,
  }));
  return async (index) => {
    const id = `call ${index}`;
    await ledger.reserve({ id, accounts, amountPicoUsd: quote.boundPicoUsd, leaseMs: 60_000 });
    await ledger.markDispatched(id);
    await ledger.settle(id, receipt);
  };
}

/** What most code does: look, call, add. It holds nothing, so concurrent calls pass the limit. */
function naiveLifecycle(): Lifecycle {
  const limit = 1_000_000;
  let spent = 0;
  return async () => {
    if (spent >= limit) throw new Error("over budget");
    await Promise.resolve();
    spent += 0.000001;
  };
}

function llmBudgetLifecycle(): Lifecycle {
  const budget = new Budget({ store: new MemoryStore(), limits: { usd: 1_000_000 } });
  return async () => {
    const hold = await budget.reserve("user", { model: "gpt-4o-mini", inputTokens: 10, outputTokens: 5 });
    await budget.settle(hold, { model: "gpt-4o-mini", inputTokens: 5, outputTokens: 1 });
  };
}

const subjects: Record<string, () => Lifecycle> = {
  "CostTracker, 1 scope": () => trackerLifecycle(1),
  "CostTracker, 3 scopes": () => trackerLifecycle(3),
  "MemoryLedger, 1 account": () => ledgerLifecycle(1),
  "MemoryLedger, 3 accounts": () => ledgerLifecycle(3),
  "llm-budget 0.2.1 reserve + settle, 1 principal": llmBudgetLifecycle,
  "naive check, then add (holds nothing)": naiveLifecycle,
};

interface Timing {
  p50: number;
  mean: number;
  p99: number;
}

/** Times calls one by one: the clock itself costs some 40 ns, which is taken off. */
async function timeOf(lifecycle: Lifecycle, calls: number): Promise<Timing> {
  const samples = new Float64Array(calls);
  for (let index = 0; index < calls; index++) {
    const startedAt = process.hrtime.bigint();
    await lifecycle(index);
    samples[index] = Number(process.hrtime.bigint() - startedAt);
  }
  const startedAt = performance.now();
  for (let index = 0; index < calls; index++) await lifecycle(calls + index);
  const mean = ((performance.now() - startedAt) * 1e6) / calls;
  samples.sort();
  const at = (part: number) => (samples[Math.floor(calls * part)] ?? 0) - clockNs();
  return { p50: at(0.5), mean, p99: at(0.99) };
}

let clockCost: number | undefined;
function clockNs(): number {
  clockCost ??= median(
    Array.from({ length: 20_000 }, () => {
      const startedAt = process.hrtime.bigint();
      return Number(process.hrtime.bigint() - startedAt);
    }),
  );
  return clockCost;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** Memory that stays after so many settled calls. */
async function bytesKept(make: () => Lifecycle, calls: number): Promise<number> {
  const lifecycle = make();
  for (let index = 0; index < 1000; index++) await lifecycle(index);
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  for (let index = 1000; index < calls; index++) await lifecycle(index);
  globalThis.gc?.();
  const kept = process.memoryUsage().heapUsed - before;
  await lifecycle(calls);
  return kept;
}

const rounds = 5;
const calls = 100_000;
const timings = new Map<string, Timing[]>(Object.keys(subjects).map((name) => [name, []]));
// Round after round over all subjects, so that a busy moment of the machine hits them alike.
for (let round = 0; round <= rounds; round++) {
  for (const [name, make] of Object.entries(subjects)) {
    const timing = await timeOf(make(), calls);
    if (round > 0) timings.get(name)?.push(timing);
  }
}

const ours = median((timings.get("CostTracker, 3 scopes") ?? []).map(({ mean }) => mean));
const rows: Record<string, Record<string, number | string>> = {};
for (const [name, make] of Object.entries(subjects)) {
  const of = (key: keyof Timing) => Math.round(median((timings.get(name) ?? []).map((timing) => timing[key])));
  rows[name] = {
    "p50 ns": of("p50"),
    "mean ns": of("mean"),
    "p99 ns": of("p99"),
    "x of 3 scopes": (of("mean") / ours).toFixed(2),
    "MB kept / 1M calls": globalThis.gc ? ((await bytesKept(make, 1_000_000)) / 1e6).toFixed(1) : "--expose-gc",
  };
}
console.log(`Node ${process.version}, ${calls} calls a round, medians of ${rounds} rounds`);
console.table(rows);
