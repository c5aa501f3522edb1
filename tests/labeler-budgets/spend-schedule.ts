import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CostTracker, usd } from "@autolabel/budget-core";
import { SqliteLedger } from "@autolabel/budget-core/ledgers/sqlite";
import { AutoLabeler, isBudgetExceeded, Settings } from "@autolabel/labeler";
import { type AnswerRequest, type Fault, type Simulator, startSimulator } from "@autolabel/simulator";
import { Seeded } from "../seeded.ts";
import type { PoolBalance, SharedLedger } from "../shared-ledger.ts";

/** What came of runs that drew on one budget. */
export interface ScheduleReport {
  /** Calls in flight at most, of all runs together. */
  concurrency: number;
  /** Runs at the same time, each with its own connection to the ledger, as processes have. */
  runs: number;
  calls: number;
  /** What the provider billed beyond the budget, in pico-USD. */
  overshootPicoUsd: bigint;
  /** Which share of the budget was used, where rows were left; undefined where the rows came to their end first. */
  used: number | undefined;
  failures: string[];
}

/** Options of {@link runSchedule}. */
export interface ScheduleOptions {
  /** Chooses everything else. */
  seed: number;
  /** The budget, in calls of mean cost. */
  budgetCalls: number;
  /** Where the budget is a pool. Default: it is LLM_BUDGET, in the store. */
  ledger?: SharedLedger | undefined;
}

const labels = ["refund", "delivery", "complaint"];
const words = "my parcel is late and I want the money back at once please call me".split(" ");

/** Runs of random size, pace and bad luck against one budget, once; then once more with what is left of it. */
export async function runSchedule({ seed, budgetCalls, ledger }: ScheduleOptions): Promise<ScheduleReport> {
  const random = new Seeded(seed);
  const runs = random.between(0, 2) === 0 ? 1 : random.between(2, 4);
  const concurrency = Math.max(runs, 2 ** random.between(0, 8));
  const folder = mkdtempSync(join(tmpdir(), "labeler-budgets-"));
  const simulator = await startSimulator({
    seed,
    latencyMs: random.between(0, 1) === 0 ? 0 : { median: 2, p99: 30 },
    faults: faultsOf(random),
    answer: random.between(0, 2) === 0 ? (request) => badAnswer(request, seed) : () => undefined,
  });
  try {
    const meanPicoUsd = 50_000_000n;
    const pool = ledger && { ledger, name: `seed-${seed}` };
    const budget = { simulator, folder, picoUsd: meanPicoUsd * BigInt(budgetCalls), pool };
    const rows = Math.ceil((budgetCalls / runs) * (random.between(0, 4) === 0 ? 0.5 : 1.6)) + 5;
    const texts = Array.from({ length: runs }, (_, run) => textsOf(run, rows, random));
    const perRun = Math.floor(concurrency / runs);
    let stops: unknown[] = [];
    const failures: string[] = [];
    for (let again = 0; again < 2; again++) {
      const all = texts.map((rowsOfRun, run) => labelAll(budget, { run, rows: rowsOfRun, concurrency: perRun }));
      stops = (await Promise.all(all)).filter((stop) => stop !== undefined);
      failures.push(...stops.filter((stop) => !isBudgetExceeded(stop)).map(String));
    }
    return await judge(budget, { runs, concurrency, failures, hasRowsLeft: stops.length > 0 });
  } finally {
    await simulator.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What goes wrong, and how often. */
function faultsOf(random: Seeded): Fault[] {
  const kinds: Fault[] = [
    { kind: "429", rate: 0.1, retryAfter: 0 },
    { kind: "400", rate: 0.03 },
    { kind: "cut", rate: 0.03 },
    { kind: "bad-json", rate: 0.03 },
    { kind: "bad-schema", rate: 0.03 },
    { kind: "invalid-label", rate: 0.1 },
    { kind: "empty-choices", rate: 0.01 },
    { kind: "500", rate: 0.01 },
    { kind: "disconnect", rate: 0.01 },
    { kind: "timeout", rate: 0.005 },
    { kind: "500", rate: 0.01, isBilled: true },
  ];
  return kinds.filter(() => random.between(0, 2) === 0);
}

/** Now and then an answer that is no label, or one without end that is cut off. */
function badAnswer(request: AnswerRequest, seed: number): string | undefined {
  const kind = new Seeded(seed + request.lastUserText.length * 7 + request.attempt).between(0, 9);
  if (kind === 0) return '{"result":"something else"}';
  return kind === 1 ? `{"result":"${"very ".repeat(2000)}` : undefined;
}

/** Different texts of one to sixty words. */
function textsOf(run: number, rows: number, random: Seeded): { text: string }[] {
  return Array.from({ length: rows }, (_, row) => {
    const said = Array.from({ length: random.between(1, 60) }, () => words[random.between(0, words.length - 1)]);
    return { text: `${said.join(" ")} (${run}, ${row})` };
  });
}

interface Budget {
  simulator: Simulator;
  folder: string;
  picoUsd: bigint;
  pool: { ledger: SharedLedger; name: string } | undefined;
}

function settingsOf({ simulator, folder, picoUsd, pool }: Budget): Settings {
  const { openRouterUrl: openrouterBaseUrl } = simulator;
  const limit = pool ? { ledger: pool.ledger.address } : { llmBudget: usd.pico(picoUsd) };
  const given = { openrouterApiKey: "test", openrouterBaseUrl, store: folder, ...limit };
  return new Settings(given, { env: {} });
}

/** @returns what ended it, or undefined when all rows were labeled. */
async function labelAll(
  budget: Budget,
  { run, rows, concurrency }: { run: number; rows: { text: string }[]; concurrency: number },
) {
  const config = {
    model: "openrouter:openai/gpt-4o-mini",
    labels,
    concurrency,
    maxAttempts: 2,
    timeoutMs: 400,
    dedupe: false,
    ...(budget.pool ? { pool: budget.pool.name, poolBudget: usd.pico(budget.picoUsd) } : {}),
  };
  try {
    await new AutoLabeler(`run${run}`, settingsOf(budget), config).label(rows, "text");
    return undefined;
  } catch (error) {
    return error;
  }
}

/** The provider's invoice against the budget, and against the ledger. */
async function judge(
  budget: Budget,
  { hasRowsLeft, ...so }: Pick<ScheduleReport, "runs" | "concurrency" | "failures"> & { hasRowsLeft: boolean },
): Promise<ScheduleReport> {
  const { simulator, picoUsd, pool } = budget;
  const { totalPicoUsd, count } = simulator.invoice;
  const { spentPicoUsd, heldPicoUsd, unresolvedPicoUsd } = await (pool
    ? pool.ledger.balance(pool.name)
    : llmBudgetBalance(budget));
  const counted = spentPicoUsd + unresolvedPicoUsd;
  if (heldPicoUsd !== 0n) so.failures.push(`${heldPicoUsd} is held by nobody`);
  if (counted < totalPicoUsd) so.failures.push(`${totalPicoUsd} was billed, ${counted} is in the books`);
  if (counted > picoUsd) so.failures.push(`${counted} is in the books of a budget of ${picoUsd}`);
  const overshootPicoUsd = totalPicoUsd > picoUsd ? totalPicoUsd - picoUsd : 0n;
  return { ...so, calls: count, overshootPicoUsd, used: hasRowsLeft ? Number(counted) / Number(picoUsd) : undefined };
}

async function llmBudgetBalance({ folder, picoUsd }: Budget): Promise<Omit<PoolBalance, "unresolved">> {
  const ledger = new SqliteLedger(join(folder, "llm-budget.ledger"));
  const tracker = new CostTracker({ name: "llm-budget", budget: usd.pico(picoUsd), ledger });
  const { spent, held, unresolved } = (await tracker.getStats()).exact;
  await ledger.close();
  return { spentPicoUsd: spent.picoUsd, heldPicoUsd: held.picoUsd, unresolvedPicoUsd: unresolved.picoUsd };
}
