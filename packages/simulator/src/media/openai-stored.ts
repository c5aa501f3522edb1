import { checkKey, faultRefusal } from "../admit.ts";
import { type HttpExchange, readBytes, sendJson } from "../http-exchange.ts";
import { asText } from "../json.ts";
import { Refusal } from "../refusal.ts";
import type { SimulatedAccount } from "../simulated-account.ts";
import { openAiChat } from "../wire/openai-chat.ts";
import { sendOpenAiRefusal } from "../wire/openai-shapes.ts";
import { fileBody } from "./openai-files.ts";
import { readMediaBody } from "./read-media-body.ts";

const STORED = /^\/v1\/(files|batches)(?:\/([^/]+)(?:\/(content|cancel))?)?$/;

/** Whether a path is one of files or batches. */
export function isStoredPath(path: string): boolean {
  return STORED.test(path);
}

/** Serves files and batches. Only the request for a batch counts as billable; its lines are billed when they are done. */
export async function serveStored(account: SimulatedAccount, path: string, exchange: HttpExchange): Promise<void> {
  const [, kind = "", id, action] = STORED.exec(path) ?? [];
  const name = [exchange.request.method, kind, ...(id ? [":id"] : []), ...(action ? [action] : [])].join(" ");
  const isBillable = name === "POST batches";
  const index = isBillable ? account.enter() : 0;
  try {
    const bytes = await readBytes(exchange);
    checkKey(account, exchange.apiKey);
    const fault = isBillable ? account.faults.strike({ index, promptText: "" }) : undefined;
    if (fault?.kind === "disconnect") {
      exchange.response.destroy();
      return;
    }
    const refusal = faultRefusal(fault, openAiChat);
    if (refusal) throw refusal;
    // With a cut the batch exists, and its client never learns of it.
    const body = await answer(account, { name, id: id ?? "", bytes }, exchange);
    if (fault?.kind === "cut") exchange.response.destroy();
    else send(exchange, body);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    sendOpenAiRefusal(exchange, error);
  } finally {
    if (isBillable) account.leave();
  }
}

function send(exchange: HttpExchange, body: object | Uint8Array): void {
  if (body instanceof Uint8Array) {
    exchange.response.writeHead(200, { "content-type": "application/octet-stream" });
    exchange.response.end(body);
  } else sendJson(exchange, { body });
}

/** The answer: a JSON body, or the contents of a file. */
async function answer(
  { files, batches, now }: SimulatedAccount,
  { name, id, bytes }: { name: string; id: string; bytes: Uint8Array<ArrayBuffer> },
  { request, apiKey }: HttpExchange,
): Promise<object | Uint8Array> {
  const read = () => readMediaBody(bytes, request.headers["content-type"] ?? "");
  switch (name) {
    case "POST files": {
      const { body, files: given } = await read();
      const [file] = given.file ?? [];
      if (!file) throw new Refusal(400, "Missing required parameter: 'file'.");
      const filename = asText(body["file name"]) ?? "file";
      const createdSeconds = Math.floor(now() / 1000);
      return fileBody(files.add({ bytes: file, filename, purpose: asText(body.purpose) ?? "", createdSeconds }));
    }
    case "GET files :id":
      return fileBody(files.get(id));
    case "GET files :id content":
      return files.get(id).bytes;
    case "DELETE files :id":
      files.delete(id);
      return { id, object: "file", deleted: true };
    case "POST batches":
      return batches.create((await read()).body, apiKey);
    case "GET batches":
      return batches.list();
    case "GET batches :id":
      return batches.look(id);
    case "POST batches :id cancel":
      return batches.cancel(id);
    default:
      throw new Refusal(404, `No endpoint answers ${name}`);
  }
}
