import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { readSqliteRun } from "./read-run.ts";
import { isRunLocked } from "./run-lock.ts";
import type { NewRun, RunSummary, Runs } from "./runs.ts";
import { SqliteRunStore } from "./sqlite-run-store.ts";
import { SqliteRunView } from "./sqlite-run-view.ts";

/** A run as its file tells it. */
export interface RunFileSummary extends RunSummary {
  path: string;
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

/** Runs in files of a folder, one each. */
export class RunFolder implements Runs {
  readonly name: string;
  readonly isServer = false;

  constructor(folder: string) {
    this.name = folder;
  }

  async newRun(name: string): Promise<NewRun> {
    const folder = this.name;
    // From its first moment on a run is locked by whoever starts it: one that is not, and is no run yet, was cut off.
    return withStoreLocked(folder, () => {
      for (const path of runFiles(folder)) if (isCutOff(path)) removeRun(path);
      for (let number = 1; ; number++) {
        const id = `${stemOf(name)}-${number}`;
        if (!existsSync(runPath(folder, id))) return newRunIn(folder, id, new SqliteRunStore(runPath(folder, id)));
      }
    });
  }

  async list(): Promise<RunFileSummary[]> {
    return listRuns(this.name);
  }

  async open({ id }: RunSummary): Promise<SqliteRunStore> {
    return new SqliteRunStore(runPath(this.name, id));
  }

  async beside({ id }: RunSummary): Promise<SqliteRunStore> {
    return new SqliteRunStore(runPath(this.name, id), { beside: true });
  }

  async look({ id }: RunSummary): Promise<SqliteRunView> {
    return new SqliteRunView(runPath(this.name, id), this.name);
  }

  record({ id }: RunSummary) {
    return readSqliteRun(runPath(this.name, id));
  }

  async isWorking({ id }: RunSummary): Promise<boolean> {
    return isRunLocked(runPath(this.name, id));
  }

  async close(): Promise<void> {}
}

/** The beginning of a run's id. */
export function stemOf(name: string): string {
  return name.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[.-]+/, "") || "run";
}

function newRunIn(folder: string, id: string, store: SqliteRunStore): NewRun {
  return {
    id,
    store,
    begin: async (facts, isPreferred) =>
      withStoreLocked(folder, () => {
        const before = listRuns(folder).find(({ identity }) => identity === facts.identity);
        if (before && isPreferred(before)) return before;
        store.setNow(facts);
        return undefined;
      }),
    discard: async () =>
      await withStoreLocked(folder, () => {
        const closed = store.close();
        removeRun(store.path);
        return closed;
      }),
  };
}

/** The runs of a store, the last used first. */
export function listRuns(folder: string): RunFileSummary[] {
  return runFiles(folder)
    .map(summarize)
    .filter((run) => run !== undefined)
    .sort((a, b) => b.touchedAt.localeCompare(a.touchedAt));
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

function summarize(path: string): RunFileSummary | undefined {
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
