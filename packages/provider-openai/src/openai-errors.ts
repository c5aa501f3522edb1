import { UpstreamBudgetError } from "@autolabel/budget-core";
import { asRecord } from "./calls/openai-usage.ts";

/** Codes with which OpenAI refuses for money. Source: OpenAI's error code guide and API responses. */
const moneyCodes = new Set([
  "insufficient_quota",
  "billing_hard_limit_reached",
  "billing_not_active",
  "budget_exceeded",
]);

/**
 * The refusal for money behind an error of an OpenAI call: credit or a monthly limit is used up
 * (`insufficient_quota` and its like, or HTTP 402). Knows the errors of the `openai` client and of the AI SDK, also
 * behind a retry error. Undefined for any other error, such as a rate limit.
 */
export function openAiBudgetError(error: unknown): UpstreamBudgetError | undefined {
  for (let next = error, depth = 0; typeof next === "object" && next !== null && depth < 8; depth++) {
    if (UpstreamBudgetError.isInstance(next)) return next;
    const { statusCode, code, type, message } = readRefusal(next);
    if (statusCode === 402 || moneyCodes.has(code ?? "") || moneyCodes.has(type ?? "")) {
      return new UpstreamBudgetError({
        provider: "openai",
        ...(statusCode === undefined ? {} : { statusCode }),
        message: `OpenAI refused for money (${code ?? type ?? `HTTP ${statusCode}`}): ${message} Add credit or raise the limit at https://platform.openai.com/settings/organization/billing`,
        cause: error,
      });
    }
    const { lastError, cause } = next as { lastError?: unknown; cause?: unknown };
    next = lastError ?? cause;
  }
  return undefined;
}

/**
 * Why an error proves that OpenAI charged nothing although the request was sent: HTTP 503 with OpenAI's own error body is
 * a refusal for want of capacity, before any generation. Any other 5xx can come after it. False for a refusal of Azure
 * that may be billed all the same, and for an error inside an answer, to which the AI SDK gives a status of its own: it may
 * come after reasoning that nobody saw. Only that the account has no money is looked at before.
 */
export function openAiRefusal(error: unknown, isInAnswer = false): string | false | undefined {
  const { statusCode, body, code = "", type = "" } = readRefusal(error);
  if (isInAnswer || body?.object === "response") {
    return moneyCodes.has(code) || moneyCodes.has(type) ? "refused for money by OpenAI" : false;
  }
  if (isBilledByAzure(error)) return false;
  const isRefusal = statusCode === 503 && asRecord(body?.error) !== undefined && body?.usage === undefined;
  return isRefusal ? "HTTP 503 of OpenAI" : undefined;
}

/**
 * The response body that an error carries, if it is JSON: as text, or as the data that the AI SDK found no answer in.
 */
export function responseOfError(error: unknown): Record<string, unknown> | undefined {
  const body = readRefusal(error).body ?? asRecord(asRecord(error)?.data);
  // The event that ends a failed response holds it.
  return asRecord(body?.response) ?? body;
}

/**
 * Azure bills requests that its content filter or an input limit stops (HTTP 400). Source: Azure OpenAI, "Manage costs:
 * HTTP error response code and billing status".
 */
function isBilledByAzure(error: unknown): boolean {
  const { statusCode, url, responseBody } = asRecord(error) ?? {};
  if (statusCode !== 400 || typeof url !== "string" || !URL.canParse(url)) return false;
  const { hostname, pathname } = new URL(url);
  if (!hostname.endsWith(".azure.com") && !pathname.includes("/openai/")) return false;
  const said = typeof responseBody === "string" ? responseBody : "";
  return /content_filter|content_management|ResponsibleAI|context_length|string_above_max/.test(said);
}

interface RefusalFields {
  statusCode?: number;
  code?: string;
  type?: string;
  message: string;
  body?: Record<string, unknown>;
}

/** Reads `status` and `error` of the `openai` client's errors, `statusCode` and `responseBody` of the AI SDK's. */
function readRefusal(error: unknown): RefusalFields {
  const fields = asRecord(error) ?? {};
  const statusCode = fields.statusCode ?? fields.status;
  const body = parse(fields.responseBody) ?? asRecord(fields.data);
  const told = asRecord(body?.error) ?? asRecord(asRecord(body?.response)?.error) ?? asRecord(fields.error) ?? {};
  const message = told.message ?? fields.message;
  const code = told.code ?? fields.code;
  const type = told.type ?? fields.type;
  return {
    message: typeof message === "string" ? message : "",
    ...(typeof statusCode === "number" ? { statusCode } : {}),
    ...(typeof code === "string" ? { code } : {}),
    ...(typeof type === "string" ? { type } : {}),
    ...(body ? { body } : {}),
  };
}

/** The AI SDK hands most bodies on as text, and those of failed responses as they were parsed. */
function parse(body: unknown): Record<string, unknown> | undefined {
  if (typeof body !== "string") return asRecord(body);
  try {
    return asRecord(JSON.parse(body));
  } catch {
    return undefined;
  }
}
