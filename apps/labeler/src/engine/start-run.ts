import { createHash } from "node:crypto";
import type { CostTracker } from "@autolabel/budget-core";
import { given } from "../config/given.ts";
import { LabelingConfig, type LabelingConfigInput, storedConfig } from "../config/labeling-config.ts";
import type { Settings } from "../config/settings.ts";
import { getLlmClient, quoteText } from "../llm-client.ts";
import type { RowStatus } from "../store/row.ts";
import type { AddRowsOptions, InputRow, RunStore } from "../store/run-store.ts";
import { openRuns, type RunSummary, type Runs } from "../store/runs.ts";
import { makeTask } from "../tasks/make-task.ts";
import { UsageError } from "../usage-error.ts";
import { mixedOrders } from "./inclusion.ts";
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
  whenKnown: (run: RunSummary, isWorking: boolean) => "continue" | "start over";
  /** Told of the last run that labeled the same rows by another version of the task; throw to buy nothing. */
  whenChanged?: (run: RunSummary, now: { runs: Runs; taskVersion: string }) => void | Promise<void>;
}

/**
 * Takes the rows in, so that the run can be resumed without its input. Nothing is sent yet.
 *
 * @throws UsageError or UnpricedModelError before anything is spent; then no run is left behind.
 */
export async function startRun(options: StartRunOptions): Promise<LabelingRun> {
  const { settings, costTracker } = options;
  const runs = await openRuns(settings.store);
  if (runs.isServer) {
    await runs.close();
    throw new UsageError(`Runs in ${runs.name} are labeled by workers: start this one with autolabel label`);
  }
  const config = new LabelingConfig(options.config);
  getLlmClient({ settings, config });
  const taken = await takeInRun(runs, options);
  if ("store" in taken) {
    try {
      return await LabelingRun.open({ ...taken, settings, costTracker });
    } catch (error) {
      await taken.discard();
      throw error;
    }
  }
  return await resumeRun({
    runs,
    run: taken.known,
    settings,
    costTracker,
    reconfigure: () => options.config,
    ...given({ facts: options.facts }),
  });
}

/** A run whose rows were taken in. */
interface TakenRun {
  store: RunStore;
  config: LabelingConfig;
  discard: () => Promise<void>;
}

/**
 * Takes rows in, and makes a run of them.
 *
 * @returns the run, or the one that labels these rows already and is to be gone on with.
 * @throws UsageError or UnpricedModelError; then no run is left behind.
 */
export async function takeInRun(runs: Runs, options: StartRunOptions): Promise<TakenRun | { known: RunSummary }> {
  const { name } = options;
  const config = new LabelingConfig(options.config);
  const task = makeTask(config);
  quoteText(config, task.instructions, task);

  const run = await runs.newRun(name);
  const { id, store } = run;
  try {
    const { columns, identity, rowsIdentity } = await takeIn(store, options.rows, {
      order: config.order,
      dedupe: config.dedupe,
      name,
      taskVersion: task.version,
    });
    const facts = {
      ...options.facts,
      config: storedConfig(options.config),
      [taskFact(task.version)]: storedConfig(options.config),
      columns: JSON.stringify(columns),
      createdAt: new Date().toISOString(),
      id,
      rowsIdentity,
    };
    const others = (await runs.list()).filter((run) => run.rowsIdentity === rowsIdentity);
    const [changed] = others;
    if (changed && others.every((run) => run.identity !== identity))
      await options.whenChanged?.(changed, { runs, taskVersion: task.version });
    const working = new Set<string>();
    for (const each of others) if (await runs.isWorking(each)) working.add(each.id);
    const isPreferred = (before: RunSummary) => options.whenKnown(before, working.has(before.id)) === "continue";
    const known = await run.begin({ ...facts, identity }, isPreferred);
    if (!known) return { store, config, discard: () => run.discard() };
    await run.discard();
    return { known };
  } catch (error) {
    await run.discard();
    throw error;
  }
}

/** What {@link resumeRun} takes. */
export interface ResumeRunOptions {
  runs: Runs;
  run: RunSummary;
  settings: Settings;
  /**
   * Changes the stored configuration. A new budget is the new total, not an addition. What changes the task's text makes
   * a new version of it: rows that are finished keep their labels and the version that gave them.
   */
  reconfigure?: (stored: LabelingConfigInput) => LabelingConfigInput;
  costTracker?: CostTracker | undefined;
  /** Facts that change, such as where the output goes. */
  facts?: Readonly<Record<string, string>>;
  /** Makes rows of these states wait to be bought again. */
  reopen?: readonly RowStatus[];
  /** Makes rows that an earlier version of the task finished wait to be bought again. */
  relabel?: boolean;
}

const finished: readonly RowStatus[] = ["labeled", "invalid_label", "truncated", "refused"];

/** Key of the fact that holds the configuration of a version of the task. */
function taskFact(version: string): string {
  return `task:${version}`;
}

/** Opens a run to go on with it. */
export async function resumeRun(options: ResumeRunOptions): Promise<LabelingRun> {
  const { runs, run, settings, costTracker } = options;
  const store = await runs.open(run);
  try {
    const changed = await reconfigured(store, options);
    getLlmClient({ settings, config: changed.config });
    return await LabelingRun.open({ store, settings, costTracker, ...changed });
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** A run's configuration from now on, and what follows from it for its facts and rows. */
export async function reconfigured(store: RunStore, options: Omit<ResumeRunOptions, "runs" | "settings">) {
  const { run, reconfigure = (stored) => stored } = options;
  const inputBefore = JSON.parse((await store.facts()).config ?? "{}") as LabelingConfigInput;
  const before = new LabelingConfig(inputBefore);
  const { version: versionBefore } = makeTask(before);
  const input = reconfigure(inputBefore);
  const config = new LabelingConfig(input);
  const task = makeTask(config);
  quoteText(config, task.instructions, task);
  const isReordered = JSON.stringify(config.order) !== JSON.stringify(before.order);
  // A probe is a random sample of its own, so the order is still free.
  const isMixed = isReordered && !run.isProbe && (await hasBought(store));
  return {
    config,
    facts: {
      ...options.facts,
      config: storedConfig(input),
      [taskFact(versionBefore)]: storedConfig(inputBefore),
      [taskFact(task.version)]: storedConfig(input),
      ...(isMixed ? { [mixedOrders]: "yes" } : {}),
    },
    /** Changes rows before they are counted, once nothing refuses the run any more. */
    prepare: async () => {
      // Answers that were paid for but not read answer another question now.
      if (task.version !== versionBefore) await store.reopen(["unpaid", "error"]);
      if (options.reopen) await store.reopen(options.reopen);
      if (options.relabel) await store.reopen(finished, { notOfVersion: task.version });
      if (isReordered) await store.reorder(config.order);
    },
  };
}

async function hasBought(store: RunStore): Promise<boolean> {
  const { rows, unpaid } = await store.counts();
  return unpaid < rows;
}

async function takeIn(
  store: RunStore,
  rows: StartRunOptions["rows"],
  { name, taskVersion, ...options }: AddRowsOptions & { name: string; taskVersion: string },
) {
  const columns = new Set<string>();
  const hash = createHash("sha256").update(JSON.stringify([name, taskVersion]));
  const rowsHash = createHash("sha256").update(JSON.stringify([name]));
  const watched = async function* () {
    for await (const row of rows) {
      for (const column of Object.keys(row.input)) columns.add(column);
      const read = JSON.stringify([row.rowId, row.text]);
      hash.update(read);
      rowsHash.update(read);
      yield row;
    }
  };
  await store.addRows(watched(), options);
  const [identity, rowsIdentity] = [hash, rowsHash].map((each) => each.digest("hex").slice(0, 32));
  return { columns: [...columns], identity: String(identity), rowsIdentity: String(rowsIdentity) };
}
