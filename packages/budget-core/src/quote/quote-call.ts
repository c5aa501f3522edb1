import type { Call } from "../costs.ts";
import { UnboundedRequestError } from "../errors/unbounded-request-error.ts";
import type { ModelPrice } from "../prices/price-book.ts";
import { priceBound } from "../prices/price-usage.ts";
import type { Quote } from "../receipt.ts";
import { inputTokenBound } from "./input-bound.ts";

/**
 * Upper bound of a text call: every input byte a token, every output token used, at the dearest rate.
 *
 * @throws UnboundedRequestError when neither the call nor the price entry caps the output.
 */
export function quoteCall(call: Call, price: ModelPrice, priceBook: string): Quote {
  const maxOutputTokens = call.maxOutputTokens ?? price.maxOutputTokens;
  if (maxOutputTokens === undefined || !Number.isSafeInteger(maxOutputTokens) || maxOutputTokens < 0) {
    throw new UnboundedRequestError({
      reason: `neither the call nor the price book caps the output of "${call.modelId}"`,
      fix: "Set maxOutputTokens on the call, or in the model's price entry.",
    });
  }
  return {
    boundPicoUsd: priceBound(price, inputTokenBound(call.request), maxOutputTokens),
    maxOutputTokens,
    priceBook,
  };
}
