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

/** A stream that a caller holds. */
export interface Opened {
  /** The pieces of its text, one for each chunk of text that the provider sends. */
  pieces(): AsyncIterable<unknown>;
  /** The body of the response that a server would hand on, or the one that came. */
  body(): ReadableStream<unknown>;
}

/** What kind of call it is; it decides which endings there are. */
export type Kind = "answer" | "stream" | "embedding";

/** A way to make a call with a client or a model. */
export type Way<Client> = {
  name: string;
  /** Requests that the call makes before the one that an ending strikes. Default 0. */
  requestsBefore?: number;
} & (
  | { kind: "answer" | "embedding"; call(client: Client, asked: Asked): PromiseLike<unknown> }
  | { kind: "stream"; open(client: Client, asked: Asked): Promise<Opened> }
);

/** What is asked, in each way. */
export const prompt = "Say three words.";
