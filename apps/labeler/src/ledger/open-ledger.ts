import { existsSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { LedgerError } from "@autolabel/budget-core";
import { GroupCommit, SqliteLedger } from "@autolabel/budget-core/ledgers/sqlite";
import type { Settings } from "../config/settings.ts";
import { RunFolder, runPath } from "../store/run-folder.ts";
import { findRun } from "../store/runs.ts";
import { UsageError } from "../usage-error.ts";
import { isUrl, type OpenLedger, openServer, withoutPassword } from "./ledger-servers.ts";
import { sharedAccountOf } from "./shared-ledger.ts";

/** A ledger that was opened to look at it, or to resolve calls in it. */
export interface OpenedLedger extends OpenLedger {
  /** What was opened, as it is shown. */
  name: string;
  /** The run that was named, if it was one, and its account in the ledger. */
  run?: { path: string; scope: string };
}

/**
 * Opens the ledger that a person names: a SQLite file, the URL of a server, the id of a run, or nothing for the last run.
 * Nothing is ever created.
 *
 * @throws UsageError when there is no such ledger, LedgerError when it cannot be read.
 */
export async function openLedger(target: string | undefined, settings: Settings): Promise<OpenedLedger> {
  if (target !== undefined && isUrl(target)) return await openUrl(target);
  if (target !== undefined && existsSync(target)) return openFile(target);
  if (isUrl(settings.store)) return await openUrl(settings.store);
  const runs = new RunFolder(settings.store);
  const found = await findRun(runs, target);
  const { id } = found;
  const path = runPath(settings.store, id);
  const { facts } = await runs.record(found);
  const { budgetKind = "own" } = facts;
  if (budgetKind === "own") return { ...openFile(path), run: { path, scope: id } };
  if (budgetKind === "given") {
    throw new UsageError(
      `The run ${id} drew on a tracker that it was given: name that tracker's ledger, a file or a URL`,
    );
  }
  const { address, scope } = sharedAccountOf(facts, id, settings);
  const ledger = isUrl(address) ? await openUrl(address) : openFile(address);
  return { ...ledger, run: { path, scope } };
}

async function openUrl(url: string): Promise<OpenedLedger> {
  // The password of an address must not end up in a log.
  return { ...(await openServer(url, { create: false })), name: withoutPassword(url) };
}

function openFile(path: string): OpenedLedger {
  const database = openToRead(path);
  const isLedger = database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'ledger_schema'").get() !== undefined;
  // Looked up without writing: opening a ledger would make its tables in whatever file this is.
  if (!isLedger) {
    database.close();
    throw new UsageError(`${path} holds no ledger: name the file that a SqliteLedger was made with`);
  }
  try {
    const ledger = new SqliteLedger(path);
    database.close();
    return { ledger, name: path, close: () => ledger.close() };
  } catch (cause) {
    return openUnwritable(path, database, cause);
  }
}

/** A file that may not or cannot be written, such as a back-up or one on a full disk, is shown as it is. */
function openUnwritable(path: string, database: DatabaseSync, cause: unknown): OpenedLedger {
  try {
    const ledger = new SqliteLedger(new GroupCommit(database));
    return { ledger, name: path, close: async () => database.close() };
  } catch {
    database.close();
    throw new LedgerError({ message: `${path} cannot be opened as a ledger: ${(cause as Error).message}`, cause });
  }
}

/** Where no file can be made beside it, and nothing stands beside it that it lacks, the file is read as one that nobody writes. */
function openToRead(path: string): DatabaseSync {
  try {
    return opened(path);
  } catch (cause) {
    const url = pathToFileURL(path);
    url.searchParams.set("immutable", "1");
    try {
      if (!statSync(`${path}-wal`, { throwIfNoEntry: false })?.size) return opened(url);
    } catch {
      // It is not for want of a place to write: the first reason tells more.
    }
    throw new UsageError(`${path} cannot be read as a SQLite file: ${(cause as Error).message}`, { cause });
  }
}

function opened(file: string | URL): DatabaseSync {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    database.prepare("SELECT count(*) FROM sqlite_master").get();
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
