import { parsePicoUsd } from "@autolabel/budget-core";

type Reviver = (key: string, value: unknown, context?: { source?: string }) => unknown;
/** Node >= 21 tells a reviver the text of a number; the ES2023 library types do not know of it. */
const parseJson = JSON.parse as (text: string, reviver: Reviver) => unknown;

/**
 * JSON with every number as the text it was written with, so that no double stands between an amount and the books.
 *
 * @throws SyntaxError for what is no JSON.
 */
export function parseExactJson(text: string): unknown {
  return parseJson(text, (_key, value, context) =>
    typeof value === "number" ? (context?.source ?? String(value)) : value,
  );
}

/** The amount in pico-USD, rounded up; undefined for what is none: absent, negative, not a number. */
export function readAmount(value: unknown): bigint | undefined {
  if (value === undefined || value === null) return undefined;
  try {
    return parsePicoUsd(value);
  } catch {
    return undefined;
  }
}

/** The value as an object with unknown members; undefined for anything else. */
export function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}

/** The text, or undefined. */
export function asText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
