import { LabelingConfig, type LabelingConfigInput } from "../config/labeling-config.ts";
import type { Settings } from "../config/settings.ts";
import { getLlmClient } from "../llm-client.ts";
import type { PostgresRunStore } from "../store/postgres-run-store.ts";
import type { PendingRow } from "../store/row.ts";
import type { Chunk } from "../store/row-queue.ts";
import type { RunDatabase } from "../store/run-database.ts";
import { makeTask } from "../tasks/make-task.ts";
import type { Task } from "../tasks/task.ts";
import { type LabelRowsOptions, labelRows } from "./label-rows.ts";
import { Pacer } from "./pacer.ts";
import { openRunBudget, type RunBudget } from "./run-budget.ts";
import type { RunOutcome } from "./run-rows.ts";
import { traceRun } from "./worker-metrics.ts";

/** A run as one of several workers has it, for one session: its configuration stays as it was when the session began. */
export class SharedRun {
  readonly #store: PostgresRunStore;
  readonly #settings: Settings;
  readonly #config: LabelingConfig;
  readonly #task: Task;
  readonly #budget: RunBudget;
  readonly #pacer: Pacer;
  #stopTracing = () => {};

  private constructor(store: PostgresRunStore, settings: Settings, config: LabelingConfig, budget: RunBudget) {
    this.#store = store;
    this.#settings = settings;
    this.#config = config;
    this.#task = makeTask(config);
    this.#budget = budget;
    this.#pacer = new Pacer(config);
  }

  /** @throws UsageError when the provider or its key is missing. */
  static async open(
    runs: RunDatabase,
    id: string,
    { settings, concurrency }: { settings: Settings; concurrency: number },
  ): Promise<SharedRun> {
    const store = await runs.open({ id });
    const facts = await store.facts();
    const input = JSON.parse(facts.config ?? "{}") as LabelingConfigInput;
    const config = new LabelingConfig({ ...input, concurrency });
    getLlmClient({ settings, config });
    const budget = await openRunBudget({ store, settings, config, runId: id });
    const run = new SharedRun(store, settings, config, budget);
    run.#stopTracing = await traceRun(budget.tracker);
    return run;
  }

  /** Labels the rows of a chunk that wait yet. */
  async label(
    chunk: Chunk,
    {
      stop,
      inTurn,
      onRow,
    }: Required<Pick<LabelRowsOptions, "stop" | "inTurn">> & { onRow: (finished: number) => void },
  ): Promise<RunOutcome> {
    return await labelRows({
      store: this.#store,
      settings: this.#settings,
      config: this.#config,
      task: this.#task,
      budget: this.#budget,
      pacer: this.#pacer,
      rows: await this.#waiting(chunk),
      stop,
      inTurn,
      onRow: (_row, _result, finished) => onRow(finished),
    });
  }

  async #waiting({ fromTurn, beforeTurn }: Chunk): Promise<PendingRow[]> {
    const rows: PendingRow[] = [];
    for (let from: number | undefined = fromTurn; from !== undefined; ) {
      const page: PendingRow[] = await this.#store.pending(from, undefined, beforeTurn);
      rows.push(...page);
      const last = page.at(-1)?.turn;
      from = last === undefined ? undefined : last + 1;
    }
    return rows;
  }

  /** Keeps calls to a part of what the run, or its provider, allows all workers together. */
  share(part: number): void {
    this.#pacer.share(part);
  }

  /** Whether calls of it wait for the provider's limits. */
  get isHeldBack(): boolean {
    return this.#pacer.waiting > 0;
  }

  isStopAsked(): Promise<boolean> {
    return this.#store.isStopAsked();
  }

  async close(): Promise<void> {
    this.#stopTracing();
    await this.#budget.close();
    await this.#store.close();
  }
}
