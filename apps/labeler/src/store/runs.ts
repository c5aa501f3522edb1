import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { UsageError } from "../usage-error.ts";
import { isRunLocked } from "./run-lock.ts";
import type { RunStore } from "./run-store.ts";
import { SqliteRunStore } from "./sqlite-run-store.ts";

/** A run as its file tells it. */
export interface RunSummary {
  id: string;
  path: string;
  /** Hash of task and rows: equal for two runs that would buy the same answers. */
  identity: string | undefined;
  /** Hash of name and rows: equal for runs that label the same, however they ask. */
  rowsIdentity: string | undefined;
  /** When it was last worked on, ISO 8601. */
  touchedAt: string;
  /** Whether it was only probed: a few rows are bought to tell what all will cost, and labeling goes on with them. */
  isProbe: boolean;
}

/** A run that takes its rows in. It is none yet: if its process dies, the next start clears it away. */
export interface NewRun {
  id: string;
  store: RunStore;
  /**
   * Makes it a run by its facts, unless there is one of the same identity and `isPreferred` says so of it. One step: of two
   * that start at once only one pays.
   *
   * @returns the run that is preferred.
   */
  begin(facts: Readonly<Record<string, string>>, isPreferred: (before: RunSummary) => boolean): RunSummary | undefined;
  /** Removes it, which has bought nothing. Until all of it is gone nobody else is given its id. */
  discard(): Promise<void>;
}

const ending = ".sqlite";

/** How long a file that another process has for a moment is waited for. */
const patienceMs = 10_000;

/** Where the run `id` is kept. */
export function runPath(folder: string, id: string): string {
  return join(folder, `${id}${ending}`);
}

/**
 * Does something that no other process does to this store at the same moment; the operating system lets the next one in
 * even after `kill -9`. For steps of milliseconds: who waits does nothing else.
 */
function withStoreLocked<T>(folder: string, work: () => T): T {
  mkdirSync(folder, { recursive: true });
  const lock = new DatabaseSync(join(folder, "runs.lock"), { timeout: patienceMs });
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return work();
  } finally {
    lock.close();
  }
}

/** Begins a run under a new id, the name and the next free number, and clears away what killed starts have left. */
export function newRun(folder: string, name: string): NewRun {
  const stem = name.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[.-]+/, "") || "run";
  // From its first moment on a run is locked by whoever starts it: one that is not, and is no run yet, was cut off.
  return withStoreLocked(folder, () => {
    for (const path of runFiles(folder)) if (isCutOff(path)) removeRun(path);
    for (let number = 1; ; number++) {
      const id = `${stem}-${number}`;
      if (!existsSync(runPath(folder, id))) return newRunIn(folder, id, new SqliteRunStore(runPath(folder, id)));
    }
  });
}

function newRunIn(folder: string, id: string, store: SqliteRunStore): NewRun {
  return {
    id,
    store,
    begin: (facts, isPreferred) =>
      withStoreLocked(folder, () => {
        const before = listRuns(folder).find(({ identity }) => identity === facts.identity);
        if (before && isPreferred(before)) return before;
        store.setNow(facts);
        return undefined;
      }),
    discard: () =>
      withStoreLocked(folder, () => {
        const closed = store.close();
        removeRun(store.path);
        return closed;
      }),
  };
}

/** Opens a run to work on it. @throws UsageError when another process does. */
export function openRun(run: RunSummary): RunStore {
  return new SqliteRunStore(run.path);
}

/** The runs of a store, the last used first. */
export function listRuns(folder: string): RunSummary[] {
  return runFiles(folder)
    .map(summarize)
    .filter((run) => run !== undefined)
    .sort((a, b) => b.touchedAt.localeCompare(a.touchedAt));
}

/** @throws UsageError when there is no such run, or none at all; it names those there are. */
export function findRun(folder: string, id: string | undefined): RunSummary {
  const runs = listRuns(folder);
  const found = id === undefined ? runs[0] : runs.find((run) => run.id === id);
  if (found) return found;
  if (runs.length === 0) throw new UsageError(`No run in ${folder}: start one with autolabel label DATA`);
  throw new UsageError(`No run "${id}" in ${folder}: there are ${runs.map((run) => run.id).join(", ")}`);
}

function runFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(ending))
    .map((file) => join(folder, file));
}

/** Removes a run's files. Only for one that has bought nothing. */
function removeRun(path: string): void {
  for (const suffix of ["", "-wal", "-shm", ".lock-journal", ".lock"]) rmSync(`${path}${suffix}`, { force: true });
}

function summarize(path: string): RunSummary | undefined {
  let database: DatabaseSync | undefined;
  try {
    // A file that is busy for a moment is a run all the same: taken for none, its rows would be bought again.
    database = new DatabaseSync(path, { readOnly: true, timeout: patienceMs });
    const fact = database.prepare("SELECT value FROM run WHERE key = ?");
    const factOf = (key: string) => (fact.get(key) as { value: string } | undefined)?.value;
    const identity = factOf("identity");
    // A run without identity was cut off while it took its rows in: it has bought nothing and cannot go on.
    if (identity === undefined) return undefined;
    // Not the file's own time: looking at a run must not make it the last one.
    const touchedAt = factOf("touchedAt") ?? "";
    return {
      id: basename(path, ending),
      path,
      identity,
      rowsIdentity: factOf("rowsIdentity"),
      touchedAt,
      isProbe: factOf("stage") === "probed",
    };
  } catch {
    return undefined;
  } finally {
    database?.close();
  }
}

/** Whether whoever started this run was killed before it was one: nobody works on it, and it has bought nothing. */
function isCutOff(path: string): boolean {
  if (isRunLocked(path)) return false;
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true, timeout: patienceMs });
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
    if (!tables.some(({ name }) => name === "run")) return tables.every(({ name }) => name === "run_schema");
    const what = "EXISTS (SELECT 1 FROM run WHERE key = 'identity') OR EXISTS (SELECT 1 FROM attempts)";
    return database.prepare(`SELECT ${what} AS run`).get()?.run === 0;
  } catch {
    // Whatever this is, it is not ours to remove.
    return false;
  } finally {
    database?.close();
  }
}
