import {
  boundReceipt,
  type Call,
  type CallResult,
  type CostExtractor,
  type Outcome,
  parsePicoUsd,
  type Receipt,
  UnboundedRequestError,
  type Usage,
} from "@autolabel/budget-core";
import { type ModelPrice, priceUsage, quoteCall, readOpenAiUsage, readSdkUsage } from "@autolabel/budget-core/prices";
import { asRecord, corporateBudgetError, corporateRefusal, responseOfError } from "./corporate-errors.ts";
import { type CorporatePrices, corporatePriceBook } from "./corporate-prices.ts";

/** Where a gateway tells what a call cost: in the body's `usage.cost`, or in a response header. */
export type CostFrom = "body" | { header: string };

/** Options of {@link corporateCosts}. */
export interface CorporateCostsOptions {
  /** Name of the gateway in errors and in `providerOptions`. Default `"corporate"`. */
  name?: string;
  /** What your contract charges. With it, models that it does not list are refused. Default: calls cost nothing. */
  prices?: CorporatePrices;
  /**
   * Where the gateway tells what a call cost, in USD. It stands before tokens x price, except on streams with a header,
   * which is sent before the cost is known. Needs `prices`, which bound the call. Default: nowhere.
   */
  costFrom?: CostFrom;
}

/** Members of a body that stand above what is quoted, if they are passed through provider options. */
const unboundedOptions =
  `max_tokens max_completion_tokens max_output_tokens max_new_tokens n best_of model models fallbacks messages prompt input
  tools plugins web_search_options modalities audio prediction service_tier extra_body user_config model_list
  context_window_fallbacks context_window_fallback_dict content_policy_fallbacks`.split(/\s+/);

/**
 * What calls through a company's gateway cost: nothing, unless a contract's prices are stated; then what the gateway
 * reports, else tokens x price, else the bound. Calls and tokens are counted in any case.
 *
 * @throws TypeError for `costFrom` without `prices`: a gateway that charges needs prices, or no call has a bound.
 */
export function corporateCosts(options: CorporateCostsOptions = {}): CostExtractor {
  const { name = "corporate", prices, costFrom } = options;
  if (costFrom && !prices) {
    throw new TypeError("costFrom needs prices: without them a call that costs money has no upper bound");
  }
  return prices ? contractCosts({ name, prices, costFrom }) : freeCosts(name);
}

function freeCosts(provider: string): CostExtractor {
  return {
    provider,
    quote: () => ({ boundPicoUsd: 0n }),
    budgetError: (error) => corporateBudgetError(error, provider),
    receipt(outcome) {
      const { result, modelId } = readOutcome(outcome);
      const usage = result && usageOf(result);
      return { costPicoUsd: 0n, kind: "computed", modelId, ...(usage ? { usage } : {}) };
    },
  };
}

function contractCosts(contract: {
  name: string;
  prices: CorporatePrices;
  costFrom: CostFrom | undefined;
}): CostExtractor {
  const { name, prices, costFrom } = contract;
  const book = corporatePriceBook(name, prices);
  const find = (modelId: string, { at = new Date() }: Call) => book.find(name, modelId, at);
  return {
    provider: name,
    surfaces: ["generate", "stream", "embed"],
    // Some gateways tell a running usage, which is not the bill of a stream that ends early.
    readsRawChunks: true,
    quote(call) {
      refuseUnbounded(call, name);
      const asked = call.surface === "embed" ? { ...call, maxOutputTokens: 0 } : call;
      return quoteCall(asked, find(call.modelId, call), book.hash);
    },
    refusal: corporateRefusal,
    budgetError: (error) => corporateBudgetError(error, name),
    receipt(outcome) {
      const { call } = outcome;
      const { result, modelId } = readOutcome(outcome);
      if (!result) return boundReceipt(outcome);
      const reported = reportedCost(outcome, result, costFrom);
      const usage = usageOf(result);
      const evidence = { modelId, ...(usage ? { usage } : {}) };
      if (reported !== undefined) return { costPicoUsd: reported, kind: "reported", ...evidence };
      const served = Object.hasOwn(prices, modelId) ? modelId : call.modelId;
      return computedReceipt(find(served, call), evidence) ?? boundReceipt(outcome);
    },
  };
}

function computedReceipt(price: ModelPrice, evidence: { modelId: string; usage?: Usage }): Receipt | undefined {
  const { usage } = evidence;
  // No request has no input: gateways tell zeros where they count nothing.
  const costPicoUsd = usage?.inputTokens ? priceUsage(price, usage) : undefined;
  return costPicoUsd === undefined ? undefined : { costPicoUsd, kind: "computed", ...evidence };
}

/**
 * What the gateway says that the call cost. Zero is not taken for an answer: gateways report it also for models that
 * they have no price of.
 */
function reportedCost({ call, error }: Outcome, result: CallResult, costFrom: CostFrom | undefined) {
  if (!costFrom) return undefined;
  if (costFrom === "body") return readAmount(rawUsageOf(result)?.cost);
  // The headers of a stream are sent before its cost is known.
  const own = call.surface === "stream" ? undefined : result.headers;
  const headers: Readonly<Record<string, unknown>> = own ?? responseOfError(error).headers;
  return readAmount(headers[costFrom.header.toLowerCase()]);
}

function refuseUnbounded({ request, surface }: Call, name: string): void {
  if (surface !== "generate" && surface !== "stream" && surface !== "embed") {
    throw unbounded(`a call of the kind "${surface}" has no price`, "Call it without a budget.");
  }
  const options = asRecord(request.providerOptions) ?? {};
  // The AI SDK looks for the options of a name up to its first dot.
  const key = (name.split(".")[0] ?? "").trim();
  for (const passed of [
    options[key],
    options[camelCase(key)],
    options.openaiCompatible,
    options["openai-compatible"],
  ]) {
    const member = unboundedOptions.find((key) => asRecord(passed)?.[key] !== undefined);
    if (member)
      throw unbounded(`"${member}" in providerOptions changes what its bound rests on`, `Leave out "${member}".`);
  }
}

function unbounded(reason: string, fix: string): UnboundedRequestError {
  return new UnboundedRequestError({ reason, fix });
}

function camelCase(name: string): string {
  return name.replace(/[-_]([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

/** The result and the model that served; of a call that failed after generation, what its error tells. */
function readOutcome({ call, result, error }: Outcome): { result: CallResult | undefined; modelId: string } {
  const { body } = responseOfError(error);
  const told = result ?? (body?.usage ? { body } : undefined);
  const served = result?.modelId ?? (typeof body?.model === "string" ? body.model : undefined);
  return { result: told, modelId: served ?? call.modelId };
}

function usageOf(result: CallResult): Usage | undefined {
  const raw = rawUsageOf(result);
  return raw ? readOpenAiUsage(raw) : readSdkUsage(result.usage);
}

function rawUsageOf({ usage, body }: CallResult): Record<string, unknown> | undefined {
  return asRecord(asRecord(usage)?.raw) ?? asRecord(asRecord(body)?.usage);
}

function readAmount(value: unknown): bigint | undefined {
  if (value === undefined || value === null) return undefined;
  try {
    const amount = parsePicoUsd(value);
    return amount > 0n ? amount : undefined;
  } catch {
    return undefined;
  }
}
