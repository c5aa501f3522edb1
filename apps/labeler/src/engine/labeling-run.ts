import type { Writable } from "node:stream";
import type { CostStats, CostTracker, Money } from "@autolabel/budget-core";
import type { LabelingConfig } from "../config/labeling-config.ts";
import type { Settings } from "../config/settings.ts";
import type { ColumnType } from "../data/column-type.ts";
import type { DataFormat } from "../data/data-format.ts";
import { writeRows } from "../data/write-rows.ts";
import { priceOf } from "../llm-client.ts";
import type { LabeledRow, PendingRow, RowCounts } from "../store/row.ts";
import { countOf, type RowResult, type RunStore, type Standing, stopAskedFact } from "../store/run-store.ts";
import { makeTask } from "../tasks/make-task.ts";
import type { Task } from "../tasks/task.ts";
import type { CostRange } from "./cost-model.ts";
import { type Inclusion, inclusionOf, mixedOrders, sampleOrder } from "./inclusion.ts";
import { labelRows } from "./label-rows.ts";
import { Pacer } from "./pacer.ts";
import { openRunBudget, type RunBudget } from "./run-budget.ts";
import { RunForecast } from "./run-forecast.ts";
import { type RunProblem, RunProblems } from "./run-problems.ts";
import type { RunOutcome } from "./run-rows.ts";
import { sampleRows } from "./sample-rows.ts";

/** How often a run looks whether it was asked to stop, in ms. */
const stopWatchMs = 500;

/** One labeling of one data set: started, stopped by budget or hand, resumed, until every row has its label. */
export class LabelingRun {
  readonly id: string;
  readonly config: LabelingConfig;
  readonly tracker: CostTracker;
  readonly #store: RunStore;
  readonly #facts: Readonly<Record<string, string>>;
  readonly #budget: RunBudget;
  readonly #settings: Settings;
  readonly #task: Task;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<(position: number, finished: number) => void>();
  readonly #counts: RowCounts;
  readonly #forecast: RunForecast;
  readonly #pacer: Pacer;
  readonly #problems = new RunProblems();
  #finished: Promise<RunOutcome> | undefined;
  #outcome: RunOutcome | undefined;
  #finishedNow = 0;

  private constructor(options: {
    id: string;
    store: RunStore;
    facts: Readonly<Record<string, string>>;
    counts: RowCounts;
    standing: Standing;
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
    this.#task = makeTask(options.config);
    this.#facts = options.facts;
    this.#counts = options.counts;
    this.#forecast = new RunForecast(options.standing, priceOf(options.config, new Date()));
    this.#pacer = new Pacer(options.config);
  }

  /** Opens the run in a store that holds its rows. */
  static async open(options: {
    store: RunStore;
    settings: Settings;
    config: LabelingConfig;
    costTracker?: CostTracker | undefined;
    /** Facts to keep from now on. */
    facts?: Readonly<Record<string, string>>;
    /** Changes rows before they are counted, once nothing refuses the run any more. */
    prepare?: () => Promise<void>;
  }): Promise<LabelingRun> {
    const { store, settings, config } = options;
    const { id = "run" } = await store.facts();
    const budget = await openRunBudget({ ...options, runId: id });
    await options.prepare?.();
    // Until this session ends: who finds it with nobody at work knows of a crash.
    await store.set({ ...options.facts, touchedAt: new Date().toISOString(), outcome: "working", [stopAskedFact]: "" });
    const [facts, counts, standing] = await Promise.all([store.facts(), store.counts(), store.standing()]);
    return new LabelingRun({ id, store, facts, counts, standing, settings, config, budget });
  }

  /** Why the run stopped; undefined while it goes on. */
  get outcome(): RunOutcome | undefined {
    return this.#outcome;
  }

  /** Version of the task that rows are asked by. */
  get taskVersion(): string {
    return this.#task.version;
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

  /** What the rows that are left will cost in USD; undefined before a few were paid for. */
  forecast(): CostRange | undefined {
    return this.#forecast.rest();
  }

  /** How many rows will have been reached when so much more is spent, at most all; undefined where nothing tells. */
  rowsReached(available: Money | null): number | undefined {
    const { rows, unpaid, errors } = this.#counts;
    const share = this.#forecast.shareReached(available);
    return share === undefined ? undefined : rows - Math.ceil((1 - share) * (unpaid + errors));
  }

  /** How the rows were chosen that were bought so far, and with which probability each. */
  async inclusion(): Promise<Inclusion> {
    const { order } = this.config;
    const reached = await this.#store.reached(order.kind === "stratified" ? order.column : undefined);
    return inclusionOf(order, reached, this.get(mixedOrders) !== undefined);
  }

  /** What went wrong since this process began: kinds of it, the latest first. Most of it is tried again by itself. */
  problems(limit: number): readonly RunProblem[] {
    return this.#problems.latest(limit);
  }

  /** How long the provider has all calls wait yet, in ms. */
  get waitMs(): number {
    return this.#pacer.waitMs;
  }

  /**
   * Labels so many rows, drawn at random, and no others: what they cost tells what the rest will. They are never bought
   * again.
   *
   * @throws what {@link LabelingRun.finish} throws.
   */
  async probe(count: number): Promise<RunOutcome> {
    this.#finished = sampleRows(this.#store, count).then((rows) => this.#work(rows));
    try {
      const outcome = await this.#finished;
      await this.#store.reorder(this.config.order);
      return outcome;
    } finally {
      this.#finished = undefined;
      this.#outcome = undefined;
    }
  }

  /**
   * Labels what is pending and says why it stopped. A budget that is reached is an outcome, not an error.
   *
   * @throws UsageError when the provider or its key is missing, and errors of the store; finished rows are kept.
   */
  finish(): Promise<RunOutcome> {
    this.#finished ??= this.#work().catch(async (error: unknown) => {
      await this.#store.set({ outcome: "failed" }).catch(() => undefined);
      throw error;
    });
    return this.#finished;
  }

  /** Takes no more rows; calls in flight are finished and kept. */
  stop(): void {
    this.#stop.abort();
  }

  /** All rows in input order, as they stand. */
  rows(): AsyncIterable<LabeledRow> {
    return this.#store.rows({ sample: sampleOrder(this.#facts, this.config) });
  }

  /**
   * Writes all rows to a file, the old one or the whole new one, never a part; or to a stream.
   *
   * @param format for a file whose ending tells none, and for a stream. Default: what the run was started with.
   */
  async writeTo(target: string | Writable, format = this.get("outputFormat") as DataFormat | undefined): Promise<void> {
    const inputColumns = JSON.parse(this.get("columns") ?? "[]") as string[];
    const columnTypes = new Map(
      Object.entries(JSON.parse(this.get("columnTypes") ?? "{}") as Record<string, ColumnType>),
    );
    const isSample = sampleOrder(this.#facts, this.config) !== undefined;
    await writeRows(target, { rows: () => this.rows(), inputColumns, columnTypes, isSample }, format);
  }

  /** A fact that was stored with the run when it was opened, such as `output`. */
  get(key: string): string | undefined {
    return this.#facts[key];
  }

  /**
   * Listens to rows as they are finished: a row's position, and how many ended with it (itself and those of equal text).
   *
   * @returns a function that stops listening.
   */
  onRow(listener: (position: number, finished: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** One row as it stands. */
  row(position: number): Promise<LabeledRow> {
    return this.#store.row(position);
  }

  /** All budgets that the run's calls must fit, its own first. */
  get limits(): readonly CostTracker[] {
    return this.#budget.limits;
  }

  /** Rows as they are finished. Starts the run if nothing has yet. */
  async *[Symbol.asyncIterator](): AsyncGenerator<LabeledRow> {
    // Places only: a reader who is slower than the run holds up no call, and a million rows are 8 MB.
    let ready: number[] = [];
    let wake = () => {};
    const listener = (position: number) => {
      ready.push(position);
      wake();
    };
    const stopListening = this.onRow(listener);
    let ended = false;
    const finished = this.finish().finally(() => {
      ended = true;
      wake();
    });
    try {
      while (!ended || ready.length > 0) {
        const positions = ready;
        ready = [];
        for (const position of positions) yield await this.#store.row(position);
        if (ready.length > 0) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (ended) resolve();
        });
      }
      await finished;
    } finally {
      stopListening();
    }
  }

  /** Stops, waits for calls in flight and closes the run's store. */
  async close(): Promise<void> {
    this.stop();
    if (!this.#finished) await this.#store.set({ outcome: "interrupted" });
    await this.#finished?.catch(() => undefined);
    await this.#budget.close();
    await this.#store.close();
  }

  /** @param rows these and no others. */
  async #work(rows?: readonly PendingRow[]): Promise<RunOutcome> {
    if (!rows && this.get("stage") === "probed") await this.#store.set({ stage: "labeling" });
    const watch = setInterval(() => void this.#stopIfAsked(), stopWatchMs);
    try {
      this.#outcome = await labelRows({
        store: this.#store,
        settings: this.#settings,
        config: this.config,
        task: this.#task,
        budget: this.#budget,
        pacer: this.#pacer,
        rows,
        stop: this.#stop.signal,
        onCharge: (row, costPicoUsd) => this.#forecast.charge(row, costPicoUsd),
        onFailure: (error) => this.#problems.attempt(error),
        onAgain: (row) => this.#forecast.again(row),
        onRow: (row, result, finished) => {
          this.#count(row, result, finished);
          this.#problems.row(result);
          this.#forecast.finish(row);
          for (const listener of this.#listeners) listener(row.position, finished);
        },
      });
    } finally {
      clearInterval(watch);
    }
    const inclusion = JSON.stringify(await this.inclusion());
    await this.#store.set({ inclusion, ...(rows ? {} : { outcome: this.#outcome.kind }) });
    return this.#outcome;
  }

  /** Somebody beside this process may ask it to stop: a file can be written where a signal does not reach. */
  async #stopIfAsked(): Promise<void> {
    if (await this.#store.isStopAsked().catch(() => false)) this.stop();
  }

  #count(row: PendingRow, result: RowResult, finished: number): void {
    this.#counts[countOf[row.status]] -= finished;
    this.#counts[countOf[result.status]] += finished;
    this.#finishedNow += finished;
  }
}
