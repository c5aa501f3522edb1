import { checkKey } from "./admit.ts";
import { type HttpExchange, sendJson } from "./http-exchange.ts";
import { invoiceJson } from "./invoice.ts";
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
import { openAiChat } from "./wire/openai-chat.ts";
import { openRouterChat } from "./wire/openrouter.ts";
import type { Wire } from "./wire/wire.ts";

const WIRES: readonly Wire[] = [openRouterChat, openAiChat];

const ENDPOINTS_PATH = /^\/api\/v1\/models\/([^/]+\/[^/]+)\/endpoints$/;

/** Finds the endpoint of a request and serves it; unknown ones get 404. */
export async function serve(account: SimulatedAccount, exchange: HttpExchange): Promise<void> {
  const { request } = exchange;
  const url = new URL(request.url ?? "/", "http://simulator");
  const wire = WIRES.find((candidate) => candidate.path === url.pathname);
  if (wire && request.method === "POST") return serveGeneration(account, wire, exchange);
  request.resume();
  try {
    const body = answerQuery(account, exchange, url);
    if (body === undefined) throw new Refusal(404, `No endpoint answers ${request.method} ${url.pathname}`);
    sendJson(exchange, { body });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    sendJson(exchange, { status: error.status, body: { error: { code: error.status, message: error.message } } });
  }
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
