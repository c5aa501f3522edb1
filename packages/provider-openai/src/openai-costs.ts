import {
  boundReceipt,
  type Call,
  type CallResult,
  type CostExtractor,
  inputTokenBound,
  type ModelPrice,
  type Outcome,
  type PriceBook,
  priceBound,
  priceUsage,
  type Quote,
  quoteCall,
  type Receipt,
  UnpricedModelError,
} from "@autolabel/budget-core";
import { failedWithoutCharge, responseOfError } from "./openai-errors.ts";
import { type OpenAiPrices, openAiPriceBook } from "./openai-prices.ts";
import { choicesOf, refuseUnbounded } from "./openai-request.ts";
import { tierOfResult, usageOfResult } from "./openai-usage.ts";

/** Options of {@link openAiCosts}. */
export interface OpenAiCostsOptions {
  /** Prices of models that the bundled price book lacks or has otherwise; for Azure: of your deployments. */
  prices?: OpenAiPrices;
  /** Clock that picks the price of the day. Default: now. */
  now?: () => Date;
}

/**
 * What OpenAI calls cost: tokens x price, since OpenAI reports no cost; else the bound. Cached input is billed once, at
 * its own price; reasoning is part of the output.
 *
 * Reads calls of the AI SDK and bodies of chat completions, responses and embeddings.
 */
export function openAiCosts(options: OpenAiCostsOptions = {}): CostExtractor {
  const { now = () => new Date(), prices = {} } = options;
  let book: PriceBook | undefined;
  const priceBook = () => {
    book ??= openAiPriceBook(prices);
    return book;
  };
  const find = (modelId: string) => priceBook().find("openai", modelId, now());
  const priceOf = (asked: string, served: string) => find(billedModel(asked, served, prices));

  return {
    provider: "openai",
    quote(call) {
      refuseUnbounded(call);
      return quoteOf(call, find(call.modelId), priceBook().hash);
    },
    receipt(outcome) {
      if ("error" in outcome && failedWithoutCharge(outcome.error)) return { costPicoUsd: 0n, kind: "reported" };
      const result = resultOf(outcome);
      return (result && receiptOfResult(result, outcome, priceOf)) ?? boundReceipt(outcome);
    },
  };
}

function quoteOf(call: Call, price: ModelPrice, priceBook: string): Quote {
  if (call.surface === "embed") {
    return { boundPicoUsd: priceBound(price, inputTokenBound(call.request), 0), priceBook };
  }
  const quote = quoteCall(call, price, priceBook);
  const outputTokens = (quote.maxOutputTokens ?? 0) * choicesOf(call);
  // Each answer may be as long as the cap; the input is billed once.
  return { ...quote, boundPicoUsd: priceBound(price, inputTokenBound(call.request), outputTokens) };
}

function receiptOfResult(
  result: CallResult,
  { call }: Outcome,
  priceOf: (asked: string, served: string) => ModelPrice,
): Receipt | undefined {
  const usage = usageOfResult(result);
  const modelId = result.modelId ?? call.modelId;
  const isFlex = tierOfResult(result) === "flex";
  if (!usage || !isPricedTier(tierOfResult(result))) return undefined;
  try {
    const costPicoUsd = priceUsage(priceOf(call.modelId, modelId), usage);
    if (costPicoUsd === undefined) return undefined;
    // Flex costs less than the standard price that is known, so this is an upper bound and marked as one.
    return { costPicoUsd, kind: isFlex ? "bound" : "computed", usage, modelId };
  } catch (error) {
    if (UnpricedModelError.isInstance(error)) return undefined;
    throw error;
  }
}

/** Tiers that cost the listed price or less. */
function isPricedTier(tier: string | undefined): boolean {
  return (
    tier === undefined ||
    tier === "default" ||
    tier === "standard" ||
    tier === "auto" ||
    tier === "flex" ||
    tier === "scale"
  );
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
