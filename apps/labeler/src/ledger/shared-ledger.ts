import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { SqliteLedger } from "@autolabel/budget-core/ledgers/sqlite";
import type { Settings } from "../config/settings.ts";
import { UsageError } from "../usage-error.ts";
import { isUrl, type OpenLedger, openServer, withoutPassword } from "./ledger-servers.ts";

type Place = Pick<Settings, "store" | "ledger">;

/** The file in the store where what runs share is counted, unless another ledger is named. */
function usualLedger(store: string): string {
  return join(store, "llm-budget.ledger");
}

/** Name of the ledger that runs share, as it is kept with a run: no password, and no folder that may be moved. */
export function placeOf({ store, ledger }: Place): string {
  if (ledger === undefined) return "store";
  if (isUrl(ledger)) return withoutPassword(ledger);
  return resolve(ledger) === resolve(usualLedger(store)) ? "store" : resolve(ledger);
}

/**
 * The address of the ledger that a run was counted in before.
 *
 * @param place what {@link placeOf} gave then; undefined for a run that was never counted in a shared one.
 * @throws UsageError when another one is named now.
 */
export function addressOf(place: string | undefined, settings: Place): string {
  const { store, ledger } = settings;
  if (place === undefined || place === placeOf(settings)) return ledger ?? usualLedger(store);
  // User and password were not kept: the driver's own way to find them (PGUSER, PGPASSWORD) or the setting has them.
  if (ledger === undefined) return place;
  const shown = place === "store" ? usualLedger(store) : place;
  throw new UsageError(
    `This run is counted in ${shown}: name that ledger by --ledger or AUTOLABEL_LEDGER, so that what it spent still counts`,
  );
}

/**
 * Where a run that is counted among others has its account.
 *
 * @throws UsageError when another ledger is named now.
 */
export function sharedAccountOf(facts: Readonly<Record<string, string>>, runId: string, settings: Place) {
  const { budgetKind = "", ledger = "store", account = runId } = facts;
  const scope = accountName(budgetKind.startsWith("shared"), account);
  return { address: addressOf(ledger, settings), scope };
}

/** Name of a run's account in a ledger that runs share. */
export function accountName(drawsOnLlmBudget: boolean, account: string): string {
  return `${drawsOnLlmBudget ? "llm-budget" : "run"}/${account}`;
}

/** Where a run has its account in the ledger of a server that keeps the runs too, in which all runs are counted. */
export function accountOfRun({ id = "run", budgetKind = "own" }: Readonly<Record<string, string>>): string {
  return budgetKind === "own" ? id : accountName(budgetKind.startsWith("shared"), id);
}

/** Opens the ledger that runs share; it is begun where there is none. */
export async function openShared(address: string): Promise<OpenLedger> {
  if (isUrl(address)) return await openServer(address, { create: true });
  const ledger = new SqliteLedger(address);
  return { ledger, close: () => ledger.close() };
}

/**
 * Keeps `llmBudget` of a store in one ledger for good: counted in two it would be two limits.
 *
 * @throws UsageError when it is counted in another one already.
 */
export function keepLlmBudgetAt(settings: Place): void {
  const { store } = settings;
  const place = placeOf(settings);
  const mark = join(store, "llm-budget.place");
  mkdirSync(store, { recursive: true });
  if (!existsSync(mark)) {
    const first = existsSync(usualLedger(store)) ? "store" : place;
    const own = `${mark}-${process.pid}`;
    writeFileSync(own, first);
    try {
      // A link appears with its content in one step, and only for the first of several processes.
      linkSync(own, mark);
    } catch (error) {
      if ((error as { code?: string }).code !== "EEXIST") throw error;
    } finally {
      rmSync(own, { force: true });
    }
  }
  const before = readFileSync(mark, "utf8");
  if (before === place) return;
  const shown = before === "store" ? relative("", usualLedger(store)) : before;
  throw new UsageError(
    `LLM_BUDGET of this store is counted in ${shown}: name that ledger, or give the run a budget of its own with --budget`,
  );
}
