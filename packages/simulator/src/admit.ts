import type { Fault } from "./faults.ts";
import { isJsonObject } from "./json.ts";
import type { ModelRequest } from "./model-request.ts";
import { Refusal } from "./refusal.ts";
import type { SimulatedAccount } from "./simulated-account.ts";
import { type PricedModel, priceModel } from "./simulated-model.ts";
import type { Wire } from "./wire/wire.ts";

/** @throws Refusal 401 when the key is not one of the accepted ones. */
export function checkKey(account: SimulatedAccount, apiKey: string): void {
  const { apiKeys } = account.options;
  if (apiKeys && !apiKeys.includes(apiKey)) {
    throw new Refusal(401, apiKey === "" ? "No auth credentials found" : "Incorrect API key provided", {
      code: "invalid_api_key",
    });
  }
}

/** @throws Refusal 400 when the text is no JSON object. */
export function parseBody(text: string): Readonly<Record<string, unknown>> {
  try {
    const body: unknown = JSON.parse(text);
    if (isJsonObject(body)) return body;
  } catch {
    // Told below, together with JSON that is no object.
  }
  throw new Refusal(400, "We could not parse the JSON body of your request.");
}

/** The error status that a fault stands for, or undefined for faults of another kind. */
export function faultRefusal(fault: Fault | undefined, wire: Wire): Refusal | undefined {
  const status = Number(fault?.kind);
  if (!fault || Number.isNaN(status)) return undefined;
  const headers: Record<string, string> = {};
  if (fault.retryAfter !== undefined) headers["retry-after"] = String(fault.retryAfter);
  const message = status === 402 ? wire.noCredit().message : (STATUS_MESSAGES[status] ?? "Simulated failure");
  const code = status === 429 ? { code: "rate_limit_exceeded" } : {};
  return new Refusal(status, message, { ...code, headers, body: fault.body });
}

const STATUS_MESSAGES: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Incorrect API key provided",
  403: "Key limit exceeded (total limit). Manage it using https://openrouter.ai/settings/keys",
  412: "Precondition failed",
  429: "Rate limit exceeded. Please try again later.",
  500: "Internal Server Error",
  502: "Provider returned error",
  503: "There is no available model provider that meets your routing requirements",
};

/**
 * Chooses the model and applies rate limits and credit, as a provider does before it generates.
 *
 * @throws Refusal with the status that the API of `wire` uses.
 */
export function admit(account: SimulatedAccount, wire: Wire, request: ModelRequest): PricedModel {
  const limited = account.limiter.admit(request.promptTokens, account.inFlight);
  if (limited) {
    throw new Refusal(429, `Rate limit exceeded: ${limited.limit}. Please try again later.`, {
      code: "rate_limit_exceeded",
      headers: { "retry-after": String(limited.retryAfterSeconds) },
    });
  }
  const model = chooseModel(account, wire, request);
  if (request.promptTokens > model.contextLength) {
    throw new Refusal(
      400,
      `This model's maximum context length is ${model.contextLength} tokens. Your messages resulted in ${request.promptTokens} tokens.`,
      { code: "context_length_exceeded" },
    );
  }
  const left = account.creditLeftPicoUsd;
  if (left !== undefined && left <= 0n) throw wire.noCredit();
  return model;
}

/** What a gateway's model costs when no price is given for it. */
const FREE = { promptUsdPerMillion: "0", completionUsdPerMillion: "0", provider: "Gateway" };

function chooseModel(account: SimulatedAccount, wire: Wire, request: ModelRequest): PricedModel {
  const known = request.candidates.flatMap((id) => {
    const model = account.models.get(id);
    if (model?.wires.includes(wire.name)) return [model];
    return wire.servesAnyModel ? [priceModel(id, FREE, [wire.name])] : [];
  });
  if (known.length === 0) throw wire.unknownModel(request.candidates[0] ?? "");
  const allowed = known.flatMap(({ endpoints }) => routed(endpoints, request));
  const affordable = allowed.find((endpoint) => isWithinMaxPrice(endpoint, request));
  if (!affordable) throw new Refusal(404, "No allowed providers are available for the selected model.");
  return affordable;
}

/** The endpoints that may serve the request, in the order in which they are tried. */
function routed(endpoints: readonly PricedModel[], { routing }: ModelRequest): readonly PricedModel[] {
  const { only, ignore, order, allowFallbacks } = routing;
  const matches = ({ tag }: PricedModel, slugs: readonly string[]) =>
    slugs.some((slug) => tag === slug || tag.startsWith(`${slug}/`));
  const open = endpoints.filter(
    (endpoint) => (only.length === 0 || matches(endpoint, only)) && !matches(endpoint, ignore),
  );
  const first = order.flatMap((slug) => open.filter((endpoint) => matches(endpoint, [slug])));
  return order.length > 0 && !allowFallbacks ? first : [...first, ...open];
}

function isWithinMaxPrice(model: PricedModel, { maxPrice }: ModelRequest): boolean {
  const fits = (price: bigint, most: bigint | undefined) => most === undefined || price <= most;
  return (
    fits(model.prompt, maxPrice.prompt) &&
    fits(model.completion, maxPrice.completion) &&
    fits(model.requestPicoUsd, maxPrice.request)
  );
}
