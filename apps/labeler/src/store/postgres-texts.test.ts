import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { restored, restoredJson, storable, storableJson } from "./postgres-texts.ts";

/** Texts of what is difficult: also what looks like an escape, or like what replaces one. */
const pieces = ["\0", "\uE000", "0000", "E000", "\\", "\\u0000", "\\ud800", "\uD800", "\uDC00", "😀", '"', "\n", "a"];
const texts = fc
  .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: "binary" })))
  .map((parts) => parts.join(""));

const isStorable = (text: string) => !/[\0\p{Surrogate}]/u.test(text);

describe("a text in PostgreSQL", () => {
  it("comes back as it was, and holds nothing that it cannot store", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const stored = storable(text);
        expect(isStorable(stored)).toBe(true);
        expect(restored(stored)).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  it("comes back as it was where it stands in JSON, its own or such that the server made", () => {
    fc.assert(
      fc.property(texts, texts, (key, value) => {
        const stored = storableJson(JSON.stringify({ [key]: value }));
        const [[storedKey, storedValue] = []] = Object.entries(JSON.parse(stored) as object);
        expect(isStorable(`${storedKey} ${String(storedValue)}`)).toBe(true);
        expect(JSON.parse(restoredJson(stored))).toEqual({ [key]: value });
        expect(JSON.parse(restoredJson(JSON.stringify([storable(value)])))).toEqual([value]);
      }),
      { numRuns: 2000 },
    );
  });
});
