import { asArray, isJsonObject } from "./json.ts";

/**
 * One token is up to four letters or digits of a word, or one other visible character; white space is free.
 * Every token covers at least one byte, so a text never has more tokens than UTF-8 bytes.
 */
const TOKEN = /[\p{L}\p{N}\p{M}]{1,4}|[^\s\p{L}\p{N}\p{M}]/gu;

/** Less than the bytes that a message object costs in JSON. */
const TOKENS_PER_MESSAGE = 3;

/** What one picture or sound clip counts at most. */
const TOKENS_PER_MEDIUM = 85;

/** The number of tokens of a text. */
export function countTokens(text: string): number {
  let count = 0;
  for (const _token of text.matchAll(TOKEN)) count += 1;
  return count;
}

/** The longest prefix of the text that has no more than `limit` tokens. */
export function truncateToTokens(text: string, limit: number): { text: string; tokens: number; truncated: boolean } {
  let tokens = 0;
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    if (tokens >= limit) return { text: text.slice(0, end), tokens, truncated: true };
    tokens += 1;
    end = match.index + match[0].length;
  }
  return { text, tokens, truncated: false };
}

/** Tokens of any JSON value: keys and texts by their characters, every other scalar as one. */
export function countJsonTokens(value: unknown): number {
  if (typeof value === "string") return countTokens(value);
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + countJsonTokens(item), 0);
  if (!isJsonObject(value)) return value === undefined ? 0 : 1;
  return Object.entries(value).reduce((sum, [key, item]) => sum + countTokens(key) + countJsonTokens(item), 0);
}

/** Tokens of a list of chat messages. */
export function countMessageTokens(messages: readonly unknown[]): number {
  return messages.reduce<number>((sum, message) => {
    if (!isJsonObject(message)) return sum;
    const content = typeof message.content === "string" ? countTokens(message.content) : 0;
    const parts = asArray(message.content).reduce<number>((total, part) => total + partTokens(part), 0);
    return sum + TOKENS_PER_MESSAGE + content + parts + countJsonTokens(message.tool_calls);
  }, 0);
}

function partTokens(part: unknown): number {
  if (!isJsonObject(part)) return countJsonTokens(part);
  if (typeof part.text === "string") return countTokens(part.text);
  const isMedium = part.type === "image_url" || part.type === "input_audio";
  const tokens = countJsonTokens(part);
  return isMedium ? Math.min(TOKENS_PER_MEDIUM, tokens) : tokens;
}
