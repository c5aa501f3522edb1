import type { AnswerRequest } from "./answers.ts";
import type { Fault } from "./faults.ts";
import type { RateLimits } from "./rate-limits.ts";
import type { SimulatedModel } from "./simulated-model.ts";

/** Settings of a simulator; all are optional. */
export interface SimulatorOptions {
  /** TCP port. Default 0: any free one. */
  readonly port?: number;
  /** Address to listen on. Default `127.0.0.1`. */
  readonly host?: string;
  /** Source of every seeded choice (answers, errors, rates, latency). Default 0. */
  readonly seed?: number | string;
  /** Time until an answer starts, in milliseconds: constant, or a seeded log-normal. Default 0. */
  readonly latencyMs?: number | { readonly median: number; readonly p99: number };
  /** Time between two chunks of a stream, in milliseconds. Default 0. */
  readonly chunkDelayMs?: number;
  /** Models added to the built-in table or replacing entries of it. */
  readonly models?: Readonly<Record<string, SimulatedModel>>;
  /** Scripted answers; undefined falls back to the built-in answer. */
  readonly answer?: (request: AnswerRequest) => string | undefined;
  /** Share of label answers that are wrong (0 to 1). Default 0.08. */
  readonly errorRate?: number;
  /** Scripted failures; the first that matches a request strikes. */
  readonly faults?: readonly Fault[];
  /** Rate limits; above them requests get 429 with `retry-after`. */
  readonly limits?: RateLimits;
  /** Keys that are accepted. Absent: every request is, with or without a key. */
  readonly apiKeys?: readonly string[];
  /** Credit of the account; when the invoice reaches it, requests are refused (402; OpenAI: 429 `insufficient_quota`). */
  readonly creditPicoUsd?: bigint;
  /** `"omitted"` leaves the cost out of `usage`. Default `"reported"`. */
  readonly costField?: "reported" | "omitted";
  /** `"omitted"` leaves `usage` out of every response. Default `"reported"`. */
  readonly usageField?: "reported" | "omitted";
  /** Where the gateway tells what a call cost: `usage.cost`, or `x-litellm-response-cost` on unstreamed answers. Default: nowhere. */
  readonly gatewayCost?: "body" | "header";
  /** Report as if the caller's own provider key paid: `cost` 0, upstream cost the true charge. Default false. */
  readonly byok?: boolean;
  /** Bill the whole answer when the client leaves or the body is cut; false bills what was sent. Default true. */
  readonly billsAfterAbort?: boolean;
  /** How often `GET /generation` answers 404 for an id before it tells its record, as OpenRouter's does for a while. Default 0. */
  readonly lookupMisses?: number;
  /** The service tier that serves a request that asks for another. Default: the one that is asked for. */
  readonly servedTier?: (asked: string) => string;
  /** How many requests of a batch are completed before it expires. Default: all. */
  readonly batchLines?: number;
  /** The clock in milliseconds since 1970, for time stamps and rate limits. Default `Date.now`. */
  readonly now?: () => number;
}
