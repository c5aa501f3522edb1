import { lazy, Suspense } from "react";
import { formatCount, rowsText } from "../../../src/progress/bar.ts";
import type { ReportJson } from "../../../src/report/report-json.ts";
import { interval, percent, selectionText } from "../../../src/report/words.ts";
import type { RunPageProps } from "../app.tsx";
import { runAddress } from "../client.ts";
import { labelText, statusNames } from "../format.ts";
import { Amount } from "../parts/amount.tsx";
import { ConfusionTable } from "../parts/confusion-table.tsx";
import { Downloads } from "../parts/downloads.tsx";
import { Empty, Failure, Loading } from "../parts/notice.tsx";
import { ScoresTable } from "../parts/scores-table.tsx";
import { ShareBar } from "../parts/share-bar.tsx";
import { linkTo } from "../route.ts";
import { useColumns } from "../use-columns.ts";
import { useResource } from "../use-resource.ts";

const CalibrationChart = lazy(async () => ({
  default: (await import("../parts/calibration-chart.tsx")).CalibrationChart,
}));

/** Stands in the address where the labels that people gave serve as true ones. */
const byReviews = ":reviews";

function goldQuery(gold: string): string {
  if (gold === "") return "";
  return `?${new URLSearchParams(gold === byReviews ? { reviews: "1" } : { gold })}`;
}

type Quality = NonNullable<ReportJson["quality"]>;

/** What the labels are worth, and the files to take away. */
export function ResultPage({ run, query }: RunPageProps) {
  const id = run.status.id;
  const gold = query.get("gold") ?? "";
  const columns = useColumns(id);
  const asked = goldQuery(gold);
  const report = useResource<ReportJson>(runAddress(id, `/report${asked}`));
  return (
    <>
      <div className="head">
        <h1>Result</h1>
        <label className="field inline">
          True labels in
          <select
            value={gold}
            onChange={({ target }) => location.replace(linkTo(id, "result", { gold: target.value }))}
          >
            <option value="">no column</option>
            <option value={byReviews}>what people said in review</option>
            {columns.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      </div>
      {report.data ? (
        <Report report={report.data} />
      ) : report.error ? (
        <Failure error={report.error} onRetry={report.reload} />
      ) : (
        <Loading what="the report" />
      )}
      <Downloads run={id} query={asked} />
    </>
  );
}

function Report({ report }: { report: ReportJson }) {
  const { quality, money, rows } = report;
  return (
    <>
      {quality ? (
        <Accuracy quality={quality} />
      ) : (
        <Empty title="How right are the labels?">
          <p>Choose the column that holds true labels, and each row that has one is judged by it.</p>
        </Empty>
      )}
      <dl className="figures">
        <div>
          <dt>a correct label</dt>
          <dd>
            <Amount usd={money.perCorrectLabelUsd} />
          </dd>
        </div>
        <div>
          <dt>a label</dt>
          <dd>
            <Amount usd={money.perLabelUsd} />
          </dd>
        </div>
        <div>
          <dt>1,000 rows</dt>
          <dd>
            <Amount usd={money.per1000RowsUsd} />
          </dd>
        </div>
        <div>
          <dt>all of it</dt>
          <dd>
            <Amount usd={money.spentUsd} />
          </dd>
        </div>
        <div>
          <dt>rows with a label</dt>
          <dd>
            {formatCount(rows.labeled)} <small className="soft">of {formatCount(rows.rows)}</small>
          </dd>
        </div>
      </dl>
      {quality && <p className="soft">{selectionText(report.selection).join(" ")}</p>}
      {quality && <Details quality={quality} />}
      {quality && report.wrong.length > 0 && <Wrong wrong={report.wrong} />}
    </>
  );
}

function Accuracy({ quality: { ofAll, ofLabeled, gold, unreadableGold } }: { quality: Quality }) {
  return (
    <section className="accuracy" aria-labelledby="accuracy">
      <h2 id="accuracy">Accuracy</h2>
      <p className="big">
        {percent(ofAll.share)}
        <small>95 % interval {interval(ofAll)}</small>
      </p>
      <Interval low={ofAll.low} high={ofAll.high} share={ofAll.share} />
      <p>
        {formatCount(ofAll.count)} of {formatCount(ofAll.total)} rows with a true label in <code>{gold}</code> are
        right; one without a label counts as wrong. Of the {formatCount(ofLabeled.total)} that have a label{" "}
        {percent(ofLabeled.share)} are right ({interval(ofLabeled)}).
        {unreadableGold > 0 &&
          ` ${rowsText(unreadableGold)} were not judged: their true label cannot be read as one of the task.`}
      </p>
    </section>
  );
}

function Interval({ low, high, share }: { low: number | null; high: number | null; share: number | null }) {
  if (low === null || high === null || share === null) return null;
  return (
    <span className="interval" aria-hidden="true">
      <i className="range" style={{ left: `${100 * low}%`, width: `${100 * (high - low)}%` }} />
      <i className="point" style={{ left: `${100 * share}%` }} />
    </span>
  );
}

function Details({ quality }: { quality: Quality }) {
  const { details, calibration } = quality;
  return (
    <div className="two">
      {details.kind === "classification" && <ConfusionTable confusion={details.confusion} />}
      {"labels" in details && <ScoresTable labels={details.labels} macro={details.macro} />}
      {details.kind === "extraction" && <FieldsTable fields={details.fields} />}
      <section aria-labelledby="calibration">
        <h2 id="calibration">Confidence</h2>
        {calibration ? (
          <>
            <p>
              On average its confidence is off by <b>{percent(calibration.expectedError)}</b>.
            </p>
            <Suspense fallback={<Loading what="the chart" />}>
              <CalibrationChart calibration={calibration} labelledBy="calibration" />
            </Suspense>
            <CalibrationTable bins={calibration.bins} />
          </>
        ) : (
          <p className="soft">No row that is judged states a confidence.</p>
        )}
      </section>
    </div>
  );
}

function CalibrationTable({ bins }: { bins: NonNullable<Quality["calibration"]>["bins"] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Confidence</th>
          <th scope="col" className="n">
            Rows
          </th>
          <th scope="col" className="n">
            Right
          </th>
        </tr>
      </thead>
      <tbody>
        {bins.map(({ from, to, rows, accuracy }) => (
          <tr key={from}>
            <th scope="row">
              {from.toFixed(1)} to {to.toFixed(1)}
            </th>
            <td className="n">{formatCount(rows)}</td>
            <td className="n">{percent(accuracy)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

type Fields = Extract<Quality["details"], { kind: "extraction" }>["fields"];

function FieldsTable({ fields }: { fields: Fields }) {
  return (
    <section aria-labelledby="fields">
      <h2 id="fields">Fields</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col" className="n">
              Right
            </th>
            <th scope="col" className="n">
              95 % interval
            </th>
          </tr>
        </thead>
        <tbody>
          {fields.map(({ field, accuracy }) => (
            <tr key={field}>
              <th scope="row">
                {field}
                <ShareBar share={accuracy.share ?? 0} />
              </th>
              <td className="n">{percent(accuracy.share)}</td>
              <td className="n soft">{interval(accuracy)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Kinds of wrong rows, the most frequent first. */
function Wrong({ wrong }: { wrong: ReportJson["wrong"] }) {
  return (
    <section aria-labelledby="wrong">
      <h2 id="wrong">What is wrong most often</h2>
      {wrong.slice(0, mostKinds).map(({ rows, examples }) => (
        <WrongKind key={examples[0]?.rowId} rows={rows} examples={examples} />
      ))}
    </section>
  );
}

const mostKinds = 12;

function WrongKind({ rows, examples }: ReportJson["wrong"][number]) {
  const [first] = examples;
  if (!first) return null;
  return (
    <details className="wrong">
      <summary>
        <b>{formatCount(rows)}</b>
        {first.label === null ? (
          statusNames[first.status]
        ) : (
          <>
            {first.gold !== undefined && (
              <>
                <span className="pill gold">{labelText(first.gold)}</span> →{" "}
              </>
            )}
            <span className="pill got">{labelText(first.label)}</span>
          </>
        )}
      </summary>
      <ul className="plain">
        {examples.map(({ rowId, text, error }) => (
          <li key={rowId} className="quote" dir="auto">
            {text}
            {error !== null && <small className="sub">{error}</small>}
          </li>
        ))}
      </ul>
    </details>
  );
}
