import { createHash } from "node:crypto";
import type { CostTracker } from "@autolabel/budget-core";
import { given } from "../config/given.ts";
import { LabelingConfig, type LabelingConfigInput, storedConfig } from "../config/labeling-config.ts";
import type { Settings } from "../config/settings.ts";
import { getLlmClient, quoteText } from "../llm-client.ts";
import type { AddRowsOptions, InputRow, RowOrder } from "../store/run-store.ts";
import { claimIdentity, claimRunId, findRun, type RunSummary, removeRun, runPath } from "../store/runs.ts";
import { SqliteRunStore } from "../store/sqlite-run-store.ts";
import { makeTask } from "../tasks/make-task.ts";
import { LabelingRun } from "./labeling-run.ts";

/** What {@link startRun} takes. */
export interface StartRunOptions {
  /** Names the run. */
  name: string;
  settings: Settings;
  config: LabelingConfigInput;
  rows: Iterable<InputRow> | AsyncIterable<InputRow>;
  /** A budget to draw on instead of the configuration's. */
  costTracker?: CostTracker | undefined;
  /** Facts to keep with the run, such as where its output goes. */
  facts?: Readonly<Record<string, string>>;
  /** What to do when the same task was started on the same rows before: go on with that run, or start over and pay again. */
  whenKnown: (run: RunSummary) => "continue" | "start over";
}

/**
 * Takes the rows in, so that the run can be resumed without its input. Nothing is sent yet.
 *
 * @throws UsageError or UnpricedModelError before anything is spent; then no run is left behind.
 */
export async function startRun(options: StartRunOptions): Promise<LabelingRun> {
  const { settings, name, costTracker } = options;
  const config = new LabelingConfig(options.config);
  const task = makeTask(config);
  quoteText(config, task.instructions, task.maxOutputTokens);
  getLlmClient({ settings, config });

  const id = claimRunId(settings.store, name);
  const path = runPath(settings.store, id);
  const store = new SqliteRunStore(path);
  try {
    const { columns, identity } = await takeIn(store, options.rows, {
      order: config.order,
      dedupe: config.dedupe,
      purpose: JSON.stringify([name, task.version]),
    });
    await store.set({
      ...options.facts,
      config: storedConfig(options.config),
      columns: JSON.stringify(columns),
      createdAt: new Date().toISOString(),
      order: JSON.stringify(config.order),
      id,
      identity,
    });
    const claimant = claimIdentity(settings.store, identity, id);
    if (claimant !== id) {
      const known = findRun(settings.store, claimant);
      if (options.whenKnown(known) === "continue") {
        await store.close();
        removeRun(path);
        return await resumeRun({
          run: known,
          settings,
          costTracker,
          reconfigure: () => options.config,
          // A probe is a random sample, so the order is still free; what was bought in an order stays in it.
          ...(known.isProbe ? { order: config.order } : {}),
          ...given({ facts: options.facts }),
        });
      }
    }
    return await LabelingRun.open({ store, settings, config, costTracker });
  } catch (error) {
    await store.close();
    removeRun(path);
    throw error;
  }
}

/** What {@link resumeRun} takes. */
export interface ResumeRunOptions {
  run: RunSummary;
  settings: Settings;
  /** Changes budget or concurrency of the stored configuration. A new budget is the new total, not an addition. */
  reconfigure?: (stored: LabelingConfigInput) => LabelingConfigInput;
  costTracker?: CostTracker | undefined;
  /** Facts that change, such as where the output goes. */
  facts?: Readonly<Record<string, string>>;
  /** Buys the rows in another order from now on. */
  order?: RowOrder;
}

/** Opens a run to go on with it. */
export async function resumeRun(options: ResumeRunOptions): Promise<LabelingRun> {
  const { run, settings, reconfigure = (stored) => stored, costTracker } = options;
  const store = new SqliteRunStore(run.path);
  try {
    const input = reconfigure(JSON.parse((await store.facts()).config ?? "{}") as LabelingConfigInput);
    const config = new LabelingConfig(input);
    getLlmClient({ settings, config });
    const { order } = options;
    if (order) await store.reorder(order);
    const stored = {
      ...options.facts,
      config: storedConfig(input),
      ...(order ? { order: JSON.stringify(order) } : {}),
    };
    return await LabelingRun.open({ store, settings, config, costTracker, facts: stored });
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function takeIn(
  store: SqliteRunStore,
  rows: StartRunOptions["rows"],
  { purpose, ...options }: AddRowsOptions & { purpose: string },
) {
  const columns = new Set<string>();
  const hash = createHash("sha256").update(purpose);
  const watched = async function* () {
    for await (const row of rows) {
      for (const column of Object.keys(row.input)) columns.add(column);
      hash.update(JSON.stringify([row.rowId, row.text]));
      yield row;
    }
  };
  await store.addRows(watched(), options);
  return { columns: [...columns], identity: hash.digest("hex").slice(0, 32) };
}
