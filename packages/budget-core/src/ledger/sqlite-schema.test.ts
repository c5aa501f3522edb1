import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { LedgerError } from "../errors/ledger-error.ts";
import { GroupCommit, SqliteLedger } from "./sqlite.ts";
import { migrateSqliteLedger, sqliteSchemaVersion } from "./sqlite-schema.ts";
import { verifyLedger } from "./verify-ledger.ts";

const folder = join(import.meta.dirname, "schema");
/** The tables of a version as it was released; a file is added with each version and never changes. */
const released = (version: number) => readFileSync(join(folder, `sqlite-${version}.sql`), "utf8");
const olderVersions = Array.from({ length: sqliteSchemaVersion - 1 }, (_, index) => index + 1);

function dump(database: DatabaseSync): string {
  const objects = database.prepare("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid").all();
  return objects.map(({ sql }) => `${String(sql)};\n`).join("\n");
}

/** A database as a released version made it. */
function ofVersion(version: number): DatabaseSync {
  const database = new DatabaseSync(":memory:");
  database.exec(released(version));
  for (let step = 1; step <= version; step++) database.exec(`INSERT INTO ledger_schema VALUES (${step})`);
  return database;
}

describe("the schema of a SQLite ledger", () => {
  it("has a file for every version that was released", () => {
    const files = [...olderVersions, sqliteSchemaVersion].map((version) => `sqlite-${version}.sql`);
    expect(readdirSync(folder).filter((file) => file.startsWith("sqlite-"))).toEqual(files);
  });

  it("is the one that is checked in, in a new file", () => {
    const database = new DatabaseSync(":memory:");
    migrateSqliteLedger(database);
    expect(dump(database)).toBe(released(sqliteSchemaVersion));
  });

  it.each(olderVersions)("is the same after an upgrade from version %i, and once more changes nothing", (version) => {
    const database = ofVersion(version);
    expect(dump(database)).toBe(released(version));
    migrateSqliteLedger(database);
    migrateSqliteLedger(database);
    expect(dump(database)).toBe(released(sqliteSchemaVersion));
    const versions = database.prepare("SELECT version FROM ledger_schema").all();
    expect(versions.map((row) => row.version)).toEqual([...olderVersions, sqliteSchemaVersion]);
  });

  it("keeps spend and open calls of version 1, and gives them a journal to be checked against", async () => {
    const database = ofVersion(1);
    database.exec(`
      INSERT INTO accounts VALUES ('a', 'all', 30, 5, 7, 3, 1);
      INSERT INTO account_models VALUES ('a', 'all', 'm', 3, 30);
      INSERT INTO reservations (id, state, accounts, amount_pico_usd, lease_ends_at_ms)
        VALUES ('sent', 'dispatched', '[{"scope":"a","window":"all"}]', 5, 0),
          ('lost', 'unresolved', '[{"scope":"a","window":"all"}]', 7, 0)`);
    const ledger = new SqliteLedger(new GroupCommit(database));
    const report = await ledger.inspect();
    expect(report.accounts).toMatchObject([{ spentPicoUsd: 30n, journal: { spentPicoUsd: 30n, callCount: 3 } }]);
    expect(report.open).toMatchObject([{ id: "sent" }, { id: "lost" }]);
    for (const { ageMs } of report.open) expect(ageMs).toBeLessThan(60_000);
    expect(verifyLedger(report)).toEqual([]);
    await ledger.settle("lost", { costPicoUsd: 2n, modelId: "m" });
    expect(verifyLedger(await ledger.inspect())).toEqual([]);
  });

  it("of a newer version is refused, and left as it is", () => {
    const database = ofVersion(sqliteSchemaVersion);
    database.exec(`INSERT INTO ledger_schema VALUES (${sqliteSchemaVersion + 1})`);
    const before = dump(database);
    expect(() => migrateSqliteLedger(database)).toThrow(LedgerError);
    expect(() => migrateSqliteLedger(database)).toThrow(
      /schema version 3, .* up to 2: upgrade @autolabel\/budget-core/,
    );
    expect(dump(database)).toBe(before);
    expect(database.isTransaction).toBe(false);
  });

  it.each(["UPDATE journal SET amount_pico_usd = 0", "DELETE FROM journal"])(
    "lets nobody rewrite the journal: %s",
    async (sql) => {
      const database = new DatabaseSync(":memory:");
      const ledger = new SqliteLedger(new GroupCommit(database));
      await ledger.post([{ scope: "a", window: "all" }], { costPicoUsd: 1n });
      expect(() => database.exec(sql)).toThrow("the journal is append-only");
      database.close();
    },
  );
});
