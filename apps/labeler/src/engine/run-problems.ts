import type { RowResult } from "../store/run-store.ts";

/** Something that went wrong in a run, and how often. */
export interface RunProblem {
  /** What it was: `HTTP 503`, `no answer in time`, `invalid label`. */
  kind: string;
  /** What was said the last time. */
  message: string;
  count: number;
}

const kinds: Readonly<Record<Exclude<RowResult["status"], "labeled">, string>> = {
  invalid_label: "answer not usable",
  truncated: "answer cut off",
  refused: "refused by a filter",
  error: "row failed",
};

/** What went wrong since the process began, by kind, the latest last. */
export class RunProblems {
  readonly #byKind = new Map<string, RunProblem>();

  /** An attempt failed; it may be tried again. */
  attempt(error: unknown): void {
    const { statusCode, message, name } = (error ?? {}) as { statusCode?: unknown; message?: unknown; name?: unknown };
    const said = typeof message === "string" ? message : String(error);
    if (typeof statusCode === "number" && statusCode >= 400) this.#add(`HTTP ${statusCode}`, said);
    else if (name === "TimeoutError" || /timed? ?out/i.test(said)) this.#add("no answer in time", said);
    else this.#add("call failed", said);
  }

  /** A row ended. */
  row({ status, error }: RowResult): void {
    if (status !== "labeled") this.#add(kinds[status], error ?? "");
  }

  /** The latest kinds, the newest first. */
  latest(limit: number): RunProblem[] {
    return [...this.#byKind.values()].reverse().slice(0, limit);
  }

  #add(kind: string, message: string): void {
    const count = (this.#byKind.get(kind)?.count ?? 0) + 1;
    this.#byKind.delete(kind);
    this.#byKind.set(kind, { kind, message, count });
  }
}
