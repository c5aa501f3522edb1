import { type ComponentType, useEffect, useRef } from "react";
import type { RunPage } from "../../src/ui/api.ts";
import { DataPage } from "./pages/data-page.tsx";
import { ResultPage } from "./pages/result-page.tsx";
import { ReviewPage } from "./pages/review-page.tsx";
import { RunOverview } from "./pages/run-page.tsx";
import { RunsPage } from "./pages/runs-page.tsx";
import { Failure, Loading } from "./parts/notice.tsx";
import { RunState } from "./parts/run-state.tsx";
import { linkTo, type Route, type RunPageName, runPages, useRoute } from "./route.ts";
import { type LiveRun, useLiveRun } from "./use-live-run.ts";

/** What every page of a run is given. */
export interface RunPageProps {
  run: RunPage;
  query: URLSearchParams;
  reload: () => void;
}

const pages: Readonly<Record<RunPageName, { name: string; Page: ComponentType<RunPageProps> }>> = {
  run: { name: "Money", Page: RunOverview },
  data: { name: "Data", Page: DataPage },
  review: { name: "Review", Page: ReviewPage },
  result: { name: "Result", Page: ResultPage },
};

export function App() {
  const route = useRoute();
  const live = useLiveRun(route.run);
  const main = useRef<HTMLElement>(null);
  const title = route.run === null ? "Runs" : `${route.run}: ${pages[route.page].name}`;

  useEffect(() => {
    document.title = `${title} · Autolabel`;
  }, [title]);

  return (
    <>
      <button type="button" className="skip" onClick={() => main.current?.focus()}>
        Skip to content
      </button>
      <Header route={route} live={live} />
      <main ref={main} tabIndex={-1} className={`page ${route.run === null ? "runs" : route.page}-page`}>
        {route.run === null ? <RunsPage /> : <PageOfRun route={route} live={live} />}
      </main>
    </>
  );
}

function Header({ route, live }: { route: Route; live: LiveRun }) {
  return (
    <header className="top">
      <nav className="trail" aria-label="Place">
        <a className="brand" href={linkTo(null)} aria-current={route.run === null ? "page" : undefined}>
          <svg className="mark" viewBox="0 0 18 14" aria-hidden="true">
            <path d="M1 1.5h7M1 7h11M1 12.5h16" />
          </svg>
          autolabel
        </a>
        {route.run !== null && (
          <>
            <span aria-hidden="true" className="slash">
              /
            </span>
            <span className="run-name">{route.run}</span>
            {live.page && <RunState status={live.page.status} />}
          </>
        )}
      </nav>
      {route.run !== null && (
        <nav className="tabs" aria-label="Pages of the run">
          {runPages.map((name) => (
            <a key={name} href={linkTo(route.run, name)} aria-current={name === route.page ? "page" : undefined}>
              {pages[name].name}
            </a>
          ))}
        </nav>
      )}
    </header>
  );
}

function PageOfRun({ route, live }: { route: Route; live: LiveRun }) {
  if (!live.page) {
    return live.error ? (
      <Failure error={live.error} onRetry={live.reload} />
    ) : (
      <Loading what={`the run ${route.run ?? ""}`} />
    );
  }
  const { Page } = pages[route.page];
  return (
    <>
      {live.error && (
        <p className="banner" role="status">
          Not up to date: {live.error.message}
        </p>
      )}
      <Page key={route.run} run={live.page} query={route.query} reload={live.reload} />
    </>
  );
}
