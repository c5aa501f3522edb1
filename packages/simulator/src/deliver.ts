import type { FaultKind } from "./faults.ts";
import { deltasOf, fullCharge, type Generation } from "./generation.ts";
import { cutConnection, type HttpExchange, pause, sendJson } from "./http-exchange.ts";
import type { SimulatedAccount } from "./simulated-account.ts";
import { sseData, type Wire } from "./wire/wire.ts";

/** What is needed to bring one generation to the client. */
export interface Delivery {
  readonly account: SimulatedAccount;
  readonly wire: Wire;
  readonly exchange: HttpExchange;
  readonly generation: Generation;
  readonly latencyMs: number;
}

/** Bills the generation, then sends it in one JSON body. */
export async function deliverJson({ account, wire, exchange, generation, latencyMs }: Delivery): Promise<void> {
  if (!(await pause(latencyMs, exchange))) {
    account.bill(generation, "aborted", 0);
    return;
  }
  const headers = { ...account.limiter.headers(), ...wire.headers(generation) };
  const startBody = (text: string) => {
    const length = Buffer.byteLength(text);
    exchange.response.writeHead(200, { "content-type": "application/json", "content-length": length, ...headers });
    return { half: text.slice(0, text.length / 2), rest: text.slice(text.length / 2) };
  };
  switch (generation.fault?.kind) {
    case "cut": {
      const text = JSON.stringify(wire.reply(generation, account.bill(generation, "cut", 0)));
      return cutConnection(exchange, startBody(text).half);
    }
    case "stall": {
      const { half, rest } = startBody(JSON.stringify(wire.reply(generation, fullCharge(generation))));
      exchange.response.write(half);
      await account.stall(exchange);
      if (exchange.clientGone.aborted) account.bill(generation, "aborted", 0);
      else account.bill(generation, "completed");
      exchange.response.end(rest);
      return;
    }
    case "eof":
      account.bill(generation, "cut", 0);
      return sendJson(exchange, { body: "", headers });
    case "error-chunk":
      return sendJson(exchange, { body: wire.errorReply(generation, account.bill(generation, "error")), headers });
    case "bad-json": {
      const text = JSON.stringify(wire.reply(generation, account.bill(generation, "error")));
      return sendJson(exchange, { body: generation.fault.body ?? text.slice(0, text.length / 2), headers });
    }
    case "bad-schema": {
      const reply = wire.reply(generation, account.bill(generation, "error")) as object;
      return sendJson(exchange, { body: { ...reply, ...unreadable }, headers });
    }
    case "empty-choices":
      return sendJson(exchange, { body: wire.reply(generation, account.bill(generation, "error")), headers });
    default:
      return sendJson(exchange, { body: wire.reply(generation, account.bill(generation, "completed")), headers });
  }
}

/** An answer that no client of any wire can read. */
const unreadable = { choices: "?", output: "?" };

/** Sends the generation as a stream and bills it before its last frames, or when it breaks. */
export async function deliverStream(delivery: Delivery): Promise<void> {
  const { account, wire, exchange, generation } = delivery;
  const { response } = exchange;
  response.writeHead(200, {
    "content-type": "text/event-stream",
    "cache-control": "no-cache",
    ...account.limiter.headers(),
    ...wire.headers(generation),
  });
  response.flushHeaders();
  send(delivery, wire.openFrames(generation));
  if (!(await pause(delivery.latencyMs, exchange))) {
    account.bill(generation, "aborted", 0);
    return;
  }
  const sent = await sendDeltas(delivery);
  if (exchange.clientGone.aborted) {
    account.bill(generation, "aborted", sent.tokens);
    return;
  }
  await endStream(delivery, sent.tokens);
}

async function sendDeltas(delivery: Delivery): Promise<{ tokens: number }> {
  const { account, wire, exchange, generation } = delivery;
  const { fault } = generation;
  if (fault?.kind === "empty-choices" || fault?.kind === "bad-json") return { tokens: 0 };
  if (fault?.kind === "bad-schema") {
    send(delivery, [sseData(unreadable)]);
    return { tokens: 0 };
  }
  const last = fault && BREAKING.has(fault.kind) ? fault.afterChunks : Number.POSITIVE_INFINITY;
  const deltas = deltasOf(generation).slice(0, last);
  const stallsAt = fault?.kind === "stall" ? Math.min(fault.afterChunks, deltas.length) : undefined;
  let tokens = 0;
  for (let index = 0; index <= deltas.length; index++) {
    if (index === stallsAt) await account.stall(exchange);
    const delta = deltas[index];
    if (!delta || exchange.clientGone.aborted) break;
    send(delivery, wire.deltaFrames(generation, delta));
    tokens += delta.tokens;
    await pause(account.options.chunkDelayMs ?? 0, exchange);
  }
  return { tokens };
}

/** Faults that end a stream in its middle. */
const BREAKING: ReadonlySet<FaultKind> = new Set<FaultKind>(["cut", "eof", "error-chunk"]);

async function endStream(delivery: Delivery, sentTokens: number): Promise<void> {
  const { account, wire, exchange, generation } = delivery;
  const { response } = exchange;
  switch (generation.fault?.kind) {
    case "cut":
      account.bill(generation, "cut", sentTokens);
      return cutConnection(exchange, "");
    case "eof":
      account.bill(generation, "cut", sentTokens);
      response.end();
      return;
    case "error-chunk": {
      send(delivery, wire.errorFrames(generation, account.bill(generation, "error", sentTokens)));
      response.end();
      return;
    }
    case "bad-json": {
      account.bill(generation, "error");
      const { body } = generation.fault;
      response.end(`data: ${typeof body === "string" ? body : '{"id":"gen-'}\n\n`);
      return;
    }
    default: {
      const { kind } = generation.fault ?? {};
      const outcome = kind === "empty-choices" || kind === "bad-schema" ? "error" : "completed";
      send(delivery, wire.closeFrames(generation, account.bill(generation, outcome)));
      response.end();
    }
  }
}

function send({ exchange }: Delivery, frames: readonly string[]): void {
  if (frames.length > 0) exchange.response.write(frames.join(""));
}
