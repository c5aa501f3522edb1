import type { UpstreamBudgetError } from "./errors/upstream-budget-error.ts";
import type { Quote, Receipt } from "./receipt.ts";

/**
 * What a provider package knows about money: how much a call can cost before it is sent, and what it did cost after.
 * Both are pure and synchronous: no I/O, no promises.
 */
export interface CostExtractor {
  /** Name of the provider, such as `"openrouter"`. */
  readonly provider: string;
  /**
   * The kinds of calls that {@link quote} can bound; all others are refused before they are sent. Absent: `quote` decides
   * call by call.
   */
  readonly surfaces?: readonly Surface[];
  /**
   * The upper bound of a call.
   *
   * @throws UnpricedModelError or UnboundedRequestError when there is none; then the call is not sent.
   */
  quote(call: Call): Quote;
  /**
   * What a finished call cost: reported by the provider, else computed from usage and price, else the bound of the
   * quote. Never zero because nothing is known.
   */
  receipt(outcome: Outcome): Receipt;
  /**
   * Why an error of this provider proves that nothing was charged; `false` when it may be billed although its status says
   * otherwise (Azure bills some HTTP 400). Undefined: the status decides, and a 4xx that comes before generation is not
   * billed. An error whose body counts tokens is billed in any case, and is not asked about. `isInAnswer`: it came inside
   * an answer that had begun, such as a stream; then its status proves nothing, and undefined means billed.
   */
  refusal?(error: unknown, isInAnswer?: boolean): string | false | undefined;
  /**
   * The provider's own refusal for money (no credit, a spent key) behind an error; the caller of a metered model gets it in
   * the error's place. Undefined for any other error.
   */
  budgetError?(error: unknown): UpstreamBudgetError | undefined;
  /**
   * Asks the provider for the true cost of a call whose {@link CostExtractor.receipt} is only the bound. It runs after the
   * call and in the background; until it answers the hold counts at its bound. Undefined, at once or in the end, leaves the
   * bound; so does an error.
   */
  lookup?(outcome: Outcome): Promise<Receipt | undefined> | undefined;
  /**
   * Whether streams are asked for the provider's raw chunks, because usage can stand in one that the AI SDK drops (such as
   * one that tells an error too), and because only they tell a running usage from a final one. The caller sees only those that it asked for. Default false.
   */
  readonly readsRawChunks?: boolean;
}

/** Whether calls of this kind can have an upper bound at all. */
export function canBound({ surfaces }: CostExtractor, surface: Surface): boolean {
  return surfaces === undefined || surfaces.includes(surface);
}

/** The kinds of calls that cost money. */
export type Surface =
  | "generate"
  | "stream"
  | "embed"
  | "image"
  | "speech"
  | "transcription"
  | "rerank"
  | "video"
  | "decision"
  | "batch";

/** A billable call that is about to be made. */
export interface Call {
  /** What is asked of the model. */
  surface: Surface;
  /** The model that is asked for. */
  modelId: string;
  /** All that is sent: prompt, tools, schema, settings. Its size bounds the input. */
  request: Readonly<Record<string, unknown>>;
  /** The output cap that the caller set, if any. */
  maxOutputTokens?: number;
  /** When the call was quoted: bound and cost are both by the prices of this instant. */
  at?: Date;
  /** Settings that the model object was made with (fallback models, plugins, …). */
  settings?: Readonly<Record<string, unknown>>;
}

/** A call that ended, by a result or by an error. */
export interface Outcome {
  call: Call;
  quote: Quote;
  result?: CallResult;
  error?: unknown;
}

/** What came back of a call, as far as money is concerned. The shapes are the AI SDK's. */
export interface CallResult {
  usage?: unknown;
  providerMetadata?: Readonly<Record<string, unknown>> | undefined;
  /** The model that served the call. */
  modelId?: string | undefined;
  /** The provider's name of the response. */
  id?: string | undefined;
  /** Headers of the response, names in lower case; of a stream, known before its first token. */
  headers?: Readonly<Record<string, string | undefined>> | undefined;
  /** The provider's response body, where it is known; of a stream, the raw chunk that told the usage. */
  body?: unknown;
  /** What the model said, as the AI SDK's content parts; absent for streams. */
  content?: unknown;
  /** Why the model stopped. */
  finishReason?: unknown;
}

/** The receipt of last resort: nothing is known of the cost, so the whole hold counts as spent, and is marked so. */
export function boundReceipt({ call, quote }: Outcome): Receipt {
  return { costPicoUsd: quote.boundPicoUsd, kind: "bound", modelId: call.modelId };
}
