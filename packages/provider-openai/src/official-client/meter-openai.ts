import { type Metering, type OpenCall, openCall, UnboundedRequestError } from "@autolabel/budget-core";
import { openAiCosts } from "../openai-costs.ts";
import { isBilledRefusal } from "../openai-errors.ts";
import { meterResponse } from "./meter-response.ts";
import { type ReadBody, readBody, writeBody } from "./openai-body.ts";
import { doorOf, targetOf } from "./openai-doors.ts";

/** What is needed of a client of the `openai` package, whichever copy or subclass of it. */
export interface MeterableOpenAI {
  baseURL: string;
  withOptions(options: { fetch: Fetch }): unknown;
}

/** Options of {@link meterOpenAI}. */
export type MeterOpenAIOptions = Omit<Metering, "costs"> & Partial<Pick<Metering, "costs">>;

type Fetch = (url: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** A request that may be sent: a free one, or one that has its hold. */
type Ticket = "free" | HeldTicket;

interface HeldTicket {
  open: OpenCall;
  read: ReadBody;
  signal: AbortSignal | undefined;
  /** Releases the hold of a request that is not sent any more; told by the abort of its caller as well. */
  discard: () => Promise<void>;
  onAbort: () => void;
}

/** The places in the client where a request can be refused, changed and sent. They are protected or private. */
interface Internals {
  baseURL: string;
  fetch: Fetch;
  prepareRequest: (request: PreparedRequest, context: RequestContext) => Promise<void>;
  fetchWithAuth: (url: unknown, init: { headers: object }, ...rest: unknown[]) => Promise<Response>;
  withOptions: (options: object) => Internals;
  _options: { x509Transport?: unknown };
  _provider?: unknown;
  _buildWebSocketHeaders?: unknown;
}

const meteredClients = new WeakSet<object>();

interface PreparedRequest extends RequestInit {
  headers: Headers;
}

interface RequestContext {
  url: string;
  options: { method: string; signal?: AbortSignal | null };
}

/**
 * The same `openai` client under a budget: chat completions, responses and embeddings are let through only when their
 * upper bound fits, each attempt of the client's own retries by itself, and count what they cost. Whatever builds on
 * them (`parse`, `stream`, `runTools`, helpers) is metered as well, and so are clients made by `withOptions`.
 *
 * Requests that cost nothing pass. Others (images, audio, batches, …) are refused before they are sent; make them with
 * the client that you gave. The client that you gave is not changed.
 *
 * @throws BudgetExceededError from the metered call, the same instance; UnpricedModelError or UnboundedRequestError.
 * @throws TypeError for clients that are metered already, that send past their `fetch` (X.509 identity), or that are of
 * another cloud (Bedrock).
 */
export function meterOpenAI<Client extends MeterableOpenAI>(client: Client, options: MeterOpenAIOptions): Client {
  if (meteredClients.has(client)) {
    throw new TypeError("This client is metered already. For a further budget, use a child tracker or runWithBudget");
  }
  const metering = { ...options, costs: options.costs ?? openAiCosts() };
  return meter(client as unknown as Internals, metering) as unknown as Client;
}

function meter(client: Internals, metering: Metering): Internals {
  if (client._options.x509Transport || client._provider) {
    throw new TypeError("meterOpenAI cannot meter a client with an x509Transport or a provider");
  }
  const send = client.fetch;
  const tickets = new WeakMap<object, Ticket>();
  const metered = client.withOptions({ fetch: meteredFetch(send, tickets) });
  const { prepareRequest, fetchWithAuth, withOptions } = metered;
  const hooks: Partial<Internals> = {
    async prepareRequest(request, context) {
      await prepareRequest.call(metered, request, context);
      // What is thrown here reaches the caller as it is and is not retried; thrown by fetch it would be both.
      const ticket = await admit(request, context, metered.baseURL, metering);
      if (ticket) tickets.set(request.headers, ticket);
    },
    async fetchWithAuth(url, init, ...rest) {
      try {
        return await fetchWithAuth.call(metered, url, init, ...rest);
      } finally {
        // Still there when authentication failed and nothing was sent.
        const unsent = tickets.get(init.headers);
        if (unsent && unsent !== "free") await unsent.discard();
      }
    },
    withOptions: (options) => meter(withOptions.call(metered, { fetch: send, ...options }), metering),
    _buildWebSocketHeaders() {
      throw closedDoor("WebSocket");
    },
  };
  meteredClients.add(metered);
  return Object.assign(metered, hooks);
}

/** Quotes, reserves and rewrites a request; undefined for one that its caller gave up. */
async function admit(
  request: PreparedRequest,
  { url, options }: RequestContext,
  baseURL: string,
  metering: Metering,
): Promise<Ticket | undefined> {
  const target = targetOf(new URL(url), baseURL);
  const door = doorOf(options.method, target.path);
  if (door.kind === "closed") throw closedDoor(door.name);
  const signal = options.signal ?? undefined;
  if (door.kind === "free") return "free";
  if (signal?.aborted) return undefined;
  const read = readBody(door.endpoint, request.body, target);
  let open: OpenCall;
  try {
    open = await openCall(metering, read.call, signal);
  } catch (error) {
    if (signal?.aborted) return undefined; // The client tells of it in its own way.
    throw error;
  }
  const onAbort = () => void open.cancel();
  const discard = () => {
    signal?.removeEventListener("abort", onAbort);
    return open.cancel();
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) await discard();
  request.body = writeBody(read, open.quote);
  return { open, read, signal, discard, onAbort };
}

/** Sends what has a ticket; nothing else that costs money can leave. */
function meteredFetch(send: Fetch, tickets: WeakMap<object, Ticket>): Fetch {
  return async (url, init) => {
    const headers: object = init?.headers ?? {};
    const ticket = tickets.get(headers);
    const address = new URL(url instanceof Request ? url.url : url);
    const isFree = ticket === "free" || (init?.method ?? "GET") === "GET";
    if (!ticket && !isFree) throw closedDoor(`${init?.method} ${address.pathname} without a hold`);
    if (!ticket || ticket === "free") return await send(url, init);
    tickets.delete(headers);
    const { open, read, signal, onAbort } = ticket;
    signal?.throwIfAborted();
    signal?.removeEventListener("abort", onAbort);
    let response: Response;
    try {
      response = await send(url, init);
    } catch (error) {
      await (init?.signal?.aborted ? open.cut() : open.fail(error));
      throw error;
    }
    if (response.ok) return await meterResponse(response, open, read);
    await open.fail(await refusalOf(response, address));
    return response;
  };
}

/** What an error status says, in the terms of the AI SDK's errors. One that may be billed all the same has no status. */
async function refusalOf(response: Response, url: URL): Promise<unknown> {
  const { status: statusCode } = response;
  const responseBody = await response
    .clone()
    .text()
    .catch(() => "");
  return isBilledRefusal(url, statusCode, responseBody) ? { responseBody } : { statusCode, responseBody };
}

function closedDoor(name: string): UnboundedRequestError {
  return new UnboundedRequestError({
    reason: `${name} is not metered`,
    fix: "Make it with the client that you gave to meterOpenAI.",
  });
}
