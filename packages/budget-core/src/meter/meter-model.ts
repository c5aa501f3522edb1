import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import type { Call, CallResult, Surface } from "../costs.ts";
import { BudgetError } from "../errors/budget-error.ts";
import type { Quote } from "../receipt.ts";
import { type Metering, type OpenCall, openCall } from "./meter-call.ts";
import { meterStream } from "./meter-stream.ts";

/** What every model of the AI SDK takes, whatever its kind. */
export interface ModelCallOptions {
  abortSignal?: AbortSignal | undefined;
  headers?: unknown;
  maxOutputTokens?: number | undefined;
  providerOptions?: Readonly<Record<string, object>> | undefined;
}

/** Meters `doGenerate` of a language model. */
export async function meterGenerate(metering: Metering, model: LanguageModelV4, params: LanguageModelV4CallOptions) {
  return await meterOnce(metering, { surface: "generate", model, params }, async ({ quote }) => {
    const result = await model.doGenerate(withBounds(params, quote));
    const { usage, providerMetadata, response, content, finishReason } = result;
    const { id, modelId, headers, body } = response ?? {};
    return { result, seen: { usage, providerMetadata, id, modelId, headers, body, content, finishReason } };
  });
}

/**
 * Meters `doStream` of a language model. A refusal comes as an error part of the stream, because only so does the same
 * instance reach every promise of `streamText`; thrown, it would be replaced.
 */
export async function meterDoStream(metering: Metering, model: LanguageModelV4, params: LanguageModelV4CallOptions) {
  let open: OpenCall;
  try {
    open = await openCall(metering, callOf({ surface: "stream", model, params }), params.abortSignal);
  } catch (error) {
    if (!BudgetError.isInstance(error)) throw error;
    return { stream: deniedStream(error) };
  }
  try {
    const { readsRawChunks = false } = metering.costs;
    const { includeRawChunks = false } = params;
    const bounded = withBounds(params, open.quote);
    const source = await model.doStream(readsRawChunks ? { ...bounded, includeRawChunks: true } : bounded);
    return meterStream(source, open, params.abortSignal, includeRawChunks);
  } catch (error) {
    await (params.abortSignal?.aborted ? open.cut() : open.fail(error));
    const told = open.named(error);
    if (!BudgetError.isInstance(told)) throw told;
    return { stream: deniedStream(told) };
  }
}

/** Meters one call of a model that is no language model: embedding, image, speech, … */
export async function meterOther<P extends ModelCallOptions, R>(
  metering: Metering,
  asked: { surface: Surface; model: { modelId: string }; params: P },
  run: (params: P) => PromiseLike<R>,
): Promise<R> {
  return await meterOnce(metering, asked, async ({ quote }) => {
    const result = await run(withSettings(asked.params, quote));
    return { result, seen: seenOf(result) };
  });
}

/** One call from quote to settlement. @throws what the call throws, after it was settled. */
async function meterOnce<P extends ModelCallOptions, R>(
  metering: Metering,
  asked: { surface: Surface; model: { modelId: string }; params: P },
  run: (open: OpenCall) => Promise<{ result: R; seen: CallResult }>,
): Promise<R> {
  const open = await openCall(metering, callOf(asked), asked.params.abortSignal ?? undefined);
  try {
    const { result, seen } = await run(open);
    await open.succeed(seen);
    return result;
  } catch (error) {
    await (asked.params.abortSignal?.aborted ? open.cut() : open.fail(error));
    throw open.named(error);
  }
}

function callOf<P extends ModelCallOptions>(asked: { surface: Surface; model: { modelId: string }; params: P }): Call {
  const { surface, model, params } = asked;
  const { abortSignal: _abortSignal, headers: _headers, maxOutputTokens, ...request } = params;
  const settings = settingsOf(model);
  return {
    surface,
    modelId: model.modelId,
    request,
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    ...(settings ? { settings } : {}),
  };
}

/** What a model object was made with: its own settings, and the body that its provider adds to every request. */
function settingsOf(model: object): Record<string, unknown> | undefined {
  const { settings, config } = model as { settings?: unknown; config?: { extraBody?: unknown } };
  if (typeof settings !== "object" || settings === null) return undefined;
  const own = settings as Record<string, unknown>;
  const extraBody = { ...asRecord(config?.extraBody), ...asRecord(own.extraBody) };
  return Object.keys(extraBody).length > 0 ? { ...own, extraBody } : own;
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
}

/** Results of other models differ; what money needs stands in the same places. An embedding's usage is `{ tokens }`. */
function seenOf(result: unknown): CallResult {
  const { usage, providerMetadata, response } = result as {
    usage?: { tokens?: unknown };
    providerMetadata?: Record<string, unknown>;
    response?: { id?: string; modelId?: string; headers?: Record<string, string>; body?: unknown };
  };
  const counted = typeof usage?.tokens === "number" ? { ...usage, inputTokens: usage.tokens, outputTokens: 0 } : usage;
  const { id, modelId, headers, body } = response ?? {};
  return { usage: counted, providerMetadata, id, modelId, headers, body };
}

/** The request with what its bound rests on: the output cap, and settings of the provider. */
function withBounds(params: LanguageModelV4CallOptions, quote: Quote): LanguageModelV4CallOptions {
  const { maxOutputTokens } = quote;
  return withSettings(maxOutputTokens === undefined ? params : { ...params, maxOutputTokens }, quote);
}

function withSettings<P extends ModelCallOptions>(params: P, { providerOptions }: Quote): P {
  if (!providerOptions) return params;
  const merged = { ...params.providerOptions };
  for (const [name, options] of Object.entries(providerOptions)) merged[name] = { ...merged[name], ...options };
  return { ...params, providerOptions: merged };
}

function deniedStream(error: unknown): ReadableStream<LanguageModelV4StreamPart> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue({ type: "stream-start", warnings: [] });
      controller.enqueue({ type: "error", error });
      controller.close();
    },
  });
}
