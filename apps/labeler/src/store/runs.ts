import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { UsageError } from "../usage-error.ts";

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

const ending = ".sqlite";

/** Where the run `id` is kept. */
export function runPath(folder: string, id: string): string {
  return join(folder, `${id}${ending}`);
}

/** Claims a new run id: the name and the next free number. */
export function claimRunId(folder: string, name: string): string {
  mkdirSync(folder, { recursive: true });
  const stem = name.replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[.-]+/, "") || "run";
  for (let number = 1; ; number++) {
    const id = `${stem}-${number}`;
    try {
      closeSync(openSync(runPath(folder, id), "wx"));
      return id;
    } catch (error) {
      if ((error as { code?: string }).code !== "EEXIST") throw error;
    }
  }
}

/**
 * Which run labels these rows: the one that claimed them first, in one step of the file system, so that two that start at
 * once do not both pay. A claim whose run is gone passes on.
 */
export function claimIdentity(folder: string, identity: string, id: string): string {
  const path = join(folder, `${identity}.claim`);
  const own = `${path}-${id}`;
  // A link appears with its content in one step; a file that is created and then written would not.
  writeFileSync(own, id);
  try {
    for (;;) {
      try {
        linkSync(own, path);
        return id;
      } catch (error) {
        if ((error as { code?: string }).code !== "EEXIST") throw error;
      }
      const claimant = readFileSync(path, "utf8");
      if (existsSync(runPath(folder, claimant))) return claimant;
      rmSync(path, { force: true });
    }
  } finally {
    rmSync(own, { force: true });
  }
}

/** The runs of a store, the last used first. */
export function listRuns(folder: string): RunSummary[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith(ending))
    .map((file) => summarize(join(folder, file)))
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

/** Removes a run's files. Only for one that has bought nothing. */
export function removeRun(path: string): void {
  for (const suffix of ["", "-wal", "-shm", ".lock"]) rmSync(`${path}${suffix}`, { force: true });
}

function summarize(path: string): RunSummary | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
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
