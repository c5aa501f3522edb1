import { existsSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Ledger } from "@autolabel/budget-core";
import { SqliteLedger } from "@autolabel/budget-core/ledgers/sqlite";
import { findRun } from "../store/runs.ts";
import { UsageError } from "../usage-error.ts";

/** A ledger that was opened to look at it, or to resolve calls in it. */
export interface OpenedLedger {
  ledger: Ledger;
  /** What was opened, as it is shown. */
  name: string;
  /** The run that was named, if it was one, and its account in the ledger. */
  run?: { path: string; scope: string };
}

/** Opens a ledger by the address of its server. Drivers are imported here, so that only who uses one installs it. */
type OpenServer = (url: string) => Promise<Ledger>;

/** The ledgers that live on a server, by the protocol of their URLs. */
const servers: Readonly<Record<string, OpenServer>> = {};

/**
 * Opens the ledger that a person names: a SQLite file, the URL of a server, the id of a run, or nothing for the last run.
 * Nothing is ever created.
 *
 * @param folder where runs are kept.
 * @throws UsageError when there is no such ledger, LedgerError when it cannot be read.
 */
export async function openLedger(target: string | undefined, folder: string): Promise<OpenedLedger> {
  const protocol = target?.match(/^([a-z][a-z+]*):\/\//)?.[1];
  if (target !== undefined && protocol !== undefined) return await openServer(target, protocol);
  if (target !== undefined && existsSync(target)) return openFile(target);
  const { id, path } = findRun(folder, target);
  if (holdsLedger(path)) return { ...openFile(path), run: { path, scope: id } };
  const shared = join(folder, "llm-budget.ledger");
  if (!existsSync(shared)) {
    throw new UsageError(
      `The run ${id} drew on a tracker that it was given: name that tracker's ledger, a file or a URL`,
    );
  }
  return { ...openFile(shared), run: { path, scope: `llm-budget/${id}` } };
}

async function openServer(url: string, protocol: string): Promise<OpenedLedger> {
  const open = servers[protocol];
  if (!open) throw new UsageError(`No ledger is known for ${protocol}:// addresses: name a SQLite file or a run`);
  // The password of an address must not end up in a log.
  return { ledger: await open(url), name: url.replace(/\/\/[^@/]*@/, "//") };
}

function openFile(path: string): OpenedLedger {
  if (!holdsLedger(path))
    throw new UsageError(`${path} holds no ledger: name the file that a SqliteLedger was made with`);
  return { ledger: new SqliteLedger(path), name: path };
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
