import type { EmbeddingModelV4Middleware, ImageModelV4Middleware, LanguageModelV4Middleware } from "@ai-sdk/provider";
import type { Metering } from "./meter-call.ts";
import { meterDoStream, meterGenerate, meterOther } from "./meter-model.ts";

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
    wrapGenerate: ({ params, model }) => meterGenerate(metering, model, params),
    wrapStream: ({ params, model }) => meterDoStream(metering, model, params),
  };
}

/** The same for `wrapEmbeddingModel`. Each chunk that `embedMany` sends is a call of its own. */
export function budgetEmbeddingMiddleware(metering: Metering): EmbeddingModelV4Middleware {
  return {
    specificationVersion: "v4",
    wrapEmbed: ({ params, model }) =>
      meterOther(metering, { surface: "embed", model, params }, (sent) => model.doEmbed(sent)),
  };
}

/** The same for `wrapImageModel`. */
export function budgetImageMiddleware(metering: Metering): ImageModelV4Middleware {
  return {
    specificationVersion: "v4",
    wrapGenerate: ({ params, model }) =>
      meterOther(metering, { surface: "image", model, params }, (sent) => model.doGenerate(sent)),
  };
}
