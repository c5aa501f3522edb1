import { describe, expect, it } from "vitest";
import type { RunPage } from "../../src/ui/api.ts";
import { burnSeries } from "./burn-series.ts";

function runPage(status: Partial<RunPage["status"]>, rest: Partial<RunPage> = {}): RunPage {
  const rowsByStatus = { unpaid: 50, labeled: 50, invalid_label: 0, truncated: 0, refused: 0, error: 0 };
  const all = { rows: 100, rowsByStatus, budgetUsd: "1", spentUsd: "0", heldUsd: "0", unresolvedUsd: "0", ...status };
  return { status: all, burnDown: [], forecast: null, ...rest } as RunPage;
}

const half = { at: null, rows: 50, spentUsd: "0.4" };

describe("burnSeries", () => {
  it("falls from the budget, and ends in a band that the forecast spans", () => {
    const forecast = { p10Usd: "0.7", p50Usd: "0.8", p90Usd: "0.95", rowsAffordable: 75 };
    const series = burnSeries(runPage({}, { burnDown: [half], forecast }));
    expect(series).toMatchObject({ isFalling: true, most: 1, rows: 100, endsAtRows: null, now: null });
    expect(series.places).toEqual([
      { rows: 0, money: 1, band: null, middle: null },
      { rows: 50, money: 0.6, band: [0.6, 0.6], middle: 0.6 },
      { rows: 100, money: null, band: [expect.closeTo(0.05), expect.closeTo(0.3)], middle: expect.closeTo(0.2) },
    ]);
  });

  it("rises where there is no budget", () => {
    const forecast = { p10Usd: "0.7", p50Usd: "0.8", p90Usd: "0.95", rowsAffordable: null };
    const series = burnSeries(runPage({ budgetUsd: null }, { burnDown: [half], forecast }));
    expect(series).toMatchObject({ isFalling: false, most: 0.95, endsAtRows: null });
    expect(series.places.map(({ money }) => money)).toEqual([0, 0.4, null]);
  });

  it("tells where the money ends, and only where it does", () => {
    const forecast = { p10Usd: "1.5", p50Usd: "1.6", p90Usd: "1.7", rowsAffordable: 20 };
    expect(burnSeries(runPage({}, { burnDown: [half], forecast })).endsAtRows).toBe(70);
    expect(
      burnSeries(runPage({}, { burnDown: [half], forecast: { ...forecast, rowsAffordable: 50 } })).endsAtRows,
    ).toBeNull();
  });

  it("is told by rows, however many calls they took", () => {
    const burnDown = [
      { at: null, rows: 60, spentUsd: "0.2" },
      { at: null, rows: 120, spentUsd: "0.4" },
    ];
    const forecast = { p10Usd: "0.7", p50Usd: "0.8", p90Usd: "0.95", rowsAffordable: 75 };
    const { places } = burnSeries(runPage({}, { burnDown, forecast }));
    expect(places.map(({ rows }) => rows)).toEqual([0, 25, 50, 100]);
    expect(places.at(-1)?.band).not.toBeNull();
  });

  it("takes held and unresolved money from what is left now", () => {
    const series = burnSeries(runPage({ heldUsd: "0.1", unresolvedUsd: "0.05" }, { burnDown: [half] }));
    expect(series.now).toEqual({ rows: 50, money: 0.6, held: 0.1, unresolved: 0.05 });
  });

  it("begins with the whole budget where nothing was bought", () => {
    expect(burnSeries(runPage({})).places).toEqual([{ rows: 0, money: 1, band: null, middle: null }]);
  });
});
