import { Pool } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type PostgresServer, startPostgres } from "../../../../tests/servers/start-postgres.ts";
import { type PostgresClient, PostgresLedger } from "./postgres.ts";
import { verifyLedger } from "./verify-ledger.ts";

let server: PostgresServer;
let pool: Pool;
let schema: string;
let schemas = 0;
beforeAll(async () => {
  server = await startPostgres();
  pool = new Pool({ connectionString: server.url, max: 20 });
});
afterAll(async () => {
  await pool.end();
  await server.stop();
});
beforeEach(() => {
  schema = `ledger_${schemas++}`;
});

const dead = { scope: "dead", window: "all", limitPicoUsd: null };
const pooled = { scope: "pool", window: "all", limitPicoUsd: null };
/** More than two pages of 500, and not a whole number of them. */
const ids = Array.from({ length: 1100 }, (_, index) => `call ${index}`);
const sent = ids.filter((_, index) => index % 2 === 0);

const makeLedger = (client: PostgresClient = pool) => new PostgresLedger(client, { schema });

/** Pages of recovery that a client was asked for; `around` may do something before or after each. */
function paging(around: (page: () => Promise<{ rows: unknown[] }>, number: number) => Promise<{ rows: unknown[] }>) {
  let pages = 0;
  const query = (text: string, values?: string[]) => {
    const ask = () => pool.query(text, values);
    return text.includes(".recover_page(") ? around(ask, ++pages) : ask();
  };
  return { query, pages: () => pages };
}

/** What a process leaves behind that died with many calls in flight, half of them sent, beside a call of one that lives. */
async function abandon(leaseMs = 60_000): Promise<void> {
  const ledger = makeLedger();
  const accounts = [dead, pooled];
  await Promise.all(ids.map((id) => ledger.reserve({ id, accounts, amountPicoUsd: 5n, leaseMs })));
  await Promise.all(sent.map((id) => ledger.markDispatched(id)));
  await ledger.reserve({ id: "live", accounts: [pooled], amountPicoUsd: 7n, leaseMs: 60_000 });
}

/** What is unresolved, in the order in which it was made: steps of one turn go out in two batches, which may change places. */
async function unresolvedIds(): Promise<string[]> {
  const unresolved = `SELECT id FROM ${schema}.reservations WHERE state = 'unresolved' ORDER BY ordinal`;
  return (await pool.query<{ id: string }>(unresolved)).rows.map(({ id }) => id);
}

async function expectSortedOut(): Promise<void> {
  const ledger = makeLedger();
  expect(await ledger.read([dead, pooled])).toMatchObject([
    { heldPicoUsd: 0n, unresolvedPicoUsd: 2750n },
    { heldPicoUsd: 7n, unresolvedPicoUsd: 2750n },
  ]);
  expect(verifyLedger(await ledger.inspect())).toEqual([]);
}

describe("recovery of a PostgreSQL ledger", () => {
  it.each([
    ["whose owner is known to be dead", 60_000, { abandonedScope: "dead" }],
    ["whose lease ran out", 0, {}],
  ])("sorts out any number of calls %s, page by page, and keeps those of others", async (_name, leaseMs, options) => {
    await abandon(leaseMs);
    const client = paging((page) => page());
    const unresolved = await makeLedger(client).recover(options);
    expect(client.pages()).toBe(3);
    expect(unresolved.map(({ id }) => id)).toEqual(await unresolvedIds());
    expect(unresolved.map(({ id }) => id).toSorted()).toEqual(sent.toSorted());
    await expectSortedOut();
  });

  it("lets others at the accounts between its pages, and leaves alone a call that shows life meanwhile", async () => {
    await abandon(0);
    const other = makeLedger();
    const client = paging(async (page, number) => {
      if (number === 2) {
        await other.extend("call 1098", 60_000);
        await other.reserve({ id: "paid", accounts: [dead, pooled], amountPicoUsd: 9n, leaseMs: 60_000 });
        await other.markDispatched("paid");
        await other.settle("paid", { costPicoUsd: 3n });
      }
      return page();
    });
    const unresolved = await makeLedger(client).recover();
    expect(unresolved.map(({ id }) => id).toSorted()).toEqual(sent.slice(0, -1).toSorted());
    expect(await other.read([dead])).toMatchObject([
      { spentPicoUsd: 3n, heldPicoUsd: 5n, unresolvedPicoUsd: 2745n, callCount: 1 },
    ]);
    expect(verifyLedger(await other.inspect())).toEqual([]);
  });

  it("leaves sound books when it is killed between two pages, and the next one goes on", async () => {
    await abandon();
    const killed = paging((page, number) => {
      if (number === 2) throw Object.assign(new Error("killed"), { code: "57014" });
      return page();
    });
    await expect(makeLedger(killed).recover({ abandonedScope: "dead" })).rejects.toThrow("killed");
    const between = await makeLedger().inspect();
    expect(between.open.filter(({ state }) => state === "unresolved")).toHaveLength(250);
    expect(verifyLedger(between)).toEqual([]);

    const next = paging((page) => page());
    expect(await makeLedger(next).recover({ abandonedScope: "dead" })).toHaveLength(550);
    expect(next.pages()).toBe(2);
    await expectSortedOut();
  });

  it("counts nothing twice when the answer to a page is lost, and the page is asked for again", async () => {
    await abandon();
    const client = paging(async (page, number) => {
      const answer = await page();
      if (number < 3) throw new Error("Connection terminated unexpectedly");
      return answer;
    });
    // The first two askings are the first page and its repeat: lost both.
    await expect(makeLedger(client).recover({ abandonedScope: "dead" })).rejects.toThrow("Connection terminated");
    const flaky = paging(async (page, number) => {
      const answer = await page();
      if (number === 1) throw new Error("Connection terminated unexpectedly");
      return answer;
    });
    expect(await makeLedger(flaky).recover({ abandonedScope: "dead" })).toHaveLength(550);
    await expectSortedOut();
  });

  it("tells each of many processes that recover at once all that is unresolved, and moves each call once", async () => {
    await abandon();
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, () => makeLedger().recover({ abandonedScope: "dead" })),
    );
    const expected = await unresolvedIds();
    for (const unresolved of outcomes) expect(unresolved.map(({ id }) => id)).toEqual(expected);
    await expectSortedOut();
    const { rows } = await pool.query("SELECT deadlocks::int FROM pg_stat_database WHERE datname = 'postgres'");
    expect(rows).toEqual([{ deadlocks: 0 }]);
  });

  it("tells of more unresolved calls than fit one answer, in the order in which they were made", async () => {
    const ledger = makeLedger();
    await ledger.post([dead], { costPicoUsd: 0n });
    await pool.query(`
      INSERT INTO ${schema}.reservations (id, state, accounts, amount_pico_usd, lease_ends_at, model_id)
        SELECT 'lost ' || number, 'unresolved', '[{"scope": "dead", "window": "all"}]', 5, now(), 'm'
        FROM generate_series(1, 10000) AS number;
      UPDATE ${schema}.accounts SET unresolved_pico_usd = 50000`);
    const unresolved = await ledger.recover();
    expect(unresolved.map(({ id }) => id)).toEqual(Array.from({ length: 10_000 }, (_, index) => `lost ${index + 1}`));
    const accounts = [{ scope: "dead", window: "all" }];
    expect(unresolved.at(-1)).toEqual({ id: "lost 10000", accounts, amountPicoUsd: 5n, modelId: "m" });
    expect(verifyLedger(await ledger.inspect())).toEqual([]);
  });
});
