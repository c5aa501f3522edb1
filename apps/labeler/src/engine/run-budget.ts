import { randomUUID } from "node:crypto";
import { type BudgetExceededError, CostTracker, type Ledger, runWithBudget, usd } from "@autolabel/budget-core";
import { SlicedLedger } from "@autolabel/budget-core/ledgers/sliced";
import type { LabelingConfig } from "../config/labeling-config.ts";
import type { Settings } from "../config/settings.ts";
import { accountName, accountOfRun, addressOf, keepLlmBudgetAt, openShared, placeOf } from "../ledger/shared-ledger.ts";
import type { RunStore } from "../store/run-store.ts";
import { UsageError } from "../usage-error.ts";

/** The budget of one run. */
export interface RunBudget {
  tracker: CostTracker;
  /** All budgets that a call must fit, the run's own first. Rows' own limits are not among them. */
  limits: readonly CostTracker[];
  /** Whether charges are kept where the run is, so that they share its transactions. */
  isInStore: boolean;
  /** Makes calls for a row: they must fit the pool and the row's own limit too, in the same step. */
  callFor: <T>(position: number, call: () => T) => T;
  /** Whether a call was refused for the limit of its row, and not for one of the run. */
  isRowLimit: (error: BudgetExceededError) => boolean;
  close: () => Promise<void>;
}

/** What {@link openRunBudget} needs. */
export interface RunBudgetOptions {
  runId: string;
  store: RunStore;
  settings: Settings;
  config: LabelingConfig;
  costTracker?: CostTracker | undefined;
}

/**
 * Which budget a run draws on, the first of: the tracker it was given, its own `budget`, the settings' `llmBudget`; and
 * a pool besides, where one is named.
 *
 * A budget that only this run draws on lives in its store. What others draw on too lives in the shared ledger, and then
 * the run's own account does as well: a call is held in all of them in one step, which two ledgers could not do. The
 * answer is on file before its charge is posted there.
 *
 * @throws UsageError when the run drew on another kind of budget before: what it spent there would be forgotten.
 */
export async function openRunBudget(options: RunBudgetOptions): Promise<RunBudget> {
  const { store, config } = options;
  const { budgetKind: before } = await store.facts();
  // A run that was queued has its kind from whoever queued it, not from the worker.
  const kind = (store.isShared ? before : undefined) ?? budgetKindOf(options, before);
  const opened = await openBudgets(kind, options, before === undefined);
  try {
    if (before === undefined) await store.set({ budgetKind: kind });
    const { tracker, pool } = opened;
    // Where others may be at work, leases tell which of its calls are nobody's.
    for (const { id } of await tracker.recover({ abandoned: !store.isShared })) {
      // Its answer is on file, so the crash came between the two ledgers' writes, and its cost is known.
      const attempt = await store.attemptCost(id);
      if (attempt) await tracker.resolve(id, { costPicoUsd: attempt.costPicoUsd });
    }
    const { maxRowCost } = config;
    const rowScope = `${tracker.scope}/row-`;
    const callFor = <T>(position: number, call: () => T): T => {
      const inPool = pool ? () => runWithBudget(pool, call) : call;
      if (maxRowCost === undefined) return inPool();
      return runWithBudget(tracker.child({ name: `row-${position}`, budget: maxRowCost, alerts: [] }), inPool);
    };
    return {
      tracker,
      limits: [tracker, ...(pool ? [pool] : []), ...(tracker.parent ? [tracker.parent] : [])],
      isInStore: kind === "own" || store.isShared,
      callFor,
      isRowLimit: ({ scope }) => maxRowCost !== undefined && scope?.startsWith(rowScope) === true,
      close: opened.close,
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

interface OpenedBudgets {
  tracker: CostTracker;
  pool?: CostTracker;
  close: () => Promise<void>;
}

async function openBudgets(kind: string, options: RunBudgetOptions, isNew: boolean): Promise<OpenedBudgets> {
  const { runId, store, settings, config, costTracker } = options;
  const budget = config.budget === undefined ? {} : { budget: config.budget };
  if (costTracker) return { tracker: costTracker.child({ name: runId }), close: async () => {} };
  if (store.isShared) return await openInStore(kind, options);
  if (kind === "own") {
    const tracker = new CostTracker({ name: runId, ...budget, ledger: store.openLedger() });
    return { tracker, close: () => tracker.ledger.close() };
  }
  const drawsOnLlmBudget = kind.startsWith("shared");
  const { place, account } = await accountOf(options, isNew);
  const address = addressOf(place, settings);
  if (drawsOnLlmBudget) keepLlmBudgetAt(settings);
  const { ledger, close } = await openShared(address);
  const pool = poolOf(config, ledger);
  const tracker = drawsOnLlmBudget
    ? llmBudgetOf(settings, ledger).child({ name: account })
    : new CostTracker({ name: accountName(false, account), ...budget, ledger });
  return { tracker, ...(pool ? { pool } : {}), close };
}

/** A worker that is not heard of for so long is gone, and what it held is sorted out. */
const leaseMs = 15_000;

/**
 * All that a run draws on is counted beside it, in slices: a call then needs no round trip of its own before it is sent.
 * How high `llmBudget` is, the run's facts say: workers elsewhere need not be told.
 */
async function openInStore(kind: string, { runId, store, config }: RunBudgetOptions): Promise<OpenedBudgets> {
  const ledger = new SlicedLedger(store.openLedger());
  const facts = await store.facts();
  const pool = poolOf(config, ledger);
  const budget = config.budget === undefined ? {} : { budget: config.budget };
  const tracker = kind.startsWith("shared")
    ? llmBudgetOf({ llmBudget: usd(facts.llmBudget ?? "0") }, ledger).child({ name: runId, leaseMs })
    : new CostTracker({ name: accountOfRun({ id: runId, budgetKind: kind }), ...budget, ledger, leaseMs });
  return { tracker, ...(pool ? { pool } : {}), close: () => ledger.close() };
}

/** Where the run is counted among others, and its name there: kept from its first opening on. */
async function accountOf({ runId, store, settings }: RunBudgetOptions, isNew: boolean) {
  const { ledger: place, account = runId } = await store.facts();
  if (!isNew) return { place: place ?? "store", account };
  // Ids of runs are their own within one store only; on a server two machines would draw on one account.
  const isElsewhere = settings.ledger !== undefined && placeOf(settings) !== "store";
  const chosen = { place: placeOf(settings), account: isElsewhere ? `${runId}-${randomUUID().slice(0, 8)}` : runId };
  await store.set({ ledger: chosen.place, account: chosen.account });
  return chosen;
}

function llmBudgetOf({ llmBudget }: Pick<Settings, "llmBudget">, ledger: Ledger): CostTracker {
  return new CostTracker({ name: "llm-budget", ...(llmBudget ? { budget: llmBudget } : {}), ledger });
}

function poolOf({ pool }: LabelingConfig, ledger: Ledger): CostTracker | undefined {
  return pool && new CostTracker({ name: `pool/${pool.name}`, budget: pool.budget, ledger });
}

/** What {@link budgetKindOf} goes by. */
type BudgetSources = Omit<RunBudgetOptions, "store" | "runId">;

/**
 * The kind of budget that a run draws on from now on.
 *
 * @param before the kind that it drew on so far.
 * @throws UsageError when that was another one.
 */
export function budgetKindOf(sources: BudgetSources, before: string | undefined): string {
  const kind = kindOf(sources);
  if (before !== undefined && before !== kind) throw new UsageError(whySame(before, kind));
  return kind;
}

/** `given`, `own`, `shared`, and the pool that the run draws on besides: `own+pool/NAME`. */
function kindOf({ config, settings, costTracker }: BudgetSources): string {
  const { pool, budget } = config;
  if (costTracker && pool) {
    throw new UsageError("A tracker that is given brings its own limits: leave out the pool, or give it as a parent");
  }
  if (costTracker) return "given";
  const kind = budget === undefined && settings.llmBudget !== undefined ? "shared" : "own";
  return pool ? `${kind}+pool/${pool.name}` : kind;
}

/** Why a run keeps the kind of budget that it began with, and how to go on. */
function whySame(before: string, now: string): string {
  const [kind, pool] = before.split("+pool/");
  const [kindNow, poolNow] = now.split("+pool/");
  if (kind === "given") {
    return "This run drew on a tracker that it was given: give it that tracker again, so that what it spent still counts";
  }
  if (kind === kindNow && pool !== poolNow) {
    return pool === undefined
      ? "This run was begun without a pool, which would not count what it spent: go on without one"
      : `This run draws on the pool "${pool}", which holds what it spent: go on in that pool`;
  }
  return kind === "own"
    ? "This run has a budget of its own: go on with it by a budget, such as --budget 5"
    : "This run draws on LLM_BUDGET, which holds what it spent: set LLM_BUDGET, as high as it may go in all, and no --budget";
}
