import type { OpenAI } from "openai";
import { mp3, picture, prompt, wav } from "./media-input.ts";
import { options } from "./openai-ways.ts";
import type { Way } from "./way.ts";

const drawing = { model: "gpt-image-1", prompt, quality: "low", size: "1024x1024" } as const;

async function readAll(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}

/** Ways to have the official client make pictures, sound and transcripts. */
export const openAiMediaWays: readonly Way<OpenAI>[] = [
  {
    name: "images.generate",
    kind: "media",
    call: (openai, asked) => openai.images.generate(drawing, options(asked)),
  },
  {
    name: "images.generate, streamed with partial images",
    kind: "media",
    call: async (openai, asked) =>
      await readAll(await openai.images.generate({ ...drawing, stream: true, partial_images: 3 }, options(asked))),
  },
  {
    name: "images.edit",
    kind: "media",
    call: (openai, asked) => openai.images.edit({ ...drawing, image: [picture(), picture()] }, options(asked)),
  },
  {
    name: "images.edit, streamed with partial images",
    kind: "media",
    call: async (openai, asked) =>
      await readAll(
        await openai.images.edit({ ...drawing, image: picture(), stream: true, partial_images: 2 }, options(asked)),
      ),
  },
  {
    name: "audio.speech.create, MP3 by the character",
    kind: "speech",
    call: async (openai, asked) => {
      const said = { model: "tts-1", voice: "ash", input: prompt } as const;
      return await (await openai.audio.speech.create(said, options(asked))).arrayBuffer();
    },
  },
  {
    name: "audio.speech.create, MP3 by the token",
    kind: "untold media",
    call: async (openai, asked) => {
      const said = { model: "gpt-4o-mini-tts", voice: "ash", input: prompt } as const;
      return await (await openai.audio.speech.create(said, options(asked))).arrayBuffer();
    },
  },
  {
    name: "audio.speech.create, SSE",
    kind: "media",
    call: async (openai, asked) => {
      const said = { model: "gpt-4o-mini-tts", voice: "ash", input: prompt, stream_format: "sse" } as const;
      return await (await openai.audio.speech.create(said, options(asked))).text();
    },
  },
  {
    name: "audio.transcriptions.create, JSON",
    kind: "media",
    call: (openai, asked) =>
      openai.audio.transcriptions.create({ model: "gpt-4o-mini-transcribe", file: mp3() }, options(asked)),
  },
  {
    name: "audio.transcriptions.create, stream",
    kind: "media",
    call: async (openai, asked) => {
      const heard = { model: "gpt-4o-transcribe", file: mp3(), stream: true } as const;
      await readAll(await openai.audio.transcriptions.create(heard, options(asked)));
    },
  },
  {
    name: "audio.transcriptions.create, text",
    kind: "untold media",
    call: (openai, asked) => {
      const heard = { model: "gpt-4o-mini-transcribe", file: mp3(), response_format: "text" } as const;
      return openai.audio.transcriptions.create(heard, options(asked));
    },
  },
  {
    name: "audio.transcriptions.create, WAV by the second",
    kind: "media",
    call: (openai, asked) => openai.audio.transcriptions.create({ model: "whisper-1", file: wav() }, options(asked)),
  },
  {
    name: "audio.translations.create",
    kind: "media",
    call: (openai, asked) => openai.audio.translations.create({ model: "whisper-1", file: wav() }, options(asked)),
  },
];
