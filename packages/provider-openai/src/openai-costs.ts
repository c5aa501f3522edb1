import {
  boundReceipt,
  type Call,
  type CallResult,
  type CostExtractor,
  type Outcome,
  type Quote,
  type Receipt,
  type Surface,
  UnpricedModelError,
  type Usage,
} from "@autolabel/budget-core";
import { type ModelPrice, type PriceBook, priceUsage, quoteCall } from "@autolabel/budget-core/prices";
import { quoteSpeech, quoteTranscription, readSpeechUsage, readTranscriptionUsage } from "./calls/audio-call.ts";
import { batchReceipt, quoteBatch } from "./calls/batch-call.ts";
import { quoteImage, readImageUsage } from "./calls/image-call.ts";
import type { Told } from "./calls/media-usage.ts";
import { usageOfResult } from "./calls/openai-usage.ts";
import { refuseUnbounded, serviceTierOf } from "./calls/text-request.ts";
import { unbounded } from "./calls/unbounded.ts";
import { openAiBudgetError, openAiRefusal, responseOfError } from "./openai-errors.ts";
import { type OpenAiPrices, openAiPriceBook } from "./openai-prices.ts";

/** Options of {@link openAiCosts}. */
export interface OpenAiCostsOptions {
  /** Prices of models that the bundled price book lacks or has otherwise; for Azure: of your deployments. */
  prices?: OpenAiPrices;
}

const surfaces: readonly Surface[] = ["generate", "stream", "embed", "image", "speech", "transcription", "batch"];

/**
 * What OpenAI calls cost: tokens (or seconds, or characters) x price, since OpenAI reports no cost; else the bound.
 * Cached input is billed once, at its own price; reasoning is part of the output; the tier that served counts.
 *
 * Reads calls of the AI SDK and bodies of chat completions, responses, embeddings, images, audio and batches.
 */
export function openAiCosts(options: OpenAiCostsOptions = {}): CostExtractor {
  const { prices = {} } = options;
  let book: PriceBook | undefined;
  const priceBook = () => {
    book ??= openAiPriceBook(prices);
    return book;
  };
  const find = (modelId: string, { at = new Date() }: Call) => priceBook().find("openai", modelId, at);
  const quote = (call: Call): Quote => {
    if (call.surface === "batch") return quoteBatch(call, (line) => quoteText(line, find(line.modelId, call), true));
    return quoteOne(call, find(call.modelId, call));
  };
  const quoteOne = (call: Call, price: ModelPrice): Quote => {
    const { hash } = priceBook();
    if (call.surface === "image") return quoteImage(call, price, hash);
    if (call.surface === "speech") return quoteSpeech(call, price, hash);
    if (call.surface === "transcription") return quoteTranscription(call, price, hash);
    if (surfaces.includes(call.surface)) return quoteText(call, price, false);
    throw unbounded(`a call of the kind "${call.surface}" has no listed bound at OpenAI`, "Call it without a budget.");
  };
  const quoteText = (call: Call, price: ModelPrice, isBatched: boolean): Quote => {
    refuseUnbounded(call);
    refuseUnpricedTier(call, price);
    // An embedding has no output.
    const asked = call.surface === "embed" ? { ...call, maxOutputTokens: 0 } : call;
    return quoteCall(asked, price, priceBook().hash, isBatched ? { serviceTiers: ["batch"] } : {});
  };
  const receiptOf = (result: CallResult, call: Call): Receipt | undefined =>
    receiptOfResult(result, call, (served) => find(billedModel(call.modelId, served, prices), call));

  return {
    provider: "openai",
    surfaces,
    // The AI SDK drops the tier that served from chat completions that are streamed.
    readsRawChunks: true,
    quote,
    refusal: openAiRefusal,
    budgetError: openAiBudgetError,
    receipt(outcome) {
      const { call } = outcome;
      const result = resultOf(outcome);
      if (!result) return boundReceipt(outcome);
      const receipt =
        call.surface === "batch"
          ? batchReceipt(call, result, (answer) => receiptOf(answerOf(answer), call))
          : receiptOf(result, call);
      return receipt ?? boundReceipt(outcome);
    },
  };
}

/** With `auto` the project's own tier serves, which may be a dearer one. */
function refuseUnpricedTier(call: Call, { provider, modelId, rows }: ModelPrice): void {
  if (serviceTierOf(call) !== "auto" || rows.some(({ serviceTier }) => serviceTier === "priority")) return;
  const reason = 'its service tier "auto" can be priority, and no price is known for that; ask for "default"';
  throw new UnpricedModelError({ provider, modelId, reason });
}

function receiptOfResult(result: CallResult, call: Call, priceOf: (served: string) => ModelPrice): Receipt | undefined {
  const modelId = result.modelId ?? call.modelId;
  try {
    const price = priceOf(modelId);
    const told = readUsage(call, result, price);
    const costPicoUsd = told && priceUsage(price, told.usage);
    if (!told || costPicoUsd === undefined) return undefined;
    const { usage, isExact } = told;
    const { serviceTier = "standard" } = usage;
    const isPriced = price.rows.some((row) => row.serviceTier === serviceTier);
    // A cheaper tier without a price of its own counts at the standard one: an upper bound, and marked as one.
    return { costPicoUsd, kind: isPriced && isExact ? "computed" : "bound", usage, modelId };
  } catch (error) {
    if (UnpricedModelError.isInstance(error)) return undefined;
    throw error;
  }
}

function readUsage(call: Call, result: CallResult, price: ModelPrice): Told | undefined {
  if (call.surface === "image") return readImageUsage(result, price);
  if (call.surface === "speech") return readSpeechUsage(call, result, price);
  if (call.surface === "transcription") return readTranscriptionUsage(result);
  const usage = usageOfResult(result);
  // No request has no input: services that speak OpenAI's protocol tell zeros where they count nothing.
  if (usage?.inputTokens === 0) return undefined;
  // The answers of a batch name the tier that serves at once.
  if (usage && call.surface === "batch") return { usage: { ...usage, serviceTier: "batch" }, isExact: true };
  return usage && withTier(usage, call);
}

/** Where a tier was asked for and the answer names none, the dearest that may have served counts. */
function withTier(usage: Usage, call: Call): Told {
  const asked = serviceTierOf(call) ?? "default";
  if (usage.serviceTier !== undefined || asked === "default") return { usage, isExact: true };
  return { usage: asked === "flex" ? usage : { ...usage, serviceTier: "priority" }, isExact: false };
}

/** An answer in the output file of a batch: the body that the call would have had. */
function answerOf({ model, usage }: Record<string, unknown>): CallResult {
  return { body: { usage }, ...(typeof model === "string" ? { modelId: model } : {}) };
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
