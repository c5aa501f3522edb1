import { BudgetExceededError, type CostStats, type CostTracker } from "@autolabel/budget-core";
import { LabelingConfig, type LabelingConfigInput } from "./config/labeling-config.ts";
import { Settings, type SettingsInput } from "./config/settings.ts";
import { type DataRow, readRows } from "./data/read-rows.ts";
import { withText } from "./data/text-source.ts";
import type { LabelingRun } from "./engine/labeling-run.ts";
import { planRun, type RunPlan } from "./engine/plan-run.ts";
import { startRun } from "./engine/start-run.ts";
import type { LabeledRow } from "./store/row.ts";
import type { InputRow } from "./store/run-store.ts";

/** Rows to label: objects, a stream of them, or the path of a CSV, TSV, JSONL or JSON file. */
export type LabelInput = string | Iterable<DataRow> | AsyncIterable<DataRow>;

/** What {@link AutoLabeler.label} gives. */
export interface LabelResult {
  /** Every row, in input order. */
  rows: LabeledRow[];
  /** What the run has cost, over all its resumes. */
  stats: CostStats;
  /** Names the run in the store. */
  runId: string;
}

/** The budget ended before the last row. What was paid for is in `partialResults`, and on disk. */
export type PartialBudgetExceededError = BudgetExceededError & { partialResults: LabelResult };

/** Whether an error is a budget stop of {@link AutoLabeler.label}, with every paid row on it. */
export function hasPartialResults(error: unknown): error is PartialBudgetExceededError {
  return BudgetExceededError.isInstance(error) && "partialResults" in error;
}

/**
 * Labels data sets under a budget.
 *
 * @example
 * const labeler = new AutoLabeler("sentiment", {}, { model: "openrouter:openai/gpt-4o-mini", labels: ["good", "bad"], budget: 1 });
 * const { rows } = await labeler.label([{ text: "I like it" }], "text");
 */
export class AutoLabeler {
  readonly name: string;
  readonly settings: Settings;
  readonly #config: LabelingConfigInput;
  readonly #costTracker: CostTracker | undefined;

  /**
   * @param options.costTracker a budget to draw on; it stands before `config.budget` and `settings.llmBudget`.
   * @throws UsageError for settings or a configuration that cannot work.
   */
  constructor(
    name: string,
    settings: Settings | SettingsInput,
    config: LabelingConfigInput,
    options: { costTracker?: CostTracker } = {},
  ) {
    this.name = name;
    this.settings = settings instanceof Settings ? settings : new Settings(settings);
    new LabelingConfig(config);
    this.#config = config;
    this.#costTracker = options.costTracker;
  }

  /**
   * Labels every row. Called again with the same rows it goes on where it stopped: no finished row is bought twice.
   *
   * @throws BudgetExceededError when the budget ends first, with {@link PartialBudgetExceededError.partialResults}.
   * @throws UpstreamBudgetError when the provider's credit ends first, RateLimitedError when it asks for a long wait; what
   * was paid for is kept.
   */
  async label(input: LabelInput, textColumn: string): Promise<LabelResult> {
    const run = await this.start({ rows: input, column: textColumn });
    try {
      const outcome = await run.finish();
      const result = { rows: await Array.fromAsync(run.rows()), stats: await run.stats(), runId: run.id };
      if (outcome.kind === "budget") throw Object.defineProperty(outcome.error, "partialResults", { value: result });
      if (outcome.kind === "credit" || outcome.kind === "rate-limited") throw outcome.error;
      return result;
    } finally {
      await run.close();
    }
  }

  /**
   * What labeling these rows would cost: bounds and the expected cost, with the price they rest on. Free: nothing is sent,
   * and no key is needed.
   *
   * @throws UnpricedModelError for a model without a price.
   */
  async plan(input: LabelInput, textColumn: string): Promise<RunPlan> {
    return await planRun({ config: this.#config, settings: this.settings, rows: rowsOf(input, textColumn) });
  }

  /** Takes the rows in and gives the run, not started yet: iterate over it, or call `finish()`. Close it in the end. */
  async start(options: { rows: LabelInput; column: string }): Promise<LabelingRun> {
    const { rows, column } = options;
    return await startRun({
      name: this.name,
      settings: this.settings,
      config: this.#config,
      costTracker: this.#costTracker,
      rows: rowsOf(rows, column),
      whenKnown: () => "continue",
    });
  }
}

function rowsOf(input: LabelInput, column: string): AsyncGenerator<InputRow> {
  const isPath = typeof input === "string";
  return withText(isPath ? readRows(input) : input, { column }, isPath ? input : "The data");
}
