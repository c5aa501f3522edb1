import { seedFromEnvironment } from "@autolabel/budget-core/testing";
import { describe, expect, it } from "vitest";
import { enginesHere } from "../engines.ts";
import { kindOf, runCrashes } from "./crash-run.ts";

const seed = seedFromEnvironment(process.env);
const kills = 46;
/** Each of them is killed before and after. A SQLite ledger holds and marks in one step. */
const stepsOn = (engine: string) => {
  const holding = engine === "sqlite" ? ["reserveDispatched"] : ["reserve", "markDispatched"];
  return ["migrate", "recover", ...holding, "dispatch", "settle", "alert"];
};

describe.each([...enginesHere(), "slices"])("processes killed at any point of a call, on %s", (engine) => {
  it(`lose no spend, free no call that was sent, and leave books that add up (FUZZ_SEED=${seed})`, async () => {
    const summary = await runCrashes({ engine, kills, seed });
    expect(summary.failures).toEqual([]);
    expect(summary.killedAt).toHaveLength(kills);
    const kinds = new Set(summary.killedAt.map(kindOf));
    for (const step of stepsOn(engine)) {
      for (const side of ["before", "after"]) expect(kinds).toContain(`${side} ${step}`);
    }
    // Else the crashes came before anything was sent, and nothing was proved.
    expect(summary.billedPicoUsd).toBeGreaterThan(0n);
    expect(summary.unresolved).toBeGreaterThan(kills / 8);
  });
});

it("the test finds a ledger whose writes are torn apart by a crash", async () => {
  const { failures } = await runCrashes({ engine: "torn", kills: 20, seed: 1 });
  expect(failures.length).toBeGreaterThan(3);
});
