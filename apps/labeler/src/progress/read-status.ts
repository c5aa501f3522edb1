import { picoToDecimal } from "@autolabel/budget-core";
import { LabelingConfig, type LabelingConfigInput } from "../config/labeling-config.ts";
import type { Settings } from "../config/settings.ts";
import { isUrl, openServer } from "../ledger/ledger-servers.ts";
import { sharedAccountOf } from "../ledger/shared-ledger.ts";
import { type AccountAmounts, type RunRecord, readAccount } from "../store/read-run.ts";
import type { RowStatus } from "../store/row.ts";
import { runPath } from "../store/run-folder.ts";
import { problemFact } from "../store/run-store.ts";
import type { RunSummary, Runs } from "../store/runs.ts";
import { makeTask } from "../tasks/make-task.ts";
import type { RunStatus } from "./run-status.ts";

/** How a run stands, by its store and the ledger that it is counted in. Nothing is locked or changed. */
export async function readStatus(runs: Runs, run: RunSummary, settings: Settings): Promise<RunStatus> {
  const record = await runs.record(run);
  return statusOf(run, record, record.amounts ?? (await amountsOf(run, record, settings)));
}

/** How all runs of a store stand, the last used first. */
export async function readAllStatus(runs: Runs, settings: Settings): Promise<RunStatus[]> {
  const told: RunStatus[] = [];
  for (const run of await runs.list()) {
    const record = await runs.record(run);
    // One that is counted on a server is told by its own attempts: a list must not wait for servers.
    const isFar = isUrl(record.facts.ledger ?? "");
    told.push(statusOf(run, record, record.amounts ?? (isFar ? undefined : await amountsOf(run, record, settings))));
  }
  return told;
}

/** What the ledger says of a run; undefined where it was counted by a tracker that it was given. */
async function amountsOf(
  run: RunSummary,
  { facts }: RunRecord,
  settings: Settings,
): Promise<AccountAmounts | undefined> {
  const { budgetKind } = facts;
  if (budgetKind === undefined) return nothing;
  if (budgetKind === "given") return undefined;
  if (budgetKind === "own") return readAccount(runPath(settings.store, run.id), run.id) ?? nothing;
  // Looking needs no ledger to be named, unless it is on a server, whose password only the settings have.
  const place = isUrl(facts.ledger ?? "") ? settings : { store: settings.store, ledger: undefined };
  const { address, scope } = sharedAccountOf(facts, run.id, place);
  if (!isUrl(address)) return readAccount(address, scope) ?? nothing;
  const { ledger, close } = await openServer(address, { create: false });
  try {
    const [balance] = await ledger.read([{ scope, window: "all" }]);
    return balance;
  } finally {
    await close();
  }
}

const nothing: AccountAmounts = { spentPicoUsd: 0n, heldPicoUsd: 0n, unresolvedPicoUsd: 0n };

function statusOf(run: RunSummary, record: RunRecord, amounts: AccountAmounts | undefined): RunStatus {
  const { facts, rowsByStatus, rowsByTaskVersion, isWorking } = record;
  const config = new LabelingConfig(JSON.parse(facts.config ?? "{}") as LabelingConfigInput);
  const { version } = makeTask(config);
  const rows = Object.values(rowsByStatus).reduce((sum, count) => sum + count, 0);
  const stale = Object.entries(rowsByTaskVersion).filter(([other]) => other !== version);
  const { budget, pool } = config;
  return {
    id: run.id,
    model: config.model,
    taskVersion: version,
    taskVersions: Object.entries({ [version]: 0, ...rowsByTaskVersion }).map(([each, count]) => ({
      version: each,
      rows: count,
    })),
    staleRows: stale.reduce((sum, [, count]) => sum + count, 0),
    isWorking,
    lastOutcome: outcomeOf(facts.outcome, isWorking),
    rows,
    labeled: rowsByStatus.labeled,
    rowsByStatus: rowsByStatus satisfies Record<RowStatus, number>,
    budgetUsd: budget === undefined || budget === "unlimited" ? null : picoToDecimal(budget.picoUsd),
    spentUsd: picoToDecimal(amounts?.spentPicoUsd ?? record.attemptsPicoUsd),
    heldUsd: amounts ? picoToDecimal(amounts.heldPicoUsd) : null,
    unresolvedUsd: amounts ? picoToDecimal(amounts.unresolvedPicoUsd) : null,
    pool: pool ? { name: pool.name, budgetUsd: picoToDecimal(pool.budget.picoUsd) } : null,
    problem: facts[problemFact] || null,
    output: facts.output ?? null,
    createdAt: facts.createdAt ?? null,
    touchedAt: run.touchedAt,
  };
}

/** How the last session ended: one that says that it works, though nobody does, was cut off. */
function outcomeOf(outcome: string | undefined, isWorking: boolean): string | null {
  if (outcome !== "working") return outcome ?? null;
  return isWorking ? "working" : "crashed";
}
