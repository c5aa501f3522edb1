import { hash } from "node:crypto";
import { checkKey } from "./admit.ts";
import { type HttpExchange, sendJson } from "./http-exchange.ts";
import { invoiceJson } from "./invoice.ts";
import { isStoredPath, serveStored } from "./media/openai-stored.ts";
import { findMediaEndpoint, serveMedia } from "./media/serve-media.ts";
import { Refusal } from "./refusal.ts";
import { serveGeneration } from "./serve-generation.ts";
import type { SimulatedAccount } from "./simulated-account.ts";
import {
  openAiModels,
  openRouterEndpoints,
  openRouterGeneration,
  openRouterKey,
  openRouterModels,
} from "./wire/catalog.ts";
import { gatewayChat, gatewayEmbeddings } from "./wire/gateway.ts";
import { openAiChat } from "./wire/openai-chat.ts";
import { openAiCompletions } from "./wire/openai-completions.ts";
import { openAiEmbeddings } from "./wire/openai-embeddings.ts";
import { openAiResponses } from "./wire/openai-responses.ts";
import { openRouterChat } from "./wire/openrouter.ts";
import { openRouterCompletions } from "./wire/openrouter-completions.ts";
import { openRouterEmbeddings } from "./wire/openrouter-embeddings.ts";
import type { Wire } from "./wire/wire.ts";

const WIRES: readonly Wire[] = [
  openRouterChat,
  openRouterCompletions,
  openRouterEmbeddings,
  openAiChat,
  openAiCompletions,
  openAiResponses,
  openAiEmbeddings,
  gatewayChat,
  gatewayEmbeddings,
];

const ENDPOINTS_PATH = /^\/api\/v1\/models\/([^/]+\/[^/]+)\/endpoints$/;

/** OpenRouter's catalog, which rarely changes: its answers carry an ETag. */
const CATALOG_PATH = /^\/api\/v1\/models(\/|$)/;

/** Finds the endpoint of a request and serves it; unknown ones get 404. */
export async function serve(account: SimulatedAccount, exchange: HttpExchange): Promise<void> {
  const { request } = exchange;
  const url = new URL(request.url ?? "/", "http://simulator");
  const { path, deployment } = readAzurePath(url.pathname);
  const wire = WIRES.find((candidate) => candidate.path === path);
  if (wire && request.method === "POST") return serveGeneration(account, { wire, deployment }, exchange);
  const endpoint = request.method === "POST" ? findMediaEndpoint(path) : undefined;
  if (endpoint) return serveMedia(account, { endpoint, deployment }, exchange);
  if (isStoredPath(path)) return serveStored(account, path, exchange);
  request.resume();
  try {
    const body = answerQuery(account, exchange, url);
    if (body === undefined) throw new Refusal(404, `No endpoint answers ${request.method} ${url.pathname}`);
    if (CATALOG_PATH.test(url.pathname)) sendTagged(exchange, body);
    else sendJson(exchange, { body });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    sendJson(exchange, { status: error.status, body: { error: { code: error.status, message: error.message } } });
  }
}

/** Sends a body with its ETag, or only 304 to a client that has it already. */
function sendTagged(exchange: HttpExchange, body: unknown): void {
  const text = JSON.stringify(body);
  const etag = `W/"${hash("sha256", text).slice(0, 32)}"`;
  if (exchange.request.headers["if-none-match"] === etag) {
    exchange.response.writeHead(304, { etag });
    exchange.response.end();
  } else sendJson(exchange, { body: text, headers: { etag } });
}

/** Azure serves OpenAI's endpoints under `/openai`, most of them below the deployment that is asked. */
function readAzurePath(pathname: string): { path: string; deployment: string | undefined } {
  const [, name, rest] = /^\/openai\/deployments\/([^/]+)\/(.+)$/.exec(pathname) ?? [];
  if (name !== undefined) return { path: `/v1/${rest}`, deployment: decodeURIComponent(name) };
  return { path: pathname.replace(/^\/openai\//, "/v1/"), deployment: undefined };
}

function answerQuery(account: SimulatedAccount, { request, apiKey }: HttpExchange, url: URL): unknown {
  switch (`${request.method} ${url.pathname}`) {
    case "GET /health":
      return { status: "ok" };
    case "GET /invoice":
      return invoiceJson(account.invoice);
    case "POST /invoice/reset":
      account.reset();
      return invoiceJson(account.invoice);
    case "GET /api/v1/models":
      return openRouterModels(account);
    case "GET /v1/models":
      return openAiModels(account);
    case "GET /api/v1/key":
      checkKey(account, apiKey);
      return openRouterKey(account, apiKey);
    case "GET /api/v1/generation":
      checkKey(account, apiKey);
      return found(openRouterGeneration(account, url.searchParams.get("id") ?? ""), "Generation not found");
    default: {
      const id = request.method === "GET" ? ENDPOINTS_PATH.exec(url.pathname)?.[1] : undefined;
      return id && found(openRouterEndpoints(account, decodeURIComponent(id)), "Model not found");
    }
  }
}

function found(body: unknown, message: string): unknown {
  if (body === undefined) throw new Refusal(404, message);
  return body;
}
