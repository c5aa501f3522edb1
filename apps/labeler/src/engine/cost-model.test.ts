import { describe, expect, it } from "vitest";
import { CostModel } from "./cost-model.ts";

/** A seeded source of numbers in [0, 1). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe("CostModel", () => {
  it("says nothing before it has seen a few rows, and that nothing is left costs nothing", () => {
    const model = new CostModel();
    for (let row = 0; row < 4; row++) model.first(100, 0.001);
    expect(model.forecast(10, 1000)).toBeUndefined();
    expect(model.forecast(0, 0)).toEqual({ p10: 0, p50: 0, p90: 0 });
  });

  it("knows that long texts cost more than short ones", () => {
    const model = new CostModel();
    for (let size = 10; size <= 100; size += 10) model.first(size, 0.5 + size * 0.01);
    const { p10 = 0, p50 = 0 } = model.forecast(100, 100 * 1000) ?? {};
    const firstCalls = 100 * 0.5 + 100 * 1000 * 0.01;
    // Ten rows without a repair do not mean that there will be none.
    expect(p50 / firstCalls).toBeGreaterThan(1);
    expect(p50 / firstCalls).toBeLessThan(1.03);
    expect(p10).toBeGreaterThanOrEqual(0.99 * firstCalls);
  });

  it("takes the listed price of a character where all texts seen so far are alike", () => {
    const model = new CostModel(0.01);
    for (let row = 0; row < 200; row++) model.first(50, 0.5 + 50 * 0.01);
    const { p50 = 0 } = model.forecast(1000, 1000 * 500) ?? {};
    expect(p50 / (1000 * 0.5 + 1000 * 500 * 0.01)).toBeCloseTo(1, 1);
  });

  it("counts the calls that are on their way for rows that are asked again", () => {
    const model = new CostModel();
    for (let row = 0; row < 10; row++) model.first(10, 1);
    for (let row = 0; row < 3; row++) model.again();
    model.further(1, 1.2, 1);
    expect(model.forecast(0, 0, 2)?.p50).toBeCloseTo(2.4, 6);
  });

  it("holds the true cost in its range in about eight of ten cases", () => {
    const random = seeded(3);
    let inside = 0;
    const errors: number[] = [];
    for (let trial = 0; trial < 400; trial++) {
      const row = () => {
        const size = 20 + random() * 500;
        const first = 0.0001 + size * 1e-6 * (0.6 + random() * 0.8);
        // Some rows are asked twice.
        return { size, first, further: random() < 0.05 ? 1.2 * first : 0 };
      };
      const model = new CostModel();
      for (let known = 0; known < 200; known++) {
        const { size, first, further } = row();
        model.first(size, first);
        if (further === 0) continue;
        model.again();
        model.further(1, further, first);
      }
      const rest = Array.from({ length: 2000 }, row);
      const sizes = rest.reduce((sum, { size }) => sum + size, 0);
      const cost = rest.reduce((sum, { first, further }) => sum + first + further, 0);
      const range = model.forecast(rest.length, sizes);
      if (range && cost >= range.p10 && cost <= range.p90) inside++;
      errors.push(Math.abs((range?.p50 ?? 0) / cost - 1));
    }
    expect(inside / 400).toBeGreaterThan(0.75);
    expect(inside / 400).toBeLessThan(0.87);
    expect(errors.sort((a, b) => a - b)[200]).toBeLessThan(0.05);
  });
});
