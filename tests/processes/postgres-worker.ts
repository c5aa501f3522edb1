import { CostTracker, isBudgetExceeded, parsePicoUsd } from "@autolabel/budget-core";
import { PostgresLedger } from "@autolabel/budget-core/ledgers/postgres";
import { Pool } from "pg";

/** What a worker is told, as JSON in its first argument. */
export interface WorkerTask {
  databaseUrl: string;
  /** OpenRouter's address at the simulator. */
  openRouterUrl: string;
  /** Of the budget that all workers share, in USD. */
  budget: string;
  calls: number;
  concurrency: number;
}

/** What it tells its parent after each call: the hold's id, or that the budget had no room. */
export type WorkerReport = { settled: string } | { denied: true };

const modelId = "openai/gpt-4o-mini";
const messages = [{ role: "user", content: "Name a colour, and say in one sentence why people like it." }];
const maxOutputTokens = 40;
/** Bytes count more than tokens: an upper bound at $0.15 and $0.60 per million tokens. */
const boundPicoUsd = BigInt(JSON.stringify(messages).length) * 150_000n + BigInt(maxOutputTokens) * 600_000n;

const task = JSON.parse(process.argv[2] ?? "{}") as WorkerTask;
const pool = new Pool({ connectionString: task.databaseUrl, max: 4 });
const ledger = new PostgresLedger(pool);
const tracker = new CostTracker({ budget: task.budget, name: "shared", ledger });

/** One metered call; the provider bills it under the id of its hold. */
async function call(): Promise<WorkerReport> {
  try {
    const hold = await tracker.reserve({ boundPicoUsd }, { modelId });
    await hold.markDispatched();
    const response = await fetch(`${task.openRouterUrl}/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${hold.id}`, "content-type": "application/json" },
      body: JSON.stringify({ model: modelId, max_tokens: maxOutputTokens, messages }),
    });
    const { usage } = (await response.json()) as { usage: { cost: number } };
    await hold.settle({ costPicoUsd: parsePicoUsd(usage.cost), modelId });
    return { settled: hold.id };
  } catch (error) {
    if (isBudgetExceeded(error)) return { denied: true };
    throw error;
  }
}

let calls = 0;
async function work(): Promise<void> {
  while (calls++ < task.calls) process.send?.(await call());
}
await Promise.all(Array.from({ length: task.concurrency }, work));
await ledger.close();
await pool.end();
process.disconnect?.();
