/** JSON with what the language has since Node 21: a number is written by the digits that it is given. */
const json = JSON as typeof JSON & { rawJSON(digits: string): unknown };

/** No integer of fewer digits needs more than a number can hold. */
const unsafeDigits = /\d{16}/;

/**
 * JSON with every integer kept: those beyond 2^53 become a `bigint`, others a number as always.
 *
 * @throws SyntaxError for text that is no JSON.
 */
export function parseExact(text: string): unknown {
  if (!unsafeDigits.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
    const source = context?.source ?? "";
    const isLong = typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(source);
    return isLong ? BigInt(source) : value;
  });
}

/** The JSON of a value; a `bigint` becomes a number of all its digits. */
export function stringifyExact(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    // Few values hold a bigint, and a replacer would slow down all the others.
    return JSON.stringify(value, (_key, each: unknown) =>
      typeof each === "bigint" ? json.rawJSON(String(each)) : each,
    );
  }
}
