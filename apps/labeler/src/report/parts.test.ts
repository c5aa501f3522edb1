import { usd } from "@autolabel/budget-core";
import type { JournalEntry } from "@autolabel/budget-core/ledgers/sqlite";
import { describe, expect, it } from "vitest";
import type { LabeledRow } from "../store/row.ts";
import type { RecordedAttempt, RowOrder } from "../store/run-store.ts";
import { reconcileBooks } from "./reconcile-books.ts";
import { SelectionCounter } from "./selection.ts";
import { SpendCounter } from "./spend.ts";
import { cut, textTable } from "./text-table.ts";
import { bookLines, booksVerdict, dollars, exactDollars, selectionText } from "./words.ts";
import { WrongRows } from "./wrong-rows.ts";

const plain = (_format: unknown, text: string) => text;

function row(fields: Partial<LabeledRow>): LabeledRow {
  const empty = {
    label: null,
    confidence: null,
    source: null,
    duplicateOf: null,
    review: null,
    explanation: null,
    error: null,
    taskVersion: null,
  };
  return {
    position: 0,
    rowId: "0",
    input: {},
    text: "",
    status: "unpaid",
    cost: usd.pico(0n),
    attempts: 0,
    ...empty,
    ...fields,
  };
}

function attempt(fields: Partial<RecordedAttempt>): RecordedAttempt {
  const rest = { reservationId: "r", at: null, callId: null, isAnswered: true, isSuperseded: false };
  return { position: 0, costPicoUsd: 0n, kind: "reported", modelId: "m", ...rest, ...fields };
}

describe("spend", () => {
  it("is broken down by purpose, evidence, model, state and error, each to the same total", () => {
    const counter = new SpendCounter(4);
    counter.addRow(row({ position: 0, status: "labeled", label: "a", source: "m", cost: usd.pico(30n) }), true);
    counter.addRow(row({ position: 1, status: "labeled", label: "a", source: "m", duplicateOf: 0 }), false);
    counter.addRow(row({ position: 2, status: "invalid_label", error: 'no label: "x1"', cost: usd.pico(12n) }), false);
    counter.addRow(row({ position: 3, duplicateOf: 2 }), false);
    counter.addAttempt(attempt({ costPicoUsd: 10n }));
    counter.addAttempt(attempt({ costPicoUsd: 20n }));
    counter.addAttempt(attempt({ position: 2, costPicoUsd: 3n, isSuperseded: true }));
    counter.addAttempt(attempt({ position: 2, costPicoUsd: 4n, isAnswered: false, kind: "bound", modelId: null }));
    counter.addAttempt(attempt({ position: 2, costPicoUsd: 5n, kind: "computed", modelId: "n" }));
    const spend = counter.spend();
    expect(spend).toMatchObject({ calls: 5, costPicoUsd: 42n });
    expect(spend.byPurpose).toEqual({
      answers: { calls: 2, costPicoUsd: 15n },
      repairs: { calls: 1, costPicoUsd: 20n },
      failed: { calls: 1, costPicoUsd: 4n },
      boughtAgain: { calls: 1, costPicoUsd: 3n },
    });
    expect(spend.byEvidence).toEqual({
      reported: { calls: 3, costPicoUsd: 33n },
      computed: { calls: 1, costPicoUsd: 5n },
      bound: { calls: 1, costPicoUsd: 4n },
    });
    expect(spend.byModel).toEqual([
      { modelId: "m", calls: 3, costPicoUsd: 33n, labeled: 2, correct: 1 },
      { modelId: "n", calls: 1, costPicoUsd: 5n, labeled: 0, correct: 0 },
      { modelId: null, calls: 1, costPicoUsd: 4n, labeled: 0, correct: 0 },
    ]);
    expect(spend.byStatus.map(({ status, rows, costPicoUsd }) => [status, rows, costPicoUsd])).toEqual([
      ["labeled", 2, 30n],
      ["invalid_label", 1, 12n],
      ["unpaid", 1, 0n],
    ]);
    expect(spend.byError).toEqual([{ status: "invalid_label", error: "no label: …", rows: 1, costPicoUsd: 12n }]);
    expect(spend.dedupe).toEqual({ rows: 1, savedPicoUsd: 30n });
    expect(spend.burn.map(({ costPicoUsd }) => costPicoUsd)).toEqual([10n, 30n, 33n, 37n, 42n]);
  });

  it("keeps the curve short, and its end", () => {
    const counter = new SpendCounter(1);
    for (let call = 0; call < 12_345; call++) counter.addAttempt(attempt({ costPicoUsd: 2n }));
    const { burn } = counter.spend();
    expect(burn.length).toBeGreaterThan(90);
    expect(burn.length).toBeLessThanOrEqual(201);
    expect(burn.at(-1)).toEqual({ calls: 12_345, costPicoUsd: 24_690n, at: null });
    expect(burn.every(({ calls, costPicoUsd }) => costPicoUsd === 2n * BigInt(calls))).toBe(true);
  });
});

describe("selection", () => {
  function select(order: RowOrder, reached: number, isMixed = false) {
    const counter = new SelectionCounter(order, isMixed);
    for (let position = 0; position < 10; position++) {
      const status = position < reached ? (position === 0 ? "invalid_label" : "labeled") : "unpaid";
      counter.add({ status, input: { kind: position % 2 === 0 ? "even" : "odd" } }, position % 4 === 1);
    }
    return counter.selection();
  }

  it("of all rows is none", () => {
    expect(select({ kind: "file" }, 10)).toMatchObject({ kind: "all", reached: 10, share: 1, estimate: null });
  });

  it("of the first rows of a file gives no estimate for all, and says so", () => {
    const selection = select({ kind: "file" }, 4);
    expect(selection).toMatchObject({ kind: "prefix", share: 0.4, estimate: null });
    expect(selectionText(selection).join(" ")).toContain("no estimate for all rows");
  });

  it.each([{ kind: "file" }, { kind: "random", seed: 7 }] as const)(
    "in several orders, now %o, is no sample",
    (order) => {
      const selection = select(order, 4, true);
      expect(selection).toMatchObject({ kind: "mixed", estimate: null });
      expect(selectionText(selection).join(" ")).toContain("in several orders one after the other");
    },
  );

  it("by chance gives an estimate by the rows that were asked for, those without a label among them", () => {
    const selection = select({ kind: "random", seed: 7 }, 6);
    expect(selection).toMatchObject({ kind: "random", estimate: { count: 2, total: 6 } });
    expect(selectionText(selection).join(" ")).toContain("seed 7");
    expect(selectionText(selection).join(" ")).toContain("about 33.3 %");
  });

  it("by strata tells the share of each", () => {
    const selection = select({ kind: "stratified", seed: 1, column: "kind" }, 5);
    expect(selection.strata).toEqual([
      { value: "odd", rows: 5, reached: 2, share: 0.4 },
      { value: "even", rows: 5, reached: 3, share: 0.6 },
    ]);
  });
});

describe("the two books", () => {
  const entry = (fields: Partial<JournalEntry>): JournalEntry => ({
    atMs: 0,
    kind: "settled",
    amountPicoUsd: 0n,
    reservationId: null,
    ...fields,
  });
  const recorded: Record<string, { costPicoUsd: bigint; kind: RecordedAttempt["kind"] }> = {
    a: { costPicoUsd: 100n, kind: "reported" },
    b: { costPicoUsd: 50n, kind: "bound" },
    c: { costPicoUsd: 7n, kind: "computed" },
  };
  const attemptOf = async (id: string) => recorded[id];
  const calls = { calls: 3, costPicoUsd: 157n };

  it("agree where every call is in both", async () => {
    const entries = [
      entry({ reservationId: "a", amountPicoUsd: 100n }),
      entry({ reservationId: "b", amountPicoUsd: 50n }),
      entry({ reservationId: "c", amountPicoUsd: 7n }),
    ];
    const books = await reconcileBooks({ calls, attemptOf, entries, ledgerPicoUsd: 157n });
    expect(books.matched).toEqual({
      reported: { calls: 1, costPicoUsd: 100n },
      computed: { calls: 1, costPicoUsd: 7n },
      bound: { calls: 1, costPicoUsd: 50n },
    });
    expect(books.unexplainedPicoUsd).toBe(0n);
    expect(booksVerdict(books)).toEqual({ isSound: true, text: "Ledger and run agree to the last pico-USD." });
  });

  it("differ by what is told line by line: mended, resolved, posted, reset, on its way", async () => {
    const entries = [
      entry({ kind: "opening", amountPicoUsd: 1000n }),
      entry({ reservationId: "a", amountPicoUsd: 100n }),
      entry({ reservationId: "b", amountPicoUsd: 45n }),
      entry({ reservationId: "crashed", amountPicoUsd: 9n }),
      entry({ kind: "posted", amountPicoUsd: 3n }),
      entry({ kind: "reset", amountPicoUsd: -1100n }),
    ];
    const books = await reconcileBooks({ calls, attemptOf, entries, ledgerPicoUsd: 57n });
    expect(books).toMatchObject({
      correctionsPicoUsd: -5n,
      resolved: { calls: 1, costPicoUsd: 9n },
      posted: { calls: 1, costPicoUsd: 3n },
      openingPicoUsd: 1000n,
      resetsPicoUsd: -1100n,
      notPosted: { calls: 1, costPicoUsd: 7n },
      unexplainedPicoUsd: 0n,
    });
    // The lines above the sum add up to it.
    const lines = bookLines(books);
    const end = lines.findIndex(({ isSum }) => isSum);
    expect(lines.slice(0, end).reduce((sum, { picoUsd }) => sum + picoUsd, 0n)).toBe(lines[end]?.picoUsd);
    expect(booksVerdict(books).text).toContain("-$0.000000000100, explained");
  });

  it("that cannot be explained are called so", async () => {
    const books = await reconcileBooks({
      calls,
      attemptOf,
      entries: [entry({ reservationId: "a", amountPicoUsd: 100n })],
      ledgerPicoUsd: 101n,
    });
    expect(books.unexplainedPicoUsd).toBe(1n);
    expect(booksVerdict(books)).toMatchObject({ isSound: false });
    expect(bookLines(books)).toContainEqual({ name: "not explained", calls: null, picoUsd: 1n });
  });
});

describe("words and tables", () => {
  it("shows amounts of any size with four significant digits, or to the last unit", () => {
    expect([0n, 43_210_000n, 123_456_789_012n, -5n, null].map(dollars)).toEqual([
      "$0.00",
      "$0.00004321",
      "$0.1235",
      "-$0.000000000005",
      "–",
    ]);
    expect([exactDollars(1_500_000_000_000n), exactDollars(-1n)]).toEqual(["$1.500000000000", "-$0.000000000001"]);
  });

  it("cuts names, never numbers, to the width of the terminal", () => {
    const table = textTable(
      [{ heading: "name" }, { heading: "n", align: "right" }],
      [
        ["x".repeat(100), "1,234"],
        ["a\u001b[31m\nb", "5"],
      ],
      40,
      plain,
    );
    const lines = table.trimEnd().split("\n");
    expect(lines.every((line) => line.length <= 40)).toBe(true);
    expect(lines[1]).toMatch(/^ {2}x+… {2}1,234$/);
    expect(lines[2]).toMatch(/a \[31m b +5$/);
    expect(cut("abc", 2)).toBe("a…");
  });

  it("keeps a few examples of every way to be wrong, the most frequent first", () => {
    const wrong = new WrongRows();
    const base = { text: "x".repeat(400), confidence: null };
    for (let index = 0; index < 5; index++)
      wrong.add({ ...base, rowId: String(index), gold: "a", label: "b", status: "labeled", error: null });
    for (let index = 0; index < 7; index++)
      wrong.add({
        ...base,
        rowId: `e${index}`,
        gold: "a",
        label: null,
        status: "error",
        error: `HTTP 500 (${index} attempts)`,
      });
    const [first, second] = wrong.groups(10);
    expect([first?.rows, second?.rows]).toEqual([7, 5]);
    expect(second?.examples.map(({ rowId }) => rowId)).toEqual(["0", "1", "2"]);
    expect(second?.examples[0]?.text).toHaveLength(301);
    expect(wrong.groups(1)).toHaveLength(1);
  });
});
