import { useMemo } from "react";
import { Area, ComposedChart, Line, ReferenceLine, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { formatCount, rowsText } from "../../../src/progress/bar.ts";
import type { RunPage } from "../../../src/ui/api.ts";
import { type BurnPlace, burnSeries } from "../burn-series.ts";
import { money } from "../format.ts";

/** Money against rows: the past, what is bound now, and the forecast as a band. */
export function BurnChart({ run, labelledBy }: { run: RunPage; labelledBy: string }) {
  const series = useMemo(() => burnSeries(run), [run]);
  const { now } = series;
  return (
    <div className="chart burn">
      <ResponsiveContainer width="100%" height="100%">
        <ComposedChart
          data={series.places}
          margin={{ top: 12, right: 12, bottom: 4, left: 4 }}
          aria-labelledby={labelledBy}
        >
          <XAxis
            dataKey="rows"
            type="number"
            domain={[0, series.rows]}
            allowDecimals={false}
            tickFormatter={shortCount}
            tickLine={false}
            stroke="var(--line-strong)"
          />
          <YAxis
            domain={[0, series.most]}
            allowDataOverflow
            tickFormatter={(value: number) => tickText(value, series.most)}
            tickLine={false}
            axisLine={false}
            width="auto"
          />
          <Area dataKey="band" fill="var(--accent)" fillOpacity={0.14} stroke="none" {...still} />
          <Line dataKey="middle" stroke="var(--accent)" strokeDasharray="4 4" strokeWidth={1.5} {...still} />
          <Area
            dataKey="money"
            fill="var(--accent)"
            fillOpacity={0.1}
            stroke="var(--accent)"
            strokeWidth={2}
            {...still}
          />
          {now && series.isFalling && <NowBound now={now} />}
          {series.endsAtRows !== null && (
            <ReferenceLine
              x={series.endsAtRows}
              stroke="var(--warn)"
              strokeDasharray="3 3"
              label={{ value: "money ends", position: "insideTopRight", fill: "var(--warn)", fontSize: 12 }}
            />
          )}
          <Tooltip content={PlaceTip} cursor={{ stroke: "var(--line-strong)" }} isAnimationActive={false} />
        </ComposedChart>
      </ResponsiveContainer>
    </div>
  );
}

/** Every point is drawn at once: the data moves, and that is motion enough. */
const still = { isAnimationActive: false, dot: false, activeDot: false, type: "linear" } as const;

/** What is held and unresolved now, as a part of what is left. */
function NowBound({ now }: { now: { rows: number; money: number; held: number; unresolved: number } }) {
  const afterHeld = now.money - now.held;
  const segment = (from: number, to: number): [{ x: number; y: number }, { x: number; y: number }] => [
    { x: now.rows, y: from },
    { x: now.rows, y: Math.max(0, to) },
  ];
  return (
    <>
      <ReferenceLine segment={segment(now.money, afterHeld)} stroke="var(--held)" strokeWidth={5} />
      <ReferenceLine segment={segment(afterHeld, afterHeld - now.unresolved)} stroke="var(--warn)" strokeWidth={5} />
    </>
  );
}

function PlaceTip({ active, payload }: { active?: boolean; payload?: readonly { payload?: BurnPlace }[] }) {
  const place = payload?.[0]?.payload;
  if (!active || !place) return null;
  return (
    <div className="tip">
      <b>{rowsText(place.rows)}</b>
      {place.money !== null && <span>{plainMoney(place.money)}</span>}
      {place.band && place.money === null && (
        <span>
          {plainMoney(place.band[0])} to {plainMoney(place.band[1])}
        </span>
      )}
    </div>
  );
}

function plainMoney(value: number): string {
  return money(value.toFixed(12));
}

/** All ticks of an axis with as many decimals: two digits that count of the largest at least. */
function tickText(value: number, most: number): string {
  const decimals = most > 0 ? Math.max(2, 2 - Math.floor(Math.log10(most))) : 2;
  return `$${value.toFixed(Math.min(12, decimals))}`;
}

const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });

function shortCount(value: number): string {
  return value < 10_000 ? formatCount(Math.round(value)) : short.format(value);
}
