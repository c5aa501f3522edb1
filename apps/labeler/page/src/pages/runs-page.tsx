import { formatCount } from "../../../src/progress/bar.ts";
import type { RunStatus } from "../../../src/progress/run-status.ts";
import type { PoolStatus, RunsPage as Runs } from "../../../src/ui/api.ts";
import { timeText } from "../format.ts";
import { Amount } from "../parts/amount.tsx";
import { Empty, Failure, Loading } from "../parts/notice.tsx";
import { RunState } from "../parts/run-state.tsx";
import { SpendBar } from "../parts/spend-bar.tsx";
import { linkTo } from "../route.ts";
import { useResource } from "../use-resource.ts";

/** All runs and pools of the store. */
export function RunsPage() {
  const { data, error, reload } = useResource<Runs>("/api/runs", 2000);
  if (!data) return error ? <Failure error={error} onRetry={reload} /> : <Loading what="the runs" />;
  if (data.runs.length === 0) {
    return (
      <>
        <h1>Runs</h1>
        <Empty title="No run yet">
          <p>
            Start one with <code>autolabel label DATA --budget 5</code>; it shows up here by itself.
          </p>
        </Empty>
      </>
    );
  }
  return (
    <>
      <h1>Runs</h1>
      {error && (
        <p className="banner" role="status">
          Not up to date: {error.message}
        </p>
      )}
      <RunsTable runs={data.runs} />
      {data.pools.length > 0 && <PoolsTable pools={data.pools} />}
    </>
  );
}

function RunsTable({ runs }: { runs: readonly RunStatus[] }) {
  return (
    <table className="list">
      <thead>
        <tr>
          <th scope="col">Run</th>
          <th scope="col">State</th>
          <th scope="col" className="n">
            Labeled
          </th>
          <th scope="col" className="wide">
            Spent of budget
          </th>
          <th scope="col">Last used</th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <tr key={run.id}>
            <th scope="row">
              <a href={linkTo(run.id)}>{run.id}</a>
              <small className="sub">
                {run.model}
                {run.pool && ` · pool ${run.pool.name}`}
              </small>
            </th>
            <td>
              <RunState status={run} />
            </td>
            <td className="n">
              {formatCount(run.labeled)} <span className="soft">of {formatCount(run.rows)}</span>
            </td>
            <td className="wide">
              <SpendBar balances={run} />
              <span>
                <Amount usd={run.spentUsd} />
                <span className="soft">
                  {run.budgetUsd === null ? (
                    ", no budget of its own"
                  ) : (
                    <>
                      {" "}
                      of <Amount usd={run.budgetUsd} />
                    </>
                  )}
                </span>
              </span>
            </td>
            <td className="soft time">{timeText(run.touchedAt)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function PoolsTable({ pools }: { pools: readonly PoolStatus[] }) {
  return (
    <section>
      <h2>Pools</h2>
      <table className="list">
        <thead>
          <tr>
            <th scope="col">Pool</th>
            <th scope="col">Runs</th>
            <th scope="col" className="wide">
              Spent of budget
            </th>
          </tr>
        </thead>
        <tbody>
          {pools.map(({ name, budgetUsd, spentUsd, runs }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>
                {runs.map((run, place) => (
                  <span key={run}>
                    {place > 0 && ", "}
                    <a href={linkTo(run)}>{run}</a>
                  </span>
                ))}
              </td>
              <td className="wide">
                {spentUsd !== null && (
                  <SpendBar balances={{ budgetUsd, spentUsd, heldUsd: null, unresolvedUsd: null }} />
                )}
                <span>
                  <Amount usd={spentUsd} />
                  <span className="soft">
                    {" "}
                    of <Amount usd={budgetUsd} />
                  </span>
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
