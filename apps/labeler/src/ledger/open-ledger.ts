import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { SqliteLedger } from "@autolabel/budget-core/ledgers/sqlite";
import type { Settings } from "../config/settings.ts";
import { readRun } from "../store/read-run.ts";
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
  const { id, path } = findRun(settings.store, target);
  const { facts } = await readRun(path);
  const { budgetKind = "own" } = facts;
  if (budgetKind === "own") return { ...openFile(path), run: { path, scope: id } };
  if (budgetKind === "given") {
    throw new UsageError(
      `The run ${id} drew on a tracker that it was given: name that tracker's ledger, a file or a URL`,
    );
  }
  const { address, scope } = sharedAccountOf(facts, id, settings);
  const opened = isUrl(address) ? await openUrl(address) : openFile(address);
  return { ...opened, run: { path, scope } };
}

async function openUrl(url: string): Promise<OpenedLedger> {
  // The password of an address must not end up in a log.
  return { ...(await openServer(url, { create: false })), name: withoutPassword(url) };
}

function openFile(path: string): OpenedLedger {
  if (!holdsLedger(path))
    throw new UsageError(`${path} holds no ledger: name the file that a SqliteLedger was made with`);
  const ledger = new SqliteLedger(path);
  return { ledger, name: path, close: () => ledger.close() };
}

/** Looked up without writing: opening a ledger would make its tables in whatever file this is. */
function holdsLedger(path: string): boolean {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { readOnly: true });
    return database.prepare("SELECT 1 FROM sqlite_master WHERE name = 'ledger_schema'").get() !== undefined;
  } catch (cause) {
    throw new UsageError(`${path} cannot be read as a SQLite file: ${(cause as Error).message}`, { cause });
  } finally {
    database?.close();
  }
}
