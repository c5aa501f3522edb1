import { join } from "node:path";
import { CostTracker } from "@autolabel/budget-core";
import { SqliteLedger } from "@autolabel/budget-core/ledgers/sqlite";
import type { LabelingConfig } from "../config/labeling-config.ts";
import type { Settings } from "../config/settings.ts";
import type { SqliteRunStore } from "../store/sqlite-run-store.ts";
import { UsageError } from "../usage-error.ts";

/** The budget of one run. */
export interface RunBudget {
  tracker: CostTracker;
  /** Whether charges are kept in the run file, so that they share its transactions. */
  isInRunFile: boolean;
  close: () => Promise<void>;
}

/** What {@link openRunBudget} needs. */
export interface RunBudgetOptions {
  runId: string;
  store: SqliteRunStore;
  settings: Settings;
  config: LabelingConfig;
  costTracker?: CostTracker | undefined;
}

/**
 * Which budget a run draws on, the first of: the tracker it was given, its own `budget`, the settings' `llmBudget`. The
 * run's own budget lives in the run file; `llmBudget` in a file that all runs of the store without an own one share.
 *
 * @throws UsageError when the run drew on another kind of budget before: what it spent there would be forgotten.
 */
export async function openRunBudget(options: RunBudgetOptions): Promise<RunBudget> {
  const { store } = options;
  const kind = kindOf(options);
  const { budgetKind: before } = await store.facts();
  if (before !== undefined && before !== kind)
    throw new UsageError(whySame[before] ?? `This run drew on a budget of the kind "${before}"`);
  if (before === undefined) await store.set({ budgetKind: kind });

  const tracker = trackerOf(kind, options);
  for (const { id } of await tracker.recover({ abandoned: true })) {
    // Its answer is on file, so the crash came between the two ledgers' writes, and its cost is known.
    const attempt = await store.attemptCost(id);
    if (attempt) await tracker.resolve(id, { costPicoUsd: attempt.costPicoUsd });
  }
  const close = kind === "given" ? async () => {} : () => tracker.ledger.close();
  return { tracker, isInRunFile: kind === "own", close };
}

type BudgetKind = "given" | "own" | "shared";

const whySame: Readonly<Record<string, string>> = {
  given: "This run drew on a tracker that it was given: give it that tracker again, so that what it spent still counts",
  own: "This run has a budget of its own: go on with it by a budget, such as --budget 5",
  shared:
    "This run draws on LLM_BUDGET, which holds what it spent: set LLM_BUDGET, as high as it may go in all, and no --budget",
};

function kindOf({ config, settings, costTracker }: RunBudgetOptions): BudgetKind {
  if (costTracker) return "given";
  return config.budget === undefined && settings.llmBudget !== undefined ? "shared" : "own";
}

function trackerOf(kind: BudgetKind, options: RunBudgetOptions): CostTracker {
  const { runId: name, store, settings, config, costTracker } = options;
  if (costTracker) return costTracker.child({ name });
  if (kind === "shared" && settings.llmBudget !== undefined) {
    const ledger = new SqliteLedger(join(settings.store, "llm-budget.ledger"));
    return new CostTracker({ name: "llm-budget", budget: settings.llmBudget, ledger }).child({ name });
  }
  const budget = config.budget === undefined ? {} : { budget: config.budget };
  return new CostTracker({ name, ...budget, ledger: new SqliteLedger(store.commit) });
}
