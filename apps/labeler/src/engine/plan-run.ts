import { createHash } from "node:crypto";
import { type Money, usd } from "@autolabel/budget-core";
import type { ModelPrice } from "@autolabel/budget-core/prices";
import { LabelingConfig, type LabelingConfigInput } from "../config/labeling-config.ts";
import { priceOf } from "../llm-client.ts";
import type { InputRow } from "../store/run-store.ts";
import { makeTask } from "../tasks/make-task.ts";
import { type Addresses, type CallQuote, CallQuotes } from "./call-quotes.ts";

/** What a run would cost, told before it costs anything. */
export interface RunPlan {
  model: string;
  /** Rows of the data. */
  rows: number;
  /** Texts that are bought: equal ones once, unless that is switched off; empty ones never. */
  texts: number;
  /** Tokens of all first calls together, by the usual length of words and answers. */
  tokens: { input: number; output: number };
  costs: PlannedCosts;
  /** What the calls were priced with; undefined for a gateway that counts as free. */
  price: PlannedPrice | undefined;
  /** How far a budget goes. */
  reach(budget: Money): PlannedReach;
}

/** What a run can cost. */
export interface PlannedCosts {
  /** If answers are as short as they can be, words long (6 characters a token), and input is read from the provider's cache. No bound. */
  lower: Money;
  /** At 4 bytes a token and answers of the usual size, each row asked once. */
  expected: Money;
  /** What is reserved for the first call of every row: all of them together cannot cost more. */
  upper: Money;
  /** What comes on top at most if every row had to be asked a second time. */
  repairs: Money;
}

/** The price of a plan, in USD per 1M tokens. */
export interface PlannedPrice {
  /** The listed id. */
  modelId: string;
  inputPer1M: Money;
  outputPer1M: Money;
  /** Where it was read; `stated` for your own. */
  source: string;
  /** When it was read, `YYYY-MM-DD`; undefined for a stated price. */
  checked: string | undefined;
}

/** How many rows a budget pays for. */
export interface PlannedReach {
  /** At the expected cost. */
  expectedRows: number;
  /** Even if every call, the longest first, costs its bound; repairs not counted. */
  certainRows: number;
}

/**
 * What a run of these rows would cost. Nothing is sent, and no key is needed.
 *
 * @throws UsageError or UnpricedModelError, as the run itself would.
 */
export async function planRun(options: {
  config: LabelingConfigInput;
  rows: Iterable<InputRow> | AsyncIterable<InputRow>;
  settings: Addresses;
}): Promise<RunPlan> {
  const config = new LabelingConfig(options.config);
  const task = makeTask(config);
  const price = priceOf(config, new Date());
  const quotes = await CallQuotes.measure({ config, task, price, settings: options.settings });
  const isNew = newTexts(config.dedupe);
  const texts = new Map<CallQuote, number>();
  let rows = 0;
  for await (const { text } of options.rows) {
    rows++;
    if (text.trim() === "" || !isNew(text)) continue;
    const quote = quotes.of(task.prompt(text));
    texts.set(quote, (texts.get(quote) ?? 0) + 1);
  }
  return planOf({ model: config.model, rows, texts, price, usualOutputTokens: task.usualOutputTokens });
}

function planOf(known: {
  model: string;
  rows: number;
  /** How many texts have each quote. */
  texts: ReadonlyMap<CallQuote, number>;
  price: ModelPrice | undefined;
  usualOutputTokens: number;
}): RunPlan {
  const { model, rows, price } = known;
  const groups = [...known.texts];
  const texts = groups.reduce((sum, [, count]) => sum + count, 0);
  const total = (of: (quote: CallQuote) => bigint) =>
    groups.reduce((sum, [quote, count]) => sum + of(quote) * BigInt(count), 0n);
  const [lower, expected, upper, repairs] = [
    total((quote) => quote.lower),
    total((quote) => quote.expected),
    total((quote) => quote.upper),
    total((quote) => quote.repair),
  ];
  return {
    model,
    rows,
    texts,
    tokens: {
      input: groups.reduce((sum, [{ inputTokens }, count]) => sum + inputTokens * count, 0),
      output: texts * known.usualOutputTokens,
    },
    costs: {
      lower: usd.pico(lower),
      // A short cap can put the usual answer, or a dear one, at the very bound.
      expected: usd.pico(expected < upper ? expected : upper),
      upper: usd.pico(upper),
      repairs: usd.pico(repairs),
    },
    price: price && priceEvidence(price),
    reach: ({ picoUsd }) => ({
      expectedRows: expected <= picoUsd ? rows : Number((BigInt(rows) * picoUsd) / expected),
      certainRows: upper <= picoUsd ? rows : certainTexts(groups, picoUsd),
    }),
  };
}

/** How many texts are paid for by so much even if each costs its bound and the dearest come first. */
function certainTexts(groups: readonly (readonly [CallQuote, number])[], picoUsd: bigint): number {
  let [left, texts] = [picoUsd, 0];
  for (const [{ upper }, count] of groups.toSorted(([a], [b]) => (a.upper > b.upper ? -1 : 1))) {
    const paid = upper === 0n ? count : Math.min(count, Number(left / upper));
    texts += paid;
    left -= upper * BigInt(paid);
    if (paid < count) break;
  }
  return texts;
}

function priceEvidence({ modelId, rates, source, checked }: ModelPrice): PlannedPrice {
  return {
    modelId,
    inputPer1M: usd.pico(rates.input),
    outputPer1M: usd.pico(rates.output),
    source,
    checked: checked || undefined,
  };
}

/** Tells the first of equal texts from the others, by 16 bytes of its hash each. */
function newTexts(dedupe: boolean): (text: string) => boolean {
  const seen = new Set<string>();
  return (text) => {
    if (!dedupe) return true;
    const before = seen.size;
    seen.add(createHash("sha256").update(text).digest().toString("latin1", 0, 16));
    return seen.size > before;
  };
}
