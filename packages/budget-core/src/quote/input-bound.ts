import { UnboundedRequestError } from "../errors/unbounded-request-error.ts";
import { hiddenTextTokens, imageTokenBound } from "./model-family.ts";
import { type RequestShape, shapeOf, withoutPicture } from "./request-shape.ts";
import { utf8Bytes } from "./utf8-bytes.ts";

/** What a tokenizer may be given: past it, byte-pair encoders take seconds (measured: 5 to 12 s for 100 kB of "a"). */
const maxCountedChars = 256_000;
const longRun = /\S{4096}|\s{4096}/;

/** How an input is bounded. */
export interface InputBoundOptions {
  /** Who serves the model; decides on hidden text and on images. */
  provider?: string;
  modelId?: string;
  /** The model's longest input in tokens. */
  maxInputTokens?: number | undefined;
  /**
   * What to do with content that is not in the request, such as a file at the provider: `"refuse"` (default), or count
   * the longest input that the model takes, once.
   */
  hiddenInput?: "refuse" | "model-limit";
  /**
   * Counts the tokens of a text with the model's own tokenizer, to tighten the bound; a tenth is added to its count. Not
   * called for texts that a tokenizer takes seconds for.
   */
  countTokens?: (text: string) => number;
}

/** The bound of an input, and what else was seen on the way. */
export interface InputBound extends RequestShape {
  /** The most tokens that the request can count as. */
  tokens: number;
}

/**
 * The most input tokens that a request can count as: its UTF-8 bytes as JSON, since no byte-level tokenizer makes more
 * than one token of a byte, plus a pad for text that the provider adds. Where Unicode normalisation (NFKC) lengthens the
 * text, the longer form counts. Images count as the most that the model's family documents, and half more.
 *
 * @throws UnboundedRequestError for content whose tokens do not depend on its bytes (files, provider tools).
 */
export function inputTokenBound(request: Readonly<Record<string, unknown>>, options: InputBoundOptions = {}): number {
  return boundInput(request, options).tokens;
}

/** {@link inputTokenBound}, with what it has seen. */
export function boundInput(request: Readonly<Record<string, unknown>>, options: InputBoundOptions): InputBound {
  const { provider = "openai", modelId = "" } = options;
  const { shape, json } = readRequest(request);
  for (const tool of shape.providerTools) {
    throw unbounded(`the provider runs "${tool}" itself and adds its results to the input`);
  }
  const text = textTokenBound(json, options) + hiddenTextTokens(provider, modelId, shape.hasTools);
  const images = shape.images === 0 ? 0 : shape.images * (imageTokenBound(provider, modelId) ?? Number.NaN);
  if (shape.hidden.size === 0 && !Number.isNaN(images)) return { ...shape, tokens: text + images };
  const what = [...shape.hidden, ...(Number.isNaN(images) ? ["image content"] : [])].join(" and ");
  const { maxInputTokens, hiddenInput = "refuse" } = options;
  if (hiddenInput === "refuse" || maxInputTokens === undefined) {
    throw unbounded(`its ${what} cannot be counted before the call`);
  }
  return { ...shape, tokens: Math.max(text, andATenth(maxInputTokens)) };
}

function readRequest(request: Readonly<Record<string, unknown>>): { shape: RequestShape; json: string } {
  try {
    const shape = shapeOf(request);
    // A replacer makes JSON.stringify several times slower, so it runs only where there is something to take out.
    if (shape.imageParts.size === 0) return { shape, json: JSON.stringify(request) };
    const replace = (_key: string, value: unknown) => (shape.imageParts.has(value) ? withoutPicture(value) : value);
    return { shape, json: JSON.stringify(request, replace) };
  } catch (error) {
    throw unbounded(`it cannot be written as JSON (${error instanceof Error ? error.message : String(error)})`);
  }
}

function textTokenBound(text: string, { countTokens }: InputBoundOptions): number {
  const bytes = utf8Bytes(text);
  const isAscii = bytes === text.length;
  const bound = isAscii ? bytes : Math.max(bytes, utf8Bytes(text.normalize("NFKC")));
  if (!countTokens || text.length > maxCountedChars || longRun.test(text)) return bound;
  const counted = andATenth(countTokens(text));
  return Number.isSafeInteger(counted) && counted >= 0 ? Math.min(bound, counted) : bound;
}

/** Listed limits are rounded, and parts of a text can have more tokens than the whole. */
function andATenth(tokens: number): number {
  return tokens + Math.ceil(tokens / 10);
}

function unbounded(reason: string): UnboundedRequestError {
  return new UnboundedRequestError({
    reason,
    fix: "Send text only, or give a CostExtractor whose quote() knows the bound.",
  });
}
