/** A parsed JSON object whose members are still unknown. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** True for a JSON object, false for arrays, null and scalars. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value as an object, or an empty one: for walking optional members. */
export function asObject(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** The value as an array, or an empty one. */
export function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value as a text, or undefined. */
export function asText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** Node >= 21 has it, the ES2023 library types do not. */
const withRawJson = JSON as typeof JSON & { rawJSON(text: string): unknown };

/** A JSON number written with exactly this decimal text, so that no float formatting (`1e-7`) touches an amount. */
export function exactNumber(decimal: string): unknown {
  return withRawJson.rawJSON(decimal);
}
