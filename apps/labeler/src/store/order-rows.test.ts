import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RowOrder } from "./run-store.ts";
import { SqliteRunStore } from "./sqlite-run-store.ts";

let folder: string;
let store: SqliteRunStore;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "order-"));
  store = new SqliteRunStore(join(folder, "run.sqlite"));
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Rows in the order in which they are bought; every fourth is of the kind "b". */
async function ordered(order: RowOrder, count = 100) {
  const rows = Array.from({ length: count }, (_, index) => ({
    rowId: `r${index}`,
    text: `text ${index}`,
    input: { kind: index % 4 === 0 ? "b" : "a" },
  }));
  await store.addRows(rows, { order, dedupe: true });
  return (await store.pending(0)).slice(0, count);
}

describe("the order in which rows are bought", () => {
  it("is the file's, unless asked otherwise", async () => {
    const rows = await ordered({ kind: "file" });
    expect(rows.map(({ position }) => position)).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  it("is a permutation that a seed fixes", async () => {
    const rows = await ordered({ kind: "random", seed: 1 });
    const positions = rows.map(({ position }) => position);
    expect(new Set(positions).size).toBe(100);
    expect(positions).not.toEqual([...positions].sort((a, b) => a - b));
    expect(rows.map(({ turn }) => turn)).toEqual(Array.from({ length: 100 }, (_, index) => index));
    // The draw is a function of seed and position alone, the same on every machine.
    expect(positions.slice(0, 5)).toEqual([72, 30, 71, 90, 39]);
  });

  it("holds the same share of every stratum in every prefix", async () => {
    const rows = await ordered({ kind: "stratified", seed: 1, column: "kind" });
    for (const reached of [8, 20, 40, 72]) {
      const b = rows.slice(0, reached).filter(({ position }) => position % 4 === 0).length;
      expect(Math.abs(b - reached / 4)).toBeLessThanOrEqual(1);
    }
  });
});
