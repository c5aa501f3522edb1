import { describe, expect, it } from "vitest";
import { type BrokenMeter, brokenMeters } from "./broken-meters.ts";
import { cellsOf } from "./cells.ts";
import { providers } from "./door.ts";
import { attemptsOf, nameOf } from "./ending.ts";
import { type Cell, runCell } from "./run-cell.ts";

/** One door of each sort; the mistakes are in what stands behind all of them. */
const sample = new Set([
  "createBudgetedOpenRouter: generateText",
  "withBudget, chat: generateText",
  "createBudgetedOpenAI, chat: streamText",
  "meterOpenAI: responses.create",
  "meterOpenAI: chat.completions.create, stream",
  "meterOpenAI: images.generate",
  "createCorporate, embedding: embed",
]);
const paidProviders = providers.filter((provider) => provider !== "free gateway");
const cells = cellsOf(...paidProviders).filter(({ door }) => sample.has(door.name));
const patienceMs = 100;

/** The cells of a row through one door: a mistake is caught if one of its budgets shows it. */
function rowsThrough({ caughtBy, spoils }: BrokenMeter): [string, Cell[]][] {
  const groups = new Map<string, Cell[]>();
  for (const cell of cells) {
    const isSpoilt = attemptsOf(cell.ending, cell.door).some(({ recorded }) => !spoils || recorded === spoils);
    if (!caughtBy.includes(cell.ending.row) || !isSpoilt) continue;
    const name = `${cell.door.name} > ${nameOf(cell.ending)}`;
    groups.set(name, [...(groups.get(name) ?? []), cell]);
  }
  return [...groups];
}

describe.concurrent.for(brokenMeters.map((meter) => [meter.name, meter] as const))("a meter that %s", ([, meter]) => {
  it.for(rowsThrough(meter))("is caught by %s", async ([, row]) => {
    const { makeTracker } = meter;
    const problems = await Promise.all(row.map((cell) => runCell(cell, { makeTracker, patienceMs })));
    expect(problems.flat()).not.toEqual([]);
  });
});

it("rows that must catch a broken meter are rows of the matrix", () => {
  for (const { caughtBy } of brokenMeters) {
    for (const row of caughtBy) expect(cells.map(({ ending }) => ending.row)).toContain(row);
  }
});
