import { hash, randomUUID } from "node:crypto";
import { checkKey, faultRefusal } from "../admit.ts";
import { cutConnection, type HttpExchange, pause, readBytes, sendJson, untilAborted } from "../http-exchange.ts";
import type { InvoiceOutcome } from "../invoice.ts";
import { asText } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { seededLatencyMs } from "../seeded-random.ts";
import type { SimulatedAccount } from "../simulated-account.ts";
import { openAiChat } from "../wire/openai-chat.ts";
import { openAiManners, sendOpenAiRefusal } from "../wire/openai-shapes.ts";
import { sseData } from "../wire/wire.ts";
import type { MediaAnswer, MediaEndpoint } from "./media-endpoint.ts";
import { chargeForMedia, findMediaModel, isBilledBySecond } from "./media-prices.ts";
import { openAiImages } from "./openai-images.ts";
import { openAiSpeech } from "./openai-speech.ts";
import { openAiTranscriptions } from "./openai-transcriptions.ts";
import { readMediaBody } from "./read-media-body.ts";

const ENDPOINTS: readonly MediaEndpoint[] = [...openAiImages, openAiSpeech, ...openAiTranscriptions];

/** The media endpoint of a path, if there is one. */
export function findMediaEndpoint(path: string): MediaEndpoint | undefined {
  return ENDPOINTS.find((endpoint) => endpoint.path === path);
}

/** Serves one request for pictures, speech or a transcript, from its body to its end. */
export async function serveMedia(
  account: SimulatedAccount,
  { endpoint, deployment }: { endpoint: MediaEndpoint; deployment: string | undefined },
  exchange: HttpExchange,
): Promise<void> {
  const index = account.enter();
  try {
    await answerAndBill(account, { endpoint, deployment, index }, exchange);
  } catch (error) {
    if (error instanceof Refusal) sendOpenAiRefusal(exchange, error);
    else if (!exchange.clientGone.aborted) throw error;
  } finally {
    account.leave();
  }
}

async function answerAndBill(
  account: SimulatedAccount,
  { endpoint, deployment, index }: { endpoint: MediaEndpoint; deployment: string | undefined; index: number },
  exchange: HttpExchange,
): Promise<void> {
  const bytes = await readBytes(exchange);
  checkKey(account, exchange.apiKey);
  const request = {
    ...(await readMediaBody(bytes, exchange.request.headers["content-type"] ?? "")),
    seed: account.seed,
  };
  const promptText = endpoint.promptText(request);
  const fault = account.faults.strike({ index, promptText });
  if (fault?.kind === "disconnect") {
    exchange.response.destroy();
    return;
  }
  if (fault?.kind === "timeout") return untilAborted(exchange.clientGone);
  const refusal = faultRefusal(fault, openAiChat);
  if (refusal) throw refusal;
  const id = deployment ?? asText(request.body.model) ?? "";
  const prices = findMediaModel(id, endpoint.kind);
  if (!prices) throw openAiManners.unknownModel(id);
  const left = account.creditLeftPicoUsd;
  if (left !== undefined && left <= 0n) throw openAiManners.noCredit();
  const model = { id, bySecond: isBilledBySecond(prices), reportsUsage: account.reporting.usage };
  const answer = endpoint.answer(request, model);
  const bill = (outcome: InvoiceOutcome) =>
    account.billMedia({
      id: `media-${randomUUID()}`,
      model: id,
      counts: answer.counts,
      costPicoUsd: chargeForMedia(prices, answer.counts),
      apiKey: exchange.apiKey,
      promptHash: hash("sha256", promptText),
      streamed: "frames" in answer.reply,
      outcome,
    });
  const slowMs = fault?.kind === "slow" ? (fault.ms ?? 1000) : 0;
  const latencyMs = slowMs + seededLatencyMs(account.options.latencyMs ?? 0, account.seed, index);
  if (!(await pause(latencyMs, exchange))) return bill("aborted");
  if (fault?.kind === "cut") {
    bill("cut");
    exchange.response.writeHead(200, { "content-type": typeOf(answer) });
    return cutConnection(exchange, firstHalf(answer));
  }
  if (fault?.kind === "eof") {
    bill("cut");
    exchange.response.writeHead(200, { "content-type": typeOf(answer) });
    exchange.response.end();
    return;
  }
  await deliver(account, answer, exchange, bill);
}

async function deliver(
  account: SimulatedAccount,
  { reply }: MediaAnswer,
  exchange: HttpExchange,
  bill: (outcome: InvoiceOutcome) => void,
): Promise<void> {
  const { response } = exchange;
  if ("frames" in reply) {
    response.writeHead(200, { "content-type": "text/event-stream" });
    for (const frame of reply.frames.slice(0, -1)) {
      response.write(sseData(frame));
      await pause(account.options.chunkDelayMs ?? 0, exchange);
    }
    if (exchange.clientGone.aborted) return bill("aborted");
    bill("completed");
    response.end(sseData(reply.frames.at(-1)));
    return;
  }
  bill("completed");
  if ("json" in reply) return sendJson(exchange, { body: reply.json });
  response.writeHead(200, { "content-type": typeOf({ counts: {}, reply }) });
  response.end("text" in reply ? reply.text : reply.sound);
}

function typeOf({ reply }: MediaAnswer): string {
  if ("frames" in reply) return "text/event-stream";
  if ("sound" in reply) return reply.type;
  return "json" in reply ? "application/json" : "text/plain; charset=utf-8";
}

function firstHalf({ reply }: MediaAnswer): string {
  const text =
    "frames" in reply ? reply.frames.map(sseData).join("") : JSON.stringify("json" in reply ? reply.json : "sound");
  return text.slice(0, text.length / 2);
}
