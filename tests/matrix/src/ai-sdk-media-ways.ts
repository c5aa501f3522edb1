import {
  generateImage,
  generateSpeech,
  type ImageModel,
  type SpeechModel,
  type TranscriptionModel,
  transcribe,
} from "ai";
import { mp3, picture, prompt, wav } from "./media-input.ts";
import type { Asked, Way } from "./way.ts";

/** Settings that all media calls have; their time limit is a signal. */
function settings({ maxRetries, signal, timeoutMs }: Asked) {
  const ends = [signal, timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs)];
  return { maxRetries, abortSignal: AbortSignal.any(ends.filter((end) => end !== undefined)) };
}

/** Models of a provider of the AI SDK by what they make. */
export interface MediaProvider {
  image(modelId: string): Exclude<ImageModel, string>;
  speech(modelId: string): Exclude<SpeechModel, string>;
  transcription(modelId: string): Exclude<TranscriptionModel, string>;
}

const drawing = { size: "1024x1024", providerOptions: { openai: { quality: "low" } } } as const;

/** Ways to use models of the AI SDK for pictures, sound and transcripts. */
export const mediaWays: readonly Way<MediaProvider>[] = [
  {
    name: "generateImage",
    kind: "media",
    call: (openai, asked) =>
      generateImage({ model: openai.image("gpt-image-1"), prompt, ...drawing, ...settings(asked) }),
  },
  {
    name: "generateImage, edit",
    kind: "media",
    call: async (openai, asked) =>
      await generateImage({
        model: openai.image("gpt-image-1"),
        prompt: { text: prompt, images: [await picture().bytes()] },
        ...drawing,
        ...settings(asked),
      }),
  },
  {
    name: "generateSpeech",
    kind: "speech",
    call: (openai, asked) => generateSpeech({ model: openai.speech("tts-1"), text: prompt, ...settings(asked) }),
  },
  {
    name: "transcribe",
    kind: "media",
    call: async (openai, asked) =>
      await transcribe({
        model: openai.transcription("gpt-4o-mini-transcribe"),
        audio: await mp3().bytes(),
        ...settings(asked),
      }),
  },
  {
    name: "transcribe, WAV by the second",
    kind: "media",
    call: async (openai, asked) =>
      await transcribe({
        model: openai.transcription("whisper-1"),
        audio: await wav().bytes(),
        ...settings(asked),
      }),
  },
];
