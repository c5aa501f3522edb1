import type { CostStats, CostTracker, Posting } from "@autolabel/budget-core";
import type { LabelingConfig } from "../config/labeling-config.ts";
import type { Settings } from "../config/settings.ts";
import { writeRows } from "../data/write-rows.ts";
import { getLlmClient, upstreamBudgetError } from "../llm-client.ts";
import type { LabeledRow, PendingRow, RowCounts } from "../store/row.ts";
import { countOf, type RowResult, type RunStore } from "../store/run-store.ts";
import { type ClassificationTask, classification } from "../tasks/classification.ts";
import { answerOf, labelRow } from "./label-row.ts";
import { openRunBudget, type RunBudget } from "./run-budget.ts";
import { type RunOutcome, runRows } from "./run-rows.ts";

/** One labeling of one data set: started, stopped by budget or hand, resumed, until every row has its label. */
export class LabelingRun {
  readonly id: string;
  readonly config: LabelingConfig;
  readonly tracker: CostTracker;
  readonly #store: RunStore;
  readonly #budget: RunBudget;
  readonly #settings: Settings;
  readonly #task: ClassificationTask;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<(position: number) => void>();
  readonly #counts: RowCounts;
  #finished: Promise<RunOutcome> | undefined;
  #outcome: RunOutcome | undefined;
  #finishedNow = 0;

  private constructor(options: {
    id: string;
    store: RunStore;
    budget: RunBudget;
    settings: Settings;
    config: LabelingConfig;
  }) {
    this.id = options.id;
    this.config = options.config;
    this.tracker = options.budget.tracker;
    this.#store = options.store;
    this.#budget = options.budget;
    this.#settings = options.settings;
    this.#task = classification(options.config);
    this.#counts = options.store.counts();
  }

  /** Opens the run in a store that holds its rows. */
  static async open(options: {
    store: RunStore;
    settings: Settings;
    config: LabelingConfig;
    costTracker?: CostTracker | undefined;
  }): Promise<LabelingRun> {
    const { store, settings, config } = options;
    const id = store.get("id") ?? "run";
    const budget = await openRunBudget({ ...options, runId: id });
    await store.set({ touchedAt: new Date().toISOString() });
    return new LabelingRun({ id, store, settings, config, budget });
  }

  /** Why the run stopped; undefined while it goes on. */
  get outcome(): RunOutcome | undefined {
    return this.#outcome;
  }

  /** Rows by state, now. */
  get counts(): Readonly<RowCounts> {
    return this.#counts;
  }

  /** Rows that this process finished. */
  get finishedNow(): number {
    return this.#finishedNow;
  }

  /** What the run has spent, holds and may still spend. */
  stats(): Promise<CostStats> {
    return this.tracker.getStats();
  }

  /**
   * Labels what is pending and says why it stopped. A budget that is reached is an outcome, not an error.
   *
   * @throws UsageError when the provider or its key is missing, and errors of the store; finished rows are kept.
   */
  finish(): Promise<RunOutcome> {
    this.#finished ??= this.#work();
    return this.#finished;
  }

  /** Takes no more rows; calls in flight are finished and kept. */
  stop(): void {
    this.#stop.abort();
  }

  /** All rows in input order, as they stand. */
  rows(): Iterable<LabeledRow> {
    return this.#store.rows();
  }

  /** Writes all rows to a .csv, .tsv or .jsonl file: the old file or the new one, never a part. */
  async writeTo(path: string): Promise<void> {
    await writeRows(path, this.rows(), JSON.parse(this.#store.get("columns") ?? "[]") as string[]);
  }

  /** A fact that was stored with the run, such as `output`. */
  get(key: string): string | undefined {
    return this.#store.get(key);
  }

  /** Rows as they are finished. Starts the run if nothing has yet. */
  async *[Symbol.asyncIterator](): AsyncGenerator<LabeledRow> {
    const ready: number[] = [];
    let wake = () => {};
    const listener = (position: number) => {
      ready.push(position);
      wake();
    };
    this.#listeners.add(listener);
    let ended = false;
    const finished = this.finish().finally(() => {
      ended = true;
      wake();
    });
    try {
      while (!ended || ready.length > 0) {
        const position = ready.shift();
        if (position !== undefined) yield this.#store.row(position);
        else {
          await new Promise<void>((resolve) => {
            wake = resolve;
            if (ended) resolve();
          });
        }
      }
      await finished;
    } finally {
      this.#listeners.delete(listener);
    }
  }

  /** Stops, waits for calls in flight and closes the run file. */
  async close(): Promise<void> {
    this.stop();
    await this.#finished?.catch(() => undefined);
    await this.#budget.close();
    this.#store.close();
  }

  async #work(): Promise<RunOutcome> {
    const { config } = this;
    const label = (row: PendingRow) =>
      labelRow({
        row,
        task: this.#task,
        model: (fetch) => getLlmClient({ ...client, fetch, onReceipt: (posting) => this.#record(row, posting) }),
        upstreamBudgetError: (error) => upstreamBudgetError(config.model, error),
        maxAttempts: config.maxAttempts,
        timeoutMs: config.timeoutMs,
        stop: this.#stop.signal,
      });
    const client = { settings: this.#settings, config, costTracker: this.tracker };
    const onRow = (row: PendingRow, result: RowResult) => {
      this.#count(row, result);
      for (const listener of this.#listeners) listener(row.position);
    };
    const { concurrency } = config;
    this.#outcome = await runRows({ store: this.#store, concurrency, label, stop: this.#stop.signal, onRow });
    return this.#outcome;
  }

  /**
   * In the run's own ledger the answer joins the transaction of the charge, and a failure of it fails the ledger's next
   * step. With a ledger elsewhere the answer is on disk before the charge is posted.
   */
  #record(row: PendingRow, posting: Posting): Promise<void> | undefined {
    const recorded = this.#store.recordAttempt(row.position, posting, answerOf(posting));
    if (!this.#budget.isInRunFile) return recorded;
    recorded.catch(() => undefined);
    return undefined;
  }

  #count(row: PendingRow, result: RowResult): void {
    this.#counts[countOf[row.status]]--;
    this.#counts[countOf[result.status]]++;
    this.#finishedNow++;
  }
}
