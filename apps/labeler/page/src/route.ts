import { useSyncExternalStore } from "react";

/** The pages of one run, in the order of their tabs. */
export const runPages = ["run", "data", "review", "result"] as const;

export type RunPageName = (typeof runPages)[number];

/**
 * What the address asks for. It stands behind the `#`, so that one file serves every page:
 *
 *     #/                         all runs
 *     #/runs/reviews-1           a run
 *     #/runs/reviews-1/data?…    its rows; so too review and result
 */
export interface Route {
  /** Null for the list of runs. */
  run: string | null;
  page: RunPageName;
  query: URLSearchParams;
}

export function readRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [all = "", run = "", page = ""] = path.split("/").map(decoded);
  return {
    run: all === "runs" && run !== "" ? run : null,
    page: runPages.find((name) => name === page) ?? "run",
    query: new URLSearchParams(query),
  };
}

/** The address of a page. Parameters that are empty are left out. */
export function linkTo(run: string | null, page: RunPageName = "run", query: Readonly<Record<string, string>> = {}) {
  if (run === null) return "#/";
  const told = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "")).toString();
  return `#/runs/${encodeURIComponent(run)}${page === "run" ? "" : `/${page}`}${told === "" ? "" : `?${told}`}`;
}

/** The page that the address names, kept up to date. */
export function useRoute(): Route {
  return readRoute(useSyncExternalStore(listen, () => location.hash));
}

function listen(onChange: () => void): () => void {
  addEventListener("hashchange", onChange);
  return () => removeEventListener("hashchange", onChange);
}

/** An address that a person mangled is looked up as it stands. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
