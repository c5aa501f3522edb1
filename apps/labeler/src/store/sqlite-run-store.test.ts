import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runStoreSuite } from "../testing/run-store-suite.ts";
import { SqliteRunStore } from "./sqlite-run-store.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "store-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const texts = (...all: string[]) => all.map((text, index) => ({ rowId: String(index), text, input: { text } }));

describe("SqliteRunStore keeps the contract of a run store: it", () => {
  const path = () => join(folder, "run.sqlite");
  runStoreSuite(() => ({
    open: async () => new SqliteRunStore(path()),
    beside: async () => new SqliteRunStore(path(), { beside: true }),
    afterKill: async () => {
      // What the system has of the files at this moment is what a process that is killed leaves behind.
      const left = join(folder, "left.sqlite");
      for (const suffix of ["", "-wal"])
        if (existsSync(`${path()}${suffix}`)) copyFileSync(`${path()}${suffix}`, `${left}${suffix}`);
      return new SqliteRunStore(left);
    },
  }));
});

describe("SqliteRunStore", () => {
  it("keeps sums that are those of the rows, whatever happens to them, and makes them for an older file", async () => {
    const path = join(folder, "run.sqlite");
    let store = new SqliteRunStore(path);
    await store.addRows(texts(...Array.from({ length: 40 }, (_, index) => `text ${index % 30}`)), {
      order: { kind: "file" },
      dedupe: true,
    });
    const { database } = store.commit;
    const insert = database.prepare(
      "INSERT INTO attempts (position, reservation_id, model_id, cost_pico_usd, kind) VALUES (?, ?, ?, ?, 'reported')",
    );
    const ends = ["labeled", "invalid_label", "error", "truncated"] as const;
    for (let position = 0; position < 25; position++) {
      insert.run(position, `r${position}`, position % 3 ? "m" : null, 10 + position);
      const status = ends[position % 4] ?? "labeled";
      await store.finishRow(position, { status, label: status === "labeled" ? "x" : undefined, taskVersion: "v" });
    }
    await store.reopen(["truncated", "error"]);
    await store.finishRow(2, { status: "labeled", label: "y", taskVersion: "w" });
    await store.review({ position: 1, action: "correct", label: "z", author: "Ada" });
    const all = (sql: string) =>
      store.commit.database
        .prepare(sql)
        .all()
        .map((row) => ({ ...row }));
    const check = async () => {
      expect(all("SELECT status, task_version, rows FROM ended_counts WHERE rows > 0")).toEqual(
        all(`SELECT status, task_version, count(*) AS rows FROM rows WHERE status <> 'unpaid'
          GROUP BY status, task_version ORDER BY status, task_version`),
      );
      expect(all("SELECT model_id, calls, cost_pico_usd FROM spend")).toEqual(
        all(`SELECT coalesce(model_id, '') AS model_id, count(*) AS calls, sum(cost_pico_usd) AS cost_pico_usd
          FROM attempts GROUP BY 1 ORDER BY 1`),
      );
      for await (const { cost, position } of store.rows())
        expect(all(`SELECT cost_pico_usd AS cost FROM rows WHERE position = ${position}`)).toEqual([
          { cost: Number(cost.picoUsd) },
        ]);
      const rows = await Array.fromAsync(store.rows());
      const counts = await store.counts();
      expect(counts).toMatchObject({
        rows: 40,
        labeled: rows.filter(({ status }) => status === "labeled").length,
        unpaid: rows.filter(({ status }) => status === "unpaid").length,
      });
      expect(await store.counts({ asModelSaid: true })).toEqual({
        ...counts,
        // The row and the one of its text.
        labeled: counts.labeled - 2,
        invalid: counts.invalid + 2,
      });
    };
    await check();
    database.exec(`DROP TRIGGER attempts_cost; DROP TRIGGER rows_end; DROP TRIGGER rows_open_again; DROP TABLE spend;
      DROP TABLE ended_counts; DROP INDEX ended_rows; ALTER TABLE rows DROP COLUMN cost_pico_usd;
      DELETE FROM run_schema WHERE version > 3`);
    await store.close();
    store = new SqliteRunStore(path);
    await check();
    await store.close();
  });

  it("goes on with a run file of the first version", async () => {
    const path = join(folder, "old.sqlite");
    const old = new DatabaseSync(path);
    old.exec(`CREATE TABLE run_schema (version INTEGER NOT NULL) STRICT; INSERT INTO run_schema VALUES (1);
      CREATE TABLE run (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
      CREATE TABLE rows (position INTEGER PRIMARY KEY, row_id TEXT NOT NULL, text TEXT NOT NULL, input TEXT NOT NULL,
        status TEXT NOT NULL DEFAULT 'unpaid', label TEXT, source TEXT, error TEXT) STRICT;
      CREATE INDEX open_rows ON rows (position) WHERE status IN ('unpaid', 'error');
      CREATE TABLE attempts (position INTEGER NOT NULL REFERENCES rows (position), reservation_id TEXT NOT NULL UNIQUE,
        answer TEXT, finish_reason TEXT, model_id TEXT, cost_pico_usd INTEGER NOT NULL, kind TEXT NOT NULL,
        error TEXT) STRICT;
      CREATE INDEX attempts_of_row ON attempts (position);
      INSERT INTO rows VALUES (0, 'a', 'one', '{}', 'labeled', 'say "hi"', 'm', NULL), (1, 'b', 'two', '{}', 'unpaid', NULL, NULL, NULL);
      INSERT INTO attempts VALUES (0, 'r', 'x', 'stop', 'm', 5, 'reported', NULL);`);
    old.close();
    const store = new SqliteRunStore(path);
    expect(await store.row(0)).toMatchObject({ label: 'say "hi"', attempts: 1, duplicateOf: null });
    expect((await store.pending(0)).map(({ rowId }) => rowId)).toEqual(["b"]);
    await store.close();
  });

  it("takes in and reads ahead a few MB of long rows at once, and loses none", async () => {
    const store = new SqliteRunStore(join(folder, "run.sqlite"));
    let ahead = 0;
    const commits: number[] = [];
    const long = function* () {
      for (let row = 0; row < 24; row++) {
        ahead++;
        yield { rowId: String(row), text: `${row}${"x".repeat(1_000_000)}`, input: {} };
      }
    };
    const run = store.commit.run.bind(store.commit);
    store.commit.run = (write) => {
      commits.push(ahead);
      ahead = 0;
      return run(write);
    };
    await store.addRows(long(), { order: { kind: "file" }, dedupe: true });
    expect(Math.max(...commits)).toBeLessThanOrEqual(5);
    const turns: number[] = [];
    for (let batch = await store.pending(0); batch.length > 0; batch = await store.pending((turns.at(-1) ?? 0) + 1)) {
      expect(batch.length).toBeLessThanOrEqual(5);
      turns.push(...batch.map(({ turn }) => turn));
    }
    expect(turns).toEqual(Array.from({ length: 24 }, (_, row) => row));
    await store.close();
  });
});
