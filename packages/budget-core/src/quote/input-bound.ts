import { UnboundedRequestError } from "../errors/unbounded-request-error.ts";

/** Tokens allowed for text that a provider adds unseen (role markers, priming). Measured need: below 20. */
const hiddenTextTokens = 64;
const encoder = new TextEncoder();

/**
 * The most input tokens that a request can count as: its UTF-8 bytes as JSON, since no byte-level tokenizer makes more
 * than one token of a byte, plus a pad. Where Unicode normalisation (NFKC) lengthens the text, the longer form counts.
 *
 * @throws UnboundedRequestError for content whose tokens do not depend on its bytes (images, files, provider tools).
 */
export function inputTokenBound(request: Readonly<Record<string, unknown>>): number {
  const json = JSON.stringify(request, refuseUnbounded);
  return textTokenBound(json) + hiddenTextTokens;
}

function textTokenBound(text: string): number {
  const bytes = encoder.encode(text).length;
  const isAscii = bytes === text.length;
  return isAscii ? bytes : Math.max(bytes, encoder.encode(text.normalize("NFKC")).length);
}

function refuseUnbounded(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const { type } = value as { type?: unknown };
  if (type === "file" || type === "image" || type === "reasoning-file" || type === "provider") {
    throw new UnboundedRequestError({
      reason: `its ${type === "provider" ? "provider-run tools" : `${type} content`} cannot be counted before the call`,
      fix: "Send text only, or give a CostExtractor whose quote() knows the bound.",
    });
  }
  return value;
}
