import { CostTracker, type Usage } from "@autolabel/budget-core";
import { type ModelPrice, priceUsage } from "@autolabel/budget-core/prices";
import { given } from "../config/given.ts";
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
  readonly #sent: SentCall;
  readonly #known = new Map<string, CallQuote>();

  private constructor(options: {
    config: LabelingConfig;
    task: Task;
    price: ModelPrice | undefined;
    sent: SentCall;
  }) {
    this.#config = options.config;
    this.#task = options.task;
    this.#price = options.price;
    this.#sent = options.sent;
  }

  /** Measures what every call of a task adds to the row's text. */
  static async measure(options: {
    config: LabelingConfig;
    task: Task;
    price: ModelPrice | undefined;
    settings: Addresses;
  }): Promise<CallQuotes> {
    return new CallQuotes({ ...options, sent: await measureCall(options) });
  }

  /** The estimates for a prompt. */
  of(prompt: string): CallQuote {
    const bytes = this.#sent.overheadBytes + jsonBytes(prompt);
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
    const { serviceTier } = this.#sent;
    return quoteText(this.#config, "x".repeat(bytes), { maxOutputTokens, serviceTier }).boundPicoUsd;
  }
}

/** Where the calls would go; keys are not needed. */
export type Addresses = Partial<Pick<Settings, "openrouterBaseUrl" | "openaiBaseUrl" | "corporateBaseUrl">>;

/** What a call is made of, save the row's text. */
interface SentCall {
  overheadBytes: number;
  /** The service tier that it names; undefined where it names none. */
  serviceTier: unknown;
}

/** Found by making the real call of a row, priced so that its bound tells its tokens, up to the request itself. */
async function measureCall(of: { config: LabelingConfig; task: Task; settings: Addresses }): Promise<SentCall> {
  const { task } = of;
  const { model } = of.config;
  const probe = { model, prices: { [modelIdOf(model)]: { input: 1, output: 0 } } };
  const { boundPicoUsd, serviceTier } = await tryCall(probe, of);
  const bare = quoteText(probe, "", { maxOutputTokens: task.maxOutputTokens, serviceTier }).boundPicoUsd;
  const bytes = Number((boundPicoUsd - bare) / picoUsdPerToken);
  return { overheadBytes: bytes - jsonBytes(task.prompt(anyText)), serviceTier };
}

/** USD per 1M tokens is so many pico-USD a token. */
const picoUsdPerToken = 1_000_000n;
const anyText = "x";
const noKeys = { openrouterApiKey: "none", openaiApiKey: "none", corporateApiKey: "none" };

/** What is held for a row's first call, in pico-USD, and the tier that its request names. The request goes nowhere. */
async function tryCall(config: LlmClientOptions["config"], { task, settings }: { task: Task; settings: Addresses }) {
  const { openrouterBaseUrl, openaiBaseUrl, corporateBaseUrl = "http://-" } = settings;
  const addresses = given({ openrouterBaseUrl, openaiBaseUrl, corporateBaseUrl });
  const costTracker = new CostTracker();
  let boundPicoUsd: bigint | undefined;
  let serviceTier: unknown;
  costTracker.on("reserved", ({ quote }) => {
    boundPicoUsd = quote.boundPicoUsd;
  });
  const send: typeof globalThis.fetch = async (_url, init) => {
    if (typeof init?.body === "string")
      serviceTier = (JSON.parse(init.body) as { service_tier?: unknown }).service_tier;
    return Response.json({ error: { message: "a plan sends nothing" } }, { status: 400 });
  };
  const row = { position: 0, turn: 0, rowId: "0", text: anyText, status: "unpaid", answers: [] } as const;
  await labelRow({
    row,
    task,
    model: () =>
      getLlmClient({
        settings: new Settings({ ...noKeys, ...addresses }, { env: {} }),
        config,
        costTracker,
        fetch: send,
      }),
    isRowLimit: () => false,
    upstreamBudgetError: () => undefined,
    repair: false,
    maxAttempts: 1,
    longestWaitMs: 0,
    timeoutMs: 1000,
    inTurn: (work) => work(),
    pacer: new Pacer({ concurrency: 1 }),
    stop: new AbortController().signal,
  });
  if (boundPicoUsd === undefined) throw new Error("The call of a row was not reserved");
  return { boundPicoUsd, serviceTier };
}
