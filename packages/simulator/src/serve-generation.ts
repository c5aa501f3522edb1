import { admit, checkKey, faultRefusal, parseBody } from "./admit.ts";
import { deliverJson, deliverStream } from "./deliver.ts";
import { type HttpExchange, readBody, sendJson, untilAborted } from "./http-exchange.ts";
import { Refusal } from "./refusal.ts";
import { seededLatencyMs } from "./seeded-random.ts";
import type { SimulatedAccount } from "./simulated-account.ts";
import { atTier } from "./simulated-model.ts";
import { servedTier } from "./wire/openai-shapes.ts";
import type { Wire } from "./wire/wire.ts";

const DEFAULT_SLOW_MS = 1000;

/** A billable endpoint as it was called. */
export interface Endpoint {
  readonly wire: Wire;
  /** The model that the path names, as Azure's do; it stands before the one in the body. */
  readonly deployment: string | undefined;
}

/** Serves one request of a billable endpoint, from its body to its end. */
export async function serveGeneration(
  account: SimulatedAccount,
  endpoint: Endpoint,
  exchange: HttpExchange,
): Promise<void> {
  const { wire } = endpoint;
  const index = account.enter();
  try {
    await generateAndDeliver(account, endpoint, exchange, index);
  } catch (error) {
    if (error instanceof Refusal) sendRefusal(account, wire, exchange, error);
    else if (!exchange.clientGone.aborted) throw error;
  } finally {
    account.leave();
  }
}

async function generateAndDeliver(
  account: SimulatedAccount,
  { wire, deployment }: Endpoint,
  exchange: HttpExchange,
  index: number,
): Promise<void> {
  const { options } = account;
  const text = await readBody(exchange);
  checkKey(account, exchange.apiKey);
  const body = parseBody(text);
  const read = wire.readRequest(deployment === undefined ? body : { ...body, model: deployment });
  const tier = servedTier(options.servedTier?.(read.serviceTier) ?? read.serviceTier);
  const request = { ...read, serviceTier: tier };
  const attempt = account.countAttempt(request.promptHash);
  const fault = account.faults.strike({ index, promptText: request.promptText });
  if (fault?.kind === "disconnect") {
    exchange.response.destroy();
    return;
  }
  if (fault?.kind === "timeout") return untilAborted(exchange.clientGone);
  const refusal = faultRefusal(fault, wire);
  if (refusal && !fault?.isBilled) throw refusal;
  const model = atTier(admit(account, wire, request), tier);
  const admitted = { request, model, apiKey: exchange.apiKey, attempt, fault };
  const generation = account.generate(admitted, wire.newId(account.now()));
  if (refusal) throw billed(refusal, wire.reply(generation, account.bill(generation, "error")), wire);
  const slowMs = fault?.kind === "slow" ? (fault.ms ?? DEFAULT_SLOW_MS) : 0;
  const latencyMs = slowMs + seededLatencyMs(options.latencyMs ?? 0, account.seed, index);
  const delivery = { account, wire, exchange, generation, latencyMs };
  return request.stream ? deliverStream(delivery) : deliverJson(delivery);
}

/** The same refusal with the usage of the answer that was billed all the same. */
function billed(refusal: Refusal, reply: unknown, wire: Wire): Refusal {
  const { usage } = reply as { usage?: unknown };
  const { status, message, headers } = refusal;
  const body = refusal.body ?? { ...(wire.refusalBody(refusal) as object), usage };
  return new Refusal(status, message, { headers, body });
}

function sendRefusal(account: SimulatedAccount, wire: Wire, exchange: HttpExchange, refusal: Refusal): void {
  sendJson(exchange, {
    status: refusal.status,
    body: refusal.body ?? wire.refusalBody(refusal),
    headers: { ...account.limiter.headers(), ...refusal.headers },
  });
}
