import { mock } from "node:test";
import {
  type BalanceReport,
  BudgetError,
  CostTracker,
  isBudgetExceeded,
  type Ledger,
  MemoryLedger,
  type ReservationPart,
  type ReserveOutcome,
  type ReserveRequest,
  usd,
} from "@autolabel/budget-core";
import { verifyLedger } from "@autolabel/budget-core/audit";
import { SlicedLedger } from "@autolabel/budget-core/ledgers/sliced";

/**
 * 1,000 workers on one budget, in virtual time and always the same: what slices cost and spare. A worker has 4 calls in
 * flight, of 0.5 to 3 s each; a round trip to the ledger takes 2 ms, and steps that are asked for in one turn share it.
 */
const workerCount = 1000;
const callsAtOnce = 4;
const meanBoundPicoUsd = 2_000_000_000;
const budgetPicoUsd = BigInt(workerCount) * 100n * 1_000_000_000n;
const tripMs = 2;
const stepMs = 2;

let seed = 1;
/** From 0 to 1: mulberry32. */
function random(): number {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** What happens in one run, as who looks at it from outside sees it. */
const world = { calls: 0, billed: 0n, waiting: 0, trips: 0 };

/** What a worker's ledger holds for it, and which calls need of that. */
interface Money {
  held: Map<string, bigint>;
  inFlight: bigint;
  /** Since when it has kept money for a call or more that none of its calls needs. */
  idleSince: number | undefined;
}

/** A worker's way to the ledger. */
function wireTo(ledger: Ledger, money: Money): Ledger {
  let trip: Promise<void> | undefined;
  const share = () => {
    if (!trip) {
      world.trips++;
      trip = sleep(tripMs);
      queueMicrotask(() => {
        trip = undefined;
      });
    }
    return trip;
  };
  return new Proxy(ledger, {
    get(target, name) {
      if (name === "shared") return true;
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      if (name === "close") return async () => undefined;
      return async (...values: unknown[]) => {
        await share();
        const outcome: unknown = await (Reflect.apply(value, target, values) as Promise<unknown>);
        note(money, String(name), values, outcome);
        return outcome;
      };
    },
  });
}

/** Keeps count of what a worker holds in the shared ledger. */
function note({ held }: Money, step: string, [first, second]: unknown[], outcome: unknown): void {
  if (step === "reserve") {
    const { id, amountPicoUsd } = first as ReserveRequest;
    if ((outcome as ReserveOutcome).admitted) held.set(id, amountPicoUsd);
  } else if (step === "split") {
    const { id, amountPicoUsd } = second as ReservationPart;
    held.set(first as string, (held.get(first as string) ?? 0n) - amountPicoUsd);
    held.set(id, amountPicoUsd);
  } else if (step === "settle" || step === "release") held.delete(first as string);
}

async function call(tracker: CostTracker, money: Money): Promise<void> {
  const boundPicoUsd = BigInt(Math.round(meanBoundPicoUsd * (0.5 + random())));
  world.waiting++;
  const hold = await tracker.reserve({ boundPicoUsd }).finally(() => world.waiting--);
  money.inFlight += boundPicoUsd;
  money.idleSince = undefined;
  await hold.markDispatched();
  const costPicoUsd = (boundPicoUsd * BigInt(200 + Math.round(600 * random()))) / 1000n;
  world.billed += costPicoUsd;
  world.calls++;
  await sleep(500 + 2500 * random());
  await hold.settle({ costPicoUsd });
  money.inFlight -= boundPicoUsd;
}

/** Calls until the budget is spent. */
async function work(tracker: CostTracker, money: Money): Promise<void> {
  for (;;) {
    try {
      await call(tracker, money);
    } catch (error) {
      if (isBudgetExceeded(error)) return;
      throw error;
    }
  }
}

/** Looks at the budget while the workers go on. */
class Watch {
  mostIdle = 0n;
  longestMs = 0;
  /** Trips and calls until the budget was first short. */
  before: { trips: number; calls: number } | undefined;

  /** Idle money is in the way while the budget is short and somebody waits. */
  look({ spentPicoUsd, heldPicoUsd }: BalanceReport, monies: readonly Money[]): void {
    const bound = BigInt(meanBoundPicoUsd);
    const isShort = budgetPicoUsd - spentPicoUsd - heldPicoUsd < bound;
    if (isShort) this.before ??= { trips: world.trips, calls: world.calls };
    const now = Date.now();
    let idleInAll = 0n;
    for (const money of monies) {
      let idle = -money.inFlight;
      for (const amount of money.held.values()) idle += amount;
      idleInAll += idle;
      if (idle < bound || !isShort || world.waiting === 0) money.idleSince = undefined;
      else {
        money.idleSince ??= now;
        this.longestMs = Math.max(this.longestMs, now - money.idleSince);
      }
    }
    if (idleInAll > this.mostIdle) this.mostIdle = idleInAll;
  }
}

async function run(calls: number | undefined): Promise<string> {
  seed = 1;
  Object.assign(world, { calls: 0, billed: 0n, waiting: 0, trips: 0 });
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 0 });
  const now = () => Date.now();
  const inner = new MemoryLedger({ now });
  const account = { scope: "default", window: "all" };
  const monies = Array.from(
    { length: workerCount },
    (): Money => ({ held: new Map(), inFlight: 0n, idleSince: undefined }),
  );
  const ledgers = monies.map((money) => {
    const wire = wireTo(inner, money);
    return calls === undefined ? wire : new SlicedLedger(wire, { calls, now });
  });
  let isOver = false;
  const workers = ledgers.flatMap((ledger, index) => {
    const tracker = new CostTracker({ budget: usd.pico(budgetPicoUsd), ledger, leaseMs: 60_000, alerts: [] });
    return Array.from({ length: callsAtOnce }, () => work(tracker, monies[index] as Money));
  });
  const all = Promise.all(workers)
    .then(() => Promise.all(ledgers.map((ledger) => ledger.close())))
    .finally(() => {
      isOver = true;
    });
  const watch = new Watch();
  while (!isOver) {
    mock.timers.tick(stepMs);
    await new Promise((resolve) => setImmediate(resolve));
    const [balance] = await inner.read([account]);
    if (balance) watch.look(balance, monies);
  }
  await all;
  const seconds = Date.now() / 1000;
  mock.timers.reset();
  const { accounts, open } = await inner.inspect();
  const isSound = verifyLedger({ schemaVersion: 0, atMs: 0, accounts, open }).length === 0 && open.length === 0;
  if (!isSound || accounts[0]?.spentPicoUsd !== world.billed)
    throw new BudgetError({ code: "ledger", message: "unsound books" });
  const percent = (part: bigint) => `${(Number((part * 100_000n) / budgetPicoUsd) / 1000).toFixed(2)} %`;
  const overspent = world.billed > budgetPicoUsd ? world.billed - budgetPicoUsd : 0n;
  const cells = [
    calls === undefined ? "none" : `up to ${calls} calls`,
    world.calls.toLocaleString("en"),
    overspent === 0n ? "0" : percent(overspent),
    percent(world.billed),
    watch.before ? (watch.before.trips / watch.before.calls).toFixed(2) : "",
    (world.trips / world.calls).toFixed(2),
    percent(watch.mostIdle),
    `${(watch.longestMs / 1000).toFixed(2)} s`,
    `${seconds.toFixed(0)} s`,
  ];
  return `| ${cells.join(" | ")} |`;
}

console.log(
  "| slices | calls | overspent | used | trips a call until money is short | trips a call, to the end | most idle at once | longest idle in one worker while others waited | took |",
);
console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
for (const calls of [undefined, 4, 8, 32, 128]) console.log(await run(calls));
