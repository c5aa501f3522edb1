import { readOpenAiUsage } from "../usage/read-openai-usage.ts";
import { readSdkUsage } from "../usage/read-sdk-usage.ts";
import type { Usage } from "../usage.ts";
import { metadataPlaces, objectAt } from "./result-places.ts";

/** Where a response body, or only its usage, stands in a result; the most exact first. */
const bodies: readonly (readonly string[])[] = [
  ["response", "body"],
  ["body"],
  [],
  ...["usage", "tokenUsage", "token_usage"].flatMap((key) => [
    [key],
    ...metadataPlaces.map((place) => [...place, key]),
  ]),
  ["generations", "0", "0", "message", "usage_metadata"],
  ["usage_metadata"],
];

/** The billable counts that a result tells, whatever library it is of; undefined where it tells none. */
export function usageInResult(result: unknown, provider: string): Usage | undefined {
  const sdk = objectAt(result, ["usage"]);
  if (sdk && ("inputTokens" in sdk || "outputTokens" in sdk)) return sdkUsage(result, provider);
  // An embedding has no output.
  if (typeof sdk?.tokens === "number") return readSdkUsage({ inputTokens: sdk.tokens, outputTokens: 0 });
  for (const place of bodies) {
    const body = objectAt(result, place);
    const usage = body && readOpenAiUsage(body);
    if (usage) return usage;
  }
  return undefined;
}

/** Usage of the AI SDK, with the tier that served: a dearer one than the standard must not be priced as that. */
function sdkUsage(result: unknown, provider: string): Usage | undefined {
  const usage = objectAt(result, ["usage"]);
  const raw = objectAt(usage, ["raw"]);
  const tier = objectAt(result, ["providerMetadata", "openai"])?.serviceTier;
  if (provider === "openai" && raw) return readOpenAiUsage({ usage: raw, service_tier: tier });
  if (provider === "openai" && tier !== undefined && tier !== "default") return undefined;
  const counted = readSdkUsage(usage);
  // OpenRouter's provider turns a usage that was not sent into zeros; only the raw one tells that there was any.
  const isEmpty = counted?.inputTokens === 0 && counted.outputTokens === 0;
  return provider === "openrouter" && isEmpty && !raw ? undefined : counted;
}
