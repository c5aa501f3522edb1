import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RowOrder } from "../store/run-store.ts";
import { SqliteRunStore } from "../store/sqlite-run-store.ts";
import { inclusionOf } from "./inclusion.ts";
import { sampleRows } from "./sample-rows.ts";

let folder: string;
let store: SqliteRunStore;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "sample-"));
  store = new SqliteRunStore(join(folder, "run.sqlite"));
  const rows = Array.from({ length: 200 }, (_, row) => ({
    rowId: `${row}`,
    // Every tenth text stands twice in a row.
    text: `text ${row % 10 === 1 ? row - 1 : row}`,
    input: { kind: row < 50 ? "a" : "b" },
  }));
  await store.addRows(rows, { order: { kind: "file" }, dedupe: true });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const finish = (position: number) => store.finishRow(position, { status: "labeled", label: "a", taskVersion: "1" });

describe("a random sample of rows", () => {
  it("is as long as asked for, has no row twice, and is the same for a seed", async () => {
    const first = await sampleRows(store, 20, 7);
    expect(new Set(first.map(({ position }) => position)).size).toBe(20);
    expect(await sampleRows(store, 20, 7)).toEqual(first);
    expect(await sampleRows(store, 20, 8)).not.toEqual(first);
  });

  it("draws every row that waits alike, also those behind duplicates and finished rows", async () => {
    for (let position = 0; position < 100; position += 2) await finish(position);
    const drawn = new Map<number, number>();
    for (let seed = 0; seed < 400; seed++) {
      for (const { position } of await sampleRows(store, 10, seed)) drawn.set(position, (drawn.get(position) ?? 0) + 1);
    }
    const waiting = (await store.pending(0, 1000)).map(({ position }) => position);
    expect([...drawn.keys()].every((position) => waiting.includes(position))).toBe(true);
    const expected = 4000 / waiting.length;
    for (const position of waiting)
      expect(Math.abs((drawn.get(position) ?? 0) - expected)).toBeLessThan(expected * 0.8);
  });

  it("is all rows where fewer wait than are asked for", async () => {
    expect(await sampleRows(store, 1000)).toHaveLength(180);
  });
});

describe("inclusion", () => {
  it("counts rows with their duplicates by value, and tells the order from what came beside it", async () => {
    for (const position of [0, 2, 3, 77]) await finish(position);
    expect(inclusionOf({ kind: "file" }, await store.reached("kind"))).toEqual({
      order: { kind: "file" },
      isMixed: false,
      inOrder: 3,
      beyond: 1,
      strata: [
        { value: "a", rows: 50, reached: 4, share: 0.08 },
        { value: "b", rows: 150, reached: 1, share: 1 / 150 },
      ],
    });
  });

  const inclusions = async (order: RowOrder) =>
    (await Array.fromAsync(store.rows({ sample: order }))).map(({ inclusion }) => inclusion);

  it("is the share of texts that a random order reached; what fitted later was not drawn", async () => {
    const order = { kind: "random", seed: 3 } as const;
    await store.reorder(order);
    const pending = await store.pending(0, 1000);
    for (const { position } of [...pending.slice(0, 45), ...pending.slice(100, 102)]) await finish(position);
    const told = await inclusions(order);
    const drawn = new Set(pending.slice(0, 45).map(({ position }) => position));
    // A row of equal text, the one after it, was drawn with it.
    const originals = told.map((_, row) => (row % 10 === 1 ? row - 1 : row));
    expect(told).toEqual(originals.map((original) => (drawn.has(original) ? 45 / 180 : null)));
    expect((await inclusions({ kind: "file" })).every((share) => share === undefined)).toBe(true);
  });

  it("is the share of each stratum, by the stratum of the row that was bought", async () => {
    const order = { kind: "stratified", seed: 1, column: "kind" } as const;
    await store.reorder(order);
    for (const { position } of (await store.pending(0, 1000)).slice(0, 36)) await finish(position);
    const shares = new Set(await inclusions(order));
    shares.delete(null);
    // Of 45 texts of a and 135 of b; the order counts rows, of which 50 and 150 are.
    expect(shares).toEqual(new Set([26 / 135, 10 / 45]));
  });

  it("counts what a probe bought into the sample that follows", async () => {
    const probed = await sampleRows(store, 10);
    for (const { position } of probed) await finish(position);
    const order = { kind: "random", seed: 1 } as const;
    await store.reorder(order);
    for (const { position } of (await store.pending(0, 1000)).slice(0, 8)) await finish(position);
    const rows = await Array.fromAsync(store.rows({ sample: order }));
    for (const { position } of probed) expect(rows[position]?.inclusion).toBe(18 / 180);
    expect(rows.filter(({ duplicateOf, inclusion }) => duplicateOf === null && inclusion !== null)).toHaveLength(18);
  });

  it("starts anew with another order, also back in the file's", async () => {
    await store.reorder({ kind: "random", seed: 1 });
    expect((await store.pending(0, 3)).map(({ position }) => position)).not.toEqual([0, 2, 3]);
    await store.reorder({ kind: "file" });
    expect((await store.pending(0, 3)).map(({ position }) => position)).toEqual([0, 2, 3]);
  });
});
