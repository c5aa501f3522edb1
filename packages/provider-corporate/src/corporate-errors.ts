import { UpstreamBudgetError } from "@autolabel/budget-core";

/** Statuses with which gateways refuse for money. 429 and 400 are used for much else, so their words must say it. */
const refusals = new Set([400, 401, 402, 403, 412, 422, 429]);
/** Codes and types of such refusals: LiteLLM `budget_exceeded`, OpenAI `insufficient_quota`, and their like. */
const moneyCode = /budget_exceeded|insufficient_quota|quota_exceeded|insufficient_credits|billing/i;
/** Words of such refusals: LiteLLM, Portkey (412) and Kong (429) have no code of their own for them. */
const moneyWords = /budget|quota|usage limit|spend(ing)? limit|credit|cost limit/i;
/** The same with statuses of bad requests, which also speak of token budgets and the like: somebody's money is used up. */
const usedUp = /(budget|quota|credits?)\b.{0,40}\b(exceeded|exhausted|reached|used up)|exceeded ?budget|over budget/i;
/** Statuses with which filters refuse. */
const filters = new Set([400, 403, 422]);
/** Words of filters and guardrails: LiteLLM, Portkey, Kong, and Azure behind any of them. */
const filterWords = /content[ _-]?(filter|management|policy)|responsible ?ai|guardrail|moderation/i;
/** Limits of the input whose refusal Azure bills. Source: Azure OpenAI, "Manage costs: HTTP error response code". */
const azureLimitWords = /context[ _]length|string_above_max/i;
/** A limit per minute or second is a rate limit, whatever it is called. It goes away by waiting. */
const rateWords = /per[ -](minute|second)|requests?\/m|\b[rt]pm\b/i;

/**
 * The refusal for money behind an error of a gateway call: LiteLLM's exceeded budget (400 or 429), Portkey's usage limit
 * (412), Kong's quota (429), HTTP 402. Knows errors of the AI SDK, also behind a retry error. Undefined for any other
 * error, such as a rate limit.
 */
export function corporateBudgetError(error: unknown, provider = "corporate"): UpstreamBudgetError | undefined {
  for (let next = error, depth = 0; typeof next === "object" && next !== null && depth < 8; depth++) {
    if (UpstreamBudgetError.isInstance(next)) return next;
    const { statusCode, words, code, message } = readRefusal(next as Record<string, unknown>);
    const spent = statusCode === 400 || statusCode === 422 ? usedUp : moneyWords;
    const isMoney = moneyCode.test(code) || (spent.test(words) && !rateWords.test(words));
    if (statusCode !== undefined && refusals.has(statusCode) && (statusCode === 402 || isMoney)) {
      return new UpstreamBudgetError({
        provider,
        statusCode,
        message: `The gateway refused for money (HTTP ${statusCode}): ${message} Ask its owner to raise the budget of your key.`,
        cause: error,
      });
    }
    const { lastError, cause } = next as { lastError?: unknown; cause?: unknown };
    next = lastError ?? cause;
  }
  return undefined;
}

/**
 * Why an error proves that the gateway charged nothing, where its status does not tell: it refused for money. False for a
 * refusal that may be billed: one by a filter or guardrail, which looks at the answer, or at Azure bills the request.
 */
export function corporateRefusal(error: unknown): string | false | undefined {
  // Some gateways refuse for money with a status that otherwise proves nothing, such as 412.
  if (corporateBudgetError(error)) return "refused for money by the gateway";
  const { statusCode, words } = readRefusal(asRecord(error) ?? {});
  const isFiltered = filterWords.test(words) || (/azure/i.test(words) && azureLimitWords.test(words));
  return statusCode !== undefined && filters.has(statusCode) && isFiltered ? false : undefined;
}

/** What an error of the AI SDK carries of the response. */
export interface ResponseOfError {
  body: Record<string, unknown> | undefined;
  headers: Record<string, unknown>;
}

/**
 * The response that an error carries: its body, if that is JSON or data that the AI SDK found no answer in, and its
 * headers.
 */
export function responseOfError(error: unknown): ResponseOfError {
  const { responseBody, responseHeaders, data } = asRecord(error) ?? {};
  return { body: asRecord(parse(responseBody)) ?? asRecord(data), headers: asRecord(responseHeaders) ?? {} };
}

function readRefusal(error: Record<string, unknown>) {
  const { body } = responseOfError(error);
  // LiteLLM and Portkey nest as OpenAI does; Kong tells `message`, FastAPI gateways `detail`.
  const told = asRecord(body?.error) ?? asRecord(body?.detail) ?? body ?? {};
  const message = [told.message, body?.detail, body?.error, error.message].find((text) => typeof text === "string");
  const code = [told.code, told.type, body?.code].filter((value) => typeof value === "string").join(" ");
  const { statusCode } = error;
  return {
    statusCode: typeof statusCode === "number" ? statusCode : undefined,
    code,
    words: `${code} ${String(message ?? "")}`,
    message: String(message ?? ""),
  };
}

function parse(text: unknown): unknown {
  if (typeof text !== "string") return undefined;
  try {
    return JSON.parse(text);
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
