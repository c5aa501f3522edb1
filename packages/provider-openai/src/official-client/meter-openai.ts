import { type Metering, type OpenCall, openCall, UnboundedRequestError } from "@autolabel/budget-core";
import { openAiCosts } from "../openai-costs.ts";
import { meterResponse } from "./meter-response.ts";
import { type ReadFile, readBatch, settleBatch, writeBatch } from "./openai-batch.ts";
import { type ReadBody, readWritten, writeBody } from "./openai-body.ts";
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
type Ticket = "free" | "batch status" | HeldTicket;

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
  files: { content: (fileId: string) => Promise<Response> };
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
 * The same `openai` client under a budget: chat completions, responses, embeddings, images, speech, transcriptions and
 * batches are let through only when their upper bound fits, each attempt of the client's own retries by itself, and count
 * what they cost. Whatever builds on them (`parse`, `stream`, `runTools`, helpers) is metered as well, and so are clients
 * made by `withOptions`.
 *
 * A batch counts at its upper bound, as unresolved, until a metered client retrieves it after its end; any process can.
 *
 * Requests that cost nothing pass. Others (videos, fine-tuning, realtime, …) are refused before they are sent; make them
 * with the client that you gave. The client that you gave is not changed.
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
  // Made before the client that it reads with, and called after.
  const readFile: ReadFile = async (fileId) => await (await metered.files.content(fileId)).text();
  const metered: Internals = client.withOptions({ fetch: meteredFetch({ send, tickets, metering, readFile }) });
  const { prepareRequest, fetchWithAuth, withOptions } = metered;
  const hooks: Partial<Internals> = {
    async prepareRequest(request, context) {
      await prepareRequest.call(metered, request, context);
      // What is thrown here reaches the caller as it is and is not retried; thrown by fetch it would be both.
      const ticket = await admit(request, context, { baseURL: metered.baseURL, metering, readFile });
      if (ticket) tickets.set(request.headers, ticket);
    },
    async fetchWithAuth(url, init, ...rest) {
      try {
        return await fetchWithAuth.call(metered, url, init, ...rest);
      } finally {
        // Still there when authentication failed and nothing was sent.
        const unsent = tickets.get(init.headers);
        if (isHeld(unsent)) await unsent.discard();
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
  { baseURL, metering, readFile }: { baseURL: string; metering: Metering; readFile: ReadFile },
): Promise<Ticket | undefined> {
  const target = targetOf(new URL(url), baseURL);
  const door = doorOf(options.method, target.path);
  if (door.kind === "closed") throw closedDoor(door.name);
  const signal = options.signal ?? undefined;
  if (door.kind !== "metered") return door.kind;
  if (signal?.aborted) return undefined;
  const isBatch = door.endpoint === "/batches";
  const read = isBatch
    ? await readBatch(request.body, target, readFile)
    : await readWritten(door.endpoint, request.body, target);
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
  if (isBatch) request.body = writeBatch(read, open.reservationId);
  else if (typeof request.body === "string") request.body = writeBody(read, open.quote);
  return { open, read, signal, discard, onAbort };
}

function isHeld(ticket: Ticket | undefined): ticket is HeldTicket {
  return typeof ticket === "object";
}

interface Sending {
  send: Fetch;
  tickets: WeakMap<object, Ticket>;
  metering: Metering;
  readFile: ReadFile;
}

/** Sends what has a ticket; nothing else that costs money can leave. */
function meteredFetch({ send, tickets, metering, readFile }: Sending): Fetch {
  return async (url, init) => {
    const headers: object = init?.headers ?? {};
    const ticket = tickets.get(headers);
    const address = new URL(url instanceof Request ? url.url : url);
    if (isHeld(ticket)) {
      tickets.delete(headers);
      return await sendHeld(ticket, address, () => send(url, init), init?.signal);
    }
    const isFree = ticket !== undefined || (init?.method ?? "GET") === "GET";
    if (!isFree) throw closedDoor(`${init?.method} ${address.pathname} without a hold`);
    const response = await send(url, init);
    if (ticket === "batch status" && response.ok) await settleBatch(response.clone(), metering, readFile);
    return response;
  };
}

async function sendHeld(
  { open, read, signal, onAbort }: HeldTicket,
  address: URL,
  send: () => Promise<Response>,
  timeout: AbortSignal | null | undefined,
): Promise<Response> {
  signal?.throwIfAborted();
  signal?.removeEventListener("abort", onAbort);
  // A batch runs on by itself: one whose request had no clear answer may exist all the same.
  const isBatch = read.endpoint === "/batches";
  let response: Response;
  try {
    response = await send();
  } catch (error) {
    if (isBatch) await open.leave(timeout?.aborted ? undefined : error);
    else await (timeout?.aborted ? open.cut() : open.fail(error));
    throw error;
  }
  if (response.ok && isBatch) await open.leave();
  else if (response.ok) return await meterResponse(response, open, read);
  else {
    const refusal = await refusalOf(response, address.href);
    await (isBatch ? open.leave(refusal) : open.fail(refusal));
  }
  return response;
}

/** What an error status says, in the terms of the AI SDK's errors. */
async function refusalOf(response: Response, url: string): Promise<object> {
  const responseBody = await response
    .clone()
    .text()
    .catch(() => "");
  return { statusCode: response.status, url, responseBody };
}

function closedDoor(name: string): UnboundedRequestError {
  return new UnboundedRequestError({
    reason: `${name} is not metered`,
    fix: "Make it with the client that you gave to meterOpenAI.",
  });
}
