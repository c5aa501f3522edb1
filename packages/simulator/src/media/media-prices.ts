import { parsePicoUsd } from "../pico-usd.ts";

/** What a picture, sound or transcript used, in the units that OpenAI bills it by. */
export interface MediaCounts {
  readonly textInput: number;
  readonly imageInput: number;
  readonly audioInput: number;
  readonly textOutput: number;
  readonly imageOutput: number;
  readonly audioOutput: number;
  readonly characters: number;
  readonly seconds: number;
}

/** Decimal USD per million tokens or characters; per second of sound. A unit without a price costs nothing. */
type MediaPrices = Readonly<Partial<Record<keyof MediaCounts, string>>>;

/** What a media model is asked for. */
export type MediaKind = "image" | "speech" | "transcription";

interface MediaModel {
  readonly kind: MediaKind;
  readonly prices: MediaPrices;
}

const image = (prices: MediaPrices): MediaModel => ({ kind: "image", prices });
const speech = (prices: MediaPrices): MediaModel => ({ kind: "speech", prices });
const transcription = (prices: MediaPrices): MediaModel => ({ kind: "transcription", prices });

/** List prices of OpenAI as they stood when this table was written. */
const MEDIA_MODELS: Readonly<Record<string, MediaModel>> = {
  "gpt-image-1": image({ textInput: "5", imageInput: "10", imageOutput: "40" }),
  "gpt-image-1.5": image({ textInput: "5", imageInput: "8", textOutput: "10", imageOutput: "32" }),
  "gpt-image-2": image({ textInput: "5", imageInput: "8", imageOutput: "30" }),
  "tts-1": speech({ characters: "15" }),
  "tts-1-hd": speech({ characters: "30" }),
  "gpt-4o-mini-tts": speech({ textInput: "0.6", audioOutput: "12" }),
  "gpt-4o-transcribe": transcription({ textInput: "2.5", audioInput: "6", textOutput: "10" }),
  "gpt-4o-mini-transcribe": transcription({ textInput: "1.25", audioInput: "3", textOutput: "5" }),
  "whisper-1": transcription({ seconds: "0.0001" }),
  "gpt-transcribe": transcription({ seconds: "0.000075" }),
};

/** The model that is sold under this id for this kind of work, if any. */
export function findMediaModel(id: string, kind: MediaKind): MediaPrices | undefined {
  const model = MEDIA_MODELS[id];
  return model?.kind === kind ? model.prices : undefined;
}

/** Whether a model is billed by the second of sound, and so reports no tokens. */
export function isBilledBySecond(prices: MediaPrices): boolean {
  return prices.seconds !== undefined;
}

/** What these counts cost, rounded up to a whole pico-USD once. */
export function chargeForMedia(prices: MediaPrices, counts: Partial<MediaCounts>): bigint {
  let total = 0n;
  for (const [unit, count] of Object.entries(counts) as [keyof MediaCounts, number][]) {
    const price = parsePicoUsd(prices[unit] ?? "0");
    total += BigInt(count) * price * (unit === "seconds" ? 1_000_000n : 1n);
  }
  return (total + 999_999n) / 1_000_000n;
}
