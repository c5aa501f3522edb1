import { ceilDiv } from "../money.ts";
import { isValidUsage, splitUsage, type Usage } from "../usage.ts";
import { type CompiledRow, holdsWithin } from "./compile-row.ts";
import type { ModelPrice } from "./model-price.ts";

const tokensPerRate = 1_000_000n;

/** All that a price is known for. A count under any other name is one that nobody bills for, so it stays unknown. */
const priced: Readonly<Record<keyof Usage, true>> = {
  inputTokens: true,
  outputTokens: true,
  cacheReadTokens: true,
  cacheWriteTokens: true,
  cacheWrite1hTokens: true,
  reasoningTokens: true,
  audioInputTokens: true,
  audioOutputTokens: true,
  audioCacheReadTokens: true,
  imageInputTokens: true,
  imageOutputTokens: true,
  imageCacheReadTokens: true,
  webSearchCount: true,
  fileSearchCount: true,
  audioSeconds: true,
  characterCount: true,
  serviceTier: true,
};

/**
 * Exact cost of a usage in pico-USD, rounded up once. Each token is billed once, at the rate of its class, of the tier
 * that served it, and of the length of the whole request.
 *
 * Returns undefined when the cost is unknown: the parts exceed their total, a count has no price or a price its count, or
 * none is a count.
 */
export function priceUsage(price: ModelPrice, usage: Usage): bigint | undefined {
  for (const key in usage) if (!Object.hasOwn(priced, key)) return undefined;
  const row = rowOf(price, usage);
  const split = isValidUsage(usage) ? splitUsage(usage) : undefined;
  if (!row || !split) return undefined;
  const { rates, fees } = row;
  let total = 0n;
  let isKnown = true;
  const bill = (count: number | undefined, rate: bigint | undefined) => {
    if (!count) return 0n;
    if (rate !== undefined) return BigInt(count) * rate;
    isKnown = false;
    return 0n;
  };
  total += bill(split.freshText, rates.input) + bill(split.cachedText, rates.cacheRead);
  total += bill(usage.cacheWriteTokens, rates.cacheWrite) + bill(usage.cacheWrite1hTokens, rates.cacheWrite1h);
  total += bill(split.freshAudio, rates.audioInput) + bill(usage.audioCacheReadTokens, rates.audioCacheRead);
  total += bill(split.freshImage, rates.imageInput) + bill(usage.imageCacheReadTokens, rates.imageCacheRead);
  total += bill(split.answerText, rates.output) + bill(usage.reasoningTokens, rates.reasoning);
  total += bill(usage.audioOutputTokens, rates.audioOutput) + bill(usage.imageOutputTokens, rates.imageOutput);
  const searches = bill(usage.webSearchCount, fees.webSearch) + bill(usage.fileSearchCount, fees.fileSearch);
  const pieces = searches + bill(usage.audioSeconds, fees.audioSecond) + bill(usage.characterCount, fees.character);
  // Of a model that is sold by the second or the character, the tokens alone tell nothing.
  if (fees.audioSecond !== undefined && usage.audioSeconds === undefined) return undefined;
  if (fees.character !== undefined && usage.characterCount === undefined) return undefined;
  return isKnown ? ceilDiv(total, tokensPerRate) + fees.request + pieces : undefined;
}

/**
 * The row that bills a usage: the last that matches. Batch and flex without a row of their own cost at most the standard
 * price; priority costs more, so without a row it stays unknown.
 */
function rowOf({ rows, atMs }: ModelPrice, { inputTokens, serviceTier = "standard" }: Usage): CompiledRow | undefined {
  const last = (tier: string) =>
    rows.findLast(
      (row) => row.serviceTier === tier && !row.boundOnly && inputTokens > row.above && holdsWithin(row, atMs, atMs),
    );
  return last(serviceTier) ?? (serviceTier === "batch" || serviceTier === "flex" ? last("standard") : undefined);
}
