import { setImmediate as nextTurn } from "node:timers/promises";
import {
  CostTracker,
  type CostTrackerOptions,
  isBudgetExceeded,
  type Money,
  type Quote,
  settled,
  usd,
} from "@autolabel/budget-core";
import { type Simulator, type SimulatorOptions, startSimulator } from "@autolabel/simulator";
import { Books, type Expected } from "./books.ts";
import { act } from "./callers.ts";
import type { Door } from "./door.ts";
import { type Attempt, attemptsOf, type Ending } from "./ending.ts";
import { until } from "./until.ts";

/** How much money there is: plenty, for exactly one call, or a pico-USD too little for one. */
type Budget = "ample" | "one call" | "too small";

/** One cell of the matrix. */
export interface Cell {
  door: Door;
  ending: Ending;
  budget: Budget;
}

/** Settings of {@link runCell}. */
export interface RunOptions {
  /** Makes the budget; another one than the real one makes a broken meter. */
  makeTracker?: (options: CostTrackerOptions) => CostTracker;
  /** How long the books may take to be closed. Default 10 s; only a cell that fails waits so long. */
  patienceMs?: number;
}

/**
 * Makes one call over real HTTP, lets it end as the cell says, and compares what was recorded with what was billed.
 *
 * @returns what is wrong, in words; nothing when the cell holds.
 */
export async function runCell(cell: Cell, options: RunOptions = {}): Promise<string[]> {
  const { door, ending, budget } = cell;
  const { makeTracker = (given) => new CostTracker(given), patienceMs = 10_000 } = options;
  const limit = await limitOf(door, budget);
  const tracker = makeTracker({ budget: limit, maxWaitMs: patienceMs });
  const books = new Books(tracker);
  let answers = 0;
  const simulator = await startSimulator(simulatorOptions(cell, () => ++answers));
  try {
    const error = await act({ door, ending, site: { simulator, tracker }, answersMade: () => answers });
    const expected = expectedOf(cell);
    await until(() => books.areClosed(simulator, expected), patienceMs);
    await settled(tracker);
    // What is counted twice is counted a moment later.
    await nextTurn();
    await nextTurn();
    const problems = await books.problems(simulator, expected);
    if (simulator.invoice.totalPicoUsd > limit.picoUsd) problems.push("billed above the limit");
    const isDenied = expected.attempts.length < sentWith(cell).length;
    if (isDenied && !isBudgetExceeded(error)) problems.push(`its caller was not told of the budget: ${String(error)}`);
    if (problems.length > 0 || budget !== "one call") return problems;
    return await askAgain(cell, simulator, tracker);
  } finally {
    await simulator.close();
  }
}

function expectedOf(cell: Cell): Expected {
  const { door, ending } = cell;
  return {
    attempts: expectedAttempts(cell),
    bills: ending.bills ?? door.bills,
    isFree: door.provider === "free gateway",
    isBoundTheCost: door.kind === "speech",
    isResolved: door.kind === "batch",
  };
}

/** The requests that a call sends when it has the money. */
function sentWith({ door, ending }: Cell): Attempt[] {
  const before = Array.from({ length: door.requestsBefore }, (): Attempt => ({ billed: true, recorded: "exact" }));
  return [...before, ...attemptsOf(ending, door)];
}

/** The requests that it sends with the cell's budget: the first one that costs something uses up that of one call. */
function expectedAttempts(cell: Cell): Attempt[] {
  const sent = sentWith(cell);
  if (cell.budget === "ample" || cell.door.provider === "free gateway") return sent;
  if (cell.budget === "too small") return [];
  const first = sent.findIndex(({ recorded }) => recorded !== "nothing");
  return first < 0 ? sent : sent.slice(0, first + 1);
}

async function limitOf(door: Door, budget: Budget): Promise<Money> {
  if (door.provider === "free gateway") return usd(budget === "ample" ? "1" : "0");
  if (budget === "ample") return usd("1");
  const boundPicoUsd = await boundOf(door);
  return usd.pico(budget === "one call" ? boundPicoUsd : boundPicoUsd - 1n);
}

/** Tells the bound of a call and has nothing sent. */
class Probe extends CostTracker {
  boundPicoUsd = 0n;

  override reserve(quote: Quote): Promise<never> {
    this.boundPicoUsd = quote.boundPicoUsd;
    return Promise.reject(new Error("only its bound is wanted"));
  }
}

const bounds = new Map<Door, Promise<bigint>>();

/** The bound of a call through a door, whose provider may be asked first for what costs nothing. */
function boundOf(door: Door): Promise<bigint> {
  const known = bounds.get(door) ?? probe(door);
  bounds.set(door, known);
  return known;
}

async function probe(door: Door): Promise<bigint> {
  const tracker = new Probe();
  const simulator = await startSimulator();
  await Promise.resolve(door.call({ simulator, tracker }, { maxRetries: 0 })).catch(() => undefined);
  await simulator.close();
  if (tracker.boundPicoUsd === 0n) throw new Error(`"${door.name}" told no bound`);
  return tracker.boundPicoUsd;
}

const text = "one two three";
const object = '{"words":["one", "two", "three"]}';

function simulatorOptions({ door, ending }: Cell, onAnswer: () => number): SimulatorOptions {
  const nth = door.requestsBefore + 1;
  const plainAnswer: SimulatorOptions["answer"] = ({ schema }) => (schema ? object : text);
  const { answer = plainAnswer } = ending.options ?? {};
  return {
    ...door.options,
    ...ending.options,
    faults: ending.faults?.(nth) ?? [],
    // Steps before the struck one call a tool, with arguments that the simulator makes up.
    answer: (request) => (onAnswer() < nth ? undefined : answer(request)),
  };
}

/** After a call that cost something the budget for one is closed; after one that cost nothing it is as new. */
async function askAgain({ door }: Cell, simulator: Simulator, tracker: CostTracker): Promise<string[]> {
  const before = { requests: simulator.requests, ...(await tracker.getStats()).exact };
  simulator.setFaults([]);
  const error = await Promise.resolve(door.call({ simulator, tracker }, { maxRetries: 0 })).then(
    () => undefined,
    (caught: unknown) => caught,
  );
  await until(() => simulator.inFlight === 0);
  const { exact } = await tracker.getStats();
  const isSpent = before.spent.picoUsd + before.unresolved.picoUsd > 0n;
  const checks: [boolean, string][] = [
    [isBudgetExceeded(error) === isSpent, `asked again: ${String(error)}`],
    [simulator.requests === before.requests + (isSpent ? 0 : 1), `asked again: ${simulator.requests} requests in all`],
    [exact.spent.picoUsd >= simulator.invoice.totalPicoUsd, "asked again: recorded below the bill"],
    [exact.spent.picoUsd <= (exact.budget?.picoUsd ?? 0n), "asked again: spent above the limit"],
  ];
  return checks.flatMap(([holds, problem]) => (holds ? [] : [problem]));
}
