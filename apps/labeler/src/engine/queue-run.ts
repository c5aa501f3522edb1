import type { Settings } from "../config/settings.ts";
import { withoutPassword } from "../ledger/ledger-servers.ts";
import { storable } from "../store/postgres-texts.ts";
import { RowQueue } from "../store/row-queue.ts";
import { inTransaction, type RunDatabase, setFacts } from "../store/run-database.ts";
import { problemFact, stopAskedFact } from "../store/run-store.ts";
import type { RunSummary } from "../store/runs.ts";
import { sessionQueries as queries } from "../store/session-queries.ts";
import { UsageError } from "../usage-error.ts";
import { budgetKindOf } from "./run-budget.ts";
import { type ResumeRunOptions, reconfigured, type StartRunOptions, takeInRun } from "./start-run.ts";

/** A run whose rows wait for workers. */
export interface QueuedRun {
  id: string;
  /** Rows that are to be bought, those of equal text counted once. */
  rows: number;
  /** Workers that are there now. */
  workers: number;
}

/**
 * Takes rows in and deals them out to the workers of a database. Nothing is sent from here, and no key is needed.
 *
 * @throws UsageError or UnpricedModelError before a worker gets a row; then no run is left behind.
 */
export async function queueRun(runs: RunDatabase, options: StartRunOptions): Promise<QueuedRun> {
  assertNoLedger(options.settings);
  const taken = await takeInRun(runs, options);
  const run = "known" in taken ? taken.known : await summaryOf(runs, String((await taken.store.facts()).id));
  return await requeueRun({ ...options, runs, run, reconfigure: () => options.config });
}

/**
 * Deals out the rows of a run that wait, after its configuration was changed where that is asked for.
 *
 * @throws UsageError when workers have rows of it now.
 */
export async function requeueRun(options: ResumeRunOptions & { runs: RunDatabase }): Promise<QueuedRun> {
  const { runs, run, settings } = options;
  assertNoLedger(settings);
  const queue = await RowQueue.open(runs.pool, { supervise: false });
  const store = await runs.open(run);
  try {
    const last = await runs.session(run);
    if (last.isOpen && (await queue.isTaken({ run: run.id, session: last.session }))) {
      throw new UsageError(
        `Workers label rows of the run ${run.id} now: wait for them, or stop it first with autolabel stop ${run.id}`,
      );
    }
    const { config, facts, prepare } = await reconfigured(store, options);
    const kind = budgetKindOf({ config, settings }, (await store.facts()).budgetKind);
    const llmBudget = kind.startsWith("shared") && settings.llmBudget ? { llmBudget: String(settings.llmBudget) } : {};
    await prepare();
    const rows = await beginSession(runs, queue, {
      run: run.id,
      session: last.session + 1,
      facts: { ...facts, ...llmBudget, budgetKind: kind, stage: "labeling", [problemFact]: "", [stopAskedFact]: "" },
    });
    return { id: run.id, rows, workers: last.workers };
  } finally {
    await store.close();
    await queue.close();
  }
}

/** A session, and what begins with it. */
interface NewSession {
  run: string;
  session: number;
  /** Of the run from now on. */
  facts: Readonly<Record<string, string>>;
}

/** Facts, a session and the chunks that its rows are dealt out in appear in one step. @returns how many rows wait. */
async function beginSession(
  runs: RunDatabase,
  queue: RowQueue,
  { run: id, session, facts }: NewSession,
): Promise<number> {
  return await inTransaction(runs.pool, async (client) => {
    const run = storable(id);
    const { rows: waiting } = await client.query<{ rows: string }>(queries.waiting, [run]);
    const rows = Number(waiting[0]?.rows);
    const { rows: chunks } = await client.query<{ from_turn: string; before_turn: string }>(queries.chunks, [
      run,
      rowsPerChunk(rows),
    ]);
    const outcome = rows === 0 ? "completed" : "queued";
    await setFacts(client, id, { ...facts, outcome, touchedAt: new Date().toISOString() });
    await client.query(queries.beginSession, [run, session, chunks.length]);
    await queue.add(
      client,
      chunks.map(({ from_turn, before_turn }) => ({
        run: id,
        session,
        fromTurn: Number(from_turn),
        beforeTurn: Number(before_turn),
      })),
    );
    return rows;
  });
}

/** Small enough for the last ones to be shared among all workers, large enough for the queue to be no work. */
function rowsPerChunk(rows: number): number {
  return Math.min(200, Math.max(8, Math.ceil(rows / 400)));
}

async function summaryOf(runs: RunDatabase, id: string): Promise<RunSummary> {
  const run = (await runs.list()).find((each) => each.id === id);
  if (run) return run;
  throw new UsageError(`The run ${id} is gone`);
}

function assertNoLedger({ ledger, store }: Settings): void {
  if (ledger === undefined) return;
  throw new UsageError(
    `Runs in ${withoutPassword(store)} are counted there, with their pools and LLM_BUDGET: leave out --ledger and AUTOLABEL_LEDGER`,
  );
}
