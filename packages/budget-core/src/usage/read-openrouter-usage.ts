import type { Usage } from "../usage.ts";
import { countOf, isJson, jsonOf } from "./raw-counts.ts";
import { readOpenAiUsage } from "./read-openai-usage.ts";

/**
 * Reads the usage of an OpenRouter response: its body, or only its `usage`. Its counts are OpenAI's, cached and written
 * input inside the input; searches are counted apart. What the call did cost is in `usage.cost`, which is not read here.
 *
 * Returns undefined when counts are missing, invalid, or contradict each other.
 */
export function readOpenRouterUsage(raw: unknown): Usage | undefined {
  const body = jsonOf(raw);
  const usage = isJson(body.usage) ? body.usage : body;
  const read = readOpenAiUsage(raw);
  const searches = countOf(jsonOf(usage.server_tool_use ?? usage.server_tool_use_details).web_search_requests);
  if (!read || searches === undefined) return read;
  return Number.isSafeInteger(searches) && searches >= 0 ? { ...read, webSearchCount: searches } : undefined;
}
