import { UpstreamBudgetError } from "@autolabel/budget-core";

/** A query of OpenRouter's API (prices, key, record of a call) that brought no answer to read. */
export class OpenRouterApiError extends Error {
  override readonly name = "OpenRouterApiError";
  readonly statusCode: number;

  constructor({ path, statusCode }: { path: string; statusCode: number }) {
    super(
      statusCode === 200
        ? `OpenRouter's answer to GET ${path} cannot be read`
        : `OpenRouter answered HTTP ${statusCode} to GET ${path}`,
    );
    this.statusCode = statusCode;
  }
}

/**
 * The refusal for money behind an error of an OpenRouter call: HTTP 402 (out of credit) or 403 with a spent key limit.
 * Undefined for any other error.
 */
export function openRouterBudgetError(error: unknown): UpstreamBudgetError | undefined {
  if (UpstreamBudgetError.isInstance(error)) return error;
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
 * Why an error proves that OpenRouter charged nothing although the request was sent: HTTP 500 or 503 in OpenRouter's own
 * words comes instead of an answer, and failed requests are not billed. A gateway's page, a 502 or a 504 proves nothing:
 * somebody may have answered behind it. Source: OpenRouter documentation, "Zero completion insurance".
 */
export function openRouterRefusal(error: unknown): string | undefined {
  const { statusCode } = fieldsOf(error);
  if (statusCode !== 500 && statusCode !== 503) return undefined;
  const body = responseOfError(error) as { error?: { code?: unknown } | null; usage?: unknown } | undefined;
  return body?.error?.code === statusCode && body.usage === undefined ? `HTTP ${statusCode} of OpenRouter` : undefined;
}

/** The HTTP status that an error carries. */
export function statusCodeOf(error: unknown): number | undefined {
  return fieldsOf(error).statusCode;
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
