import {
  boundReceipt,
  type Call,
  type CallResult,
  type CostExtractor,
  type Outcome,
  type Receipt,
  UnpricedModelError,
} from "@autolabel/budget-core";
import { type ModelPrice, type PriceBook, priceUsage, quoteCall } from "@autolabel/budget-core/prices";
import { usageOfResult } from "./calls/openai-usage.ts";
import { refuseUnbounded, serviceTierOf } from "./calls/text-request.ts";
import { openAiRefusal, responseOfError } from "./openai-errors.ts";
import { type OpenAiPrices, openAiPriceBook } from "./openai-prices.ts";

/** Options of {@link openAiCosts}. */
export interface OpenAiCostsOptions {
  /** Prices of models that the bundled price book lacks or has otherwise; for Azure: of your deployments. */
  prices?: OpenAiPrices;
}

/**
 * What OpenAI calls cost: tokens x price, since OpenAI reports no cost; else the bound. Cached input is billed once, at
 * its own price; reasoning is part of the output; the tier that served counts.
 *
 * Reads calls of the AI SDK and bodies of chat completions, responses and embeddings.
 */
export function openAiCosts(options: OpenAiCostsOptions = {}): CostExtractor {
  const { prices = {} } = options;
  let book: PriceBook | undefined;
  const priceBook = () => {
    book ??= openAiPriceBook(prices);
    return book;
  };
  const find = (modelId: string, { at = new Date() }: Call) => priceBook().find("openai", modelId, at);

  return {
    provider: "openai",
    quote(call) {
      refuseUnbounded(call);
      const price = find(call.modelId, call);
      refuseUnpricedTier(call, price);
      // An embedding has no output.
      const asked = call.surface === "embed" ? { ...call, maxOutputTokens: 0 } : call;
      return quoteCall(asked, price, priceBook().hash);
    },
    refusal: openAiRefusal,
    receipt(outcome) {
      const { call } = outcome;
      const result = resultOf(outcome);
      const priceOf = (served: string) => find(billedModel(call.modelId, served, prices), call);
      return (result && receiptOfResult(result, call.modelId, priceOf)) ?? boundReceipt(outcome);
    },
  };
}

/** With `auto` the project's own tier serves, which may be a dearer one. */
function refuseUnpricedTier(call: Call, { provider, modelId, rows }: ModelPrice): void {
  if (serviceTierOf(call) !== "auto" || rows.some(({ serviceTier }) => serviceTier === "priority")) return;
  const reason = 'its service tier "auto" can be priority, and no price is known for that; ask for "default"';
  throw new UnpricedModelError({ provider, modelId, reason });
}

function receiptOfResult(
  result: CallResult,
  asked: string,
  priceOf: (served: string) => ModelPrice,
): Receipt | undefined {
  const modelId = result.modelId ?? asked;
  const usage = usageOfResult(result);
  if (!usage) return undefined;
  try {
    const price = priceOf(modelId);
    const costPicoUsd = priceUsage(price, usage);
    if (costPicoUsd === undefined) return undefined;
    const { serviceTier = "standard" } = usage;
    const isPriced = price.rows.some((row) => row.serviceTier === serviceTier);
    // A cheaper tier without a price of its own counts at the standard one: an upper bound, and marked as one.
    return { costPicoUsd, kind: isPriced ? "computed" : "bound", usage, modelId };
  } catch (error) {
    if (UnpricedModelError.isInstance(error)) return undefined;
    throw error;
  }
}

/**
 * Which of the two ids has the price that counts. An alias is served by a dated snapshot, an Azure deployment by the
 * model in it: a price that you state for what was asked stands before the listed one of what served.
 */
function billedModel(asked: string, served: string, stated: OpenAiPrices): string {
  if (Object.hasOwn(stated, served)) return served;
  return Object.hasOwn(stated, asked) ? asked : served;
}

/** The result of a call; of one that failed after it was generated, what the body of its error tells. */
function resultOf({ result, error }: Outcome): CallResult | undefined {
  if (result) return result;
  const body = responseOfError(error);
  return body?.usage ? { body, ...(typeof body.model === "string" ? { modelId: body.model } : {}) } : undefined;
}
