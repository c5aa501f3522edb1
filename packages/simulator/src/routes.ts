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
import { gatewayChat, gatewayEmbeddings } from "./wire/gateway.ts";
import { openAiChat } from "./wire/openai-chat.ts";
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
  openAiResponses,
  openAiEmbeddings,
  gatewayChat,
  gatewayEmbeddings,
];

const ENDPOINTS_PATH = /^\/api\/v1\/models\/([^/]+\/[^/]+)\/endpoints$/;

/** Finds the endpoint of a request and serves it; unknown ones get 404. */
export async function serve(account: SimulatedAccount, exchange: HttpExchange): Promise<void> {
  const { request } = exchange;
  const url = new URL(request.url ?? "/", "http://simulator");
  const { path, deployment } = readAzurePath(url.pathname);
  const wire = WIRES.find((candidate) => candidate.path === path);
  if (wire && request.method === "POST") return serveGeneration(account, { wire, deployment }, exchange);
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
