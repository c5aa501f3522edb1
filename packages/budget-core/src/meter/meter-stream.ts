import type { LanguageModelV4StreamPart, LanguageModelV4StreamResult } from "@ai-sdk/provider";
import type { CallResult } from "../costs.ts";
import type { OpenCall } from "./meter-call.ts";

/**
 * Passes a provider's stream on and settles its cost exactly once, however it ends: finish, error part, cut, abort,
 * cancel, `break`, or a consumer that never reads.
 *
 * The provider's stream is drained in the background, so a consumer that stops reading does not hide the true cost: the
 * provider is generating, and billing, anyway.
 */
export function meterStream(
  source: LanguageModelV4StreamResult,
  open: OpenCall,
  signal: AbortSignal | undefined,
  includeRawChunks = true,
): LanguageModelV4StreamResult {
  const reader = source.stream.getReader();
  const seen: CallResult = { headers: source.response?.headers };
  /** The raw chunk that told the final usage. What follows it may still be lost, so it counts only at the stream's end. */
  let counted: unknown;
  /** Usage was told before the answer had ended: what had been generated until then. */
  let isRunning = false;
  let hasEnded = false;
  let failure: unknown;
  let generated = false;
  let consumer: ReadableStreamDefaultController<LanguageModelV4StreamPart> | undefined;
  const stream = new ReadableStream<LanguageModelV4StreamPart>(
    {
      start: (controller) => {
        consumer = controller;
      },
      cancel: () => {
        consumer = undefined;
      },
    },
    { highWaterMark: Number.POSITIVE_INFINITY },
  );
  const onAbort = () => {
    // The provider may bill the whole answer after an abort; what it says in the stream is lost with the connection.
    void open.cut(seen);
    void reader.cancel(signal?.reason).catch(() => undefined);
    consumer?.error(signal?.reason);
    consumer = undefined;
  };

  const drain = async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      if (value.type === "response-metadata") {
        seen.id = value.id ?? seen.id;
        seen.modelId = value.modelId ?? seen.modelId;
      }
      if (value.type === "raw") {
        const { tellsUsage, choices, isEnd } = readChunk(value.rawValue);
        hasEnded ||= isEnd;
        if (tellsUsage && (hasEnded || !choices.length)) counted = value.rawValue;
        else if (tellsUsage) isRunning = true;
        if (!includeRawChunks) continue;
      }
      if (value.type === "error") failure = value.error;
      if (value.type.endsWith("-delta") || value.type === "tool-call") generated = true;
      // A finish part comes also when the stream ended before the answer did: then it has the count of what came so far.
      if (value.type === "finish" && (counted !== undefined || !isRunning))
        Object.assign(seen, { usage: value.usage, providerMetadata: value.providerMetadata });
      // Settled before the finish part is seen, so that whoever reads the balance after the stream reads the truth.
      if (value.type === "finish") await end();
      consumer?.enqueue(value.type === "error" ? { ...value, error: open.named(value.error) } : value);
    }
  };
  const end = () => {
    if (counted !== undefined) seen.body = counted;
    // Once something was generated or counted no error proves that nothing was charged, whatever its status.
    const isBilled = failure === undefined || generated || counted !== undefined;
    return isBilled ? open.succeed(seen) : open.fail(failure, seen);
  };

  open.detach();
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  void drain()
    .then(end)
    .then(
      () => consumer?.close(),
      async (error: unknown) => {
        await (signal?.aborted || generated ? open.cut(seen) : open.fail(error, seen));
        consumer?.error(open.named(error));
      },
    )
    .finally(() => signal?.removeEventListener("abort", onAbort));
  return { ...source, stream };
}

/** Reads a chunk of a chat completion; those of other protocols have no choices. */
function readChunk(chunk: unknown) {
  const { usage, choices: given, error } = (chunk ?? {}) as { usage?: unknown; choices?: unknown; error?: unknown };
  const choices: readonly { finish_reason?: unknown }[] = Array.isArray(given) ? given : [];
  const isEnd = Boolean(error) || choices.some((choice) => choice?.finish_reason);
  return { tellsUsage: typeof usage === "object" && usage !== null, choices, isEnd };
}
