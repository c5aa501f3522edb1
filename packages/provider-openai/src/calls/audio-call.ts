import { type Call, type CallResult, type Quote, UnpricedModelError } from "@autolabel/budget-core";
import { inputTokenBound, type ModelPrice, readOpenAiUsage } from "@autolabel/budget-core/prices";
import { limitTokens, quoteMedia, type Told } from "./media-usage.ts";
import { asRecord } from "./openai-usage.ts";
import { namesOf, refuseUnknownMembers, unbounded } from "./unbounded.ts";
import { headBytes, type Recording, wavSeconds } from "./wav-length.ts";

const speechMembers = namesOf("model input voice instructions response_format speed stream_format");
const speechOptions = namesOf("instructions speed");
/** `chunking_strategy` runs a generation per chunk, `known_speaker_references` add sound to each. */
const transcriptionMembers = namesOf(
  `model file include keywords language languages prompt response_format stream temperature timestamp_granularities`,
);
const transcriptionOptions = namesOf(
  `include keywords language languages prompt responseFormat temperature timestampGranularities`,
);

/**
 * The upper bound of a speech call: its characters, or its text as bytes and the longest answer that the price states.
 *
 * @throws UnboundedRequestError where neither is known.
 */
export function quoteSpeech({ request }: Call, price: ModelPrice, priceBook: string): Quote {
  const text = spokenText(request);
  const isSdk = "text" in request && !("model" in request);
  refuseUnknownMembers(isSdk ? optionsOf(request) : request, isSdk ? speechOptions : speechMembers);
  const sold = soldBy(price);
  // In UTF-16: whatever OpenAI takes for a character is no shorter.
  if (sold === "character") {
    return quoteMedia(price, priceBook, { inputTokens: 0, outputTokens: 0, reach: { maxCharacters: text.length } });
  }
  const outputTokens = price.source === "stated" ? price.maxOutputTokens : undefined;
  if (outputTokens === undefined) {
    throw unbounded(
      `OpenAI publishes no longest answer of "${price.modelId}" in audio tokens`,
      `State it with its price, or ask tts-1: prices: { "${price.modelId}": { input, output, maxOutputTokens } }.`,
    );
  }
  return quoteMedia(price, priceBook, {
    inputTokens: inputTokenBound({ text, request: asked(request) }),
    outputTokens,
  });
}

/** What a speech result tells: tokens where it was streamed as events, else the characters that were asked for. */
export function readSpeechUsage({ request }: Call, { body }: CallResult, price: ModelPrice): Told | undefined {
  if (soldBy(price) === "character") {
    const text = spokenText(request);
    const usage = { inputTokens: 0, outputTokens: 0, characterCount: text.length };
    return { usage, isExact: Array.from(text).length === text.length };
  }
  const usage = readOpenAiUsage({ usage: asRecord(asRecord(body)?.usage) });
  return usage && { usage, isExact: true };
}

/**
 * The upper bound of a transcription or translation: the length of a WAV file where it is billed by the second, else the
 * longest input and answer of the model, which hears the sound as one piece.
 *
 * @throws UnboundedRequestError for sound of unknown length, or that is heard in several pieces.
 */
export function quoteTranscription({ request, modelId }: Call, price: ModelPrice, priceBook: string): Quote {
  const isSdk = "audio" in request && !("model" in request);
  refuseUnknownMembers(isSdk ? optionsOf(request) : request, isSdk ? transcriptionOptions : transcriptionMembers);
  if (soldBy(price) === "second") {
    const maxAudioSeconds = wavSeconds(recordingOf(request));
    if (maxAudioSeconds !== undefined) {
      return quoteMedia(price, priceBook, { inputTokens: 0, outputTokens: 0, reach: { maxAudioSeconds } });
    }
    throw unbounded(
      "the length of compressed sound does not follow from its bytes",
      "Send it as WAV (PCM), or ask a model that is billed by the token, such as gpt-4o-mini-transcribe.",
    );
  }
  const { provider, rates, maxInputTokens, maxOutputTokens } = price;
  if (rates.audioInput === undefined) {
    throw new UnpricedModelError({ provider, modelId, reason: "no price is known for sound that it hears" });
  }
  if (isSdk && /diarize/.test(modelId)) {
    throw unbounded(`the AI SDK has "${modelId}" hear its sound in pieces`, "Ask a model that hears it as a whole.");
  }
  if (maxInputTokens === undefined || maxOutputTokens === undefined) {
    throw unbounded(
      `the longest input or answer of "${modelId}" is not known`,
      `State them with its price: prices: { "${modelId}": { input, output, audioInput, maxInputTokens, maxOutputTokens } }.`,
    );
  }
  const text = inputTokenBound({ text: asked(request) });
  return quoteMedia(price, priceBook, {
    inputTokens: Math.max(text, limitTokens(maxInputTokens)),
    outputTokens: maxOutputTokens,
  });
}

/** What a transcription tells: tokens, or seconds. */
export function readTranscriptionUsage({ body, usage }: CallResult): Told | undefined {
  const raw = asRecord(asRecord(body)?.usage) ?? asRecord(usage);
  if (!raw) return undefined;
  if (raw.type === "duration") {
    const { seconds } = raw;
    if (typeof seconds !== "number" || !(seconds >= 0)) return undefined;
    const isExact = Number.isInteger(seconds);
    return { usage: { inputTokens: 0, outputTokens: 0, audioSeconds: Math.ceil(seconds) }, isExact };
  }
  const read = readOpenAiUsage({ usage: raw });
  if (!read) return undefined;
  // Sound is the dearer kind; an input that is not split counts as sound.
  const isSplit = read.audioInputTokens !== undefined;
  return { usage: isSplit ? read : { ...read, audioInputTokens: read.inputTokens }, isExact: isSplit };
}

function soldBy({ rows }: ModelPrice): "character" | "second" | "token" {
  if (rows.some(({ fees }) => fees.character !== undefined)) return "character";
  return rows.some(({ fees }) => fees.audioSecond !== undefined) ? "second" : "token";
}

function spokenText({ input, text }: Readonly<Record<string, unknown>>): string {
  const spoken = input ?? text;
  if (typeof spoken === "string") return spoken;
  throw unbounded("its text is no string", "Send what the API reference describes.");
}

function optionsOf({ providerOptions }: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return asRecord(asRecord(providerOptions)?.openai) ?? {};
}

/** The request without its sound. */
function asked({ file: _file, audio: _audio, ...rest }: Readonly<Record<string, unknown>>): object {
  return rest;
}

/** The sound of a body that {@link Recording} was read from, or of a call of the AI SDK. */
function recordingOf({ file, audio }: Readonly<Record<string, unknown>>): Recording {
  if (audio instanceof Uint8Array) return { head: audio, size: audio.length };
  if (typeof audio === "string") return decodeHead(audio);
  const { head, size } = asRecord(file) ?? {};
  if (head instanceof Uint8Array && typeof size === "number") return { head, size };
  throw unbounded("it has no sound that can be looked at", "Send the file itself, as bytes or as a Blob.");
}

function decodeHead(base64: string): Recording {
  const start = base64.slice(0, Math.ceil(headBytes / 3) * 4);
  try {
    const bytes = atob(start.replaceAll("-", "+").replaceAll("_", "/"));
    return { head: Uint8Array.from(bytes, (byte) => byte.charCodeAt(0)), size: Math.ceil((base64.length * 3) / 4) };
  } catch {
    throw unbounded("its sound is no base64", "Send the file itself, as bytes or as a Blob.");
  }
}
