import type { JsonObject } from "./json.ts";

/** A tool that the model may call. */
export interface ToolDefinition {
  readonly name: string;
  readonly parameters: JsonObject;
}

/** A request for text in the simulator's own terms: every wire reads its body into this. */
export interface ModelRequest {
  /** The wanted model and its fallbacks, in order. */
  readonly candidates: readonly string[];
  readonly messages: readonly JsonObject[];
  /** All texts of the prompt, for matching faults. */
  readonly promptText: string;
  /** The text of the last user message. */
  readonly lastUserText: string;
  /** SHA-256 in hex of the JSON of the messages. */
  readonly promptHash: string;
  readonly promptTokens: number;
  /** Tokens and hash of all messages but the last. */
  readonly prefixTokens: number;
  readonly prefixHash: string;
  readonly hasCacheControl: boolean;
  /** The caller's cap on each answer, or undefined. */
  readonly maxOutputTokens: number | undefined;
  /** How many answers (`n`). */
  readonly choices: number;
  readonly stream: boolean;
  /** `stream_options.include_usage`. */
  readonly includeUsage: boolean;
  readonly schema: JsonObject | undefined;
  /** JSON is asked for, with or without a schema. */
  readonly wantsJson: boolean;
  /** The tool that this turn has to call, or undefined for a text. */
  readonly tool: ToolDefinition | undefined;
  /** Highest prices in pico-USD (per million tokens; per request) that the caller accepts. */
  readonly maxPrice: { readonly prompt?: bigint; readonly completion?: bigint; readonly request?: bigint };
  /** Which providers may serve the request, by slug. */
  readonly routing: {
    readonly only: readonly string[];
    readonly ignore: readonly string[];
    readonly order: readonly string[];
    readonly allowFallbacks: boolean;
  };
  readonly reasoningEffort: string | undefined;
  readonly serviceTier: string;
  /** How embedding vectors are wanted; only their requests have it. */
  readonly vectors?: { readonly dimensions: number; readonly base64: boolean };
}
