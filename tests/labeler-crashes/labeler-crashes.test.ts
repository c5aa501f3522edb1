import { seedFromEnvironment } from "@autolabel/budget-core/testing";
import { expect, it } from "vitest";
import { enginesHere } from "../engines.ts";
import { crashLabeler } from "./crash-labeler.ts";

const seed = seedFromEnvironment(process.env);
const kills = 40;

it(`a labeling run killed at any moment loses no paid answer, buys none twice, and ends as if nothing had happened (FUZZ_SEED=${seed})`, {
  timeout: 300_000,
}, async () => {
  const { failures, killed, billed, rows, unresolved } = await crashLabeler({ kills, seed });
  expect(failures).toEqual([]);
  expect(killed.time + killed.commit + killed.request).toBeGreaterThanOrEqual(kills);
  // Else the kills came before anything was sent, and nothing was proved.
  expect(killed.commit).toBeGreaterThan(0);
  expect(killed.request).toBeGreaterThan(0);
  expect(billed).toBeGreaterThan(rows);
  expect(unresolved).toBeGreaterThan(0);
});

it.each(enginesHere())(
  `and one that draws on a pool in a ledger of %s (FUZZ_SEED=${seed})`,
  {
    timeout: 300_000,
  },
  async (engine) => {
    const { failures, billed, rows } = await crashLabeler({ kills: 6, seed: seed + 1, engine });
    expect(failures).toEqual([]);
    expect(billed).toBeGreaterThanOrEqual(rows);
  },
);

it("the test finds a labeler whose writes are torn apart by a crash", async () => {
  const { failures } = await crashLabeler({ kills: 4, seed: 1, isTorn: true });
  expect(failures.length).toBeGreaterThan(0);
});
