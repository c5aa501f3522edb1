import { CostTracker, type Ledger } from "@autolabel/budget-core";
import { PostgresLedger } from "@autolabel/budget-core/ledgers/postgres";
import { RedisLedger } from "@autolabel/budget-core/ledgers/redis";
import { Pool } from "pg";
import { createClient } from "redis";

/** Where balances live, so that all instances of the app share them: `postgres://…` or `redis://…`. */
async function openLedger(url: string): Promise<Ledger> {
  if (url.startsWith("redis")) {
    const client = createClient({ url });
    client.on("error", console.error); // the client connects again by itself
    return new RedisLedger(await client.connect());
  }
  const pool = new Pool({ connectionString: url });
  pool.on("error", console.error);
  return new PostgresLedger(pool);
}

const { LEDGER_URL = "", TEAM_USD_PER_DAY = "20", USER_USD_PER_DAY = "0.50" } = process.env;

/** What all users together may spend a day. */
const team = new CostTracker({
  name: "team",
  per: "day",
  timeZone: "Europe/Berlin",
  budget: TEAM_USD_PER_DAY,
  ledger: await openLedger(LEDGER_URL),
});

/** What one user may spend a day, within the team's budget. It keeps nothing itself: make one a request. */
export function budgetOf(user: string): CostTracker {
  return team.child({ name: user, per: "day", timeZone: "Europe/Berlin", budget: USER_USD_PER_DAY });
}
