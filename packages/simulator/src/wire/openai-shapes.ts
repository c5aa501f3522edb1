import { randomUUID } from "node:crypto";
import type { Generation } from "../generation.ts";
import { type HttpExchange, sendJson } from "../http-exchange.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import { Refusal } from "../refusal.ts";
import type { Wire } from "./wire.ts";

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "invalid_request_error",
  404: "invalid_request_error",
  429: "requests",
};

/** What all of OpenAI's endpoints share: their headers and their refusals. */
export const openAiManners: Pick<Wire, "headers" | "unknownModel" | "noCredit" | "refusalBody"> = {
  headers: () => ({ "x-request-id": `req_${randomUUID().replaceAll("-", "")}`, "openai-version": "2020-10-01" }),
  unknownModel: (id) =>
    new Refusal(404, `The model \`${id}\` does not exist or you do not have access to it.`, {
      code: "model_not_found",
    }),
  noCredit: () =>
    new Refusal(429, "You exceeded your current quota, please check your plan and billing details.", {
      code: "insufficient_quota",
    }),
  refusalBody: ({ status, message, code }) => ({
    error: {
      message,
      type: code === "insufficient_quota" ? code : (ERROR_TYPES[status] ?? "server_error"),
      param: null,
      code: code ?? null,
    },
  }),
};

/** The tier that served a request: `auto` is the standard one here, and `fast` another word for priority. */
export function servedTier(asked: string): string {
  if (asked === "fast") return "priority";
  return asked === "auto" ? "default" : asked;
}

/** Answers with an error status, as OpenAI's endpoints do. */
export function sendOpenAiRefusal(exchange: HttpExchange, refusal: Refusal): void {
  const { status, headers } = refusal;
  sendJson(exchange, { status, body: refusal.body ?? openAiManners.refusalBody(refusal), headers });
}

/** The error that a broken upstream model tells inside a 200. */
export function upstreamError({ fault }: Generation): JsonObject {
  if (isJsonObject(fault?.body)) return fault.body;
  return {
    message: "The server had an error while processing your request. Sorry about that!",
    type: "server_error",
    param: null,
    code: null,
  };
}
