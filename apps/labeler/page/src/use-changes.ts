import { useEffect, useRef } from "react";
import type { RunPage } from "../../src/ui/api.ts";

/** A run that is worked on is written to all the time. */
const restMs = 1500;

/** Calls when somebody wrote to the run since it was last called, now and then only; after the last change too. */
export function useChanges(run: RunPage, act: () => void): void {
  const latest = useRef(act);
  latest.current = act;
  const seen = useRef(run);
  const actedMs = useRef(performance.now());

  useEffect(() => {
    if (seen.current === run) return;
    const later = () => {
      [seen.current, actedMs.current] = [run, performance.now()];
      latest.current();
    };
    const timer = setTimeout(later, Math.max(0, actedMs.current + restMs - performance.now()));
    return () => clearTimeout(timer);
  }, [run]);
}
