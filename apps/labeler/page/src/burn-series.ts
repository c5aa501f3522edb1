import type { RunPage } from "../../src/ui/api.ts";
import { plotted } from "./format.ts";

/** A place of the chart: money after so many rows. */
export interface BurnPlace {
  rows: number;
  /** What is left of the budget, or spent where there is none; null ahead of now. */
  money: number | null;
  /** Where the money will be, with a chance of 80 %; null in the past. */
  band: [number, number] | null;
  /** Where it will be as likely below as above. */
  middle: number | null;
}

/** The money of a run over its rows, as a chart shows it. */
export interface BurnSeries {
  /** Whether the money falls from the budget; it rises where there is none. */
  isFalling: boolean;
  places: BurnPlace[];
  /** Rows of the whole run. */
  rows: number;
  /** The most money that is shown. */
  most: number;
  /** Where the free money ends by the forecast; null where it lasts. */
  endsAtRows: number | null;
  /** From the money of now down: what of it is held, then what is unresolved. Null where neither is. */
  now: { rows: number; money: number; held: number; unresolved: number } | null;
}

export function burnSeries({ status, burnDown, forecast }: RunPage): BurnSeries {
  const budget = status.budgetUsd === null ? null : plotted(status.budgetUsd);
  const after = (spent: number) => (budget === null ? spent : budget - spent);
  // Some rows took two calls, and rows of equal text none: what is done was done by all calls together.
  const calls = burnDown.at(-1)?.rows ?? 0;
  const done = status.rows - status.rowsByStatus.unpaid - status.rowsByStatus.error;
  const past = burnDown.map(({ rows, spentUsd }) => ({
    rows: calls === 0 ? 0 : Math.round((rows * done) / calls),
    money: after(plotted(spentUsd)),
    band: null,
    middle: null,
  }));
  const first = { rows: 0, money: after(0), band: null, middle: null };
  const places: BurnPlace[] = past[0]?.rows === 0 ? past : [first, ...past];
  const last = places.at(-1) ?? first;
  const now = last.money ?? 0;
  if (forecast && last.rows < status.rows) {
    const [low, middle, high] = [forecast.p10Usd, forecast.p50Usd, forecast.p90Usd].map((cost) => after(plotted(cost)));
    places[places.length - 1] = { ...last, band: [now, now], middle: now };
    const band: [number, number] = [Math.min(low ?? 0, high ?? 0), Math.max(low ?? 0, high ?? 0)];
    places.push({ rows: status.rows, money: null, band, middle: middle ?? null });
  }
  const [held, unresolved] = [plotted(status.heldUsd), plotted(status.unresolvedUsd)];
  const affordable = forecast?.rowsAffordable ?? null;
  return {
    isFalling: budget !== null,
    places,
    rows: status.rows,
    most: budget ?? Math.max(...places.flatMap(({ money, band }) => [money ?? 0, band?.[1] ?? 0])),
    endsAtRows: affordable !== null && last.rows + affordable < status.rows ? last.rows + affordable : null,
    now: held + unresolved > 0 ? { rows: last.rows, money: now, held, unresolved } : null,
  };
}
