import { afterEach, beforeEach, expect, it } from "vitest";
import type { RowOrder, RunStore } from "../store/run-store.ts";
import {
  addTexts,
  type Case,
  file,
  labeled,
  placesOf,
  type RunStoreBench,
  textsOf,
  waiting,
} from "./run-store-bench.ts";
import { moneyCases } from "./run-store-money-cases.ts";

/**
 * The contract of a run store as tests. Every store of the labeler passes it on its real engine.
 *
 * @param makeBench a run that holds nothing yet; called once a test.
 */
export function runStoreSuite(makeBench: () => RunStoreBench | Promise<RunStoreBench>): void {
  let bench: RunStoreBench;
  let opened: RunStore[];
  beforeEach(async () => {
    const made = await makeBench();
    opened = [];
    const remembered = async (opening: Promise<RunStore>) => {
      const store = await opening;
      opened.push(store);
      return store;
    };
    bench = {
      open: () => remembered(made.open()),
      beside: () => remembered(made.beside()),
      afterKill: () => remembered(made.afterKill()),
    };
  });
  afterEach(async () => {
    for (const store of opened.reverse()) await store.close();
  });
  for (const [name, body] of Object.entries({ ...rowCases, ...orderCases, ...reviewCases, ...moneyCases }))
    it(name, async () => body(await bench.open(), bench));
}

/** So many rows; every fourth is of the kind `b`. */
const addKinds = (store: RunStore, count: number, order: RowOrder) =>
  store.addRows(
    Array.from({ length: count }, (_, row) => ({
      rowId: `${row}`,
      text: `text ${row}`,
      input: { kind: row % 4 === 0 ? "b" : "a" },
    })),
    { order, dedupe: true },
  );

const rowCases: Record<string, Case> = {
  "gives rows back as they came in, in their order, also when it is opened again": async (store, bench) => {
    const strange = 'quotes " \' \\ "\\u0000", new\r\nlines, nul \u0000, \uE000, 😀, ٣, \u202E';
    const inputs = [
      { text: strange, [strange]: strange, deep: [{ [strange]: null }], long: 12345678901234567890n, half: 0.5 },
      { text: "", none: null, yes: true },
    ];
    const rows = inputs.map((input, index) => ({ rowId: `${strange}${index}`, text: input.text, input }));
    expect(await store.addRows(rows, { order: file, dedupe: true })).toBe(2);
    await store.set({ [strange]: strange, plain: "1" });
    const asLabeled = { status: "labeled", label: [strange, { [strange]: 1 }], confidence: 0.1 } as const;
    await store.finishRow(0, { ...asLabeled, explanation: strange, source: strange, taskVersion: strange });
    await store.finishRow(1, { status: "error", error: strange, taskVersion: "v" });
    await store.close();
    const again = await bench.open();
    const nothing = { duplicateOf: null, attempts: 0, review: null };
    const read = await Array.fromAsync(again.rows());
    expect(read).toMatchObject([
      {
        ...rows[0],
        ...nothing,
        ...asLabeled,
        position: 0,
        explanation: strange,
        source: strange,
        taskVersion: strange,
      },
      { ...rows[1], ...nothing, position: 1, status: "error", label: null, error: strange, taskVersion: "v" },
    ]);
    expect(read[0]?.cost.picoUsd).toBe(0n);
    expect(await again.row(1)).toEqual(read[1]);
    expect((await again.pending(0))[0]).toMatchObject({
      position: 1,
      rowId: rows[1]?.rowId,
      text: "",
      status: "error",
    });
    expect(await again.facts()).toEqual({ [strange]: strange, plain: "1" });
  },

  "is empty at first, and may stay so": async (store) => {
    expect(await store.addRows([], { order: { kind: "random", seed: 1 }, dedupe: true })).toBe(0);
    expect(await store.facts()).toEqual({});
    expect(await store.pending(0)).toEqual([]);
    expect(await Array.fromAsync(store.rows())).toEqual([]);
    expect(await store.counts()).toEqual({ rows: 0, labeled: 0, invalid: 0, errors: 0, unpaid: 0 });
    expect(await store.standing()).toEqual({ rest: { rows: 0, characters: 0 }, sample: [] });
    expect(await store.isStopAsked()).toBe(false);
  },

  "buys equal texts once, however far apart, and gives the answer to each of their rows": async (store) => {
    const texts = Array.from({ length: 2500 }, (_, row) => `text ${row % 1200}`);
    expect(await addTexts(store, ...texts)).toBe(2500);
    const rows: number[] = [];
    for (
      let batch = await store.pending(0);
      batch.length > 0;
      batch = await store.pending((batch.at(-1)?.turn ?? 0) + 1)
    )
      rows.push(...placesOf(batch));
    expect(rows).toEqual(Array.from({ length: 1200 }, (_, row) => row));
    expect(await store.finishRow(0, labeled)).toBe(3);
    expect(await store.finishRow(600, labeled)).toBe(2);
    const read = await Array.fromAsync(store.rows());
    expect(
      read.flatMap(({ position, label, duplicateOf }) => (label === "x" ? [[position, duplicateOf]] : [])),
    ).toEqual([
      [0, null],
      [600, null],
      [1200, 0],
      [1800, 600],
      [2400, 0],
    ]);
    expect(await store.counts()).toEqual({ rows: 2500, labeled: 5, invalid: 0, errors: 0, unpaid: 2495 });
  },

  "buys each row by itself where it is asked to": async (store) => {
    await store.addRows(textsOf("a", "a"), { order: file, dedupe: false });
    expect(await waiting(store)).toEqual([0, 1]);
    expect(await store.finishRow(0, labeled)).toBe(1);
    expect(await waiting(store)).toEqual([1]);
  },

  "counts each state where it belongs, and tells failed rows as waiting": async (store) => {
    await addTexts(store, "a", "b", "c", "d", "e", "f");
    const ends = ["labeled", "invalid_label", "truncated", "refused", "error"] as const;
    await Promise.all(ends.map((status, row) => store.finishRow(row, { status, taskVersion: "v" })));
    expect(await store.counts()).toEqual({ rows: 6, labeled: 1, invalid: 3, errors: 1, unpaid: 1 });
    expect((await store.pending(0)).map(({ position, status }) => [position, status])).toEqual([
      [4, "error"],
      [5, "unpaid"],
    ]);
    expect(placesOf(await store.pending(0, 1))).toEqual([4]);
    const turn = (await store.pending(0, 1))[0]?.turn ?? 0;
    expect(await store.pending(0, 9, turn)).toEqual([]);
    expect(placesOf(await store.pending(0, 9, turn + 1))).toEqual([4]);
    expect(placesOf(await store.pending(5))).toEqual([5]);
    // A later end of the same row counts instead.
    await store.finishRow(4, labeled);
    expect(await store.counts()).toMatchObject({ labeled: 2, errors: 0 });
  },

  "buys rows again that were found wanting, and only then": async (store) => {
    await addTexts(store, "a", "b", "c", "c", "d");
    await store.finishRow(0, labeled);
    await store.finishRow(1, { status: "truncated", error: "cut", taskVersion: "v" });
    await store.finishRow(2, { status: "invalid_label", error: "?", taskVersion: "w" });
    expect(await waiting(store)).toEqual([4]);
    expect(await store.reopen(["truncated", "invalid_label"], { notOfVersion: "v" })).toBe(2);
    expect(await waiting(store)).toEqual([2, 4]);
    expect(await store.reopen(["truncated", "invalid_label"])).toBe(1);
    expect(await waiting(store)).toEqual([1, 2, 4]);
    const row = { status: "unpaid", label: null, error: null, source: null, taskVersion: null };
    expect(await store.row(1)).toMatchObject(row);
    expect(await store.row(3)).toMatchObject(row);
    expect(await store.reopen([])).toBe(0);
  },

  "reads ahead a few MB of long rows at once, and loses none": async (store) => {
    const long = function* () {
      for (let row = 0; row < 9; row++) yield { rowId: `${row}`, text: `${row}${"x".repeat(1_500_000)}`, input: {} };
    };
    await store.addRows(long(), { order: file, dedupe: true });
    const turns: number[] = [];
    for (let batch = await store.pending(0); batch.length > 0; batch = await store.pending((turns.at(-1) ?? 0) + 1)) {
      expect(batch.length).toBeLessThanOrEqual(4);
      turns.push(...batch.map(({ turn }) => turn));
    }
    expect(turns).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(placesOf(await Array.fromAsync(store.rows()))).toEqual(turns);
  },

  "lets go of a reader that had enough": async (store) => {
    await addTexts(store, "a", "b", "c");
    for (let reader = 0; reader < 30; reader++) {
      for await (const { position } of store.rows()) {
        expect(position).toBe(0);
        break;
      }
    }
    expect(await store.finishRow(0, labeled)).toBe(1);
  },

  "keeps facts, the last ones, and tells who works on it that it should stop": async (store, bench) => {
    await store.set({ a: "1", b: "2" });
    await store.set({ b: "3" });
    const beside = await bench.beside();
    expect(await beside.facts()).toEqual({ a: "1", b: "3" });
    await beside.set({ stopAskedAt: "now" });
    expect(await store.isStopAsked()).toBe(true);
    await store.set({ stopAskedAt: "" });
    expect(await store.isStopAsked()).toBe(false);
  },
};

const orderCases: Record<string, Case> = {
  "buys in an order that a seed fixes, the same on every engine": async (store) => {
    await addKinds(store, 100, { kind: "random", seed: 1 });
    const rows = await store.pending(0);
    expect(rows.map(({ turn }) => turn)).toEqual(Array.from({ length: 100 }, (_, turn) => turn));
    expect(new Set(placesOf(rows)).size).toBe(100);
    expect(placesOf(rows).slice(0, 5)).toEqual([72, 30, 71, 90, 39]);
    await store.reorder(file);
    expect(placesOf((await store.pending(0)).slice(0, 3))).toEqual([0, 1, 2]);
  },

  "gives every stratum the same share of each prefix": async (store) => {
    await addKinds(store, 100, { kind: "stratified", seed: 1, column: "kind" });
    const places = await waiting(store);
    expect(places.slice(0, 8)).toEqual([30, 71, 72, 90, 39, 49, 56, 29]);
    for (const reached of [8, 20, 40, 72]) {
      const b = places.slice(0, reached).filter((position) => position % 4 === 0).length;
      expect(Math.abs(b - reached / 4)).toBeLessThanOrEqual(1);
    }
  },

  "counts what was bought into the sample that follows, and tells each row's share of it": async (store) => {
    const order: RowOrder = { kind: "stratified", seed: 1, column: "kind" };
    await addKinds(store, 40, file);
    // A probe, wherever its rows are, then a third of the whole, and one beyond it.
    for (const position of [3, 4]) await store.finishRow(position, labeled);
    await store.reorder(order);
    for (const { position } of (await store.pending(0)).slice(0, 10)) await store.finishRow(position, labeled);
    const last = (await store.pending(0)).at(-1);
    await store.finishRow(last?.position ?? -1, labeled);
    expect(await store.reached("kind")).toEqual({
      inOrder: 12,
      beyond: 1,
      strata: [
        { value: "a", rows: 30, reached: last && last.position % 4 === 0 ? 9 : 10 },
        { value: "b", rows: 10, reached: last && last.position % 4 === 0 ? 4 : 3 },
      ],
    });
    expect(await store.reached(undefined)).toMatchObject({ strata: [{ value: "", rows: 40, reached: 13 }] });
    expect(await store.reached("no such column")).toMatchObject({ strata: [{ value: "", rows: 40, reached: 13 }] });
    const rows = await Array.fromAsync(store.rows({ sample: order }));
    expect(rows.filter(({ inclusion }) => inclusion !== null)).toHaveLength(12);
    expect([rows[3]?.inclusion, rows[4]?.inclusion, rows[last?.position ?? -1]?.inclusion]).toEqual([0.3, 0.3, null]);
    expect((await Array.fromAsync(store.rows({ sample: file })))[3]).not.toHaveProperty("inclusion");
  },

  "draws rows of equal text together": async (store) => {
    const order: RowOrder = { kind: "random", seed: 1 };
    await store.addRows(textsOf("a", "b", "c", "a"), { order, dedupe: true });
    await store.finishRow(0, labeled);
    await store.reorder(order);
    const rows = await Array.fromAsync(store.rows({ sample: order }));
    expect(rows.map(({ inclusion }) => inclusion)).toEqual([1 / 3, null, null, 1 / 3]);
  },
};

const reviewCases: Record<string, Case> = {
  "buys no row that a person labeled, and keeps who said what": async (store, bench) => {
    await addTexts(store, "a", "b", "a", "c", "d");
    await store.finishRow(0, { status: "error", error: "no answer", taskVersion: "v" });
    await store.finishRow(1, { ...labeled, confidence: 0.5, source: "m", explanation: "because" });
    await store.finishRow(4, { status: "truncated", taskVersion: "v" });
    const beside = await bench.beside();
    await beside.review({ position: 2, action: "correct", label: "y", author: "Ada \u0000" });
    await beside.review({ position: 1, action: "accept", label: "x", author: "Bob" });
    await beside.review({ position: 4, action: "skip", label: null, author: "Bob" });
    const by = (position: number) => beside.review({ position, action: "skip", label: null, author: "Bob" });
    await expect(by(3)).rejects.toThrow(/no answer yet/);
    await expect(by(5)).rejects.toThrow(/no row at place 5/);
    expect(await waiting(store)).toEqual([3]);
    expect((await store.standing()).rest).toEqual({ rows: 1, characters: 1 });
    expect(await store.reopen(["error", "labeled"])).toBe(0);
    expect(await store.counts()).toEqual({ rows: 5, labeled: 3, invalid: 1, errors: 0, unpaid: 1 });
    expect(await store.counts({ asModelSaid: true })).toMatchObject({ labeled: 1, errors: 2 });
    const rows = await Array.fromAsync(store.rows());
    const ofAda = { label: "y", status: "labeled", source: "human:Ada \u0000", error: null, confidence: null };
    expect(rows).toMatchObject([
      { ...ofAda, review: { label: "y", author: "Ada \u0000", at: expect.stringMatching(/^\d{4}-.*T.*Z$/) } },
      { label: "x", source: "human:Bob", confidence: 0.5, explanation: "because" },
      ofAda,
      { status: "unpaid", review: null },
      { status: "truncated", review: null },
    ]);
    expect(await store.row(2)).toEqual(rows[2]);
    const said = await Array.fromAsync(store.rows({ asModelSaid: true }));
    expect(said[0]).toMatchObject({ label: null, status: "error", review: { label: "y" } });
    expect(await beside.undoReview("Ada \u0000")).toBe(0);
    expect(await beside.undoReview("Ada \u0000")).toBeUndefined();
    expect(await waiting(store)).toEqual([0, 3]);
  },

  "takes back an author's review of one row, also by another row of its text": async (store) => {
    await addTexts(store, "a", "b", "a");
    await store.finishRow(0, labeled);
    await store.finishRow(1, labeled);
    const say = { action: "correct", label: "y", author: "Ada" } as const;
    await store.review({ ...say, position: 0 });
    await store.review({ ...say, position: 1 });
    expect(await store.undoReview("Bob", 0)).toBeUndefined();
    expect(await store.undoReview("Ada", 2)).toBe(0);
    expect((await store.row(0)).label).toBe("x");
    expect((await store.row(1)).label).toBe("y");
    expect(await store.undoReview("Ada", 0)).toBeUndefined();
  },

  "counts the last thing that a person said": async (store) => {
    await addTexts(store, "a");
    await store.finishRow(0, labeled);
    await store.review({ position: 0, action: "correct", label: ["y"], author: "Ada" });
    await store.review({ position: 0, action: "correct", label: { z: 1 }, author: "Bob" });
    expect((await store.row(0)).label).toEqual({ z: 1 });
    await store.undoReview("Bob");
    expect((await store.row(0)).label).toEqual(["y"]);
    await store.undoReview("Ada");
    expect((await store.row(0)).label).toBe("x");
  },
};
