import { asText, type JsonObject } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { countTokens } from "../tokens.ts";
import type { MediaAnswer, MediaEndpoint, MediaRequest } from "./media-endpoint.ts";

const TOKENS_PER_SECOND = 10;
const CONTEXT_TOKENS = 16_000;
const MOST_OUTPUT_TOKENS = 2000;
/** What a compressed second takes here. */
const BYTES_PER_SECOND = 4000;
const SPOKEN = "the quick brown fox jumps over the lazy dog";

/** `POST /v1/audio/transcriptions` and `/v1/audio/translations`. */
export const openAiTranscriptions: readonly MediaEndpoint[] = [
  "/v1/audio/transcriptions",
  "/v1/audio/translations",
].map((path) => ({ path, kind: "transcription", promptText: ({ body }) => asText(body.prompt) ?? "", answer: hear }));

function hear(request: MediaRequest, model: { bySecond: boolean; reportsUsage: boolean }): MediaAnswer {
  const { body } = request;
  const [file] = request.files.file ?? [];
  if (!file) throw new Refusal(400, "Missing required parameter: 'file'.");
  const duration = secondsOf(file);
  const seconds = Math.max(1, Math.round(duration));
  const textInput = countTokens(asText(body.prompt) ?? "");
  const audioInput = Math.ceil(duration * TOKENS_PER_SECOND);
  if (!model.bySecond && audioInput + textInput > CONTEXT_TOKENS) {
    throw new Refusal(400, `audio duration ${duration} seconds is longer than what this model takes`);
  }
  const words = SPOKEN.split(" ");
  const text = Array.from({ length: Math.ceil(duration) }, (_, index) => words[index % words.length]).join(" ");
  const textOutput = Math.min(MOST_OUTPUT_TOKENS, countTokens(text));
  const counts = model.bySecond ? { seconds } : { textInput, audioInput, textOutput };
  const usage = model.bySecond
    ? { type: "duration", seconds }
    : {
        type: "tokens",
        input_tokens: textInput + audioInput,
        input_token_details: { text_tokens: textInput, audio_tokens: audioInput },
        output_tokens: textOutput,
        total_tokens: textInput + audioInput + textOutput,
      };
  return { counts, reply: told(body, { text, duration }, model.reportsUsage ? { usage } : {}, model.bySecond) };
}

function told(
  body: JsonObject,
  { text, duration }: { text: string; duration: number },
  usage: object,
  bySecond: boolean,
): MediaAnswer["reply"] {
  // whisper-1 ignores the wish for a stream.
  if (String(body.stream) === "true" && !bySecond) {
    const deltas = text.split(/(?<= )/).map((delta) => ({ type: "transcript.text.delta", delta }));
    return { frames: [...deltas, { type: "transcript.text.done", text, ...usage }] };
  }
  const format = asText(body.response_format) ?? "json";
  if (["text", "srt", "vtt"].includes(format)) return { text: `${text}\n` };
  const verbose = { task: "transcribe", language: "english", duration, segments: [] };
  return { json: { ...(format === "verbose_json" ? verbose : {}), text, ...usage } };
}

/** The length of plain WAV by its header, of anything else by its size. */
function secondsOf(file: Uint8Array): number {
  const bytes = Buffer.from(file);
  const isWav = bytes.toString("latin1", 0, 4) === "RIFF" && bytes.toString("latin1", 8, 12) === "WAVE";
  const data = bytes.indexOf("data", 12, "latin1");
  const format = bytes.indexOf("fmt ", 12, "latin1");
  if (!isWav || data < 0 || format < 0) return bytes.length / BYTES_PER_SECOND;
  return (bytes.length - data - 8) / bytes.readUInt32LE(format + 16);
}
