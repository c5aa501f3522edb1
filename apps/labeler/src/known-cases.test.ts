import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "../../..");

/**
 * Cases of budgets that users of the earlier tool know, by id: `U`, `H` and `I` are its own tests, `D` what it did and
 * should not have done, `S` further facts of it. Each is the subject of a test whose name, or whose row in a table of
 * tests, begins with its id; where we decided otherwise, the test says what holds now and why.
 */
const casesByFile: Readonly<Record<string, string>> = {
  "packages/budget-core/src/tracker/cost-tracker.test.ts": `
    U01 U02 U03 U04 U05 U06 U07 U08 U09 U10 U11 U12 U13 U14 U15 U36 U37 U38 U39
    H01 H02 H03 H04 H05 H06 H07 H08 H09 H10 H11 H12 H37 H38 H39 H40 H41 H42 H43
    I07 I09 I11 I12 I13 I14 I15 I19 I21 D02 D04 D18`,
  "packages/budget-core/src/tracker/budget-rules.test.ts": "H35 H36 D06",
  "packages/budget-core/src/errors/errors.test.ts": "U16 U17 H13 S2-message",
  "packages/budget-core/src/prices/extract-cost.test.ts": `
    U18 U19 U20 U21 U22 U23 H14 H15 H16 H17 H18 H19 H20 H21 S3-output S3-both S3-zero
    U24 U25 U26 U27 U28 U29 U30 H22 H23 H24 H25 H26 H27 H28 H29 S4-table
    U31 U32 U33 U34 U35 H30 H31 H32 H33 H34 I08 S5-contains`,
  "apps/labeler/src/llm-client.test.ts": "I03 I04 I10 I17 H35 H36 H44 D06 D08 D10 D12 D14 D16 D18",
  "apps/labeler/src/auto-labeler.test.ts": "I01 I02 I16 D04 D18 D20 D22 D24 D26 D28 D30",
  "apps/labeler/src/cli.test.ts": "D32",
};

const words = (text: string) => text.trim().split(/\s+/);

/** Ids at the beginning of a text: `U18/H14: …` has two. */
const idsAtStart = /["'`]((?:(?:[UHID]\d\d|S\d-[a-z]+)\/?)+)(?=[:"'`])/g;

function idsIn(file: string): Set<string> {
  const source = readFileSync(join(root, file), "utf8");
  expect(source, `${file} leaves tests out`).not.toMatch(/\b(it|describe|test)(\.each)?\.(skip|todo|only|fails)\b/);
  return new Set([...source.matchAll(idsAtStart)].flatMap(([, ids = ""]) => ids.split("/").filter(Boolean)));
}

const numbered = (letter: string, from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `${letter}${String(from + index).padStart(2, "0")}`);

describe("the known cases", () => {
  it.each(Object.entries(casesByFile))("of %s each have a test", (file, cases) => {
    const tested = idsIn(file);
    expect(words(cases).filter((id) => !tested.has(id))).toEqual([]);
  });

  it("are all listed", () => {
    const listed = new Set(Object.values(casesByFile).flatMap(words));
    const all = [
      ...numbered("U", 1, 39),
      ...numbered("H", 1, 44),
      // The four others of its integration tests are of active learning, which is not ours.
      ...numbered("I", 1, 21).filter((id) => !["I05", "I06", "I18", "I20"].includes(id)),
      // Its faults have even numbers.
      ...numbered("D", 1, 32).filter((id) => Number(id.slice(1)) % 2 === 0),
      ...words("S2-message S3-output S3-both S3-zero S4-table S5-contains"),
    ];
    expect([...listed].sort()).toEqual(all.sort());
  });
});
