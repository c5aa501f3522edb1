import { type BookedCall, type DriftReport, reconcileOpenRouter } from "@autolabel/provider-openrouter";
import { given } from "../config/given.ts";
import { LabelingConfig, type LabelingConfigInput } from "../config/labeling-config.ts";
import { Settings } from "../config/settings.ts";
import { mixedOrders, sampleOrder } from "../engine/inclusion.ts";
import { CalibrationCounter } from "../quality/calibration.ts";
import { makeMeasure } from "../quality/make-measure.ts";
import { proportion } from "../quality/proportion.ts";
import { findRun, type RunBooks, type Runs, type RunView, withRuns } from "../store/runs.ts";
import { UsageError } from "../usage-error.ts";
import { type GoldLabels, goldColumn, goldFile, reviewedLabels } from "./gold-labels.ts";
import { type Reconciliation, reconcileBooks } from "./reconcile-books.ts";
import type { BudgetState, Money, Quality, RunReport } from "./run-report.ts";
import { SelectionCounter } from "./selection.ts";
import { type Spend, SpendCounter } from "./spend.ts";
import { WrongRows } from "./wrong-rows.ts";

/** What {@link reportRun} takes. */
export interface ReportOptions {
  /** The run's id. Default: the last one. */
  run?: string | undefined;
  /** Where runs are kept, and the key for `reconcile`. Default: from the environment. */
  settings?: Settings;
  /** The column with the true labels. Default: the one that the configuration named, if any. */
  gold?: string | undefined;
  /** A file with true labels by `row_id` or `id`; `gold` then names its column. */
  goldFile?: string | undefined;
  /** The labels that people gave in reviews serve as true ones; `gold` and `goldFile` are then left out. Default false. */
  reviews?: boolean | undefined;
  /** So many calls are compared with what OpenRouter says it billed: one request each. Default 0. */
  reconcile?: number | undefined;
}

const mostWrongGroups = 200;

/**
 * What a run did, cost and is worth. Nothing is bought or written, and a process that works on the run is not disturbed:
 * what is told is of one moment. It is about the model: a label that a person gave a row counts as true, not as its own.
 *
 * @throws UsageError when there is no such run, column or file, and OpenRouterApiError from `reconcile`.
 */
export async function reportRun(options: ReportOptions = {}): Promise<RunReport> {
  const { settings = new Settings() } = options;
  return await withRuns(settings.store, (runs) => reportOn(runs, { ...options, settings }));
}

async function reportOn(runs: Runs, options: ReportOptions & { settings: Settings }): Promise<RunReport> {
  const { settings, reconcile = 0 } = options;
  const summary = await findRun(runs, options.run);
  const store = await runs.look(summary);
  try {
    const facts = await store.facts();
    const config = new LabelingConfig(JSON.parse(facts.config ?? "{}") as LabelingConfigInput);
    const books = await store.books();
    const gold = await goldOf(options, facts);
    const rows = await store.counts({ asModelSaid: true });
    const judged = await judgeRows(store, config, { gold, rows: rows.rows });
    const sample = await addCalls(store, judged.spend, reconcile);
    const calls = judged.spend.spend();
    const reconciled = books && (await reconcileRun(store, books, calls));
    const budget = books && (await budgetOf(books, config, settings));
    const open = (await books?.inspect([books.scope]))?.open ?? [];
    return {
      run: {
        id: summary.id,
        task: config.task,
        model: config.model,
        createdAt: facts.createdAt ?? null,
        touchedAt: facts.touchedAt ?? null,
        source: facts.source ?? null,
        callsInFlight: open.filter(({ state }) => state !== "unresolved").length,
      },
      rows,
      quality: judged.quality,
      selection: judged.selection,
      money: moneyOf(calls, reconciled, { ...judged, rows: rows.rows, labeled: rows.labeled, budget }),
      books: reconciled ?? null,
      provider: reconcile > 0 ? await askProvider(sample, config, settings) : null,
      wrong: judged.wrong,
    };
  } finally {
    await store.close();
  }
}

async function goldOf({ gold, goldFile: file, reviews }: ReportOptions, facts: Readonly<Record<string, string>>) {
  if (reviews && (gold !== undefined || file !== undefined))
    throw new UsageError("True labels come from reviews or from data: leave out --reviews, or --gold and --gold-file");
  if (reviews) return reviewedLabels;
  if (file !== undefined) return await goldFile(file, gold);
  const columns = JSON.parse(facts.columns ?? "[]") as string[];
  if (gold !== undefined) return goldColumn(gold, columns);
  return facts.goldColumn === undefined ? undefined : goldColumn(facts.goldColumn, columns);
}

interface Judged {
  quality: Quality | null;
  selection: RunReport["selection"];
  wrong: RunReport["wrong"];
  /** Rows are in it, calls are not yet. */
  spend: SpendCounter;
  /** What the rows with a gold label did cost. */
  goldRowsPicoUsd: bigint;
}

async function judgeRows(
  store: RunView,
  config: LabelingConfig,
  { gold, rows }: { gold: GoldLabels | undefined; rows: number },
): Promise<Judged> {
  const measure = makeMeasure(config as Parameters<typeof makeMeasure>[0]);
  const [calibration, wrong, spend] = [new CalibrationCounter(), new WrongRows(), new SpendCounter(rows)];
  const facts = await store.facts();
  const selection = new SelectionCounter(config.order, facts[mixedOrders] !== undefined);
  const counted = { gold: 0, unreadable: 0, correct: 0, labeled: 0, costPicoUsd: 0n };
  for await (const row of store.rows({ asModelSaid: true, sample: sampleOrder(facts, config) })) {
    const said = gold?.of(row);
    const judgement = said === undefined ? undefined : measure.add({ label: row.label, gold: said, text: row.text });
    if (said !== undefined && judgement === undefined) counted.unreadable++;
    if (judgement) {
      counted.gold++;
      counted.costPicoUsd += row.cost.picoUsd;
      if (row.label !== null) counted.labeled++;
      if (judgement.isCorrect) counted.correct++;
      if (row.label !== null && row.confidence !== null) calibration.add(row.confidence, judgement.isCorrect);
    }
    const isWrong = judgement ? !judgement.isCorrect : row.label === null;
    if (isWrong && row.status !== "unpaid") wrong.add({ ...row, ...(judgement ? { gold: judgement.gold } : {}) });
    // Rows that a person picked are no sample of those that were asked for.
    selection.add(row, gold === reviewedLabels ? undefined : judgement?.isCorrect);
    spend.addRow(row, judgement?.isCorrect ?? false);
  }
  if (gold === reviewedLabels && counted.gold === 0)
    throw new UsageError("Nobody gave a row of this run a label yet: review some in autolabel ui");
  if (gold && counted.gold + counted.unreadable === 0)
    throw new UsageError(`${gold.name}: no row of the run has a gold label there; check the column and the ids`);
  const quality = gold && {
    gold: gold.name,
    isReviewed: gold === reviewedLabels,
    goldRows: counted.gold,
    unreadableGold: counted.unreadable,
    ofAll: proportion(counted.correct, counted.gold),
    ofLabeled: proportion(counted.correct, counted.labeled),
    details: measure.details(),
    calibration: calibration.calibration() ?? null,
  };
  return {
    quality: quality ?? null,
    selection: selection.selection(),
    wrong: wrong.groups(mostWrongGroups),
    spend,
    goldRowsPicoUsd: counted.costPicoUsd,
  };
}

/** @returns calls spread over the run, as many as are to be compared with the provider's records. */
async function addCalls(store: RunView, spend: SpendCounter, sampleSize: number): Promise<BookedCall[]> {
  const known: BookedCall[] = [];
  for await (const attempt of store.attempts()) {
    spend.addAttempt(attempt);
    if (sampleSize > 0 && attempt.callId !== null)
      known.push({ generationId: attempt.callId, costPicoUsd: attempt.costPicoUsd });
  }
  const stride = Math.max(1, known.length / sampleSize);
  return known.filter((_call, index) => Math.floor(index / stride) !== Math.floor((index - 1) / stride));
}

async function reconcileRun(store: RunView, books: RunBooks, calls: Spend): Promise<Reconciliation> {
  const { accounts } = await books.inspect([books.scope]);
  return await reconcileBooks({
    calls: { calls: calls.calls, costPicoUsd: calls.costPicoUsd },
    attemptOf: (id) => store.attemptCost(id),
    entries: books.journal(),
    ledgerPicoUsd: accounts.reduce((sum, account) => sum + account.spentPicoUsd, 0n),
  });
}

async function budgetOf(books: RunBooks, config: LabelingConfig, settings: Settings): Promise<BudgetState> {
  const { accounts, open } = await books.inspect([books.limitedScope]);
  const isShared = books.scope !== books.limitedScope;
  const limit = isShared ? settings.llmBudget : config.budget;
  const limitPicoUsd = limit === undefined || limit === "unlimited" ? null : limit.picoUsd;
  const sum = (field: "spentPicoUsd" | "heldPicoUsd" | "unresolvedPicoUsd") =>
    accounts.reduce((total, account) => total + account[field], 0n);
  const spentPicoUsd = sum("spentPicoUsd");
  return {
    isShared,
    limitPicoUsd,
    spentPicoUsd,
    heldPicoUsd: sum("heldPicoUsd"),
    unresolvedPicoUsd: sum("unresolvedPicoUsd"),
    unresolvedCalls: open.filter(({ state }) => state === "unresolved").length,
    overrunPicoUsd: limitPicoUsd !== null && spentPicoUsd > limitPicoUsd ? spentPicoUsd - limitPicoUsd : 0n,
  };
}

function moneyOf(
  calls: Spend,
  books: Reconciliation | undefined,
  of: Pick<Judged, "quality" | "goldRowsPicoUsd"> & { rows: number; labeled: number; budget: BudgetState | undefined },
): Money {
  const spentPicoUsd = calls.costPicoUsd + (books?.resolved.costPicoUsd ?? 0n);
  const { quality } = of;
  const onGold = quality?.goldRows === of.rows ? spentPicoUsd : of.goldRowsPicoUsd;
  return {
    spentPicoUsd,
    perRowPicoUsd: share(spentPicoUsd, of.rows),
    per1000RowsPicoUsd: share(spentPicoUsd * 1000n, of.rows),
    perLabelPicoUsd: share(spentPicoUsd, of.labeled),
    perCorrectLabelPicoUsd: quality && share(onGold, quality.ofAll.count),
    calls,
    budget: of.budget ?? null,
  };
}

/** An amount through a count, to the nearest pico-USD. */
function share(picoUsd: bigint, count: number): bigint | null {
  return count === 0 ? null : (2n * picoUsd + BigInt(count)) / (2n * BigInt(count));
}

async function askProvider(
  sample: readonly BookedCall[],
  { model }: LabelingConfig,
  { openrouterApiKey: apiKey, openrouterBaseUrl: baseURL }: Settings,
): Promise<DriftReport> {
  if (!model.startsWith("openrouter:"))
    throw new UsageError(`--reconcile asks OpenRouter, and the model is ${model}: leave it out`);
  if (apiKey === undefined)
    throw new UsageError("--reconcile asks OpenRouter: set OPENROUTER_API_KEY in the environment or in a .env file");
  if (sample.length === 0) throw new UsageError("--reconcile: the run has no call with an id of OpenRouter's yet");
  return await reconcileOpenRouter(sample, given({ apiKey, baseURL }));
}
