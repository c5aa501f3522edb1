import {
  CartesianGrid,
  ComposedChart,
  Line,
  ReferenceLine,
  ResponsiveContainer,
  Scatter,
  XAxis,
  YAxis,
} from "recharts";
import type { ReportJson } from "../../../src/report/report-json.ts";
import { percent } from "../../../src/report/words.ts";

type Calibration = NonNullable<NonNullable<ReportJson["quality"]>["calibration"]>;

/** How often rows of a confidence are right: on the diagonal where confidence tells the truth. */
export function CalibrationChart({ calibration, labelledBy }: { calibration: Calibration; labelledBy: string }) {
  const points = calibration.bins.map(({ meanConfidence, accuracy }) => ({ meanConfidence, accuracy }));
  return (
    <div className="chart square">
      <ResponsiveContainer width="100%" height="100%">
        <ComposedChart data={points} margin={{ top: 12, right: 12, bottom: 20, left: 4 }} aria-labelledby={labelledBy}>
          <CartesianGrid stroke="var(--line)" />
          <XAxis
            dataKey="meanConfidence"
            type="number"
            domain={[0, 1]}
            ticks={[0, 0.25, 0.5, 0.75, 1]}
            tickLine={false}
            stroke="var(--line-strong)"
            label={{ value: "confidence", position: "bottom", offset: 0 }}
          />
          <YAxis
            domain={[0, 1]}
            ticks={[0, 0.25, 0.5, 0.75, 1]}
            tickFormatter={(share: number) => percent(share).replace(".0", "")}
            tickLine={false}
            axisLine={false}
            width={52}
          />
          <ReferenceLine
            segment={[
              { x: 0, y: 0 },
              { x: 1, y: 1 },
            ]}
            stroke="var(--soft)"
            strokeDasharray="4 4"
          />
          <Line dataKey="accuracy" stroke="var(--accent)" strokeWidth={2} dot={false} isAnimationActive={false} />
          <Scatter dataKey="accuracy" fill="var(--accent)" isAnimationActive={false} />
        </ComposedChart>
      </ResponsiveContainer>
    </div>
  );
}
