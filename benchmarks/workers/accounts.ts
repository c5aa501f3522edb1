import { setTimeout as sleep } from "node:timers/promises";
import { PostgresLedger } from "@autolabel/budget-core/ledgers/postgres";
import { Pool } from "pg";
import { startPostgres } from "../../tests/servers/start-postgres.ts";
import { median, options } from "./options.ts";

/*
 * What the account of a budget is good for: the calls of many workers, without slices and without any model, all on one
 * budget or on several, on a PostgreSQL whose commits reach the disk. Each worker has connections of its own.
 */

const workers = 16;
const roundMs = 3000;
const amountPicoUsd = 3_000_000n;
const limitPicoUsd = 10n ** 18n;
let ids = 0;

/** Prints how many calls a second PostgreSQL holds, marks and settles, by the number of budgets they are on. */
export async function measureAccounts(): Promise<void> {
  const postgres = await startPostgres({ fsync: true });
  const pools = Array.from({ length: workers }, () => new Pool({ connectionString: postgres.url, max: 4 }));
  const ledgers = pools.map((pool) => new PostgresLedger(pool));
  const cases = [1, 16].flatMap((concurrent) => [1, 4, 16].map((budgets) => ({ concurrent, budgets })));
  const rates = cases.map((): number[] => []);
  try {
    await ledgers[0]?.open();
    // Round after round over all cases, so that a busy moment of the machine hits them alike. The first one warms up.
    for (let round = 0; round <= options.rounds; round++)
      for (const [index, { concurrent, budgets }] of cases.entries()) {
        const rate = await callsPerSecond(ledgers, concurrent, budgets);
        if (round > 0) rates[index]?.push(rate);
        await sleep(200);
      }
  } finally {
    await Promise.all(pools.map((pool) => pool.end()));
    await postgres.stop();
  }
  console.log(`Calls/s of ${workers} workers: held, marked as sent and settled; medians of ${options.rounds} rounds\n`);
  console.log("| in flight a worker | budgets | calls/s | times those on one budget |\n|---|---|---|---|");
  for (const [index, { concurrent, budgets }] of cases.entries()) {
    const rate = median(rates[index] ?? []);
    const ofOne = rates[cases.findIndex((other) => other.concurrent === concurrent)] ?? [];
    const ratio = median((rates[index] ?? []).map((each, round) => each / (ofOne[round] ?? Number.NaN)));
    console.log(`| ${concurrent} | ${budgets} | ${rate.toFixed(0)} | ${ratio.toFixed(2)} |`);
  }
  console.log();
}

async function callsPerSecond(
  ledgers: readonly PostgresLedger[],
  concurrent: number,
  budgets: number,
): Promise<number> {
  const began = performance.now();
  let calls = 0;
  const lane = async (ledger: PostgresLedger, worker: number) => {
    const account = { scope: `budget ${worker % budgets} of ${budgets}`, window: "all", limitPicoUsd };
    while (performance.now() - began < roundMs) {
      const id = `call ${ids++}`;
      await ledger.reserve({ id, accounts: [account], amountPicoUsd, leaseMs: 600_000 });
      await ledger.markDispatched(id);
      await ledger.settle(id, { costPicoUsd: 1_000_000n, modelId: "openai/gpt-4o-mini" });
      calls++;
    }
  };
  await Promise.all(
    ledgers.flatMap((ledger, worker) => Array.from({ length: concurrent }, () => lane(ledger, worker))),
  );
  return (calls * 1000) / (performance.now() - began);
}
