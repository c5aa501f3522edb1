import type { CostExtractor } from "../costs.ts";

/** Statuses that come only before generation, so that nothing was charged. 408 and 499 are no such evidence. */
const refusedBeforeGeneration = new Set([400, 401, 402, 403, 404, 405, 409, 410, 413, 415, 422, 429]);
/** Network errors that come before the request was received. */
const neverConnected = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"]);

/** Errors of the AI SDK that come before it sends anything: a missing key, a setting or prompt that cannot be sent. */
const neverSent =
  /^AI_(LoadAPIKey|LoadSetting|UnsupportedFunctionality|InvalidPrompt|InvalidArgument|NoSuchModel|MissingToolResults)Error$/;

/** Why an error proves that the provider charged nothing; undefined when it does not. */
export function refusalEvidence(costs: CostExtractor, error: unknown): string | undefined {
  const chain = chainOf(error);
  // A body that counts tokens was billed for them, whatever its status.
  if (chain.some(countsTokens)) return undefined;
  const told = costs.refusal?.(error);
  if (told !== undefined) return told || undefined;
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
  return typeof responseBody === "string" && /"usage"\s*:\s*\{/.test(responseBody);
}
