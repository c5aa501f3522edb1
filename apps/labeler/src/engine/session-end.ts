import { LabelingConfig, type LabelingConfigInput } from "../config/labeling-config.ts";
import { storable } from "../store/postgres-texts.ts";
import type { RowQueue, TakenChunk } from "../store/row-queue.ts";
import { inTransaction, type RunDatabase, setFacts } from "../store/run-database.ts";
import { problemFact } from "../store/run-store.ts";
import { sessionQueries as queries } from "../store/session-queries.ts";
import { inclusionOf, mixedOrders } from "./inclusion.ts";

/** How a session of a run ends; the one furthest right of what happened to its chunks. */
const outcomes = ["completed", "budget", "interrupted", "rate-limited", "credit", "failed"] as const;

/** How a session, or a chunk of it, ended. */
export type SessionOutcome = (typeof outcomes)[number];

/** Whether other chunks of a session need not be begun. */
export function endsSession(outcome: SessionOutcome): boolean {
  return outcomes.indexOf(outcome) >= outcomes.indexOf("interrupted");
}

/** A chunk that a worker is done with. */
export interface EndedChunk {
  chunk: TakenChunk;
  outcome: SessionOutcome;
  /** What ended it, for who looks at the run. */
  problem?: string;
}

/**
 * Ends a chunk, and with the last one its session, in one step: whoever sees that nobody works on a run sees how it ended.
 * One call at a time: it takes a second connection inside of its transaction.
 *
 * @returns how the session ended; undefined while chunks of it are left, or where the chunk is another worker's by now.
 */
export async function endChunk(
  runs: RunDatabase,
  queue: RowQueue,
  { chunk, outcome, problem }: EndedChunk,
): Promise<SessionOutcome | undefined> {
  return await inTransaction(runs.pool, async (client) => {
    if (!(await queue.end(client, chunk))) return undefined;
    const { rows } = await client.query<{ chunks_left: number; outcome: SessionOutcome }>(queries.endChunk, [
      storable(chunk.run),
      chunk.session,
      outcome,
      outcomes,
    ]);
    const [session] = rows;
    const isOver = session?.chunks_left === 0;
    const facts = {
      // What kept one worker from the run did not keep the others.
      ...(isOver && session.outcome === "completed" ? { [problemFact]: "" } : {}),
      ...(problem === undefined ? {} : { [problemFact]: problem }),
      ...(isOver ? { ...(await selectionOf(runs, chunk.run)), outcome: session.outcome } : {}),
    };
    await setFacts(client, chunk.run, facts);
    return isOver ? session.outcome : undefined;
  });
}

/** Facts of which rows were reached, and when. */
async function selectionOf(runs: RunDatabase, id: string): Promise<Record<string, string>> {
  const store = await runs.open({ id });
  const facts = await store.facts();
  const { order } = new LabelingConfig(JSON.parse(facts.config ?? "{}") as LabelingConfigInput);
  const reached = await store.reached(order.kind === "stratified" ? order.column : undefined);
  const inclusion = JSON.stringify(inclusionOf(order, reached, facts[mixedOrders] !== undefined));
  return { inclusion, touchedAt: new Date().toISOString() };
}
