import { UpstreamBudgetError } from "@autolabel/budget-core";

/**
 * The refusal for money behind an error of an OpenRouter call: HTTP 402 (out of credit) or 403 with a spent key limit.
 * Undefined for any other error.
 */
export function openRouterBudgetError(error: unknown): UpstreamBudgetError | undefined {
  const { statusCode, message } = fieldsOf(error);
  const isKeyLimit = statusCode === 403 && /key limit|limit exceeded/i.test(message);
  if (statusCode !== 402 && !isKeyLimit) return undefined;
  return new UpstreamBudgetError({
    provider: "openrouter",
    statusCode,
    message: `OpenRouter refused for money (HTTP ${statusCode}): ${message} Add credit or raise the key's limit at https://openrouter.ai/settings`,
    cause: error,
  });
}

/**
 * Whether an error proves that OpenRouter charged nothing although the request was sent: an HTTP status >= 500 with
 * OpenRouter's own error body comes instead of an answer, and failed requests are not billed. A gateway's bare 5xx page
 * proves nothing. Source: OpenRouter documentation, "Zero completion insurance".
 */
export function failedWithoutCharge(error: unknown): boolean {
  const { statusCode } = fieldsOf(error);
  if (statusCode === undefined || statusCode < 500) return false;
  const body = responseOfError(error) as { error?: unknown; usage?: unknown } | undefined;
  return typeof body?.error === "object" && body.error !== null && body.usage === undefined;
}

/** The parsed response body that an error of the AI SDK carries, if it is JSON. */
export function responseOfError(error: unknown): unknown {
  const { responseBody } = fieldsOf(error);
  if (responseBody === undefined) return undefined;
  try {
    return JSON.parse(responseBody);
  } catch {
    return undefined;
  }
}

function fieldsOf(error: unknown): { statusCode?: number; message: string; responseBody?: string } {
  if (typeof error !== "object" || error === null) return { message: String(error) };
  const { statusCode, message, responseBody } = error as Record<string, unknown>;
  return {
    message: typeof message === "string" ? message : "",
    ...(typeof statusCode === "number" ? { statusCode } : {}),
    ...(typeof responseBody === "string" ? { responseBody } : {}),
  };
}
