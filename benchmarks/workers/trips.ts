import { setTimeout as sleep } from "node:timers/promises";
import type { Ledger } from "@autolabel/budget-core";
import { PostgresLedger } from "@autolabel/budget-core/ledgers/postgres";
import { SlicedLedger } from "@autolabel/budget-core/ledgers/sliced";
import { Pool } from "pg";
import { startPostgres } from "../../tests/servers/start-postgres.ts";
import { startProxy } from "../../tests/servers/start-proxy.ts";
import { oneCall } from "./one-call.ts";
import { options } from "./options.ts";

const calls = 100;

/**
 * Prints how often a call goes to PostgreSQL and back, as it is seen on the wire, with slices and without: one call after another,
 * and in 64 lanes whose calls take half to one and a half of the latency.
 */
export async function measureTrips(): Promise<void> {
  const postgres = await startPostgres({ fsync: true });
  const proxy = await startProxy(Number(new URL(postgres.url).port));
  const pool = new Pool({ connectionString: postgres.url.replace(/:\d+\//, `:${proxy.port}/`), max: 1 });
  const answer = () => sleep(options.latencyMs * (0.5 + Math.random()));
  const tripsOf = async (ledger: Ledger, atOnce: number) => {
    await oneCall(ledger, "budget");
    const before = proxy.roundTrips;
    const lane = async () => {
      for (let call = 0; call < calls; call++) await oneCall(ledger, "budget", atOnce === 1 ? undefined : answer);
    };
    await Promise.all(Array.from({ length: atOnce }, lane));
    return ((proxy.roundTrips - before) / calls / atOnce).toFixed(2);
  };
  try {
    const plain = new PostgresLedger(pool);
    const sliced = new SlicedLedger(plain);
    console.log("Trips a call to PostgreSQL and back, on the wire\n");
    console.log("| calls at once | without slices | with |\n|---|---|---|");
    for (const atOnce of [1, 64])
      console.log(`| ${atOnce} | ${await tripsOf(plain, atOnce)} | ${await tripsOf(sliced, atOnce)} |`);
    console.log();
    await sliced.close();
  } finally {
    await pool.end();
    proxy.stop();
    await postgres.stop();
  }
}
