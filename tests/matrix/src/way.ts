/** What a caller asks of a call, beside its prompt. */
export interface Asked {
  signal?: AbortSignal;
  /** How often the SDK itself may try again. */
  maxRetries: number;
  /** How often the AI SDK may start a broken stream anew. */
  streamRetries?: number;
  /** The SDK's own time limit. */
  timeoutMs?: number;
}

/** An answer that a caller holds. */
export interface Opened {
  /** The pieces of its text, one for each chunk of text that the provider sends. */
  pieces(): AsyncIterable<unknown>;
  /** The body of the response that a server would hand on, or the one that came. */
  body(): ReadableStream<unknown>;
}

/**
 * What kind of call it is; it decides which endings there are. `media`: pictures, sound and transcripts whose answer tells
 * what it used. `speech`: what it costs is known from its text. `untold media`: the answer tells nothing of its cost.
 */
export type Kind = "answer" | "stream" | "embedding" | "media" | "speech" | "untold media" | "batch";

/** A way to make a call with a client or a model. */
export type Way<Client> = {
  name: string;
  /** Requests that the call makes before the one that an ending strikes. Default 0. */
  requestsBefore?: number;
  /** Lines on the invoice for an answer. Default 1. */
  bills?: number;
} & (
  | { kind: Exclude<Kind, "stream">; call(client: Client, asked: Asked): PromiseLike<unknown> }
  /** `answer`: a body that is read by its caller, in one piece. */
  | { kind: "answer" | "stream"; open(client: Client, asked: Asked): Promise<Opened> }
);

/** What is asked, in each way. */
export const prompt = "Say three words.";
