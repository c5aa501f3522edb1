import type { Ledger } from "@autolabel/budget-core";
import type { JournalEntry } from "@autolabel/budget-core/ledgers/sqlite";
import { isUrl, withoutPassword } from "../ledger/ledger-servers.ts";
import { UsageError } from "../usage-error.ts";
import type { RunRecord } from "./read-run.ts";
import type { RunDatabase } from "./run-database.ts";
import { RunFolder } from "./run-folder.ts";
import type { RunStore } from "./run-store.ts";

/** A run as it is listed. */
export interface RunSummary {
  id: string;
  /** Hash of task and rows: equal for two runs that would buy the same answers. */
  identity: string | undefined;
  /** Hash of name and rows: equal for runs that label the same, however they ask. */
  rowsIdentity: string | undefined;
  /** When it was last worked on, ISO 8601. */
  touchedAt: string;
  /** Whether it was only probed: a few rows are bought to tell what all will cost, and labeling goes on with them. */
  isProbe: boolean;
}

/** A run that takes its rows in. It is none yet: if its process dies, a later start clears it away. */
export interface NewRun {
  id: string;
  store: RunStore;
  /**
   * Makes it a run by its facts, unless there is one of the same identity and `isPreferred` says so of it. One step: of two
   * that start at once only one pays.
   *
   * @returns the run that is preferred.
   */
  begin(
    facts: Readonly<Record<string, string>>,
    isPreferred: (before: RunSummary) => boolean,
  ): Promise<RunSummary | undefined>;
  /** Removes it, which has bought nothing. Until all of it is gone nobody else is given its id. */
  discard(): Promise<void>;
}

/** Where runs are kept: a folder, one file a run, or the database of a server, where any number of workers share them. */
export interface Runs {
  /** As it may be shown. */
  readonly name: string;
  /** Whether workers label the rows, here or on other machines, and not the process that starts a run. */
  readonly isServer: boolean;
  /** Begins a run under a new id, the name and the next free number, and clears away what killed starts have left. */
  newRun(name: string): Promise<NewRun>;
  /** The runs, the last used first. */
  list(): Promise<RunSummary[]>;
  /** Opens a run to work on it. @throws UsageError when it is not shared, and another process does. */
  open(run: RunSummary): Promise<RunStore>;
  /** Opens a run to write what people say, beside whoever works on it. */
  beside(run: RunSummary): Promise<RunStore>;
  /** Opens a run to look at it beside whoever works on it. */
  look(run: RunSummary): Promise<RunView>;
  /** How a run stands. */
  record(run: RunSummary): Promise<RunRecord>;
  /** Whether somebody works on a run now, or rows of it wait for a worker. */
  isWorking(run: RunSummary): Promise<boolean>;
  close(): Promise<void>;
}

/** A run to look at: nothing is locked or written. */
export interface RunView extends Pick<RunStore, "facts" | "counts" | "rows" | "attempts" | "attemptCost" | "close"> {
  /** The books that the run is counted in; undefined where it drew on a tracker that it was given, or in another place. */
  books(): Promise<RunBooks | undefined>;
}

/** The ledger that a run draws on, to be looked at. */
export interface RunBooks {
  /** The run's own account. */
  scope: string;
  /** The account that its budget limits: the run's own, or the one that it shares. */
  limitedScope: string;
  /** What {@link Ledger.inspect} tells of some scopes. */
  inspect(scopes: readonly string[]): ReturnType<Ledger["inspect"]>;
  /** What was posted to the run's own account, the oldest first. */
  journal(): AsyncIterable<JournalEntry> | Iterable<JournalEntry>;
}

/** Whether runs are in a database, where workers label them. */
export function isDatabase(runs: Runs): runs is RunDatabase {
  return runs.isServer;
}

/**
 * Opens a folder, or the database of a URL.
 *
 * @param connections to the database at most.
 * @throws UsageError for another kind of URL, or a driver that is missing.
 */
export async function openRuns(store: string, connections?: number): Promise<Runs> {
  if (!isUrl(store)) return new RunFolder(store);
  if (!/^postgres(ql)?:/.test(store)) {
    throw new UsageError(`Runs are kept in a folder or at a postgres:// URL, not at ${withoutPassword(store)}`);
  }
  const { RunDatabase } = await import("./run-database.ts");
  return await RunDatabase.open(store, connections);
}

/** Opens the place, does something with it, and closes it. */
export async function withRuns<T>(store: string, work: (runs: Runs) => Promise<T>, connections?: number): Promise<T> {
  const runs = await openRuns(store, connections);
  try {
    return await work(runs);
  } finally {
    await runs.close();
  }
}

/** @throws UsageError when there is no such run, or none at all; it names those there are. */
export async function findRun(runs: Runs, id: string | undefined): Promise<RunSummary> {
  const all = await runs.list();
  const found = id === undefined ? all[0] : all.find((run) => run.id === id);
  if (found) return found;
  if (all.length === 0) throw new UsageError(`No run in ${runs.name}: start one with autolabel label DATA`);
  throw new UsageError(`No run "${id}" in ${runs.name}: there are ${all.map((run) => run.id).join(", ")}`);
}
