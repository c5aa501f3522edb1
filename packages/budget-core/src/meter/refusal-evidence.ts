import type { CostExtractor } from "../costs.ts";

/** Statuses that come only before generation, so that nothing was charged. 408 and 499 are no such evidence. */
const refusedBeforeGeneration = new Set([400, 401, 402, 403, 404, 405, 409, 410, 413, 415, 422, 429]);
/** Network errors that come before the request was received. */
const neverConnected = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"]);

/** Errors of the AI SDK that come before it sends anything: a missing key, a setting or prompt that cannot be sent. */
const neverSent =
  /^AI_(LoadAPIKey|LoadSetting|UnsupportedFunctionality|InvalidPrompt|InvalidArgument|NoSuchModel|MissingToolResults)Error$/;

/**
 * Why an error proves that the provider charged nothing; undefined when it does not.
 *
 * @param hasAnswer whether it came inside an answer that had begun. Its status is then one that the SDK or the provider
 * made up beside an HTTP 200, and tells nothing of what was generated unseen until then (reasoning, moderated text).
 */
export function refusalEvidence(costs: CostExtractor, error: unknown, hasAnswer = false): string | undefined {
  const chain = chainOf(error);
  // A body that counts tokens was billed for them, whatever its status.
  if (chain.some(countsTokens)) return undefined;
  const isInAnswer = hasAnswer || chain.some(isOfOpenStream);
  const told = costs.refusal?.(error, isInAnswer);
  if (told !== undefined) return told || undefined;
  if (isInAnswer) return undefined;
  for (const { statusCode, code, name } of chain) {
    if (typeof name === "string" && neverSent.test(name)) return `never sent: ${name}`;
    if (typeof statusCode === "number") {
      return refusedBeforeGeneration.has(statusCode) ? `HTTP ${statusCode}` : undefined;
    }
    if (typeof code === "string" && neverConnected.has(code)) return code;
  }
  return undefined;
}

/** An error and its causes. */
function chainOf(error: unknown): Record<string, unknown>[] {
  const chain: Record<string, unknown>[] = [];
  for (let next = error; typeof next === "object" && next !== null && chain.length < 8; ) {
    const fields = next as Record<string, unknown>;
    chain.push(fields);
    next = fields.cause;
  }
  return chain;
}

function countsTokens({ responseBody }: Record<string, unknown>): boolean {
  // The AI SDK hands the body of a failed response on as it was parsed.
  const { usage } = (responseBody ?? {}) as { usage?: unknown };
  return typeof responseBody === "string" ? /"usage"\s*:\s*\{/.test(responseBody) : typeof (usage ?? 0) === "object";
}

/** The AI SDK throws an error that a stream tells before its first output as if the request had been refused. */
function isOfOpenStream({ responseHeaders }: Record<string, unknown>): boolean {
  const headers = (responseHeaders ?? {}) as Record<string, unknown>;
  return /event-stream/.test(String(headers["content-type"]));
}
