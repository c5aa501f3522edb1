import { CostTracker, type Usage } from "@autolabel/budget-core";
import { type ModelPrice, priceUsage } from "@autolabel/budget-core/prices";
import type { LabelingConfig } from "../config/labeling-config.ts";
import { Settings } from "../config/settings.ts";
import { getLlmClient, type LlmClientOptions, modelIdOf, quoteText } from "../llm-client.ts";
import type { Task } from "../tasks/task.ts";
import { jsonBytes } from "./json-bytes.ts";
import { labelRow, roomier } from "./label-row.ts";
import { Pacer } from "./pacer.ts";

/** What one call for a row is estimated at, in pico-USD. */
export interface CallQuote {
  /** With short answers, long words, and all of the input read from the provider's cache. */
  lower: bigint;
  /** With an answer of usual size. */
  expected: bigint;
  /** What is reserved for the row's first call: it cannot cost more. */
  upper: bigint;
  /** What a repair, where one is needed, can cost at most. */
  repair: bigint;
  /** Tokens that the call usually sends. */
  inputTokens: number;
}

const bytesPerToken = 4;
/** Prose of long words has so many characters a token. */
const mostCharactersPerToken = 6;
/** `{"result":1}` */
const shortestAnswerTokens = 4;
/** Words around an answer that is asked for again, in bytes. */
const repairBytes = 512;

/** Prices calls without sending any: quotes depend on the length of what is asked, so each length is priced once. */
export class CallQuotes {
  readonly #config: LabelingConfig;
  readonly #task: Task;
  readonly #price: ModelPrice | undefined;
  readonly #overheadBytes: number;
  readonly #known = new Map<string, CallQuote>();

  private constructor(options: {
    config: LabelingConfig;
    task: Task;
    price: ModelPrice | undefined;
    overhead: number;
  }) {
    this.#config = options.config;
    this.#task = options.task;
    this.#price = options.price;
    this.#overheadBytes = options.overhead;
  }

  /** Measures what every call of a task adds to the row's text. */
  static async measure(config: LabelingConfig, task: Task, price: ModelPrice | undefined): Promise<CallQuotes> {
    return new CallQuotes({ config, task, price, overhead: await overheadBytes(config, task) });
  }

  /** The estimates for a prompt. */
  of(prompt: string): CallQuote {
    const bytes = this.#overheadBytes + jsonBytes(prompt);
    const key = `${bytes} ${prompt.length}`;
    const quote = this.#known.get(key) ?? this.#quote(bytes, prompt.length);
    this.#known.set(key, quote);
    return quote;
  }

  #quote(bytes: number, characters: number): CallQuote {
    const { instructions, maxOutputTokens, usualOutputTokens } = this.#task;
    const inputTokens = Math.ceil(bytes / bytesPerToken);
    const leastInput = Math.floor((instructions.length + characters) / mostCharactersPerToken);
    const leastOutput = Math.min(shortestAnswerTokens, maxOutputTokens);
    // The answer stands twice in what is asked again: as it was, and in what is wrong with it.
    const again = bytes + 2 * maxOutputTokens + repairBytes;
    return {
      lower: this.#cost({ inputTokens: leastInput, cacheReadTokens: leastInput, outputTokens: leastOutput }),
      expected: this.#cost({ inputTokens, outputTokens: usualOutputTokens }),
      upper: this.#bound(bytes, maxOutputTokens),
      repair: this.#config.repair ? this.#bound(again, roomier(maxOutputTokens)) : 0n,
      inputTokens,
    };
  }

  #cost(usage: Usage): bigint {
    return (this.#price && priceUsage(this.#price, usage)) ?? 0n;
  }

  #bound(bytes: number, maxOutputTokens: number): bigint {
    return quoteText(this.#config, "x".repeat(bytes), maxOutputTokens).boundPicoUsd;
  }
}

/**
 * Bytes that a call has beyond the row's text: found by making the real call of a row, priced so that its bound tells its
 * tokens, up to the moment in which it would be sent.
 */
async function overheadBytes(config: LabelingConfig, task: Task): Promise<number> {
  const tokenPrices = { [modelIdOf(config.model)]: { input: 1, output: 0 } };
  const probe = { model: config.model, prices: tokenPrices };
  const sent = await boundOfCall(probe, task);
  const bare = quoteText(probe, "", task.maxOutputTokens).boundPicoUsd;
  return Number((sent - bare) / picoUsdPerToken) - jsonBytes(task.prompt(anyText));
}

/** USD per 1M tokens is so many pico-USD a token. */
const picoUsdPerToken = 1_000_000n;
const anyText = "x";
const noKeys = {
  openrouterApiKey: "none",
  openaiApiKey: "none",
  corporateApiKey: "none",
  corporateBaseUrl: "http://-",
};

/** What is held for a row's first call, in pico-USD. The hold stops the call, so nothing is sent. */
async function boundOfCall(config: LlmClientOptions["config"], task: Task): Promise<bigint> {
  const costTracker = new CostTracker();
  const stop = new AbortController();
  let held: bigint | undefined;
  costTracker.on("reserved", ({ quote }) => {
    held = quote.boundPicoUsd;
    stop.abort();
  });
  const send = () => Promise.reject(new Error("a plan sends nothing"));
  const settings = new Settings(noKeys, { env: {} });
  const row = { position: 0, turn: 0, rowId: "0", text: anyText, status: "unpaid", answers: [] } as const;
  await labelRow({
    row,
    task,
    model: () => getLlmClient({ settings, config, costTracker, fetch: send }),
    isRowLimit: () => false,
    upstreamBudgetError: () => undefined,
    repair: false,
    maxAttempts: 1,
    longestWaitMs: 0,
    timeoutMs: 1000,
    pacer: new Pacer({ concurrency: 1 }),
    stop: stop.signal,
  });
  if (held === undefined) throw new Error("The call of a row was not reserved");
  return held;
}
