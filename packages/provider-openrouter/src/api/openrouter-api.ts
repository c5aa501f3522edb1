import { OpenRouterApiError } from "../openrouter-errors.ts";
import { parseExactJson } from "./exact-json.ts";

/** How OpenRouter's API is reached. */
export interface OpenRouterApiOptions {
  /** The key. Default: the environment's `OPENROUTER_API_KEY`. */
  apiKey?: string | undefined;
  /** Address of the API. Default `https://openrouter.ai/api/v1`. */
  baseURL?: string | undefined;
  /** Headers that every request carries. */
  headers?: Record<string, string> | undefined;
  /** Sends the requests. Default: the global one. */
  fetch?: typeof globalThis.fetch | undefined;
  /** How long one request may take, in ms. Default 10 seconds. */
  timeoutMs?: number | undefined;
}

/** What a GET brought: a body whose numbers are texts, or nothing new since `etag`. */
export type ApiAnswer = { isUnchanged: true } | { isUnchanged: false; body: unknown; etag: string | undefined };

/**
 * One GET of OpenRouter's API.
 *
 * @param etag of the answer that is known already.
 * @throws OpenRouterApiError for a status that is no success, SyntaxError for a body that is no JSON, and what `fetch` throws.
 */
export async function getFromOpenRouter(
  path: string,
  options: OpenRouterApiOptions,
  etag?: string,
): Promise<ApiAnswer> {
  const { apiKey = process.env.OPENROUTER_API_KEY, baseURL = "https://openrouter.ai/api/v1" } = options;
  const { fetch = globalThis.fetch, timeoutMs = 10_000, headers } = options;
  const response = await fetch(`${baseURL.replace(/\/$/, "")}${path}`, {
    headers: {
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      ...headers,
      ...(etag === undefined ? {} : { "if-none-match": etag }),
    },
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await response.text();
  if (response.status === 304 && etag !== undefined) return { isUnchanged: true };
  if (!response.ok) throw new OpenRouterApiError({ path, statusCode: response.status });
  return { isUnchanged: false, body: parseExactJson(text), etag: response.headers.get("etag") ?? undefined };
}
