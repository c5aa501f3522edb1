import { lazy, type ReactNode, Suspense } from "react";
import { formatCount } from "../../../src/progress/bar.ts";
import { percent } from "../../../src/report/words.ts";
import type { RunPage } from "../../../src/ui/api.ts";
import type { RunPageProps } from "../app.tsx";
import { each, labelName, rowStatuses, statusNames, timeText } from "../format.ts";
import { Amount } from "../parts/amount.tsx";
import { Loading } from "../parts/notice.tsx";
import { RunActions } from "../parts/run-actions.tsx";
import { ScrollBox } from "../parts/scroll-box.tsx";
import { ShareBar } from "../parts/share-bar.tsx";
import { SpendBar } from "../parts/spend-bar.tsx";
import { linkTo } from "../route.ts";

const BurnChart = lazy(async () => ({ default: (await import("../parts/burn-chart.tsx")).BurnChart }));

/** Where the money of a run is, went, and will go. */
export function RunOverview({ run, reload }: RunPageProps) {
  return (
    <>
      <div className="head">
        <h1>
          <Amount usd={run.status.spentUsd} />
          <small>
            {run.status.budgetUsd === null ? (
              "spent, no budget of its own"
            ) : (
              <>
                spent of <Amount usd={run.status.budgetUsd} />
              </>
            )}
          </small>
        </h1>
        <RunActions run={run} reload={reload} />
      </div>
      {run.problem !== null && (
        <p className="banner said-no" role="alert">
          {run.problem}
        </p>
      )}
      <SpendBar balances={run.status} />
      <Balances run={run} />
      <Rows run={run} />
      <section aria-labelledby="burn">
        <h2 id="burn">{run.status.budgetUsd === null ? "Money spent, by rows" : "Money left, by rows"}</h2>
        <Suspense fallback={<Loading what="the chart" />}>
          <BurnChart run={run} labelledBy="burn" />
        </Suspense>
        <Forecast run={run} />
      </section>
      <div className="two">
        <LabelsTable run={run} />
        <div>
          <ModelsTable run={run} />
          <ErrorsTable run={run} />
          <Alerts run={run} />
        </div>
      </div>
    </>
  );
}

function Balances({ run: { status, freeUsd } }: { run: RunPage }) {
  return (
    <dl className="figures">
      <Figure name="spent" mark="spent">
        <Amount usd={status.spentUsd} />
      </Figure>
      <Figure name="held for calls in flight" mark="held">
        <Amount usd={status.heldUsd} />
      </Figure>
      <Figure name="unresolved" mark="unresolved">
        <Amount usd={status.unresolvedUsd} />
      </Figure>
      <Figure name="free" mark="free">
        {status.budgetUsd === null ? "no limit" : <Amount usd={freeUsd} />}
      </Figure>
      {status.pool && (
        <Figure name={`pool ${status.pool.name}, for all its runs`}>
          <Amount usd={status.pool.budgetUsd} />
        </Figure>
      )}
    </dl>
  );
}

function Figure({ name, mark, children }: { name: string; mark?: string; children: ReactNode }) {
  return (
    <div>
      <dt>
        {mark && <i className={`key ${mark}`} aria-hidden="true" />}
        {name}
      </dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Rows by state; each leads to the rows themselves. */
function Rows({ run: { status } }: { run: RunPage }) {
  return (
    <ul className="row-states" aria-label="Rows by state">
      {rowStatuses
        .filter((name) => status.rowsByStatus[name] > 0)
        .map((name) => (
          <li key={name}>
            <a href={linkTo(status.id, "data", { status: name })}>
              <b>{formatCount(status.rowsByStatus[name])}</b> {statusNames[name]}
            </a>
          </li>
        ))}
      <li className="soft">of {formatCount(status.rows)} rows</li>
    </ul>
  );
}

function Forecast({ run: { forecast, status } }: { run: RunPage }) {
  if (!forecast) {
    const isThrough = status.rowsByStatus.unpaid + status.rowsByStatus.error === 0;
    return (
      <p className="soft">
        {isThrough ? "No row is left to buy." : "Too few rows are bought yet to tell what the rest will cost."}
      </p>
    );
  }
  return (
    <p>
      All {formatCount(status.rows)} rows will cost about{" "}
      <b>
        <Amount usd={forecast.p50Usd} />
      </b>
      , with a chance of 80 % between <Amount usd={forecast.p10Usd} /> and <Amount usd={forecast.p90Usd} />.
      {forecast.rowsAffordable !== null &&
        ` The free money pays for about ${formatCount(forecast.rowsAffordable)} more.`}
    </p>
  );
}

function LabelsTable({ run }: { run: RunPage }) {
  const costs = new Map(run.costByLabel.map(({ name, costUsd }) => [name, costUsd]));
  const total = run.labels.reduce((sum, { rows }) => sum + rows, 0);
  const most = Math.max(...run.labels.map(({ rows }) => rows));
  return (
    <section>
      <h2 id="labels">Labels</h2>
      {run.labels.length === 0 ? (
        <p className="soft">No row has a label yet.</p>
      ) : (
        <ScrollBox labelledBy="labels">
          <table>
            <thead>
              <tr>
                <th scope="col">Label</th>
                <th scope="col" className="n">
                  Rows
                </th>
                <th scope="col" className="n">
                  Share
                </th>
                <th scope="col" className="n">
                  Cost
                </th>
              </tr>
            </thead>
            <tbody>
              {run.labels.map(({ name, rows }) => (
                <tr key={name}>
                  <th scope="row">
                    <a href={linkTo(run.status.id, "data", { label: name })}>{labelName(name)}</a>
                    <ShareBar share={rows / most} />
                  </th>
                  <td className="n">{formatCount(rows)}</td>
                  <td className="n soft">{percent(rows / total)}</td>
                  <td className="n">
                    <Amount usd={costs.get(name) ?? null} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollBox>
      )}
    </section>
  );
}

function ModelsTable({ run }: { run: RunPage }) {
  return (
    <section aria-labelledby="models">
      <h2 id="models">Models</h2>
      {run.costByModel.length === 0 ? (
        <p className="soft">No call was made yet.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">Model</th>
              <th scope="col" className="n">
                Calls
              </th>
              <th scope="col" className="n">
                Cost
              </th>
              <th scope="col" className="n">
                A call
              </th>
            </tr>
          </thead>
          <tbody>
            {run.costByModel.map(({ name, rows, costUsd }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td className="n">{formatCount(rows)}</td>
                <td className="n">
                  <Amount usd={costUsd} />
                </td>
                <td className="n soft">
                  <Amount usd={each(costUsd, rows)} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function ErrorsTable({ run }: { run: RunPage }) {
  return (
    <section aria-labelledby="errors">
      <h2 id="errors">Rows without a label</h2>
      {run.errors.length === 0 ? (
        <p className="soft">None: every row that was bought has a label.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">What went wrong</th>
              <th scope="col" className="n">
                Rows
              </th>
              <th scope="col" className="n">
                Cost
              </th>
            </tr>
          </thead>
          <tbody>
            {run.errors.map(({ status, message, rows, costUsd }) => (
              <tr key={`${status} ${message}`}>
                <th scope="row">
                  <a href={linkTo(run.status.id, "data", { status })}>{statusNames[status]}</a>
                  <small className="sub">{message}</small>
                </th>
                <td className="n">{formatCount(rows)}</td>
                <td className="n">
                  <Amount usd={costUsd} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Alerts({ run: { alerts, status } }: { run: RunPage }) {
  if (status.budgetUsd === null) return null;
  return (
    <section aria-labelledby="alerts">
      <h2 id="alerts">Alerts</h2>
      {alerts.length === 0 ? (
        <p className="soft">No share of the budget was passed yet.</p>
      ) : (
        <ul className="alerts">
          {alerts.map(({ share, at }) => (
            <li key={share}>
              <b>{percent(share).replace(".0", "")}</b> of the budget passed{" "}
              <time dateTime={at}>{timeText(at, { seconds: true })}</time>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
