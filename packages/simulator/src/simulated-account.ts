import { answerRequest, composeAnswer, invalidLabelText } from "./answers.ts";
import { type Fault, FaultPlan } from "./faults.ts";
import { fullCharge, type Generation, measureAnswers, partialCharge, type Reporting } from "./generation.ts";
import { type HttpExchange, untilAborted } from "./http-exchange.ts";
import { InvoiceBook, type InvoiceLine, type InvoiceOutcome } from "./invoice.ts";
import type { MediaCounts } from "./media/media-prices.ts";
import { BatchStore } from "./media/openai-batches.ts";
import { FileStore } from "./media/openai-files.ts";
import type { ModelRequest } from "./model-request.ts";
import { type Charge, createPriceTable } from "./price-table.ts";
import { PromptCache } from "./prompt-cache.ts";
import { RateLimiter } from "./rate-limits.ts";
import type { PricedModel } from "./simulated-model.ts";
import type { SimulatorOptions } from "./simulator-options.ts";

const DEFAULT_ERROR_RATE = 0.08;
const EXCERPT_LENGTH = 200;

/** What is billed for media: its counts, and the members of its line that they do not tell. */
type MediaBill = Pick<
  InvoiceLine,
  "id" | "model" | "costPicoUsd" | "apiKey" | "promptHash" | "streamed" | "outcome"
> & {
  readonly counts: Partial<MediaCounts>;
};

/** Everything a simulator remembers: prices, invoice, faults, limits, cache and counters. */
export class SimulatedAccount {
  readonly options: SimulatorOptions;
  readonly seed: string;
  readonly now: () => number;
  readonly invoice = new InvoiceBook();
  readonly files = new FileStore();
  readonly batches: BatchStore;
  readonly faults: FaultPlan;
  readonly limiter: RateLimiter;
  readonly reporting: Reporting;
  #models: ReadonlyMap<string, PricedModel>;
  readonly #lookups = new Map<string, number>();
  readonly #cache = new PromptCache();
  readonly #attempts = new Map<string, number>();
  #resumed = new AbortController();
  #requests = 0;
  #inFlight = 0;
  #maxInFlight = 0;

  constructor(options: SimulatorOptions) {
    this.options = options;
    this.seed = String(options.seed ?? 0);
    this.now = options.now ?? Date.now;
    this.#models = createPriceTable(options.models);
    this.batches = new BatchStore(this);
    this.faults = new FaultPlan(this.seed, options.faults ?? []);
    this.limiter = new RateLimiter(options.limits ?? {}, this.now);
    this.reporting = {
      cost: options.costField !== "omitted",
      usage: options.usageField !== "omitted",
      gatewayCost: options.gatewayCost,
      byok: options.byok === true,
    };
  }

  /** What is sold, at the prices of this moment. */
  get models(): ReadonlyMap<string, PricedModel> {
    return this.#models;
  }

  /** Sells at other prices from now on; what is being generated keeps its own. */
  setModels(models: SimulatorOptions["models"]): void {
    this.#models = createPriceTable(models);
  }

  /** Counts a look-up of a generation; false while its record is not there yet. */
  countLookup(id: string): boolean {
    const before = this.#lookups.get(id) ?? 0;
    this.#lookups.set(id, before + 1);
    return before >= (this.options.lookupMisses ?? 0);
  }

  get requests(): number {
    return this.#requests;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get maxInFlight(): number {
    return this.#maxInFlight;
  }

  /** Counts a billable request in and gives it its number. */
  enter(): number {
    this.#requests += 1;
    this.#inFlight += 1;
    this.#maxInFlight = Math.max(this.#maxInFlight, this.#inFlight);
    return this.#requests;
  }

  /** Counts a billable request out. */
  leave(): void {
    this.#inFlight -= 1;
  }

  /** How often this prompt was requested before; counts this time. */
  countAttempt(promptHash: string): number {
    const before = this.#attempts.get(promptHash) ?? 0;
    this.#attempts.set(promptHash, before + 1);
    return before;
  }

  /** What is left of the credit, or undefined without one. */
  get creditLeftPicoUsd(): bigint | undefined {
    const { creditPicoUsd } = this.options;
    if (creditPicoUsd === undefined) return undefined;
    return creditPicoUsd - (this.reporting.byok ? 0n : this.invoice.totalPicoUsd);
  }

  /** Generates the answers of an admitted request. Nothing is billed yet. */
  generate(
    admitted: { request: ModelRequest; model: PricedModel; apiKey: string; attempt: number; fault: Fault | undefined },
    id: string,
  ): Generation {
    const { request, model, apiKey, fault } = admitted;
    const measured = measureAnswers(request, model, this.#answers(admitted));
    const cache = this.#cache.use(model, request);
    return {
      id,
      createdSeconds: Math.floor(this.now() / 1000),
      model,
      request,
      choices: measured.choices,
      counts: {
        promptTokens: request.promptTokens,
        ...cache,
        completionTokens: measured.completionTokens,
        reasoningTokens: measured.reasoningTokens,
      },
      apiKey,
      reporting: this.reporting,
      fault: fault && { kind: fault.kind, afterChunks: fault.afterChunks ?? 2, body: fault.body },
    };
  }

  #answers(admitted: {
    request: ModelRequest;
    model: PricedModel;
    attempt: number;
    fault: Fault | undefined;
  }): readonly string[] {
    const { request, model, fault } = admitted;
    const invalidLabel = fault?.kind === "invalid-label" ? invalidLabelText(fault.body) : undefined;
    const errorRate = model.errorRate ?? this.options.errorRate ?? DEFAULT_ERROR_RATE;
    const scripted = this.options.answer?.(answerRequest(request, model.id, admitted.attempt));
    return Array.from({ length: request.choices }, (_, choice) =>
      scripted !== undefined && invalidLabel === undefined
        ? scripted
        : composeAnswer(request, { seed: this.seed, errorRate, choice, invalidLabel }),
    );
  }

  /**
   * Puts a generation on the invoice. A completed or broken answer is billed whole; `sentTokens` says how far delivery
   * came, which counts for an error in mid-stream, and for an abort or a cut where billing stops with the client.
   */
  bill(generation: Generation, outcome: InvoiceOutcome, sentTokens?: number): Charge {
    const stops = outcome === "error" || (outcome !== "completed" && this.options.billsAfterAbort === false);
    const charge = stops && sentTokens !== undefined ? partialCharge(generation, sentTokens) : fullCharge(generation);
    this.invoice.add({
      id: generation.id,
      at: new Date(this.now()).toISOString(),
      model: generation.model.id,
      provider: generation.model.provider,
      ...charge.counts,
      costPicoUsd: charge.costPicoUsd,
      apiKey: generation.apiKey,
      promptHash: generation.request.promptHash,
      streamed: generation.request.stream,
      outcome,
      answer: (generation.choices[0]?.text ?? "").slice(0, EXCERPT_LENGTH),
    });
    return charge;
  }

  /** Puts a picture, speech or a transcript on the invoice. */
  billMedia({ counts, ...line }: MediaBill): void {
    const { textInput = 0, imageInput = 0, audioInput = 0, textOutput = 0, imageOutput = 0, audioOutput = 0 } = counts;
    this.invoice.add({
      ...line,
      provider: "openai",
      at: new Date(this.now()).toISOString(),
      promptTokens: textInput + imageInput + audioInput,
      cachedTokens: 0,
      cacheWriteTokens: 0,
      completionTokens: textOutput + imageOutput + audioOutput,
      reasoningTokens: 0,
      answer: "",
    });
  }

  /** Takes new faults; answers stall again. */
  setFaults(faults: readonly Fault[]): void {
    this.faults.replace(faults);
    this.#resumed = new AbortController();
  }

  /** Waits until the client leaves, or until {@link resume}. */
  async stall({ clientGone }: HttpExchange): Promise<void> {
    await untilAborted(AbortSignal.any([clientGone, this.#resumed.signal]));
  }

  /** Lets stalled answers go on, and later ones not stall. */
  resume(): void {
    this.#resumed.abort();
  }

  /** Starts over: invoice, counters, attempts, cache, limits, and how often each fault has struck. */
  reset(): void {
    this.invoice.clear();
    this.files.clear();
    this.batches.clear();
    this.faults.reset();
    this.#resumed = new AbortController();
    this.limiter.reset();
    this.#cache.clear();
    this.#attempts.clear();
    this.#lookups.clear();
    this.#requests = 0;
    this.#maxInFlight = this.#inFlight;
  }
}
