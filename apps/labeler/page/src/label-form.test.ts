import { describe, expect, it } from "vitest";
import { labelForm } from "./label-form.ts";

const none = { choices: null, fields: null };

describe("mentions are written as lines", () => {
  const choices = ["city", "city: old", "person"].map((name) => ({ name, description: null }));
  const first = { start: 0, end: 5, text: "Paris", label: "city" };
  const second = { start: 10, end: 15, text: "Paris", label: "city" };
  const form = labelForm({ task: "entities", choices, fields: null }, { label: [second] });

  it("and keep their place while they are as many", () => {
    expect(form.text).toBe("city: Paris");
    expect(form.read("city: Paris\nperson: Ada")).toEqual([second, { text: "Ada", label: "person" }]);
    expect(form.read("  CITY:   Paris ")).toEqual([second]);
    const two = labelForm({ task: "entities", choices, fields: null }, { label: [first, second] });
    expect(two.read(two.text)).toEqual([first, second]);
  });

  it("and are looked for where they are more", () => {
    const found = { text: "Paris", label: "city" };
    expect(form.read("city: Paris\n\ncity: Paris")).toEqual([found, found]);
  });

  it("of any kind, or none at all", () => {
    expect(form.read("city: old: Lutetia")).toEqual([{ text: "Lutetia", label: "city: old" }]);
    expect(form.read("\n")).toEqual([]);
    expect(() => form.read("Paris")).toThrow("begins with a kind and a colon: Paris");
    expect(form.hint).toContain("city, city: old, person");
    expect(labelForm({ task: "entities", choices, fields: null }, { label: null }).text).toBe("");
    const wide = labelForm(
      { task: "entities", choices, fields: null },
      { label: [{ text: "New\n York", label: "city" }] },
    );
    expect(wide.text).toBe("city: New York");
  });
});

it("fields are written as JSON, also where there is no label yet", () => {
  const fields = ["who", "when"];
  const form = labelForm({ task: "extraction", choices: null, fields }, { label: null });
  expect(JSON.parse(form.text)).toEqual({ who: null, when: null });
  expect(form.read('{"who":"Ada"}')).toEqual({ who: "Ada" });
  expect(() => form.read("Ada")).toThrow("no JSON");
  expect(labelForm({ task: "extraction", choices: null, fields }, { label: { who: "Bob" } }).text).toContain("Bob");
});

it("an answer is text, whatever it looks like", () => {
  const form = labelForm({ task: "question_answering", ...none }, { label: "42" });
  expect([form.text, form.read('{"a":1}')]).toEqual(["42", '{"a":1}']);
});
