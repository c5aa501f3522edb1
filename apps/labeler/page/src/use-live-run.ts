import { useCallback, useEffect, useState } from "react";
import type { RunPage } from "../../src/ui/api.ts";
import { getJson, runAddress } from "./client.ts";

const retryMs = 1000;

/** A run as it stands, kept up to date by the server's events. */
export interface LiveRun {
  page: RunPage | undefined;
  /** Why there is no page, or why it is not up to date. */
  error: Error | undefined;
  /** Asks now instead of waiting for the next event. */
  reload: () => void;
}

/** @param run null asks for nothing. */
export function useLiveRun(run: string | null): LiveRun {
  const [state, setState] = useState<{ run: string; page?: RunPage; error?: Error }>();

  const reload = useCallback(() => {
    if (run === null) return;
    getJson<RunPage>(runAddress(run)).then(
      (page) => setState({ run, page }),
      (error: Error) => setState((last) => (last?.run === run ? { ...last, error } : { run, error })),
    );
  }, [run]);

  useEffect(() => {
    if (run === null) return;
    reload();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let events: EventSource;
    const connect = () => {
      events = new EventSource(runAddress(run, "/events"));
      events.addEventListener("run", ({ data }: MessageEvent<string>) =>
        setState({ run, page: JSON.parse(data) as RunPage }),
      );
      events.addEventListener("error", () => {
        // Why there is no connection is told by an ordinary request.
        reload();
        // A browser connects again by itself, but not where it was refused: the run may be there later.
        if (events.readyState === EventSource.CLOSED) timer = setTimeout(connect, retryMs);
      });
    };
    connect();
    return () => {
      clearTimeout(timer);
      events.close();
    };
  }, [run, reload]);

  const current = state?.run === run ? state : undefined;
  return { page: current?.page, error: current?.error, reload };
}
