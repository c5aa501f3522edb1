import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SqliteRunStore } from "./sqlite-run-store.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "store-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const texts = (...all: string[]) => all.map((text, index) => ({ rowId: String(index), text, input: { text } }));

describe("SqliteRunStore", () => {
  it("buys equal texts once, and gives the answer to each of their rows", async () => {
    const store = new SqliteRunStore(join(folder, "run.sqlite"));
    await store.addRows(texts("a", "b", "a", "a"), { order: { kind: "file" }, dedupe: true });
    const pending = await store.pending(0);
    expect(pending.map(({ position }) => position)).toEqual([0, 1]);
    expect(await store.finishRow(0, { status: "labeled", label: "x", taskVersion: "v" })).toBe(3);
    const rows = await Array.fromAsync(store.rows());
    expect(rows.map(({ label, duplicateOf }) => [label, duplicateOf])).toEqual([
      ["x", null],
      [null, null],
      ["x", 0],
      ["x", 0],
    ]);
    expect(await store.counts()).toMatchObject({ rows: 4, labeled: 3, unpaid: 1 });
    await store.close();
  });

  it("buys each row by itself where it is asked to", async () => {
    const store = new SqliteRunStore(join(folder, "run.sqlite"));
    await store.addRows(texts("a", "a"), { order: { kind: "file" }, dedupe: false });
    expect(await store.pending(0)).toHaveLength(2);
    await store.close();
  });

  it("buys rows again that were found wanting, and only then", async () => {
    const store = new SqliteRunStore(join(folder, "run.sqlite"));
    await store.addRows(texts("a", "b", "c", "c"), { order: { kind: "file" }, dedupe: true });
    await store.finishRow(0, { status: "labeled", label: "x", taskVersion: "v" });
    await store.finishRow(1, { status: "truncated", error: "cut", taskVersion: "v" });
    await store.finishRow(2, { status: "invalid_label", error: "?", taskVersion: "v" });
    expect(await store.pending(0)).toEqual([]);
    expect(await store.reopen(["truncated", "invalid_label"])).toBe(3);
    expect((await store.pending(0)).map(({ position }) => position)).toEqual([1, 2]);
    expect((await store.row(1)).error).toBeNull();
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
