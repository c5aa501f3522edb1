import type { CostExtractor, Outcome, Receipt } from "@autolabel/budget-core";
import { readOpenRouterUsage } from "@autolabel/budget-core/prices";
import { responseOfError, statusCodeOf } from "../openrouter-errors.ts";
import { asRecord, asText } from "./exact-json.ts";
import { getFromOpenRouter, type OpenRouterApiOptions } from "./openrouter-api.ts";
import { reportedCost } from "./reported-cost.ts";

/** How true costs are looked up. */
export interface CostLookup extends OpenRouterApiOptions {
  /**
   * Time in ms before each try: OpenRouter writes the record of a call some time after it ended, and until then answers
   * HTTP 404. Default: eight tries within about a minute.
   */
  delaysMs?: readonly number[] | undefined;
}

const defaultDelaysMs = [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000];

/**
 * What a call did cost by OpenRouter's own record (`GET /generation`): evidence for `tracker.resolve()`. Undefined while
 * there is no record, or none that tells a cost.
 *
 * @throws OpenRouterApiError for another status than 404, and what `fetch` throws.
 */
export async function openRouterGeneration(
  generationId: string,
  options: OpenRouterApiOptions = {},
): Promise<Receipt | undefined> {
  try {
    const answer = await getFromOpenRouter(`/generation?id=${encodeURIComponent(generationId)}`, options);
    return answer.isUnchanged ? undefined : readGeneration(answer.body);
  } catch (error) {
    if (statusCodeOf(error) === 404) return undefined;
    throw error;
  }
}

/** The id under which OpenRouter keeps a call that ended, or was cut: known from the first header on. */
export function openRouterGenerationId({ result, error }: Outcome): string | undefined {
  const failed = asRecord(error);
  const ids = [
    result?.headers?.["x-generation-id"],
    result?.id,
    asRecord(failed?.responseHeaders)?.["x-generation-id"],
    asRecord(responseOfError(error))?.id,
  ];
  return ids.map(asText).find((id) => id?.startsWith("gen-"));
}

/** Looks a call up by its id until there is a record of it, or no try is left. */
export function generationLookup(options: CostLookup): NonNullable<CostExtractor["lookup"]> {
  return (outcome) => {
    const id = openRouterGenerationId(outcome);
    if (id === undefined) return undefined;
    const served = outcome.result?.modelId;
    return tryUntilKnown(id, options).then((found) => found && (served ? { ...found, modelId: served } : found));
  };
}

async function tryUntilKnown(id: string, options: CostLookup): Promise<Receipt | undefined> {
  for (const delayMs of options.delaysMs ?? defaultDelaysMs) {
    await pause(delayMs);
    try {
      const receipt = await openRouterGeneration(id, options);
      if (receipt) return receipt;
    } catch (error) {
      // Another try with the same key would not be let in either.
      if (statusCodeOf(error) === 401 || statusCodeOf(error) === 403) return undefined;
    }
  }
  return undefined;
}

/** A pause that does not keep the process alive. */
function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer: { unref?: () => unknown } = setTimeout(resolve, delayMs);
    timer.unref?.();
  });
}

/** The record as a receipt; undefined when it tells no cost. Source: OpenRouter's API reference, "Get a generation". */
function readGeneration(body: unknown): Receipt | undefined {
  const record = asRecord(asRecord(body)?.data);
  if (!record) return undefined;
  const { total_cost: cost, is_byok, upstream_inference_cost } = record;
  const costPicoUsd = reportedCost({ cost, is_byok, cost_details: { upstream_inference_cost } });
  if (costPicoUsd === undefined) return undefined;
  const modelId = asText(record.model);
  const usage = readOpenRouterUsage({
    prompt_tokens: countOf(record.native_tokens_prompt),
    completion_tokens: countOf(record.native_tokens_completion),
    prompt_tokens_details: { cached_tokens: countOf(record.native_tokens_cached) },
    completion_tokens_details: { reasoning_tokens: countOf(record.native_tokens_reasoning) },
  });
  return { costPicoUsd, kind: "reported", ...(usage ? { usage } : {}), ...(modelId ? { modelId } : {}) };
}

function countOf(value: unknown): number | undefined {
  return typeof value === "string" ? Number(value) : undefined;
}
