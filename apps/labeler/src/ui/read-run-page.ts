import { picoToDecimal, usd } from "@autolabel/budget-core";
import { RunForecast } from "../engine/run-forecast.ts";
import type { RunStatus } from "../progress/run-status.ts";
import { type PaidRow, paidSample, readPaidSample, sampledAttempts } from "../store/read-standing.ts";
import type { LabelValue, RowStatus } from "../store/row.ts";
import { humanRows } from "../store/sqlite-reviews.ts";
import type { BurnPoint, ErrorGroup, ForecastBand, NamedCost, NamedCount, RunPage } from "./api.ts";
import { noNames } from "./read-rows.ts";
import type { Query, RunFile } from "./run-file.ts";

const mostPoints = 300n;
const mostNames = 200;
/** Shares of the budget that are told when they are passed: those of a CostTracker. */
const alertShares = [0.5, 0.75, 0.9, 1];

/** Everything of the run page, of about one moment; what takes long may be a little older. */
export function readRunPage(file: RunFile, status: RunStatus): Omit<RunPage, "problem"> {
  const free = freeOf(status);
  return file.read((all) => {
    const burnDown = file.keep("burn-down", () => burnDownOf(all));
    const { labels, costByLabel } = file.keep("labels", () => labelsOf(all));
    return {
      status,
      freeUsd: free === null ? null : picoToDecimal(free),
      burnDown,
      forecast: file.keep("forecast", () => forecastOf(all, usd(status.spentUsd).picoUsd, free)),
      costByLabel,
      costByModel: file.keep("models", () => modelsOf(all)),
      labels,
      errors: file.keep("errors", () => errorsOf(all)),
      alerts: alertsOf(burnDown, status.budgetUsd),
    };
  });
}

/** Budget less spent, held and unresolved; nothing where that is less than nothing. */
function freeOf({ budgetUsd, spentUsd, heldUsd, unresolvedUsd }: RunStatus): bigint | null {
  if (budgetUsd === null) return null;
  const used = [spentUsd, heldUsd ?? "0", unresolvedUsd ?? "0"].reduce((sum, each) => sum + usd(each).picoUsd, 0n);
  const free = usd(budgetUsd).picoUsd - used;
  return free > 0n ? free : 0n;
}

/** The spend as it grew, in about equal parts of the calls; sums are kept of every 1024 of them. */
function burnDownOf(all: Query): BurnPoint[] {
  const [whole] = all<{ calls: bigint }>("SELECT coalesce(sum(calls), 0) AS calls FROM spend");
  const calls = whole?.calls ?? 0n;
  const isLarge = calls > 1024n * mostPoints;
  const parts = all<{ cost: bigint; at: string | null; rows: bigint }>(
    isLarge
      ? `SELECT sum(cost_pico_usd) AS cost, max(at) AS at, sum(calls) AS rows FROM spend
         GROUP BY part * ?1 / ?2 ORDER BY part`
      : `SELECT sum(cost_pico_usd) AS cost, max(at) AS at, count(*) AS rows FROM attempts
         GROUP BY (rowid - 1) * ?1 / ?2 ORDER BY rowid`,
    isLarge || calls > mostPoints ? mostPoints : calls,
    isLarge ? calls / 1024n + 1n : calls,
  );
  let [rows, spent] = [0, 0n];
  return parts.map(({ cost, at, rows: more }) => {
    rows += Number(more);
    spent += cost;
    return { at, rows, spentUsd: picoToDecimal(spent) };
  });
}

const sampledRows = 5000n;

/** What is left is like what the last rows did cost. */
function forecastOf(all: Query, spentPicoUsd: bigint, freePicoUsd: bigint | null): ForecastBand | null {
  const rest = restOf(all);
  if (rest.rows === 0) return null;
  const { rows } = rest;
  const sample = readPaidSample(all<PaidRow>(paidSample, sampledAttempts));
  const range = new RunForecast({ rest, sample }, undefined).rest();
  if (!range) return null;
  const whole = (more: number) => picoToDecimal(spentPicoUsd + BigInt(Math.round(more * 1e12)));
  const share = freePicoUsd === null || range.p50 === 0 ? 1 : Math.min(1, inUsd(freePicoUsd) / range.p50);
  return {
    p10Usd: whole(range.p10),
    p50Usd: whole(range.p50),
    p90Usd: whole(range.p90),
    rowsAffordable: freePicoUsd === null ? null : Math.floor(share * rows),
  };
}

/** Rows that wait, and about how many characters they have: of many rows only some are read, evenly spread. */
function restOf(all: Query): { rows: number; characters: number } {
  const [waiting] = all<{ rows: bigint; last: bigint }>(
    `SELECT count(*) AS rows, (SELECT coalesce(max(position), 0) FROM rows) AS last FROM rows
     WHERE status IN ('unpaid', 'error') AND duplicate_of IS NULL`,
  );
  const { rows = 0n, last = 0n } = waiting ?? {};
  const [sample] = all<{ rows: bigint; characters: bigint }>(
    `WITH RECURSIVE places (place) AS (SELECT 0 UNION ALL SELECT place + ?1 FROM places WHERE place + ?1 <= ?2)
     SELECT count(*) AS rows, coalesce(sum(length(text)), 0) AS characters FROM places JOIN rows ON position = place
     WHERE status IN ('unpaid', 'error') AND duplicate_of IS NULL`,
    last / sampledRows + 1n,
    last,
  );
  const mean = sample && sample.rows > 0n ? Number(sample.characters) / Number(sample.rows) : 0;
  return { rows: Number(rows), characters: mean * Number(rows) };
}

function inUsd(picoUsd: bigint): number {
  return Number(picoToDecimal(picoUsd));
}

interface LabelRows {
  label: string;
  rows: bigint;
  cost: bigint;
}

/** Labels that count and what their rows did cost; a row with several labels is told under each of them. */
function labelsOf(all: Query): Pick<RunPage, "labels" | "costByLabel"> {
  const groups = all<LabelRows>(
    `WITH ${humanRows}
     SELECT label, sum(rows) AS rows, sum(cost) AS cost FROM (
       SELECT label, count(*) AS rows, sum(cost_pico_usd) AS cost FROM rows WHERE status <> 'unpaid' AND status = 'labeled'
         GROUP BY label
       UNION ALL SELECT r.label, -1, -r.cost_pico_usd FROM human h JOIN rows r ON r.position = h.position
         WHERE r.label IS NOT NULL
       UNION ALL SELECT h.label, 1, r.cost_pico_usd FROM human h JOIN rows r ON r.position = h.position)
     WHERE label IS NOT NULL GROUP BY label HAVING sum(rows) > 0`,
  );
  const byName = new Map<string, { rows: number; costPicoUsd: bigint }>();
  for (const { label, rows, cost } of groups) {
    for (const name of namesIn(JSON.parse(label) as LabelValue)) {
      const known = byName.get(name) ?? { rows: 0, costPicoUsd: 0n };
      byName.set(name, { rows: known.rows + Number(rows), costPicoUsd: known.costPicoUsd + cost });
    }
  }
  const named = [...byName].sort(([, a], [, b]) => b.rows - a.rows).slice(0, mostNames);
  return {
    labels: named.map(([name, { rows }]): NamedCount => ({ name, rows })),
    costByLabel: named.map(([name, { rows, costPicoUsd }]) => ({ name, rows, costUsd: picoToDecimal(costPicoUsd) })),
  };
}

/** The names in a label: itself, those of a list, the kinds of mentions, or the JSON of fields. */
function namesIn(label: LabelValue): Iterable<string> {
  if (typeof label === "string") return [label];
  if (!Array.isArray(label)) return [JSON.stringify(label)];
  const names = (label as (string | { label: string })[]).map((each) => (typeof each === "string" ? each : each.label));
  return names.length === 0 ? [noNames] : new Set(names);
}

function modelsOf(all: Query): NamedCost[] {
  const models = all<{ model: string; calls: bigint; cost: bigint }>(
    "SELECT model_id AS model, sum(calls) AS calls, sum(cost_pico_usd) AS cost FROM spend GROUP BY model_id ORDER BY cost DESC",
  );
  return models.map(({ model, calls, cost }) => ({
    name: model || "(no answer)",
    rows: Number(calls),
    costUsd: picoToDecimal(cost),
  }));
}

function errorsOf(all: Query): ErrorGroup[] {
  const groups = all<{ status: RowStatus; message: string; rows: bigint; cost: bigint }>(
    `WITH ${humanRows}
     SELECT status, kind_of_error(error) AS message, count(*) AS rows, sum(cost_pico_usd) AS cost FROM rows
     WHERE status <> 'unpaid' AND status IN ('invalid_label', 'truncated', 'refused', 'error')
       AND position NOT IN (SELECT position FROM human)
     GROUP BY status, message ORDER BY rows DESC LIMIT ?`,
    mostNames,
  );
  return groups.map(({ cost, rows, ...group }) => ({ ...group, rows: Number(rows), costUsd: picoToDecimal(cost) }));
}

function alertsOf(burnDown: readonly BurnPoint[], budgetUsd: string | null): RunPage["alerts"] {
  if (budgetUsd === null || usd(budgetUsd).picoUsd === 0n) return [];
  const budget = usd(budgetUsd).picoUsd;
  return alertShares.flatMap((share) => {
    const amount = (BigInt(share * 100) * budget) / 100n;
    const passed = burnDown.find(({ spentUsd }) => usd(spentUsd).picoUsd >= amount);
    return passed?.at ? [{ share, at: passed.at }] : [];
  });
}
