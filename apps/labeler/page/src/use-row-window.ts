import { useCallback, useEffect, useRef, useState } from "react";
import type { RowQuery, RowSummary, RowWindow } from "../../src/ui/api.ts";
import { getJson, runAddress } from "./client.ts";

/** Rows are asked for in windows of so many. */
const windowSize = 100;
/** Windows that are kept; those that were seen long ago are let go. */
const mostWindows = 40;
/** Scrolling past rows is no wish to see them. */
const restMs = 60;
/** Rows of a query, as far as they were asked for. */
export interface RowWindows {
  /** Undefined until the first answer. */
  total: number | undefined;
  error: Error | undefined;
  /** Undefined while it is on its way. */
  rowAt: (index: number) => RowSummary | undefined;
  /** Asks again for what is seen, and forgets the rest. */
  reload: () => void;
}

interface Windows {
  address: string;
  total: number | undefined;
  error: Error | undefined;
  rows: ReadonlyMap<number, readonly RowSummary[]>;
}

/** The rows from `first` to `last` of a query, fetched when the reader rests there. */
export function useRowWindow(
  run: string,
  query: RowQuery,
  { first, last }: { first: number; last: number },
): RowWindows {
  const address = addressOf(run, query);
  const [windows, setWindows] = useState<Windows>(() => fresh(address));
  const asked = useRef(new Map<number, { of: string; aborter: AbortController; isAskedAgain?: boolean }>());

  const load = useCallback(
    (place: number) => {
      const aborter = new AbortController();
      asked.current.get(place)?.aborter.abort();
      asked.current.set(place, { of: address, aborter });
      getJson<RowWindow>(`${address}from=${place * windowSize}&count=${windowSize}`, aborter.signal)
        .then(({ total, rows }) => setWindows((old) => withWindow(old, { address, total, place, rows })))
        .catch((error: Error) => {
          if (!aborter.signal.aborted)
            setWindows((old) => ({ ...(old.address === address ? old : fresh(address)), error }));
        })
        .finally(() => {
          const request = asked.current.get(place);
          if (request?.aborter !== aborter) return;
          asked.current.delete(place);
          if (request.isAskedAgain && !aborter.signal.aborted) load(place);
        });
    },
    [address],
  );

  // Another query: what is on its way is no longer wanted.
  useEffect(() => {
    const running = asked.current;
    return () => {
      for (const [place, { of, aborter }] of running) {
        if (of !== address) continue;
        aborter.abort();
        running.delete(place);
      }
    };
  }, [address]);

  const known = windows.address === address ? windows : fresh(address);
  const [from, to] = [Math.floor(first / windowSize), Math.floor(Math.max(first, last) / windowSize)];
  const isMissing = range(from, to).some((place) => !known.rows.has(place));

  useEffect(() => {
    if (!isMissing) return;
    const wanted = () => {
      for (const [place, { aborter }] of asked.current) if (place < from || place > to) aborter.abort();
      for (const place of range(from, to)) if (!asked.current.has(place)) load(place);
    };
    const timer = setTimeout(wanted, restMs);
    return () => clearTimeout(timer);
  }, [isMissing, from, to, load]);

  return {
    total: known.total,
    error: known.error,
    rowAt: (index) => known.rows.get(Math.floor(index / windowSize))?.[index % windowSize],
    reload: () => {
      const seen = (place: number) => place >= from && place <= to;
      setWindows((old) => ({ ...old, rows: new Map([...old.rows].filter(([place]) => seen(place))) }));
      for (const place of range(from, to)) {
        // What is on its way may be older than what is asked for now.
        const request = asked.current.get(place);
        if (request) request.isAskedAgain = true;
        else load(place);
      }
    },
  };
}

function addressOf(run: string, { status, label, search, sort, descending }: RowQuery): string {
  const given = { status, label, search, sort, descending: descending ? "true" : undefined };
  const told = Object.entries(given).flatMap(([name, value]): [string, string][] =>
    value === undefined || value === "" ? [] : [[name, value]],
  );
  const text = new URLSearchParams(told).toString();
  return runAddress(run, `/rows?${text === "" ? "" : `${text}&`}`);
}

function fresh(address: string): Windows {
  return { address, total: undefined, error: undefined, rows: new Map() };
}

function withWindow(
  old: Windows,
  { address, total, place, rows }: { address: string; total: number; place: number; rows: RowSummary[] },
): Windows {
  const kept = [...(old.address === address ? old.rows : [])].filter(([other]) => other !== place);
  return { address, total, error: undefined, rows: new Map([...kept.slice(1 - mostWindows), [place, rows]]) };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, step) => from + step);
}
