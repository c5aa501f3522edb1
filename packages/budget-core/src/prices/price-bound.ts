import { UnboundedRequestError } from "../errors/unbounded-request-error.ts";
import { ceilDiv } from "../money.ts";
import { type CompiledRow, holdsWithin } from "./compile-row.ts";
import type { ModelPrice } from "./model-price.ts";
import type { ServiceTier } from "./price-row.ts";

const tokensPerRate = 1_000_000n;
const hourMs = 3_600_000;

/** What a call can be billed for, as far as it is known before it is sent. What is left out counts as possible. */
export interface BillingReach {
  /** Tiers that may serve the call. Default: standard, and priority where it has a price. */
  serviceTiers?: readonly ServiceTier[];
  /** The longest-lived cache write that the request asks for. Default: every write that has a stated price. */
  cacheWrites?: "none" | "5m" | "1h";
  /** Whether the request holds audio or images. Default true. */
  media?: boolean;
  /** Time from now within which the call is billed, and its price may change. Default one hour. */
  ttlMs?: number;
  /** Answers that are asked for (`n`); each may be as long as the output cap. Default 1. */
  choices?: number;
  /** Most web searches that the provider may run. Default 0. */
  maxWebSearches?: number;
  /** Most file searches that the provider may run. Default 0. */
  maxFileSearches?: number;
  /** Length of the audio that is to be heard, in seconds. Needed for models that are billed by the second. */
  maxAudioSeconds?: number;
  /** Length of the text that is to be spoken. Needed for models that are billed by the character. */
  maxCharacters?: number;
}

/** The dearest that each kind of token can be: pico-USD per 1M tokens, and pico-USD of fees for the whole call. */
interface BoundRates {
  inputRate: bigint;
  outputRate: bigint;
  feesPicoUsd: bigint;
}

/**
 * The most that so many input tokens, and output tokens per answer, can cost, whatever they are billed as.
 *
 * @throws UnboundedRequestError for a model that is billed by the second or the character, when `reach` does not tell how
 * many.
 */
export function priceBound(
  price: ModelPrice,
  inputTokens: number,
  outputTokens: number,
  reach: BillingReach = {},
): bigint {
  const { inputRate, outputRate, feesPicoUsd } = boundRates(price, inputTokens, reach);
  const answers = BigInt(reach.choices ?? 1);
  const total = BigInt(inputTokens) * inputRate + BigInt(outputTokens) * answers * outputRate;
  return ceilDiv(total, tokensPerRate) + feesPicoUsd;
}

/**
 * The dearest rate of each kind over all rows that the call can reach: those valid from now until it is billed, of any
 * tier that may serve it, and of any length up to `inputTokens`. A length that is reached to within a token counts,
 * since sources differ on whether a threshold itself is long.
 */
function boundRates(price: ModelPrice, inputTokens: number, reach: BillingReach): BoundRates {
  const { ttlMs = hourMs, maxWebSearches = 0, maxFileSearches = 0 } = reach;
  const tiers = reachableTiers(price, reach.serviceTiers);
  const most = { input: 0n, output: 0n, request: 0n, webSearch: 0n, fileSearch: 0n, audioSecond: 0n, character: 0n };
  const lift = (key: keyof typeof most, rate: bigint | undefined) => {
    if (rate !== undefined && rate > most[key]) most[key] = rate;
  };
  for (const row of price.rows) {
    if (inputTokens + 1 < row.above || !tiers.includes(row.serviceTier)) continue;
    if (!holdsWithin(row, price.atMs, price.atMs + ttlMs)) continue;
    for (const rate of inputRates(row, price.cachesOnRequest, reach)) lift("input", rate);
    for (const key of ["output", "reasoning", "audioOutput", "imageOutput"] as const) lift("output", row.rates[key]);
    for (const key of ["request", "webSearch", "fileSearch", "audioSecond", "character"] as const) {
      lift(key, row.fees[key]);
    }
  }
  const feesPicoUsd =
    most.request +
    most.webSearch * BigInt(maxWebSearches) +
    most.fileSearch * BigInt(maxFileSearches) +
    piecesPicoUsd(price.modelId, most.audioSecond, { what: "second of audio", count: reach.maxAudioSeconds }) +
    piecesPicoUsd(price.modelId, most.character, { what: "character", count: reach.maxCharacters });
  return { inputRate: most.input, outputRate: most.output, feesPicoUsd };
}

function piecesPicoUsd(modelId: string, fee: bigint, { what, count }: { what: string; count: number | undefined }) {
  if (fee === 0n) return 0n;
  if (count !== undefined) return fee * BigInt(count);
  throw new UnboundedRequestError({
    reason: `"${modelId}" is billed by the ${what}, and this call does not tell how many there are`,
    fix: "Ask it only for what it is sold for, with a length that is known before.",
  });
}

/** Batch and flex without a price of their own are billed at most at the standard one. */
function reachableTiers({ rows }: ModelPrice, asked: readonly ServiceTier[] = ["standard", "priority"]) {
  const discounted = asked.filter((tier) => tier === "batch" || tier === "flex");
  const isPriced = discounted.every((tier) => rows.some((row) => row.serviceTier === tier && row.above < 0));
  return isPriced ? asked : [...asked, "standard" as const];
}

function inputRates({ rates, billsCacheWrites }: CompiledRow, cachesOnRequest: boolean, reach: BillingReach) {
  const { cacheWrites, media = true } = reach;
  const isUnknown = cacheWrites === undefined;
  const writes5m = isUnknown || cacheWrites === "none" ? billsCacheWrites && (isUnknown || !cachesOnRequest) : true;
  const writes1h = isUnknown ? billsCacheWrites : cacheWrites === "1h";
  const mediaRates = [rates.audioInput, rates.audioCacheRead, rates.imageInput, rates.imageCacheRead];
  return [
    rates.input,
    rates.cacheRead,
    ...(writes5m ? [rates.cacheWrite] : []),
    ...(writes1h ? [rates.cacheWrite1h] : []),
    ...(media ? mediaRates : []),
  ];
}
