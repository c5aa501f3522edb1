import type { JSONValue } from "@ai-sdk/provider";
import {
  boundReceipt,
  type Call,
  type CallResult,
  type CostExtractor,
  type Outcome,
  picoToDecimal,
  type Receipt,
  type Surface,
  UnboundedRequestError,
} from "@autolabel/budget-core";
import {
  type ModelPrice,
  type PriceBook,
  priceUsage,
  quoteCall,
  readOpenRouterUsage,
  readSdkUsage,
} from "@autolabel/budget-core/prices";
import { asRecord, readAmount } from "./api/exact-json.ts";
import { type CostLookup, generationLookup } from "./api/generation.ts";
import type { LiveOpenRouterPrices } from "./api/live-prices.ts";
import { reportedCost } from "./api/reported-cost.ts";
import { openRouterBudgetError, openRouterRefusal, responseOfError } from "./openrouter-errors.ts";
import { type CallPrices, callPrices, type OpenRouterPrices, openRouterPriceBook } from "./openrouter-prices.ts";

/** Options of {@link openRouterCosts}. */
export interface OpenRouterCostsOptions {
  /** Prices of models that the bundled price book lacks or has otherwise. */
  prices?: OpenRouterPrices;
  /** OpenRouter's own list, kept fresh; see `liveOpenRouterPrices`. Default: the bundled prices. */
  livePrices?: LiveOpenRouterPrices;
  /**
   * How to look up what a call did cost that was aborted, cut, or told no usage. Default: it is not looked up, and counts
   * at its bound.
   */
  lookup?: CostLookup;
}

/**
 * What OpenRouter calls cost: `usage.cost` as the response reports it (with your own provider key: plus what that
 * provider charges), else tokens x price, else what OpenRouter's record of the call says, else the bound.
 */
export function openRouterCosts(options: OpenRouterCostsOptions = {}): CostExtractor {
  const { livePrices, lookup } = options;
  let base: PriceBook | undefined;
  const pricesNow = (routing: Routing) => {
    base ??= openRouterPriceBook(options.prices);
    return callPrices(base, livePrices?.current, routing);
  };
  /** A call costs what it was quoted by, whatever was refreshed while it ran. */
  const quoted = new WeakMap<Call, CallPrices>();

  return {
    provider: "openrouter",
    surfaces: ["generate", "stream", "embed"],
    readsRawChunks: true,
    ...(lookup ? { lookup: generationLookup(lookup) } : {}),
    quote(call) {
      const { models, choices, routing } = readRouting(call);
      const prices = pricesNow(routing);
      quoted.set(call, prices);
      const books = models.map((modelId) => ({ modelId, book: prices.book(modelId) }));
      // A fallback may serve the call at its own price: the dearest one bounds it.
      const asked = boundable(call);
      const listed = books.map(({ modelId, book }) => book.find("openrouter", modelId, instantOf(call)));
      const quotes = listed.map((price, index) => quoteCall(asked, price, books[index]?.book.hash ?? ""));
      const dearest = quotes.reduce((most, quote) => (quote.boundPicoUsd > most.boundPicoUsd ? quote : most));
      const boundPicoUsd = dearest.boundPicoUsd * BigInt(choices);
      const provider = withMaxPrice(routing, listed, call.surface);
      return { ...dearest, boundPicoUsd, providerOptions: { openrouter: { provider } } };
    },
    refusal: openRouterRefusal,
    budgetError: openRouterBudgetError,
    receipt(outcome) {
      const result = outcome.result?.usage === undefined ? resultOfError(outcome) : outcome.result;
      const prices = quoted.get(outcome.call) ?? pricesNow({});
      return (result && receiptOfResult(result, outcome, prices)) ?? boundReceipt(outcome);
    },
  };
}

function instantOf({ at = new Date() }: Call): Date {
  return at;
}

function receiptOfResult(result: CallResult, { call }: Outcome, prices: CallPrices): Receipt | undefined {
  const raw = rawUsageOf(result);
  const modelId = result.modelId ?? call.modelId;
  // The provider turns a missing usage into 0 tokens, so only the raw one tells that there was any.
  const usage = raw && (readSdkUsage(result.usage) ?? readOpenRouterUsage(raw));
  const evidence = { modelId, ...(usage ? { usage } : {}) };
  const reported = raw ? reportedCost(raw) : metadataCost(result);
  const isPartial = call.surface === "embed" && raw?.is_byok === undefined;
  if (reported !== undefined && !isPartial) return { costPicoUsd: reported, kind: "reported", ...evidence };
  // No request has no input: zeros are told where nothing was counted.
  const price = usage?.inputTokens ? prices.book(modelId).find("openrouter", modelId, instantOf(call)) : undefined;
  const computed = price && usage && priceUsage(price, usage);
  // The provider drops from an embedding's usage whose key paid and what that was charged: `cost` may be the fee alone.
  if (reported !== undefined && reported >= (computed ?? 0n)) {
    return { costPicoUsd: reported, kind: "reported", ...evidence };
  }
  if (computed === undefined) return undefined;
  // The fee on an own key, whose provider charges the tokens; of an embedding it may be a price below the listed one instead.
  const fee = reported ?? readAmount(raw?.cost) ?? 0n;
  // The listed price of a model that several sell is the dearest of them: tokens x price may be more than was billed.
  const isUpperBound = (isPartial && fee > 0n) || (price?.source !== "stated" && prices.varies(modelId));
  return { costPicoUsd: computed + fee, kind: isUpperBound ? "bound" : "computed", ...evidence };
}

function metadataCost({ providerMetadata }: CallResult): bigint | undefined {
  const usage = asRecord(asRecord(providerMetadata?.openrouter)?.usage);
  const upstream = asRecord(usage?.costDetails)?.upstreamInferenceCost;
  return reportedCost(usage && { cost: usage.cost, cost_details: { upstream_inference_cost: upstream } });
}

function rawUsageOf({ usage, body }: CallResult): Record<string, unknown> | undefined {
  return asRecord(asRecord(usage)?.raw) ?? asRecord(asRecord(body)?.usage);
}

function resultOfError({ error, result }: Outcome): CallResult | undefined {
  const body = asRecord(responseOfError(error));
  if (!body?.usage) return result;
  return { body, ...(typeof body.model === "string" ? { modelId: body.model } : {}) };
}

/**
 * The call as its bound sees it: settings of the model object are sent too, so they count as input; an embedding has no
 * output.
 */
function boundable(call: Call): Call {
  const { settings } = call;
  const whole = settings ? { ...call, request: { ...call.request, settings } } : call;
  if (call.surface === "generate" || call.surface === "stream") return whole;
  if (call.surface === "embed") return { ...whole, maxOutputTokens: 0 };
  throw new UnboundedRequestError({
    reason: `a call of the kind "${call.surface}" has no listed bound at OpenRouter`,
    fix: "Call it without a budget, or give a CostExtractor whose quote() knows the bound.",
  });
}

/** Models that add search results and fees to what is in the request. */
const searches = /search-preview|search-api|deep-research|\bsonar\b|:online$/;

/** Further fields of the request body that change neither who serves it, nor how much it may say, nor what it is asked. */
const harmless = new Set(
  `models n provider route user session_id metadata trace usage transforms reasoning reasoning_effort include_reasoning
   verbosity seed stop temperature top_p top_k top_a min_p frequency_penalty presence_penalty repetition_penalty logprobs
   top_logprobs logit_bias structured_outputs parallel_tool_calls tool_choice response_format cache_control debug`.split(
    /\s+/,
  ),
);

/**
 * What may serve the call: the model asked for, its fallbacks, and how many answers are asked of it.
 *
 * The provider writes `extraBody` and `providerOptions.openrouter` over the request body, so a field there that we do not
 * know could lift the output cap or change the model.
 *
 * @throws UnboundedRequestError for such a field.
 */
function readRouting(call: Call): { models: string[]; choices: number; routing: Routing } {
  const { settings } = call;
  if (!settings) {
    throw new UnboundedRequestError({
      reason: "its model hides the settings it was made with, because it was wrapped before",
      fix: "Give wrapLanguageModel the model that createOpenRouter made, with budgetMiddleware last in one list.",
    });
  }
  const over = { ...asRecord(settings.extraBody), ...asRecord(asRecord(call.request.providerOptions)?.openrouter) };
  const own = { plugins: settings.plugins, web_search_options: settings.web_search_options };
  const unknown = Object.entries({ ...own, ...over }).find(([key, value]) => !harmless.has(key) && isSet(value));
  if (unknown) {
    throw new UnboundedRequestError({
      reason: `the setting "${unknown[0]}" can change what the call costs in a way that is not bounded`,
      fix: `Leave out "${unknown[0]}", or call without a budget.`,
    });
  }
  const extras: Record<string, unknown> = { ...settings, ...over };
  const fallbacks = Array.isArray(extras.models) ? extras.models.map(String) : [];
  const searching = [call.modelId, ...fallbacks].find((modelId) => searches.test(modelId));
  if (searching !== undefined) {
    throw new UnboundedRequestError({
      reason: `"${searching}" searches the web by itself, as often as it likes`,
      fix: "Use a model that does not, or call without a budget.",
    });
  }
  const choices = typeof extras.n === "number" && Number.isSafeInteger(extras.n) && extras.n > 1 ? extras.n : 1;
  const routing = asRecord(extras.provider) as Routing | undefined;
  return { models: [call.modelId, ...fallbacks], choices, routing: routing ?? {} };
}

/** OpenRouter's `provider` object of a request. */
type Routing = Record<string, JSONValue>;

/**
 * Has OpenRouter itself refuse whoever asks more than the prices that the bound was computed with: listed prices grow
 * old, the bill must not outgrow the hold. A lower highest price of the caller's stays.
 */
function withMaxPrice(routing: Routing, listed: readonly ModelPrice[], surface: Surface): Routing {
  const own = asRecord(routing.max_price) as Routing | undefined;
  const highest = (key: "input" | "output", given: JSONValue | undefined) => {
    const most = listed.map(({ rates }) => rates[key]).reduce((dearest, rate) => (rate > dearest ? rate : dearest));
    const lower = readAmount(given);
    return Number(picoToDecimal(lower !== undefined && lower < most ? lower : most));
  };
  const prompt = highest("input", own?.prompt);
  // An embedding has no completion, whatever its price is.
  const prices = surface === "embed" ? { prompt } : { prompt, completion: highest("output", own?.completion) };
  return { ...routing, max_price: { ...own, ...prices } };
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
}
