import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** One HTTP request and the response to it. */
export interface HttpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The key of the `authorization` header, or empty. */
  readonly apiKey: string;
  /** Aborts when the client leaves before the response has ended. */
  readonly clientGone: AbortSignal;
}

/** Wraps a request and watches for the client to leave. */
export function httpExchange(request: IncomingMessage, response: ServerResponse): HttpExchange {
  const left = new AbortController();
  response.on("close", () => {
    if (!response.writableEnded) left.abort();
  });
  // Writing to a connection that the client has dropped is an error event; the close event above tells of it already.
  response.on("error", () => undefined);
  const apiKey = (request.headers.authorization ?? "").replace(/^Bearer\s*/i, "").trim();
  return { request, response, apiKey, clientGone: left.signal };
}

/** The whole body; rejects when the client leaves while sending it. */
export async function readBytes({ request }: HttpExchange): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return new Uint8Array(Buffer.concat(chunks));
}

/** The whole body as text; rejects when the client leaves while sending it. */
export async function readBody(exchange: HttpExchange): Promise<string> {
  return new TextDecoder().decode(await readBytes(exchange));
}

/** Sends a JSON body; a text goes out as it is. */
export function sendJson(
  { response }: HttpExchange,
  reply: { status?: number; body: unknown; headers?: Record<string, string> },
): void {
  const text = typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body);
  response.writeHead(reply.status ?? 200, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
    ...reply.headers,
  });
  response.end(text);
}

/** Waits; returns early, and false, when the client leaves. */
export async function pause(ms: number, { clientGone }: HttpExchange): Promise<boolean> {
  if (ms > 0 && !clientGone.aborted) await sleep(ms, undefined, { signal: clientGone }).catch(() => undefined);
  return !clientGone.aborted;
}

/** Waits for a signal, such as that the client left. */
export async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** Hands the last bytes over and destroys the connection in mid-body. */
export async function cutConnection({ response }: HttpExchange, lastBytes: string): Promise<void> {
  await new Promise<void>((resolve) => {
    if (lastBytes === "") response.flushHeaders();
    // An empty write is called back once everything before it was handed over.
    response.write(lastBytes, () => resolve());
    response.once("close", () => resolve());
  });
  response.destroy();
}
