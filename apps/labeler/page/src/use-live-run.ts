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

/**
 * Only while the page is seen: a browser has few connections for one server, and those of hidden tabs would keep a seen
 * one waiting.
 *
 * @param run null asks for nothing.
 */
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
    let timer: ReturnType<typeof setTimeout> | undefined;
    let events: EventSource | undefined;
    const disconnect = () => {
      clearTimeout(timer);
      events?.close();
    };
    const connect = () => {
      disconnect();
      const source = new EventSource(runAddress(run, "/events"));
      events = source;
      source.addEventListener("run", ({ data }: MessageEvent<string>) =>
        setState({ run, page: JSON.parse(data) as RunPage }),
      );
      source.addEventListener("error", () => {
        // Why there is no connection is told by an ordinary request.
        reload();
        // A browser connects again by itself, but not where it was refused: the run may be there later.
        if (source.readyState === EventSource.CLOSED && events === source) timer = setTimeout(connect, retryMs);
      });
    };
    const look = () => {
      if (document.visibilityState === "hidden") {
        disconnect();
        return;
      }
      reload();
      connect();
    };
    // A tab that is opened behind another one is loaded too.
    reload();
    if (document.visibilityState !== "hidden") connect();
    document.addEventListener("visibilitychange", look);
    return () => {
      document.removeEventListener("visibilitychange", look);
      disconnect();
    };
  }, [run, reload]);

  const current = state?.run === run ? state : undefined;
  return { page: current?.page, error: current?.error, reload };
}
