import { setTimeout as sleep } from "node:timers/promises";
import type { Ledger } from "@autolabel/budget-core";
import { PostgresLedger } from "@autolabel/budget-core/ledgers/postgres";
import { SlicedLedger } from "@autolabel/budget-core/ledgers/sliced";
import { Pool } from "pg";
import { startPostgres } from "../../tests/servers/start-postgres.ts";
import { oneCall } from "./one-call.ts";
import { median, options } from "./options.ts";

/*
 * What the account of a budget is good for: the calls of many workers, without any model, all on one budget or on several, on
 * a PostgreSQL whose commits reach the disk. Each worker has a ledger and connections of its own.
 */

const workers = 16;
const roundMs = 2000;

/** Prints how many calls a second go through the books, by the number of budgets they are on. */
export async function measureAccounts(): Promise<void> {
  const postgres = await startPostgres({ fsync: true });
  const pools = Array.from({ length: workers }, () => new Pool({ connectionString: postgres.url, max: 4 }));
  const plain = pools.map((pool) => new PostgresLedger(pool));
  const sliced = plain.map((ledger) => new SlicedLedger(ledger));
  const kinds = { no: plain, yes: sliced };
  const cases = (["no", "yes"] as const).flatMap((slices) =>
    [1, 16].flatMap((atOnce) => [1, 4, 16].map((budgets) => ({ slices, atOnce, budgets, rates: [] as number[] }))),
  );
  try {
    await plain[0]?.open();
    // Round after round over all cases, so that a busy moment of the machine hits them alike. The first one warms up.
    for (let round = 0; round <= options.rounds; round++)
      for (const { slices, atOnce, budgets, rates } of cases) {
        const rate = await callsPerSecond(
          kinds[slices],
          atOnce,
          (worker) => `${slices} ${budgets} ${worker % budgets}`,
        );
        if (round > 0) rates.push(rate);
        await sleep(200);
      }
  } finally {
    await Promise.all(sliced.map((ledger) => ledger.close()));
    await Promise.all(pools.map((pool) => pool.end()));
    await postgres.stop();
  }
  console.log(`Calls/s of ${workers} workers through the books; medians of ${options.rounds} rounds\n`);
  console.log("| slices | in flight a worker | budgets | calls/s | times those on one budget |\n|---|---|---|---|---|");
  let ofOne: number[] = [];
  for (const { slices, atOnce, budgets, rates } of cases) {
    if (budgets === 1) ofOne = rates;
    const times = median(rates.map((rate, round) => rate / (ofOne[round] ?? Number.NaN)));
    console.log(`| ${slices} | ${atOnce} | ${budgets} | ${median(rates).toFixed(0)} | ${times.toFixed(2)} |`);
  }
  console.log();
}

async function callsPerSecond(
  ledgers: readonly Ledger[],
  atOnce: number,
  scopeOf: (worker: number) => string,
): Promise<number> {
  const began = performance.now();
  let calls = 0;
  const lane = async (ledger: Ledger, scope: string) => {
    for (; performance.now() - began < roundMs; calls++) await oneCall(ledger, scope);
  };
  const lanes = ledgers.flatMap((ledger, worker) =>
    Array.from({ length: atOnce }, () => lane(ledger, scopeOf(worker))),
  );
  await Promise.all(lanes);
  return (calls * 1000) / (performance.now() - began);
}
