/** An object of a result, as far as it has been looked at. */
export type Found = Readonly<Record<string, unknown>>;

/** A message inside a list of generations, as chains of other libraries return it. */
const message = ["generations", "0", "0", "message"];

/** Where libraries put what the provider told beside the answer, the most exact first. */
export const metadataPlaces: readonly (readonly string[])[] = [
  ["metadata"],
  ["responseMetadata"],
  ["response_metadata"],
  [...message, "metadata"],
  [...message, "responseMetadata"],
  [...message, "response_metadata"],
  ["llmOutput"],
  ["llm_output"],
];

/** The object at a place of a result, if there is one. */
export function objectAt(value: unknown, place: readonly string[]): Found | undefined {
  let found = value;
  for (const key of place) found = isObject(found) ? found[key] : undefined;
  return isObject(found) ? found : undefined;
}

function isObject(value: unknown): value is Found {
  return typeof value === "object" && value !== null;
}
