import type { CallResult } from "@autolabel/budget-core";
import { asRecord } from "../calls/openai-usage.ts";
import type { ReadBody } from "./openai-body.ts";

/** Reads along while a response body passes by. */
export interface ResponseWatch {
  /** Takes the next bytes; gives what the caller shall see of them. Resolves once what they say is recorded. */
  pass(bytes: Uint8Array): Promise<Uint8Array>;
  /** The body has ended: gives what is left for the caller. */
  end(): Promise<Uint8Array>;
}

/** What a watch tells: the result as soon as it is final, or that the body ended without one. */
export interface WatchListener {
  onResult: (result: CallResult) => Promise<void>;
  onFailure: (error: unknown) => Promise<void>;
}

/** A watch for the kind of body that a response has. */
export function watchResponse(contentType: string, read: ReadBody, listener: WatchListener): ResponseWatch {
  if (contentType.includes("text/event-stream")) return watchEvents(read, listener);
  return read.endpoint === "/audio/speech" ? watchSound(listener) : watchJson(listener);
}

/** Sound tells nothing but that it was made. */
function watchSound({ onResult }: WatchListener): ResponseWatch {
  return {
    pass: async (bytes) => bytes,
    async end() {
      await onResult({});
      return new Uint8Array();
    },
  };
}

function watchJson({ onResult, onFailure }: WatchListener): ResponseWatch {
  const decoder = new TextDecoder();
  let text = "";
  return {
    async pass(bytes) {
      text += decoder.decode(bytes, { stream: true });
      return bytes;
    },
    async end() {
      const body = asRecord(parse(text + decoder.decode()));
      await (body ? onResult(resultOf(body)) : onFailure(new Error("The response is no JSON object")));
      return new Uint8Array();
    },
  };
}

function watchEvents(read: ReadBody, { onResult, onFailure }: WatchListener): ResponseWatch {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  const look = lookOf(read.endpoint);
  let pending = "";

  /** Passes the whole frames of the text on; a frame that ends the answer is recorded before the caller sees it. */
  const passFrames = async (text: string) => {
    let seen = "";
    const frames = text.split(/(?<=\r?\n\r?\n)/);
    pending = frames.at(-1)?.match(/\r?\n\r?\n$/) ? "" : (frames.pop() ?? "");
    for (const frame of frames) {
      const { result, isUsageOnly } = look(frame);
      if (result) await onResult(result);
      if (!isUsageOnly || read.wantsUsage) seen += frame;
    }
    return encoder.encode(seen);
  };
  return {
    pass: (bytes) => passFrames(pending + decoder.decode(bytes, { stream: true })),
    async end() {
      const rest = pending + decoder.decode();
      const { result, isUsageOnly } = look(rest);
      if (result) await onResult(result);
      // A stream that ended properly was recorded before; this then changes nothing.
      await onFailure(new Error("The stream ended before the answer did"));
      return encoder.encode(isUsageOnly && !read.wantsUsage ? "" : rest);
    },
  };
}

function lookOf(endpoint: ReadBody["endpoint"]): (frame: string) => Looked {
  if (endpoint === "/chat/completions") return chatEvents();
  return endpoint === "/responses" ? responseEvents() : mediaEvents();
}

interface Looked {
  result?: CallResult;
  isUsageOnly?: boolean;
}

/**
 * Chat completions end with a chunk that has usage and no choices, then `[DONE]`. Some servers repeat a running usage on
 * every chunk: only what comes with the end is final.
 */
function chatEvents(): (frame: string) => Looked {
  let seen: Record<string, unknown> = {};
  return (frame) => {
    const data = dataOf(frame);
    if (data === "[DONE]") return { result: resultOf(seen) };
    const chunk = asRecord(parse(data));
    if (!chunk) return {};
    const { model, service_tier, usage, choices } = chunk;
    seen = { ...seen, ...defined({ model, service_tier, usage }) };
    const isUsageOnly = asRecord(usage) !== undefined && Array.isArray(choices) && choices.length === 0;
    return isUsageOnly ? { result: resultOf(seen), isUsageOnly } : {};
  };
}

/** Responses end with an event that holds the whole response, with its usage. */
function responseEvents(): (frame: string) => Looked {
  const last = new Set(["response.completed", "response.incomplete", "response.failed"]);
  return (frame) => {
    const event = asRecord(parse(dataOf(frame)));
    const response = asRecord(event?.response);
    return response && last.has(String(event?.type)) ? { result: resultOf(response) } : {};
  };
}

/** Streams of pictures, speech and transcripts end with an event of their own, which has the usage. */
function mediaEvents(): (frame: string) => Looked {
  const last = /^(image_generation|image_edit)\.completed$|^(transcript\.text|speech\.audio)\.done$/;
  return (frame) => {
    const event = asRecord(parse(dataOf(frame)));
    return event && last.test(String(event.type)) ? { result: resultOf({ usage: event.usage }) } : {};
  };
}

function resultOf({ model, service_tier, usage }: Record<string, unknown>): CallResult {
  const body = defined({ model, service_tier, usage });
  return { body, ...(typeof model === "string" ? { modelId: model } : {}) };
}

function dataOf(frame: string): string {
  const lines = frame.split(/\r?\n/).filter((line) => line.startsWith("data:"));
  return lines.map((line) => line.slice("data:".length).trimStart()).join("\n");
}

function defined(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== null));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
