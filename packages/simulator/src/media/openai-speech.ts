import { asText } from "../json.ts";
import { Refusal } from "../refusal.ts";
import { countTokens } from "../tokens.ts";
import type { MediaEndpoint } from "./media-endpoint.ts";

const MOST_CHARACTERS = 4096;
/** Speech at the usual pace: so many characters in a second, and so many tokens for it. */
const CHARACTERS_PER_SECOND = 15;
const TOKENS_PER_SECOND = 20;
const BYTES_PER_CHARACTER = 40;
const TYPES: Readonly<Record<string, string>> = { wav: "audio/wav", opus: "audio/opus", pcm: "audio/pcm" };

/** `POST /v1/audio/speech`: sound, or events whose last one tells the usage. */
export const openAiSpeech: MediaEndpoint = {
  path: "/v1/audio/speech",
  kind: "speech",
  promptText: ({ body }) => asText(body.input) ?? "",
  answer({ body }, model) {
    const input = asText(body.input);
    if (!input || Array.from(input).length > MOST_CHARACTERS)
      throw new Refusal(400, "Invalid 'input': string too long.");
    const characters = Array.from(input).length;
    const counts = {
      characters,
      textInput: countTokens(input) + countTokens(asText(body.instructions) ?? ""),
      audioOutput: Math.ceil((characters / CHARACTERS_PER_SECOND) * TOKENS_PER_SECOND),
    };
    const sound = Buffer.alloc(characters * BYTES_PER_CHARACTER, input);
    if (body.stream_format !== "sse") {
      return { counts, reply: { sound, type: TYPES[String(body.response_format)] ?? "audio/mpeg" } };
    }
    if (model.id.startsWith("tts-1")) throw new Refusal(400, "stream_format 'sse' is not supported by this model.");
    const half = Math.ceil(sound.length / 2);
    const deltas = [sound.subarray(0, half), sound.subarray(half)];
    const total_tokens = counts.textInput + counts.audioOutput;
    const usage = { input_tokens: counts.textInput, output_tokens: counts.audioOutput, total_tokens };
    const frames = deltas.map((part) => ({ type: "speech.audio.delta", audio: part.toString("base64") }));
    return {
      counts,
      reply: { frames: [...frames, { type: "speech.audio.done", ...(model.reportsUsage && { usage }) }] },
    };
  },
};
