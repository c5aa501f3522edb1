import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { LabelingConfig, type LabelingConfigInput } from "../config/labeling-config.ts";
import type { LabelValue } from "../store/row.ts";
import { findMentions } from "./find-mentions.ts";
import { makeTask } from "./make-task.ts";

const task = (input: Partial<LabelingConfigInput>) => makeTask(new LabelingConfig({ model: "openai:m", ...input }));
const read = (of: ReturnType<typeof task>, answer: unknown, text = "") =>
  of.read(typeof answer === "string" ? answer : JSON.stringify({ result: answer }), text);

describe("classification", () => {
  const cards = task({ labels: ["Card_arrival", "lost card", "Refund"] });
  it.each([
    ['{"result":"Card_arrival"}', "Card_arrival"],
    ['{"result":"card arrival"}', "Card_arrival"],
    ['```json\n{"result": "LOST-CARD"}\n```', "lost card"],
    ['Sure! {"result":"Refund"} Anything else?', "Refund"],
    ["refund", "Refund"],
    ['"Refund."', "Refund"],
    ['{"result":"other"}', undefined],
    ['{"result":"ref', undefined],
    ["", undefined],
  ])("reads %s as %s", (answer, label) => {
    expect(read(cards, answer)).toEqual(label === undefined ? { problem: "no label of the set" } : { label });
  });

  it("never takes one label for another that only looks alike", () => {
    const signs = task({ labels: ["-1", "0", "1", "Good", "good"] });
    expect(read(signs, "-1")).toEqual({ label: "-1" });
    expect(read(signs, '{"result":"-1"}')).toEqual({ label: "-1" });
    expect(read(signs, '{"result":"1"}')).toEqual({ label: "1" });
    expect(read(signs, '{"result":"good"}')).toEqual({ label: "good" });
    expect(read(signs, '{"result":"GOOD"}')).toHaveProperty("problem");
  });

  it("tells the model what labels mean", () => {
    const described = task({ labels: { spam: "sells something", ham: "from a friend" } });
    expect(described.instructions).toContain("- spam: sells something\n- ham: from a friend");
    expect(read(described, "ham")).toEqual({ label: "ham" });
  });
});

describe("multilabel", () => {
  const topics = task({ task: "multilabel", labels: ["price", "speed", "taste"] });
  it("gives the labels that apply, once each, in the order of the set; none may apply", () => {
    expect(read(topics, ["Taste", "price", "taste"])).toEqual({ label: ["price", "taste"] });
    expect(read(topics, [])).toEqual({ label: [] });
  });
  it("invents no label", () => {
    expect(read(topics, ["price", "smell"])).toEqual({ problem: '"smell" is no label of the set' });
    expect(read(topics, '{"result":"price"}')).toEqual({ problem: "no list of labels" });
  });
});

describe("entities", () => {
  const places = task({ task: "entities", labels: ["person", "place"] });
  const text = "Zoë met Zoë's friend 👩‍👩‍👧 in  Nîmes; Zoë left NÎMES.";

  it("finds each mention at its place, in UTF-16 units", () => {
    const answer = ["Zoë", "Zoë", "Zoë"].map((name) => ({ text: name, label: "person" }));
    const reading = read(
      places,
      [...answer, { text: "Nîmes", label: "place" }, { text: "nîmes", label: "place" }],
      text,
    );
    const spans = "label" in reading ? (reading.label as { start: number; end: number; text: string }[]) : [];
    expect(spans.map(({ text: words }) => words)).toEqual(["Zoë", "Zoë", "Nîmes", "Zoë"]);
    for (const { start, end, text: words } of spans) expect(text.slice(start, end)).toBe(words);
    expect(new Set(spans.map(({ start }) => start)).size).toBe(4);
  });

  it("takes blanks and case as the text has them, and refuses words that the text does not have", () => {
    expect(read(places, [{ text: "IN nîmes", label: "place" }], text)).toMatchObject({
      label: [{ text: "in  Nîmes" }],
    });
    expect(read(places, [{ text: "Paris", label: "place" }], text)).toEqual({
      problem: '"Paris" does not stand in the text',
    });
    expect(read(places, [{ text: "Zoë", label: "dog" }], text)).toEqual({ problem: '"dog" is no kind of the set' });
    expect(read(places, [], text)).toEqual({ label: [] });
  });

  it("F28: gives only places that hold what they say, whatever is asked", () => {
    const unit = fc.constantFrom("a", "b", " ", "é", "é", "👩‍👩‍👧", "$", "(", "İ", "ß");
    const words = fc.array(unit, { minLength: 1, maxLength: 4 }).map((units) => units.join(""));
    fc.assert(
      fc.property(fc.array(unit, { maxLength: 40 }), fc.array(words, { maxLength: 6 }), (units, mentions) => {
        const whole = units.join("");
        const spans = findMentions(
          whole,
          mentions.map((mention) => ({ text: mention, label: "x" })),
        );
        if ("missing" in spans) expect(whole).not.toContain(spans.missing);
        else for (const { start, end, text: found } of spans.found) expect(whole.slice(start, end)).toBe(found);
      }),
      { numRuns: 500, seed: 77 },
    );
  });
});

describe("extraction", () => {
  const fields = z.object({ city: z.string(), nights: z.number().int().min(1).nullable() });
  const stays = task({ task: "extraction", schema: fields });
  it("fills the fields of a schema, and takes nothing else", () => {
    expect(read(stays, { city: "Rome", nights: 2 })).toEqual({ label: { city: "Rome", nights: 2 } });
    expect(read(stays, { city: "Rome", nights: null })).toEqual({ label: { city: "Rome", nights: null } });
    expect(read(stays, { city: "Rome", nights: 0 })).toMatchObject({ problem: expect.stringContaining("nights") });
    expect(read(stays, { nights: 1 })).toMatchObject({ problem: expect.stringContaining("result.city") });
  });
});

describe("question answering", () => {
  it("takes words, not silence", () => {
    const who = task({ task: "question_answering", guidelines: "Who pays?" });
    expect(who.instructions).toContain("Who pays?");
    expect(read(who, " the buyer ")).toEqual({ label: "the buyer" });
    expect(read(who, " ")).toEqual({ problem: "no answer" });
  });
});

describe("a task", () => {
  const labels = ["good", "bad"];
  const examples = [
    { text: "I love it", label: "good" },
    { text: "The delivery was late and the box broken", label: "bad", explanation: "complains" },
    { text: "It broke", label: "bad" },
  ];

  it("has another version whenever an answer could differ, and only then", () => {
    const { version } = task({ labels });
    expect(task({ labels, concurrency: 3, budget: 7, order: { kind: "random", seed: 2 } }).version).toBe(version);
    const others: Partial<LabelingConfigInput>[] = [
      { model: "openai:n" },
      { guidelines: "x" },
      { labels: [...labels, "so-so"] },
      { examples },
      { chainOfThought: true },
      { confidence: true },
      { examples, exampleSelection: "similar", exampleCount: 2 },
      { task: "multilabel" },
    ];
    const versions = others.map((other) => task({ labels, ...other }).version);
    expect(new Set([version, ...versions]).size).toBe(others.length + 1);
  });

  it("shows the same examples with every row, or those most like it, the best one last", () => {
    const fixed = task({ labels, examples, exampleCount: 2 });
    expect(fixed.instructions).toContain('"I love it" -> {"result":"good"}');
    expect(fixed.instructions).not.toContain("It broke");
    expect(fixed.prompt("a text")).toBe("a text");

    const similar = task({ labels, examples, exampleSelection: "similar", exampleCount: 2 });
    expect(similar.instructions).not.toContain("I love it");
    const lines = similar.prompt("late delivery, never again").split("\n");
    expect(lines.at(-4)).toContain("The delivery was late");
    expect(lines.slice(-2)).toEqual(["The text:", "late delivery, never again"]);
    expect(similar.prompt("It broke")).not.toContain('"It broke" ->');
  });

  it("asks for reasons before the answer, and for the model's own word on how sure it is after it", () => {
    const careful = task({ labels, examples, chainOfThought: true, confidence: true });
    expect(careful.maxOutputTokens).toBeGreaterThan(task({ labels }).maxOutputTokens + 300);
    expect(careful.instructions).toContain('{"explanation":"complains","result":"bad"}');
    const answer = '{"explanation":"it says so","result":"good","confidence":0.9}';
    expect(careful.read(answer, "")).toEqual({ label: "good", confidence: 0.9, explanation: "it says so" });
    expect(careful.read('{"result":"good","confidence":7}', "")).toEqual({ label: "good" });
  });

  it.each<[string, Partial<LabelingConfigInput>, RegExp]>([
    ["one label", { labels: ["a"] }, /at least two labels/],
    ["no kind of entity", { task: "entities" }, /at least one label/],
    ["labels for an extraction", { task: "extraction", labels, schema: z.object({}) }, /takes none/],
    ["an extraction without schema", { task: "extraction" }, /needs a JSON schema/],
    ["a schema for a classification", { labels, schema: z.object({}) }, /only extraction/],
    [
      "an example with a label that there is not",
      { labels, examples: [{ text: "x", label: "ugly" as LabelValue }] },
      /examples.*"x".*no label of the set/,
    ],
  ])("is refused before anything is spent: %s", (_what, input, message) => {
    expect(() => task(input)).toThrow(message);
  });
});
