import type {
  EmbeddingModelV4,
  EmbeddingModelV4CallOptions,
  ImageModelV4,
  ImageModelV4CallOptions,
  LanguageModelV4,
  LanguageModelV4CallOptions,
} from "@ai-sdk/provider";
import type { Metering } from "./meter-call.ts";
import { meterDoStream, meterGenerate, meterOther } from "./meter-model.ts";

/** What the AI SDK hands to a middleware, as far as it is used; its types differ between ai 6 and 7, its shape not. */
interface Asked {
  params: object;
  model: object;
}

/** A middleware for `wrapLanguageModel` of ai 6 and 7. */
export interface BudgetMiddleware {
  /** ai 6 has no other type; neither version looks at the value. */
  readonly specificationVersion: "v3";
  wrapGenerate<Result>(options: Asked & { doGenerate: () => PromiseLike<Result> }): Promise<Result>;
  wrapStream<Result>(options: Asked & { doStream: () => PromiseLike<Result> }): Promise<Result>;
}

/** A middleware for `wrapEmbeddingModel` of ai 6 and 7. */
export interface BudgetEmbeddingMiddleware {
  readonly specificationVersion: "v3";
  wrapEmbed<Result>(options: Asked & { doEmbed: () => PromiseLike<Result> }): Promise<Result>;
}

/** A middleware for `wrapImageModel` of ai 6 and 7. */
export interface BudgetImageMiddleware {
  readonly specificationVersion: "v3";
  wrapGenerate<Result>(options: Asked & { doGenerate: () => PromiseLike<Result> }): Promise<Result>;
}

/**
 * AI SDK middleware that lets a call through only when its upper bound fits the budget, and counts what it cost.
 *
 * Place it last (innermost) in `wrapLanguageModel({ middleware: [...] })`, so that it sees each attempt that is really
 * sent. Two budgets on one model count each call twice: for a further budget use a child tracker or `runWithBudget`.
 * It puts `maxOutputTokens` on every request: without an output cap a call has no bound.
 *
 * @throws BudgetExceededError to the caller of generateText, the same instance; streams carry it as their error.
 */
export function budgetMiddleware(metering: Metering): BudgetMiddleware {
  // The model's own result is passed on, whose type the version of the SDK knows: hence `never`.
  return {
    specificationVersion: "v3",
    wrapGenerate: ({ params, model }) =>
      meterGenerate(metering, model as LanguageModelV4, params as LanguageModelV4CallOptions) as Promise<never>,
    wrapStream: ({ params, model }) =>
      meterDoStream(metering, model as LanguageModelV4, params as LanguageModelV4CallOptions) as Promise<never>,
  };
}

/** The same for `wrapEmbeddingModel`. Each chunk that `embedMany` sends is a call of its own. */
export function budgetEmbeddingMiddleware(metering: Metering): BudgetEmbeddingMiddleware {
  return {
    specificationVersion: "v3",
    wrapEmbed: ({ params, model }) => {
      const embedding = model as EmbeddingModelV4;
      const asked = { surface: "embed", model: embedding, params: params as EmbeddingModelV4CallOptions } as const;
      return meterOther(metering, asked, (bounded) => embedding.doEmbed(bounded)) as Promise<never>;
    },
  };
}

/** The same for `wrapImageModel`. */
export function budgetImageMiddleware(metering: Metering): BudgetImageMiddleware {
  return {
    specificationVersion: "v3",
    wrapGenerate: ({ params, model }) => {
      const images = model as ImageModelV4;
      const asked = { surface: "image", model: images, params: params as ImageModelV4CallOptions } as const;
      return meterOther(metering, asked, (bounded) => images.doGenerate(bounded)) as Promise<never>;
    },
  };
}
