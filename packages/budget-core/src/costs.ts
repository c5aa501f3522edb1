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
   * Why an error of this provider proves that nothing was charged, where that is not plain from an HTTP status 4xx.
   * Undefined when it proves nothing.
   */
  refusal?(error: unknown): string | undefined;
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
  /** The provider's response body, where it is known. */
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
