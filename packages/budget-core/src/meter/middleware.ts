import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4Middleware,
  LanguageModelV4StreamPart,
} from "@ai-sdk/provider";
import type { Call } from "../costs.ts";
import { isBudgetExceeded } from "../errors/is-budget-exceeded.ts";
import { type Metering, openCall } from "./meter-call.ts";
import { meterStream } from "./meter-stream.ts";

/**
 * AI SDK middleware that lets a call through only when its upper bound fits the budget, and counts what it cost.
 *
 * Place it last (innermost) in `wrapLanguageModel({ middleware: [...] })`, so that it sees each attempt that is really
 * sent. It puts `maxOutputTokens` on every request: without an output cap a call has no bound.
 *
 * @throws BudgetExceededError to the caller of generateText, the same instance; streams carry it as their error.
 */
export function budgetMiddleware(metering: Metering): LanguageModelV4Middleware {
  return {
    specificationVersion: "v4",
    async wrapGenerate({ params, model }) {
      const open = await openCall(metering, callOf("generate", model, params), params.abortSignal);
      try {
        const result = await model.doGenerate(capped(params, open.quote.maxOutputTokens));
        const { usage, providerMetadata, response, content, finishReason } = result;
        const { modelId, body } = response ?? {};
        await open.succeed({ usage, providerMetadata, modelId, body, content, finishReason });
        return result;
      } catch (error) {
        await open.fail(error);
        throw error;
      }
    },
    async wrapStream({ params, model }) {
      let open: Awaited<ReturnType<typeof openCall>>;
      try {
        open = await openCall(metering, callOf("stream", model, params), params.abortSignal);
      } catch (error) {
        if (!isBudgetExceeded(error)) throw error;
        // As an error part the same instance reaches every promise of streamText; thrown, it would be replaced.
        return { stream: deniedStream(error) };
      }
      try {
        const source = await model.doStream(capped(params, open.quote.maxOutputTokens));
        return meterStream(source, open, params.abortSignal);
      } catch (error) {
        await open.fail(error);
        throw error;
      }
    },
  };
}

function callOf(surface: Call["surface"], model: LanguageModelV4, params: LanguageModelV4CallOptions): Call {
  const { abortSignal: _abortSignal, headers: _headers, maxOutputTokens, ...request } = params;
  const { settings } = model as { settings?: unknown };
  return {
    surface,
    modelId: model.modelId,
    request,
    ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    ...(typeof settings === "object" && settings !== null ? { settings: settings as Record<string, unknown> } : {}),
  };
}

function capped(params: LanguageModelV4CallOptions, maxOutputTokens: number | undefined): LanguageModelV4CallOptions {
  return maxOutputTokens === undefined ? params : { ...params, maxOutputTokens };
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
