import { parsePicoUsd } from "../money.ts";
import { type Found, metadataPlaces, objectAt } from "./result-places.ts";

/** Where OpenRouter's usage, with its cost, stands in a result; the most exact first. */
const places: readonly (readonly string[])[] = [
  ["usage", "raw"],
  ["response", "body", "usage"],
  ["body", "usage"],
  ["providerMetadata", "openrouter", "usage"],
  ...metadataPlaces,
  ...metadataPlaces.map((place) => [...place, "usage"]),
  ["usage"],
  [],
];

/** The cost that OpenRouter reports in a result, in pico-USD; undefined when it reports none. */
export function reportedCost(result: unknown): bigint | undefined {
  for (const place of places) {
    const told = objectAt(result, place);
    const own = told && ownCost(told);
    if (own !== undefined) return withUpstream(told as Found, own);
  }
  return undefined;
}

/** A total of 0 beside a cost is no total; otherwise the total stands before its part. */
function ownCost(told: Found): bigint | undefined {
  const total = amount(told.total_cost);
  const cost = amount(told.cost);
  return total || cost || (total ?? cost);
}

/**
 * With an own provider key `cost` is only OpenRouter's fee, and the provider's charge comes on top; without one the
 * upstream cost repeats it.
 */
function withUpstream(told: Found, own: bigint): bigint | undefined {
  if (told.is_byok === false) return own;
  const upstream =
    amount(objectAt(told, ["cost_details"])?.upstream_inference_cost) ??
    amount(objectAt(told, ["costDetails"])?.upstreamInferenceCost);
  // What an own key was charged, and the response does not tell, is unknown: the fee alone is not the cost.
  if (told.is_byok === true) return upstream === undefined ? undefined : own + upstream;
  return upstream === undefined || upstream === own ? own : own + upstream;
}

function amount(value: unknown): bigint | undefined {
  if (value === undefined || value === null) return undefined;
  try {
    return parsePicoUsd(value);
  } catch {
    return undefined;
  }
}
