import { join } from "node:path";
import { CostTracker } from "@autolabel/budget-core";
import { SqliteLedger } from "@autolabel/budget-core/ledgers/sqlite";
import type { LabelingConfig } from "../config/labeling-config.ts";
import type { Settings } from "../config/settings.ts";
import type { RunStore } from "../store/run-store.ts";

/** The budget of one run. */
export interface RunBudget {
  tracker: CostTracker;
  close: () => Promise<void>;
}

/**
 * Which budget a run draws on, the first of: the tracker it was given, its own `budget`, the settings' `llmBudget`. The
 * run's own budget lives in the run file; `llmBudget` in a file that all runs of the store without an own one share.
 */
export async function openRunBudget(options: {
  runId: string;
  store: RunStore;
  settings: Settings;
  config: LabelingConfig;
  costTracker?: CostTracker | undefined;
}): Promise<RunBudget> {
  const { runId, store, settings, config, costTracker } = options;
  const tracker = costTracker?.child({ name: runId }) ?? ownTracker();
  for (const { id } of await tracker.recover({ abandoned: true })) {
    // Its answer is on file, so the crash came between the two ledgers' writes, and its cost is known.
    const attempt = store.attemptCost(id);
    if (attempt) await tracker.resolve(id, { costPicoUsd: attempt.costPicoUsd });
  }
  return { tracker, close: async () => void (costTracker ?? (await tracker.ledger.close())) };

  function ownTracker(): CostTracker {
    if (config.budget === undefined && settings.llmBudget !== undefined) {
      const ledger = new SqliteLedger(join(settings.store, "llm-budget.ledger"));
      return new CostTracker({ name: "llm-budget", budget: settings.llmBudget, ledger }).child({ name: runId });
    }
    const budget = config.budget === undefined ? {} : { budget: config.budget };
    return new CostTracker({ name: runId, ...budget, ledger: new SqliteLedger(store.commit) });
  }
}
