import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CalibrationCounter } from "./calibration.ts";
import { confusedPairs } from "./confusion.ts";
import { makeMeasure } from "./make-measure.ts";
import { plainAnswer, saySame } from "./plain-text.ts";
import { proportion } from "./proportion.ts";

describe("a proportion", () => {
  // Wilson intervals as published: Newcombe 1998, table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])("of %i in %i has its 95 %% Wilson interval", (count, total, low, high) => {
    const found = proportion(count, total);
    expect(found.share).toBe(count / total);
    expect(found.low).toBeCloseTo(low, 4);
    expect(found.high).toBeCloseTo(high, 4);
  });

  it("of everything ends at 1, and of nothing tells nothing", () => {
    expect(proportion(5, 5)).toMatchObject({ share: 1, high: 1 });
    expect(proportion(0, 0)).toEqual({ count: 0, total: 0, share: null, low: null, high: null });
  });
});

describe("classification", () => {
  it("is scored as by hand", () => {
    const measure = makeMeasure({ task: "classification", labels: ["a", "b", "c"] });
    // gold -> given: a->a, a->a, a->b, b->b, b->none, c->a
    const rows = [
      ["a", "a"],
      ["a", "a"],
      ["A ", "b"],
      ["b", "b"],
      ["b", null],
      ["c", "a"],
    ] as const;
    const right = rows.map(([gold, label]) => measure.add({ gold, label, text: "" })?.isCorrect);
    expect(right).toEqual([true, true, false, true, false, false]);
    const details = measure.details();
    if (details.kind !== "classification") throw new Error(details.kind);
    const [a, b, c] = details.labels;
    expect(a).toMatchObject({
      support: 3,
      labeled: 3,
      given: 3,
      correct: 2,
      precision: 2 / 3,
      recall: 2 / 3,
      f1: 2 / 3,
    });
    expect(b).toMatchObject({
      support: 2,
      labeled: 1,
      given: 2,
      correct: 1,
      precision: 1 / 2,
      recall: 1 / 2,
      f1: 1 / 2,
    });
    expect(b?.ofLabeled).toEqual({ precision: 1 / 2, recall: 1, f1: 2 / 3 });
    expect(c).toMatchObject({ support: 1, given: 0, correct: 0, precision: null, recall: 0, f1: 0 });
    expect(details.macro.f1).toBeCloseTo((2 / 3 + 1 / 2 + 0) / 3, 12);
    expect(details.micro).toMatchObject({ precision: 3 / 5, recall: 3 / 6, f1: 6 / 11 });
    expect(details.micro.ofLabeled).toEqual({ precision: 3 / 5, recall: 3 / 5, f1: 3 / 5 });
    expect(details.confusion.matrix).toEqual([
      [2, 1, 0],
      [0, 1, 0],
      [1, 0, 0],
    ]);
    expect(details.confusion.unlabeled).toEqual([0, 1, 0]);
    expect(confusedPairs(details.confusion)).toEqual([
      { gold: "a", given: "b", rows: 1 },
      { gold: "c", given: "a", rows: 1 },
    ]);
  });

  it("names gold labels that are outside the label set, and counts them as wrong", () => {
    const measure = makeMeasure({ task: "classification", labels: ["1", "2"] });
    expect(measure.add({ gold: 1, label: "1", text: "" })).toEqual({ isCorrect: true, gold: "1" });
    expect(measure.add({ gold: "three", label: "1", text: "" })?.isCorrect).toBe(false);
    expect(measure.details()).toMatchObject({
      goldOutsideLabels: ["three"],
      confusion: { labels: ["1", "2", "three"] },
    });
  });

  it("agrees with a naive count on any data", () => {
    const label = fc.constantFrom("a", "b", "c", "d");
    fc.assert(
      fc.property(fc.array(fc.tuple(label, fc.option(label)), { minLength: 1 }), (rows) => {
        const measure = makeMeasure({ task: "classification", labels: ["a", "b", "c", "d"] });
        for (const [gold, given] of rows) measure.add({ gold, label: given, text: "" });
        const details = measure.details();
        if (details.kind !== "classification") throw new Error(details.kind);
        const f1s: number[] = [];
        for (const [place, name] of ["a", "b", "c", "d"].entries()) {
          const tp = rows.filter(([gold, given]) => gold === name && given === name).length;
          const fp = rows.filter(([gold, given]) => gold !== name && given === name).length;
          const fn = rows.filter(([gold, given]) => gold === name && given !== name).length;
          const f1 = tp + fp + fn === 0 ? null : tp / (tp + (fp + fn) / 2);
          if (f1 !== null) f1s.push(f1);
          const scored = details.labels[place];
          expect(scored?.precision ?? null).toBe(tp + fp === 0 ? null : tp / (tp + fp));
          expect(scored?.recall ?? null).toBe(tp + fn === 0 ? null : tp / (tp + fn));
          expect(scored?.f1 ?? -1).toBeCloseTo(f1 ?? -1, 12);
        }
        expect(details.macro.f1).toBeCloseTo(f1s.reduce((sum, f1) => sum + f1, 0) / f1s.length, 12);
        const cells = details.confusion.matrix.flat().reduce((sum, count) => sum + count, 0);
        expect(cells + details.confusion.unlabeled.reduce((sum, count) => sum + count, 0)).toBe(rows.length);
      }),
    );
  });
});

describe("the other tasks", () => {
  it.each([
    ["x;y", ["x", "y"], true],
    ['["y", "x"]', ["x", "y"], true],
    [["x"], ["x", "y"], false],
    ["x | y, z", ["x", "y"], false],
    ["[]", [], true],
    ["x", null, false],
  ])("multilabel: gold %j and %j", (gold, label, isCorrect) => {
    const measure = makeMeasure({ task: "multilabel", labels: ["x", "y", "z"] });
    expect(measure.add({ gold, label, text: "" })?.isCorrect).toBe(isCorrect);
  });

  it("multilabel: counts every label of a row", () => {
    const measure = makeMeasure({ task: "multilabel", labels: ["x", "y"] });
    measure.add({ gold: "x;y", label: ["x"], text: "" });
    measure.add({ gold: "x", label: ["x", "y"], text: "" });
    measure.add({ gold: "y", label: null, text: "" });
    const details = measure.details();
    expect(details).toMatchObject({
      labels: [
        { label: "x", support: 2, given: 2, correct: 2, f1: 1 },
        { label: "y", support: 2, labeled: 1, given: 1, correct: 0, f1: 0 },
      ],
      micro: { precision: 2 / 3, recall: 2 / 4 },
    });
  });

  const text = "Ada met Ada in Rome";
  const [ada, ada2, rome] = [
    { start: 0, end: 3, text: "Ada", label: "person" },
    { start: 8, end: 11, text: "Ada", label: "person" },
    { start: 15, end: 19, text: "Rome", label: "place" },
  ];
  it.each([
    ["places", JSON.stringify([ada, ada2, { start: 15, end: 19, label: "PLACE" }])],
    [
      "words",
      [
        { text: "Ada", label: "person" },
        { text: "Ada", label: "person" },
        { text: "Rome", label: "place" },
      ],
    ],
    ["lists by kind", '{"person": ["Ada", "Ada"], "place": ["Rome"]}'],
  ])("entities: reads gold mentions as %s", (_form, gold) => {
    const measure = makeMeasure({ task: "entities", labels: ["person", "place"] });
    expect(measure.add({ gold, label: [ada, ada2, rome] as never, text })).toEqual({
      isCorrect: true,
      gold: [ada, ada2, rome],
    });
    expect(measure.add({ gold, label: [ada2, rome] as never, text })?.isCorrect).toBe(false);
    // The right words of another kind, and the right kind with another end, are wrong.
    const off = [{ ...ada, label: "place" }, { ...ada2, end: 12 }, rome];
    expect(measure.add({ gold, label: off as never, text })?.isCorrect).toBe(false);
    expect(measure.details()).toMatchObject({
      labels: [
        { label: "person", support: 6, given: 4, correct: 3 },
        { label: "place", support: 3, given: 4, correct: 3 },
      ],
      micro: { precision: 6 / 8, recall: 6 / 9 },
    });
  });

  it("entities: gold that cannot be found in the text is not judged", () => {
    const measure = makeMeasure({ task: "entities", labels: ["person"] });
    expect(measure.add({ gold: '{"person": ["Bob"]}', label: [], text })).toBeUndefined();
    expect(measure.add({ gold: "Ada", label: [], text })).toBeUndefined();
  });

  it("extraction: counts each field, the schema's and the gold record's", () => {
    const measure = makeMeasure({ task: "extraction", schema: { properties: { name: {}, age: {} } } });
    measure.add({ gold: { name: "Ada  Lovelace", age: "36" }, label: { name: "ada lovelace", age: 36 }, text: "" });
    measure.add({ gold: '{"name": "Bob", "age": null}', label: { name: "Rob" }, text: "" });
    expect(measure.add({ gold: { name: "Eve", age: 5 }, label: null, text: "" })?.isCorrect).toBe(false);
    expect(measure.add({ gold: "no record", label: {}, text: "" })).toBeUndefined();
    const details = measure.details();
    if (details.kind !== "extraction") throw new Error(details.kind);
    expect(details.fields.map(({ field, accuracy }) => [field, accuracy.count, accuracy.total])).toEqual([
      ["name", 1, 3],
      ["age", 2, 3],
    ]);
  });

  it.each([
    ["The  Eiffel-Tower!", "eiffel tower", true],
    ['["NYC", "New York"]', "new york.", true],
    ["Paris", "paris, France", false],
    ["42", null, false],
    ["+", "+", true],
    ["+", "-", false],
  ])("question answering: gold %j and %j", (gold, label, isCorrect) => {
    expect(makeMeasure({ task: "question_answering" }).add({ gold, label, text: "" })?.isCorrect).toBe(isCorrect);
  });
});

describe("values and answers", () => {
  it("say the same but for case, blanks and the type of a number", () => {
    expect(saySame({ a: [1, "X y"], b: null }, { a: ["1", " x  Y"] })).toBe(true);
    for (const [a, b] of [
      [[1], [1, 2]],
      [{ a: 1 }, [1]],
      [{ a: 1 }, 1],
      ["", 0],
      [null, 0],
      [true, false],
    ])
      expect(saySame(a, b)).toBe(false);
  });

  it("plainAnswer leaves signs where there is nothing else", () => {
    expect(plainAnswer("The A-Team")).toBe("team");
    expect(plainAnswer(" % ")).toBe("%");
  });
});

describe("calibration", () => {
  it("is the mean gap of confidence and accuracy, by rows", () => {
    const counter = new CalibrationCounter();
    expect(counter.calibration()).toBeUndefined();
    const rows: [number, boolean][] = [
      [0.95, true],
      [0.91, false],
      [1, true],
      [0.15, false],
      [0.5, true],
    ];
    for (const [confidence, isCorrect] of rows) counter.add(confidence, isCorrect);
    const found = counter.calibration();
    expect(found?.bins.map((bin) => [bin.from, bin.to, bin.rows])).toEqual([
      [0.1, 0.2, 1],
      [0.5, 0.6, 1],
      [0.9, 1, 3],
    ]);
    const gap = Math.abs(2 / 3 - (0.95 + 0.91 + 1) / 3);
    expect(found?.expectedError).toBeCloseTo((1 * 0.15 + 1 * 0.5 + 3 * gap) / 5, 12);
  });
});
