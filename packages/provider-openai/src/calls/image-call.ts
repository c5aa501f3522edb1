import type { Call, CallResult, Quote } from "@autolabel/budget-core";
import { inputTokenBound, type ModelPrice, readOpenAiUsage } from "@autolabel/budget-core/prices";
import { limitTokens, quoteMedia, type Told } from "./media-usage.ts";
import { asRecord } from "./openai-usage.ts";
import { namesOf, refuseUnknownMembers, unbounded } from "./unbounded.ts";

/** Members of an image request that are bounded below, or cost nothing. `svg` and `frame_count` ask for more work. */
const boundedMembers = namesOf(
  `model prompt background complexity image input_fidelity markup mask moderation n output_compression output_format
  partial_images quality response_format safety_identifier size stream style user`,
);
const boundedOptions = namesOf(
  `background complexity inputFidelity markup moderation outputCompression outputFormat quality safetyIdentifier style
  user`,
);

/**
 * Output tokens of one image by quality and size, for the only model whose counts are fixed and published. OpenAI shut it
 * down on 2026-10-23; newer ones think before they draw, and nothing published caps that.
 * Source: OpenAI, image generation guide, "Cost and latency"; checked 2026-11-23.
 */
const tokensOfImage: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, number>>>>>> = {
  "gpt-image-1": {
    low: { "1024x1024": 272, "1024x1536": 408, "1536x1024": 400 },
    medium: { "1024x1024": 1056, "1024x1536": 1584, "1536x1024": 1568 },
    high: { "1024x1024": 4160, "1024x1536": 6240, "1536x1024": 6208 },
  },
};
/** The same guide: each partial image of a stream. */
const tokensOfPartialImage = 100;
const mostPartialImages = 3;
/** Tiles of a picture that is scaled into 2048 x 512, and half more than documented, since users have measured more. */
const tokensOfInput = { low: Math.ceil((65 + 129 * 4) * 1.5), high: Math.ceil((65 + 129 * 4 + 6240) * 1.5) };

/** An image call, as far as money is concerned. */
interface Asked {
  prompt: unknown;
  n: number;
  size: unknown;
  quality: unknown;
  format: unknown;
  partialImages: number;
  isStream: boolean;
  inputImages: number;
  isHighFidelity: boolean;
}

/**
 * The upper bound of an image call: its text as bytes, every input picture, and every output picture at its most tokens.
 *
 * @throws UnboundedRequestError where no such most is published or stated.
 */
export function quoteImage({ request }: Call, price: ModelPrice, priceBook: string): Quote {
  const asked = "providerOptions" in request ? readSdkCall(request) : readBody(request);
  if (!Number.isSafeInteger(asked.n) || asked.n < 1) throw unbounded(`its "n" is no whole number`, "Ask for 1 to 10.");
  if (asked.isStream && asked.n > 1) {
    throw unbounded("each picture of a stream tells a usage of its own", "Stream one picture per call (n: 1).");
  }
  if (asked.format === "svg" || asked.format === "gif") {
    throw unbounded(`"${asked.format}" output takes further generations`, "Ask for png, jpeg or webp.");
  }
  const outputTokens = (imageTokens(asked, price) + asked.partialImages * tokensOfPartialImage) * asked.n;
  const inputTokens = inputBound(asked, price);
  return quoteMedia(price, priceBook, { inputTokens, outputTokens });
}

/** What an image result tells. An output that is not split counts as pictures, an input that is not as its dearer kind. */
export function readImageUsage({ body, usage, providerMetadata }: CallResult, price: ModelPrice): Told | undefined {
  const raw = asRecord(asRecord(body)?.usage) ?? sdkUsage(usage, providerMetadata);
  const read = raw && readOpenAiUsage({ usage: raw });
  if (!read) return undefined;
  const splitsInput = asRecord(raw.input_tokens_details)?.image_tokens !== undefined;
  const splitsOutput = read.imageOutputTokens !== undefined;
  const { imageOutputTokens: _pictures, ...whole } = read;
  // A model whose only output is pictures has one price for output.
  const hasOneRate = price.rates.imageOutput === undefined;
  const output = hasOneRate ? whole : { ...whole, imageOutputTokens: read.imageOutputTokens ?? read.outputTokens };
  const dearerImages = (price.rates.imageInput ?? 0n) > price.rates.input;
  const isUnsplit = !splitsInput && dearerImages;
  return {
    usage: isUnsplit ? { ...output, imageInputTokens: read.inputTokens } : output,
    isExact: !isUnsplit && (hasOneRate || splitsOutput),
  };
}

function readBody(body: Readonly<Record<string, unknown>>): Asked {
  refuseUnknownMembers(body, boundedMembers);
  const isStream = body.stream === true || body.stream === "true";
  return {
    prompt: body.prompt,
    n: Number(body.n ?? 1),
    size: body.size,
    quality: body.quality,
    format: body.output_format,
    partialImages: isStream ? partialImagesOf(body.partial_images) : 0,
    isStream,
    inputImages: [body.image, body.mask, body.markup].flat().filter(isGiven).length,
    isHighFidelity: body.input_fidelity === "high",
  };
}

function readSdkCall(request: Readonly<Record<string, unknown>>): Asked {
  const options = asRecord(asRecord(request.providerOptions)?.openai) ?? {};
  refuseUnknownMembers(options, boundedOptions);
  return {
    prompt: request.prompt,
    n: Number(request.n ?? 1),
    size: request.size,
    quality: options.quality,
    format: options.outputFormat,
    partialImages: 0,
    isStream: false,
    inputImages: [request.files, request.mask, options.markup].flat().filter(isGiven).length,
    isHighFidelity: options.inputFidelity === "high",
  };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function partialImagesOf(value: unknown): number {
  const count = Number(value ?? mostPartialImages);
  if (Number.isSafeInteger(count) && count >= 0) return count;
  throw unbounded(`its "partial_images" is no whole number`, "Ask for 0 to 3.");
}

/** The most tokens of one picture: the longest answer that its price states, else what is published. */
function imageTokens({ size, quality }: Asked, price: ModelPrice): number {
  const stated = price.source === "stated" ? price.maxOutputTokens : undefined;
  if (stated !== undefined) return stated;
  const table = tokensOfImage[price.modelId];
  if (!table) {
    throw unbounded(
      `OpenAI publishes no longest output of "${price.modelId}" per picture`,
      `State it with its price: prices: { "${price.modelId}": { input, output, maxOutputTokens } }.`,
    );
  }
  const qualities = isChosen(quality) ? [table[String(quality)]] : Object.values(table);
  const counts = qualities.flatMap((sizes) => (isChosen(size) ? [sizes?.[String(size)]] : Object.values(sizes ?? {})));
  const most = Math.max(...counts.map((count) => count ?? Number.NaN));
  if (most > 0) return most;
  throw unbounded(
    `no token count is published for quality "${String(quality)}" and size "${String(size)}"`,
    "Ask for one of 1024x1024, 1024x1536, 1536x1024 in low, medium or high.",
  );
}

function isChosen(value: unknown): boolean {
  return isGiven(value) && value !== "auto";
}

function inputBound({ prompt, inputImages, isHighFidelity }: Asked, price: ModelPrice): number {
  const text = inputTokenBound({ prompt });
  if (inputImages === 0) return text;
  const stated = price.source === "stated" ? price.maxInputTokens : undefined;
  if (stated !== undefined) return Math.max(text, limitTokens(stated));
  if (price.modelId in tokensOfImage) return text + inputImages * tokensOfInput[isHighFidelity ? "high" : "low"];
  throw unbounded(
    `OpenAI publishes no count of "${price.modelId}" for pictures as input`,
    `State its longest input with its price: prices: { "${price.modelId}": { input, output, maxInputTokens } }.`,
  );
}

/** The AI SDK hands the totals on, and the parts of the input spread over the pictures. */
function sdkUsage(usage: unknown, metadata: CallResult["providerMetadata"]): Record<string, unknown> | undefined {
  const { inputTokens, outputTokens } = asRecord(usage) ?? {};
  if (typeof inputTokens !== "number" || typeof outputTokens !== "number") return undefined;
  const images: unknown = asRecord(metadata?.openai)?.images;
  const counts = Array.isArray(images) ? images.map((image) => asRecord(image)?.imageTokens) : [];
  const isSplit = counts.length > 0 && counts.every((count) => typeof count === "number");
  const image_tokens = isSplit ? counts.reduce((sum: number, count) => sum + Number(count), 0) : undefined;
  return { input_tokens: inputTokens, output_tokens: outputTokens, input_tokens_details: { image_tokens } };
}
