import type { Call } from "../costs.ts";
import { UnboundedRequestError } from "../errors/unbounded-request-error.ts";
import { UnpricedModelError } from "../errors/unpriced-model-error.ts";
import { ceilDiv } from "../money.ts";
import type { ModelPrice } from "../prices/model-price.ts";
import { type BillingReach, priceBound } from "../prices/price-bound.ts";
import type { ServiceTier } from "../prices/price-row.ts";
import type { Quote } from "../receipt.ts";
import { boundInput, type InputBoundOptions } from "./input-bound.ts";

const tokensPerRate = 1_000_000n;
/** Bytes of JSON per token of ordinary English text and code; measured 3.1 to 4.2. */
const bytesPerToken = 3.5;
/** A usual length of an answer, for the expected cost of a call that does not tell. */
const usualOutputTokens = 256;

/** Options of {@link quoteCall}. */
export interface QuoteOptions extends BillingReach, Pick<InputBoundOptions, "hiddenInput" | "countTokens"> {
  /** Length of the answer that the expected cost is computed with. Default: the output cap, at most 256. */
  expectedOutputTokens?: number;
}

/**
 * Upper bound of a call: every input byte a token, every output token of every answer used, at the dearest rate that the
 * call can reach. The quote's `maxOutputTokens` must be sent with the request.
 *
 * @param priceBook hash of the book that `price` is from.
 * @throws UnboundedRequestError when neither the call nor the price entry caps the output, or the input has no bound.
 * @throws UnpricedModelError when the call asks for a service tier that has no price.
 */
export function quoteCall(call: Call, price: ModelPrice, priceBook: string, options: QuoteOptions = {}): Quote {
  const { inputTokens, reach } = measure(call, price, options);
  const maxOutputTokens = outputCap(call, price);
  const boundPicoUsd = priceBound(price, inputTokens, maxOutputTokens, reach);
  const outputTokens = Math.min(options.expectedOutputTokens ?? usualOutputTokens, maxOutputTokens);
  const expected =
    BigInt(Math.ceil(inputTokens / bytesPerToken)) * price.rates.input +
    BigInt(outputTokens * reach.choices) * price.rates.output;
  const expectedPicoUsd = ceilDiv(expected, tokensPerRate);
  return {
    boundPicoUsd,
    expectedPicoUsd: expectedPicoUsd < boundPicoUsd ? expectedPicoUsd : boundPicoUsd,
    maxOutputTokens,
    priceBook,
  };
}

interface Measured {
  inputTokens: number;
  reach: BillingReach & { choices: number };
}

function measure(call: Call, price: ModelPrice, options: QuoteOptions): Measured {
  const { provider } = price;
  const { hiddenInput, countTokens, ...asked } = options;
  const input = boundInput(call.request, {
    provider,
    modelId: call.modelId,
    ...(hiddenInput === "model-limit" ? { hiddenInput, maxInputTokens: price.maxInputTokens } : {}),
    ...(countTokens ? { countTokens } : {}),
  });
  const reach = {
    cacheWrites: input.cacheWrites,
    media: input.images > 0 || input.hidden.size > 0,
    choices: choicesOf(call),
    ...asked,
  };
  const named = asked.serviceTiers ?? tiersOf(call, price);
  return { inputTokens: input.tokens, reach: named ? { ...reach, serviceTiers: named } : reach };
}

function outputCap(call: Call, price: ModelPrice): number {
  const cap = call.maxOutputTokens ?? price.maxOutputTokens;
  if (cap !== undefined && Number.isSafeInteger(cap) && cap >= 0) return cap;
  throw new UnboundedRequestError({
    reason: `neither the call nor the price book caps the output of "${call.modelId}"`,
    fix: "Set maxOutputTokens on the call, or in the model's price entry.",
  });
}

function choicesOf({ request }: Call): number {
  const { n } = request;
  return typeof n === "number" && Number.isSafeInteger(n) && n > 1 ? n : 1;
}

/** What a request's `service_tier` can be served as. Without one, or with `auto`, a project's default can be priority. */
const tiersByName: Readonly<Record<string, readonly ServiceTier[] | undefined>> = {
  default: ["standard"],
  standard: ["standard"],
  standard_only: ["standard"],
  on_demand: ["standard"],
  batch: ["batch"],
  // The tier that serves may differ from the one that was asked for (OpenAI, API reference of `service_tier`).
  flex: ["flex", "standard"],
  priority: ["priority", "standard"],
  fast: ["priority", "standard"],
};

function tiersOf({ request, modelId }: Call, { provider, rows }: ModelPrice): readonly ServiceTier[] | undefined {
  const name = serviceTierOf(request);
  if (name === undefined || name === "auto") return undefined;
  const tiers = typeof name === "string" ? tiersByName[name] : undefined;
  const isPriced = tiers?.[0] !== "priority" || rows.some((row) => row.serviceTier === "priority");
  if (tiers && isPriced) return tiers;
  const reason = `no price is known for its service tier ${JSON.stringify(name)}`;
  throw new UnpricedModelError({ provider, modelId, reason });
}

function serviceTierOf({ service_tier, providerOptions }: Readonly<Record<string, unknown>>): unknown {
  const places = typeof providerOptions === "object" && providerOptions !== null ? Object.values(providerOptions) : [];
  const named = places.map((options) => (options as { serviceTier?: unknown } | null)?.serviceTier);
  return [service_tier, ...named].find((tier) => tier !== undefined && tier !== null);
}
